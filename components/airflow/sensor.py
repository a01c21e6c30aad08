"""A task that waits until a person has promoted a version."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperatorLink, BaseSensorOperator, Context, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

from clarify_ops.components.airflow.asking import ask
from clarify_ops.components.airflow.links import RegisteredVersionLink
from clarify_ops.components.airflow.places import Place, parted, place
from clarify_ops.components.airflow.step import Text, mask_rendered, refuse_written_password
from clarify_ops.errors import BadInput, Outside

_GRACE = timedelta(minutes=5)


class RegisteredVersionSensor(BaseSensorOperator):
    """Waits until a version whose evidence holds has an alias: what deploys models comes after it.

    Everything that was registered with the version is brought and verified before the task goes on; a version whose alias was
    moved past the gate is waited at as if it had none. A registry that is away is asked again. Deferred, the task takes no
    worker while it waits. Its result is a dict: model, version, evidence and verdict.

    Args:
        model: The registered model.
        alias: What the version must be called. An approved version in SageMaker is `champion`.
        version: Its number, where only one will do: the one that a register task told.
        registry_uri: The registry: an MLflow tracking URI, or S3.
        registry_conn_id: Connection to it, in place of registry_uri.
        python: Interpreter of the environment that clarify_ops is installed in.
        deferrable: Wait in the triggerer; by default as `[operators] default_deferrable` says.
        kwargs: As of every sensor: `timeout`, `poke_interval`, `soft_fail`.
    """

    template_fields: Sequence[str] = ("model", "alias", "version", "registry_uri", "registry_conn_id", "python")
    operator_extra_links: Sequence[BaseOperatorLink] = (RegisteredVersionLink(),)
    ui_color = "#e3eef6"

    def __init__(
        self,
        *,
        model: Text,
        alias: Text = "champion",
        version: Text | None = None,
        registry_uri: Text | None = None,
        registry_conn_id: str | None = None,
        python: str = sys.executable,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (registry_uri is None) == (registry_conn_id is None):
            raise TypeError(f"{type(self).__name__} {self.task_id!r} takes registry_uri or registry_conn_id.")
        self.model = model
        self.alias = alias
        self.version = version
        self.registry_uri = registry_uri
        self.registry_conn_id = registry_conn_id
        self.python = python
        self.deferrable = _by_default() if deferrable is None else deferrable
        self.registered: dict[str, Any] | None = None
        refuse_written_password(self)

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Renders them, and keeps passwords in addresses secret."""
        super().render_template_fields(context, jinja_env)
        mask_rendered(self)

    def execute(self, context: Context) -> Any:
        """Waits here, or in the triggerer."""
        if self.deferrable:
            self._defer()
        return super().execute(context)

    def _defer(self) -> NoReturn:
        if self.registry_uri is not None and parted(str(self.registry_uri))[2]:
            raise AirflowFailException(
                "A registry_uri with a password would be stored with the trigger. Name a connection: registry_conn_id."
            )
        from clarify_ops.components.airflow.trigger import RegisteredVersionTrigger

        trigger = RegisteredVersionTrigger(
            model=str(self.model),
            alias=str(self.alias),
            version=self._version(),
            registry_uri=None if self.registry_uri is None else str(self.registry_uri),
            registry_conn_id=self.registry_conn_id,
            python=self.python,
            poke_interval=self.poke_interval,
            until=time.time() + self.timeout,
        )
        # The trigger ends by itself, and says what it saw last; Airflow's own timeout is for a triggerer that is not there.
        self.defer(trigger=trigger, method_name="resumed", timeout=timedelta(seconds=self.timeout) + _GRACE)

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002 - Airflow's signature
        """One look."""
        try:
            found = ask(self._place(), self._question(), python=self.python)
        except BadInput as error:
            raise AirflowFailException(str(error)) from None
        except Outside as error:
            found = {"words": str(error)}
        self.log.info("%s", found["words"])
        return PokeReturnValue("found" in found, self._keep(found.get("found")))

    def resumed(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """After the trigger."""
        if "failed" in event:
            raise AirflowFailException(event["failed"])
        if "over" in event:
            words = f"Waited {timedelta(seconds=self.timeout)} in vain. {event['over']}"
            raise AirflowSkipException(words) if self.soft_fail else AirflowSensorTimeout(words)
        self.log.info("%s", event["words"])
        return self._keep(event["found"]) or {}

    def _keep(self, found: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if found is None:
            return None
        self.registered = {**found, "registry": self._place().uri}
        return dict(found)

    def _question(self) -> dict[str, str | None]:
        return {"model": str(self.model), "alias": str(self.alias), "version": self._version()}

    def _version(self) -> str | None:
        # A template that rendered to nothing asks for none in particular.
        return str(self.version) if self.version not in {None, "", "None"} else None

    def _place(self) -> Place:
        if self.registry_conn_id is None:
            return place(str(self.registry_uri))
        from clarify_ops.components.airflow.hook import RegistryHook

        return RegistryHook(self.registry_conn_id).place()


def _by_default() -> bool:
    from airflow.sdk.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
