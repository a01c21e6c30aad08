"""A connection to a registry, and what opens it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, Connection

from clarify_ops.components.airflow.places import Place, place

if TYPE_CHECKING:
    from clarify_ops.registry.protocol import Registry


class RegistryHook(BaseHook):
    """The registry that a connection names: MLflow's, or SageMaker's with its files in S3.

    The connection's host is the registry's URI. Login and password are those of MLflow or of the database behind it, or the
    id and the secret of an AWS access key; its other fields are `clarify_ops.components.airflow.places.EXTRA`.

    Args:
        registry_conn_id: Id of the connection.
    """

    conn_name_attr = "registry_conn_id"
    default_conn_name = "clarify_ops_registry_default"
    conn_type = "clarify_ops_registry"
    hook_name = "clarify_ops model registry"

    def __init__(self, registry_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.registry_conn_id = registry_conn_id

    def place(self) -> Place:
        """Address without secrets, and the environment that a process needs.

        Raises:
            BadInput: The connection has no URI, or a field that is not known.
        """
        connection = self.get_connection(self.registry_conn_id)
        return place_of(connection, connection.extra_dejson)

    def get_conn(self) -> Registry:
        """The registry, opened in this process: its credentials are put into this process's environment.

        That suits a task, whose process is its own. What shares its process with others, a trigger or the API server, takes
        `place` and starts one.
        """
        from clarify_ops.registry.opening import registry_at

        found = self.place()
        os.environ.update(found.environment)
        return registry_at(found.full)

    def test_connection(self) -> tuple[bool, str]:
        """Whether the registry answers, and with what; asked in a process of its own."""
        from clarify_ops.components.airflow.asking import ask
        from clarify_ops.errors import ClarifyOpsError

        try:
            return True, str(ask(self.place(), {}, python=sys.executable)["words"])
        except ClarifyOpsError as error:
            return False, str(error)


def place_of(connection: Connection, extra: Mapping[str, Any]) -> Place:
    """The registry of a connection.

    Args:
        connection: Its host is the URI; a port and a path may stand apart, as in a connection that is written as a URI.
        extra: The connection's other fields, parsed: how that is done depends on where the code runs.

    Raises:
        BadInput: The host is no URI, or a field is not known.
    """
    host = (connection.host or "").rstrip("/")
    uri = (
        host
        + (f":{connection.port}" if connection.port else "")
        + (f"/{connection.schema}" if connection.schema else "")
    )
    return place(uri, login=connection.login, password=connection.password, extra=extra)
