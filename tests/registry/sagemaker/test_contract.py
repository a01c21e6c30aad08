"""SageMaker keeps the contract of every registry."""

from __future__ import annotations

from tests.registry.contract import EvidenceContract, RegistryContract


class TestSageMaker(RegistryContract, EvidenceContract):
    """All of it."""
