"""A candidate with all the documents that SageMaker is pointed at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from clarify_ops.card import content_text, sagemaker_card
from clarify_ops.documents import write_json, write_text
from clarify_ops.registry.protocol import Candidate
from tests.registry.candidates import make_candidate

ANALYSIS = {"label_values_or_threshold": [1], "methods": {"shap": {}}, "clarify_ops": {"seed": 3}}


def whole_candidate(folder: Path, seed: int = 0, **wishes: Any) -> Candidate:
    """As `make_candidate`, with metrics, analyses, card and pipeline."""
    candidate = make_candidate(folder, seed, **wishes)
    root = candidate.model.parent
    documents: dict[str, Any] = {
        "analysis.json": {"version": "1.0"},
        "metrics.json": {"version": "1", "measures": [one.to_json() for one in candidate.release.measures]},
        "pipeline.json": {"name": "small", "analysis": ANALYSIS},
        **{
            f"{step}/analysis.json": {"version": "1.0", "step": step, "seed": seed}
            for step in ("pretraining_bias", "posttraining_bias", "explanations")
        },
    }
    paths = dict(candidate.documents)
    for name, document in documents.items():
        (root / name).parent.mkdir(exist_ok=True)
        paths[name] = write_json(root / name, document)
    card = content_text(sagemaker_card(candidate.release))
    paths["model_card.json"] = write_text(root / "model_card.json", card)
    return replace(candidate, documents=paths)
