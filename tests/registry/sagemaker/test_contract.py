"""SageMaker keeps the contract of every registry."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from clarify_ops.registry.audit import audit
from clarify_ops.registry.protocol import Candidate
from tests.registry.contract import EvidenceContract, RegistryContract

from .place import SageMakerPlace


class TestSageMaker(RegistryContract, EvidenceContract):
    """All of it."""


def test_a_version_that_was_made_another_one(place: SageMakerPlace, make: Callable[..., Candidate]) -> None:
    """Files and metadata of another candidate, whole and true in themselves: the description cannot be changed."""
    victim, name = place.name(), place.name()
    place.registry.register(make(1), victim, "challenger")
    place.registry.register(make(2), name, "challenger")
    other = place.registry.versions(name)[0]
    for key, value in other.tags.items():
        place.tag(place.registry.versions(victim)[0], key, value)
    (finding,) = audit(place.registry, victim, today=datetime.date(2026, 11, 20)).findings
    assert f"but its tag says {other.evidence}, and its description sha256:" in finding.problems[0]
