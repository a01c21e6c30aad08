"""Evidence that is older than the policy allows fails, and so does evidence of unknown age."""

from __future__ import annotations

import json

import pytest

from clarify_ops.gate.evidence import Evidence
from tests.project import Project


@pytest.mark.parametrize(
    ("ended", "steps", "status", "words"),
    [
        (None, (), 0, "Verdict: PASS"),
        ("2001-01-01T00:00:00+00:00", ("training",), 3, "days old"),
        ("2098-01-01T00:00:00+00:00", ("training",), 0, "Verdict: PASS"),
        (
            "2098-01-01T00:00:00+00:00",
            ("training", "pretraining_bias", "posttraining_bias", "explanations"),
            3,
            "dated later than now",
        ),
    ],
)
def test_the_age_of_the_oldest_step(
    ready: Project, ended: str | None, steps: tuple[str, ...], status: int, words: str
) -> None:
    ready.edit(lambda d: d.update(max_age_days=1000), "policy.yaml")
    for name in steps:
        file = ready.folder / "run" / name / "step.json"
        step = json.loads(file.read_text(encoding="utf-8"))
        forged = Evidence(step["claims"], {**step["envelope"], "finished": ended})
        file.write_text(json.dumps(forged.to_json()), encoding="utf-8")
    found, out, err = ready.step("gate")
    assert found == status, err
    assert words in out + err
