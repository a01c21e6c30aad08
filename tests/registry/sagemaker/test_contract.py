"""SageMaker keeps the contract of every registry."""

from __future__ import annotations

from tests.registry.contract import RegistryContract


class TestSageMaker(RegistryContract):
    """All of it."""
