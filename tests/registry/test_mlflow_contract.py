"""MLflow keeps the contract: on an SQLite file, and behind a real server with PostgreSQL."""

from __future__ import annotations

import pytest

from .contract import EvidenceContract, RegistryContract
from .mlflow_place import MlflowPlace


class TestMlflow(RegistryContract):
    # A server with SQLite is what every fault is tried on.
    @pytest.fixture(params=["on_sqlite", "on_postgresql"])
    def place(self, request: pytest.FixtureRequest) -> MlflowPlace:
        found: MlflowPlace = request.getfixturevalue(request.param)
        return found


class TestMlflowEvidence(EvidenceContract):
    # Where the documents are is all that differs behind a server, and the contract above fetches them there.
    @pytest.fixture
    def place(self, on_sqlite: MlflowPlace) -> MlflowPlace:
        return on_sqlite
