"""Registries that the tests share: a server is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clarify_ops.registry.mlflow_registry import MlflowRegistry

from .mlflow_place import MlflowPlace
from .servers import mlflow_server, postgresql


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> MlflowPlace:
    """MLflow without a server."""
    folder = tmp_path_factory.mktemp("sqlite")
    return MlflowPlace(MlflowRegistry(f"sqlite:///{folder}/mlflow.db", "contract", folder / "artifacts"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an `mlflow server` on SQLite."""
    folder = tmp_path_factory.mktemp("server")
    with mlflow_server(folder, f"sqlite:///{folder}/mlflow.db") as address:
        yield address


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an `mlflow server` on PostgreSQL."""
    with postgresql() as database:
        folder = tmp_path_factory.mktemp("postgresql")
        with mlflow_server(folder, database) as address:
            yield address


@pytest.fixture(scope="session")
def on_postgresql(postgresql_server: str) -> MlflowPlace:
    """MLflow behind a server, on PostgreSQL."""
    return MlflowPlace(MlflowRegistry(postgresql_server, "contract"))
