"""Candidates without training: a model of two small files, and the documents that a release has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from clarify_ops.documents import write_json
from clarify_ops.gate.evidence import Evidence
from clarify_ops.gate.verdict import Outcome
from clarify_ops.registry.protocol import Candidate
from clarify_ops.training.saving import model_digest
from tests.factories import release, verdict

_DESCRIPTION = """flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.skops}
"""


def make_candidate(
    folder: Path, seed: int = 0, *, outcome: Outcome = "PASS", inconclusive: str = "block", waived: bool = False
) -> Candidate:
    """A candidate that differs from those of other seeds in model and evidence.

    Args:
        folder: To be written to; one candidate has a folder of its own in it.
        seed: Which candidate.
        outcome, inconclusive: Of its verdict.
        waived: Keep the judgement that a waiver lifts until 2027-03-31, beside those that pass.
    """
    root = folder / f"candidate-{seed}-{outcome}"
    (root / "model" / "data").mkdir(parents=True)
    (root / "model" / "MLmodel").write_text(_DESCRIPTION, encoding="utf-8")
    (root / "model" / "data" / "model.skops").write_bytes(b"weights %d" % seed)
    whole = release()
    kept = tuple(one for one in whole.verdict.judgements if one.outcome == "PASS" or (waived and one.waived))
    judged = verdict(kept, outcome, inconclusive=inconclusive)
    claims: dict[str, Any] = {
        "pipeline": whole.pipeline,
        "seed": seed,
        "model": model_digest(root / "model"),
        "verdict": judged.to_json(),
    }
    evidence = Evidence(claims, {"started": "2026-11-20T10:00:00+00:00"})
    documents = {
        "evidence.json": evidence.to_json(),
        "verdict.json": judged.to_json(),
        "training/step.json": {"step": "train", "seed": seed},
    }
    paths = {}
    for name, document in documents.items():
        paths[name] = root / name
        paths[name].parent.mkdir(exist_ok=True)
        write_json(paths[name], document)
    for name, text in (("report.html", f"<h1>Report {seed}</h1>"), ("model_card.md", f"# Card {seed}\n")):
        paths[name] = root / name
        paths[name].write_text(text, encoding="utf-8")
    return Candidate(
        release=replace(whole, verdict=judged, digests={**whole.digests, "evidence": evidence.digest}),
        model=root / "model",
        documents=paths,
        plots={"a.png": b"\x89PNG"},
        parameters={"train.estimator": "x.Y"},
        evidence_digest=evidence.digest,
        data_uri="data.csv",
    )
