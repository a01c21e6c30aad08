"""A model behind a real HTTP server that speaks what a configuration's `predictor` says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.models.faulty import Answer, Behaviour, Request

CSV, JSON_LINES, JSON = "text/csv", "application/jsonlines", "application/json"
Score = Callable[[pd.DataFrame], NDArray[np.float64]]

PREDICTORS: dict[str, dict[str, Any]] = {
    "csv": {"content_type": CSV, "accept_type": CSV},
    "lines": {
        "content_type": JSON_LINES,
        "accept_type": JSON_LINES,
        "content_template": '{"features": $features}',
        "probability": "score",
    },
    "json": {
        "content_type": JSON,
        "accept_type": JSON,
        "content_template": '{"instances": $records}',
        "record_template": '{"features": $features}',
        "probability": "predictions[*].score",
    },
    "names": {
        "content_type": JSON,
        "accept_type": JSON_LINES,
        "content_template": '{"names": $feature_names, "instances": $records}',
        "record_template": "$features_kvp",
        "probability": "score",
    },
}


def rows_of(request: Request, names: Sequence[str] | None) -> pd.DataFrame:
    """The features that a request asks about, numbers as such; by place where they have no names."""
    kind, text = request.headers["content-type"], request.body.decode()
    if kind == CSV:
        columns = map(_numbers, zip(*csv.reader(io.StringIO(text)), strict=True))
        return pd.DataFrame(dict(zip(names, columns, strict=True) if names else enumerate(columns)))
    if kind == JSON_LINES:
        records = [json.loads(line)["features"] for line in text.splitlines()]
    else:
        records = [one.get("features", list(one.values())) for one in json.loads(text)["instances"]]
    return pd.DataFrame(records, columns=None if names is None else list(names))


def _numbers(cells: tuple[str, ...]) -> Sequence[Any]:
    try:
        return [float(one) for one in cells]
    except ValueError:
        return cells


def said(scores: NDArray[np.float64], kind: str) -> bytes:
    """Scores and the labels that follow from them."""
    if kind == CSV:
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([[repr(float(one))] for one in scores])
        return file.getvalue().encode()
    answers = [{"predicted_label": int(one > 0.5), "score": float(one)} for one in scores]
    if kind == JSON_LINES:
        return "".join(json.dumps(one) + "\n" for one in answers).encode()
    return json.dumps({"predictions": answers}).encode()


def container(score: Score, names: Sequence[str] | None = None) -> Behaviour:
    """What a server does that has a model, of features by name or by place."""

    def behave(_number: int, request: Request) -> Answer:
        kind = request.headers["accept"]
        return Answer(said(np.asarray(score(rows_of(request, names))), kind), headers={"Content-Type": kind})

    return behave


def close(found: Any, expected: Any) -> bool:
    """The same document, with numbers to 1e-9."""
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(close(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float) and isinstance(found, float):
        return abs(found - expected) <= 1e-9 * max(1.0, abs(expected))
    return bool(found == expected)
