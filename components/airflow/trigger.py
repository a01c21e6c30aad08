"""Waits for a version in the triggerer, where thousands of tasks wait without a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from clarify_ops.components.airflow.asking import ask_asynchronously
from clarify_ops.components.airflow.places import Place, place
from clarify_ops.errors import BadInput, Outside


class RegisteredVersionTrigger(BaseTrigger):
    """Fires when a version with valid evidence has an alias, or when the time is over.

    It is kept in Airflow's database: a connection is named and not held, and the end is a point in time, so that a
    triggerer that starts again goes on where another stopped.

    Args:
        model, alias, version: What is waited for, as `RegisteredVersionSensor` takes it.
        registry_uri, registry_conn_id: Where; one of them.
        python: Interpreter of the environment that clarify_ops is installed in.
        poke_interval: Seconds between two looks.
        until: When waiting ends, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        model: str,
        alias: str,
        version: str | None,
        registry_uri: str | None,
        registry_conn_id: str | None,
        python: str,
        poke_interval: float,
        until: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model, self.alias, self.version = model, alias, version
        self.registry_uri, self.registry_conn_id = registry_uri, registry_conn_id
        self.python, self.poke_interval, self.until = python, poke_interval, until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it: no secret is in it."""
        names = ("model", "alias", "version", "registry_uri", "registry_conn_id", "python", "poke_interval", "until")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks until there is something to tell."""
        question = {"model": self.model, "alias": self.alias, "version": self.version}
        while True:
            try:
                found = await ask_asynchronously(await self._place(), question, python=self.python)
            except BadInput as error:
                yield _event({"failed": str(error)})
                return
            except Outside as error:
                # A registry that is away may come back; the time that is left is what counts.
                found = {"words": str(error)}
            self.log.info("%s", found["words"])
            if "found" in found:
                yield _event(found)
                return
            left = self.until - time.time()
            if left <= 0:
                yield _event({"over": found["words"]})
                return
            await asyncio.sleep(min(self.poke_interval, left))

    async def _place(self) -> Place:
        if self.registry_conn_id is None:
            return place(self.registry_uri or "")
        from clarify_ops.components.airflow.hook import RegistryHook, place_of

        connection = await RegistryHook.aget_connection(self.registry_conn_id)
        return place_of(connection, await connection.aextra_dejson())


def _event(document: dict[str, Any]) -> TriggerEvent:
    return TriggerEvent(document)  # type: ignore[no-untyped-call]
