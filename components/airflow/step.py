"""What all operators have in common: a step in a process of its own, and its end as what a scheduler can act upon.

The worker imports none of the libraries that train and explain, an environment other than Airflow's can be named, and what
a step leaves in memory goes with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, BaseOperatorLink, Context, XComArg
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from clarify_ops.components.airflow.links import ReportLink
from clarify_ops.components.airflow.places import VARIABLE, Place, parted, place
from clarify_ops.components.commands import arguments, ports, said
from clarify_ops.errors import ClarifyOpsError

Text = str | XComArg
"""Text, which may be a template, or what another task returns."""

_FAILS_AT_ONCE = {2, 3, 4}
_REFUSED = {3, 4}
_LAST_LINES = 20
_SECONDS_TO_END = 10.0
COMMON = ("output_folder", "python", "environment", "registry_conn_id", "reports_url")
_REGISTRY = "registry_uri"


class StepOperator(BaseOperator):
    """A step of the step table; its subclasses say which. Every argument but a switch is a template.

    The task's result is the output folder, so that one task takes another's `.output`.

    Exit statuses become what a scheduler can act upon. Wrong input (2) and a refused gate (3, 4) raise
    AirflowFailException: the task fails at once, for trying again gives the same. A registry or a store that failed (5), and
    a crash, raise AirflowException: the task's retries are used.

    Args:
        output_folder: Folder to write, which the tasks after this one can read.
        python: Interpreter of the environment that clarify_ops is installed in.
        environment: Variables for the step, besides the worker's own. Airflow stores and shows them: secrets go into a
            connection.
        registry_conn_id: Connection to the registry. What is secret in it reaches the step's process and nothing else.
        reports_url: Address under which people see the output folder, for links; by default the registry's pages or file://.
        kwargs: As of every operator.

    Raises:
        TypeError: An argument is none that the step takes, or of another type.
    """

    step: ClassVar[str]
    template_fields: Sequence[str] = COMMON
    template_fields_renderers: ClassVar[dict[str, str]] = {"environment": "json"}
    operator_extra_links: Sequence[BaseOperatorLink] = (ReportLink(),)
    ui_color = "#e3eef6"

    output_folder: Text

    def __init__(
        self,
        *,
        output_folder: Text,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        registry_conn_id: str | None = None,
        reports_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_folder = output_folder
        self.python = python
        self.environment = environment
        self.registry_conn_id = registry_conn_id
        self.reports_url = reports_url
        self._process: subprocess.Popen[str] | None = None
        for name in ("output_folder", "python"):
            self._require_text(name, getattr(self, name))
        for name in ("registry_conn_id", "reports_url"):
            self._require_text(name, getattr(self, name), may_be_absent=True)
        if environment is not None and not _late(environment) and not _texts(environment):
            raise TypeError(f"{self._named} takes as environment a mapping of text to text.")

    def execute(self, context: Context) -> str:
        """Runs the step; returns its output folder."""
        try:
            return self._run_step(context)
        except ClarifyOpsError as error:
            # Found here before the step was started, or in what it left: trying again gives the same.
            raise AirflowFailException(str(error)) from None

    def on_kill(self) -> None:
        """Ends the step's process."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Renders them, and keeps passwords in addresses secret."""
        super().render_template_fields(context, jinja_env)
        mask_rendered(self)

    def _take(self, **values: Any) -> None:
        """Takes the ports, each by its name in the step table."""
        for port in ports(self.step):
            value = values.pop(port.name)
            if port.kind == "flag":
                if not isinstance(value, bool):
                    raise TypeError(f"{self._named} takes True or False as {port.name}, not {type(value).__name__}.")
            else:
                self._require_text(port.name, value, may_be_absent=not port.required)
            setattr(self, port.name, value)
        if values:
            raise TypeError(f"The step {self.step} has no {', '.join(values)}.")
        refuse_written_password(self)

    def _require_text(self, name: str, value: object, *, may_be_absent: bool = False) -> None:
        if not (isinstance(value, str) or _late(value) or (value is None and may_be_absent)):
            raise TypeError(f"{self._named} takes text or another task's output as {name}, not {type(value).__name__}.")

    @property
    def _named(self) -> str:
        return f"{type(self).__name__} {self.task_id!r}"

    def _run_step(self, context: Context) -> str:
        for name in self.template_fields:
            if name != "environment":
                # What another task returned is known only now.
                self._require_rendered(name, getattr(self, name))
        folder = str(self.output_folder)
        values = {port.name: getattr(self, port.name) for port in ports(self.step)} | self._filled_in(context)
        registry = self._registry()
        environment = {**os.environ, **(self.environment or {})}
        # A step that takes no registry would refuse the one that the worker's own environment names.
        environment.pop(VARIABLE, None)
        if registry is not None:
            environment |= registry.environment
            if _REGISTRY in values:
                # It goes by the environment, for it may hold a password.
                values[_REGISTRY] = None
                environment[VARIABLE] = registry.full
        status, lines = self._run(arguments(self.step, values, folder), environment)
        if status == 0:
            self._answer(context)
            return folder
        if status in _REFUSED:
            self._tell(context)
        words = said(lines) or (self._refusal() if status in _REFUSED else "\n".join(lines))
        if status in _FAILS_AT_ONCE:
            raise AirflowFailException(words)
        raise AirflowException(f"clarify-ops {self.step} {_ending(status)}: {words}")

    def _require_rendered(self, name: str, value: object) -> None:
        if value is not None and not isinstance(value, str):
            raise AirflowFailException(f"{self._named} got {type(value).__name__} as {name}, which takes text.")

    def _registry(self) -> Place | None:
        """The registry that a connection or an address names; None leaves it to the pipeline."""
        uri = getattr(self, _REGISTRY, None)
        if not self.registry_conn_id:
            return place(uri) if uri and parted(uri)[1] is not None else None
        if uri:
            # Or whoever may set a parameter could send the credentials anywhere.
            raise AirflowFailException(
                f"{self._named} has two registries: registry_uri, and the connection {self.registry_conn_id}."
            )
        from clarify_ops.components.airflow.hook import RegistryHook

        return RegistryHook(self.registry_conn_id).place()

    def _run(self, options: Sequence[str], environment: Mapping[str, str]) -> tuple[int, list[str]]:
        """Exit status and last lines; all of them go to the task's log while they come."""
        lines: list[str] = []
        try:
            self._process = subprocess.Popen(
                [self.python, "-m", "clarify_ops.components.airflow.child", *options],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise AirflowFailException(f"{self.python} cannot be started: {error.strerror}.") from None
        with self._process as process:
            try:
                for line in process.stdout or ():
                    self.log.info("%s", line.rstrip())
                    lines = [*lines, line.rstrip()][-_LAST_LINES:]
                # Before its input is closed, which would end it.
                return process.wait(), lines
            except BaseException:
                # A timeout of the task, for one. Leaving the block waits for the process.
                self.on_kill()
                raise

    def _filled_in(self, _: Context) -> dict[str, Any]:
        """Values that are made only now."""
        return {}

    def _answer(self, context: Context) -> None:
        """What a step that went well tells besides its folder."""
        self._tell(context)

    def _tell(self, context: Context) -> None:
        """What a step tells that was refused as well; most tell nothing."""

    def _refusal(self) -> str:
        return f"The step {self.step} was refused."

    def _left(self, name: str) -> dict[str, Any]:
        """A document in the output folder."""
        found: dict[str, Any] = json.loads(Path(str(self.output_folder), name).read_text(encoding="utf-8"))
        return found


def _late(value: object) -> bool:
    """Whether it is known only when the task runs: another task's output, or an item of a mapping."""
    return hasattr(value, "iter_references")


def _texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    name = signal.Signals(-status).name
    return f"was killed by {name}" + (" (is there enough memory?)" if name == "SIGKILL" else "")


def refuse_written_password(operator: BaseOperator) -> None:
    """Refuses a registry_uri with a password in a DAG file, from where it would go into Airflow's database.

    Raises:
        ValueError: There is one.
    """
    registry = getattr(operator, _REGISTRY, None)
    if isinstance(registry, str) and "{{" not in registry and parted(registry)[2]:
        raise ValueError(
            f"{type(operator).__name__} {operator.task_id!r} has a password in its registry_uri, which Airflow would store"
            " and show. Put it into a connection, and name that: registry_conn_id."
        )


def mask_rendered(operator: BaseOperator) -> None:
    """Keeps passwords in addresses that templates gave out of what Airflow stores and logs."""
    from airflow.sdk.log import mask_secret

    for name in operator.template_fields:
        value = getattr(operator, name, None)
        for text in value.values() if isinstance(value, Mapping) else (value,):
            if isinstance(text, str) and "@" in text and (secret := parted(text)[2]):
                mask_secret(secret)
