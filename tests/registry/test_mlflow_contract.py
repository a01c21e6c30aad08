"""MLflow keeps the contract: on an SQLite file, behind a real server, and with PostgreSQL behind that."""

from __future__ import annotations

import pytest

from .contract import RegistryContract
from .mlflow_place import MlflowPlace


@pytest.fixture(scope="module", params=["on_sqlite", "on_server", "on_postgresql"])
def place(request: pytest.FixtureRequest) -> MlflowPlace:
    found: MlflowPlace = request.getfixturevalue(request.param)
    return found


class TestMlflow(RegistryContract):
    """All of it."""
