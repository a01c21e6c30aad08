"""The golden documents: one card whole, and the shape of every other. `python -m tests.card.shapes` writes them anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from clarify_ops.card import clause_index, ml_bom, sagemaker_card, standalone_card
from tests.card.attached import BESIDE, PLACE
from tests.factories import release

FOLDER = Path(__file__).parent / "golden"
STORED = replace(BESIDE, place=PLACE)


def shape(value: Any) -> Any:
    """Keys and types of a document; the entries of a list, and of a mapping with free keys, are one."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        merged: Any = None
        for one in value:
            merged = together(merged, shape(one))
        return [merged]
    return type(value).__name__


def together(left: Any, right: Any) -> Any:
    """The shape that both have."""
    if left is None or left == right:
        return right
    if isinstance(left, dict) and isinstance(right, dict):
        return {key: together(left.get(key), right.get(key, left.get(key))) for key in sorted(left | right)}
    if isinstance(left, list) and isinstance(right, list):
        return [together(left[0], right[0])]
    return " or ".join(sorted({*str(left).split(" or "), *str(right).split(" or ")}))


def documents() -> dict[str, Any]:
    """What the golden files hold, by name."""
    whole = release()
    return {
        "sagemaker_model_card.json": standalone_card(whole, STORED),
        "model_card.shape.json": shape(sagemaker_card(whole, STORED)),
        "bom.cdx.shape.json": shape(ml_bom(whole, STORED)),
        "clauses.shape.json": shape(clause_index(whole, STORED)),
    }


if __name__ == "__main__":
    for name, document in documents().items():
        (FOLDER / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
