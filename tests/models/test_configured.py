"""What a configuration says of an endpoint is what is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig, Predictor
from clarify_ops.errors import BadDocument, ClarifyOpsError, NotSupported
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.models.configured import encoding_of, endpoint_of, reading_of
from clarify_ops.models.remote import Limits
from tests.models.faulty import Answer, serving
from tests.models.test_endpoint import QUICK, table

ANSWERS: dict[str, dict[str, Any]] = {
    "predicted_label": {"predicted_label": 1, "score": 0.75},
    "score": {"predicted_label": 1, "score": 0.75},
    "predictions[*].score": {"predictions": [{"predicted_label": 1, "score": 0.75}] * 3},
}


def configurations(document: Any) -> Iterator[dict[str, Any]]:
    """Every configuration with a predictor within a document."""
    if isinstance(document, dict):
        if {"predictor", "methods", "dataset_type"} <= document.keys():
            yield document
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from configurations(one)


def test_every_predictor_of_the_public_notebooks_is_asked_as_it_says(shared: Path) -> None:
    found = list(configurations(json.loads((shared / "conformance" / "notebook_configs.json").read_text())))
    assert found
    asked = 0
    for document in found:
        config = AnalysisConfig.model_validate(document)
        predictor = config.predictor
        assert predictor is not None
        if predictor.time_series_predictor_config or predictor.content_type == "image/jpeg":
            with pytest.raises(NotSupported):
                encoding_of(predictor, config.dataset_type).layout(["a"])
            continue
        encoding = encoding_of(predictor, config.dataset_type)
        reading = reading_of(predictor, encoding)
        layout = encoding.layout(["a", "b"])
        body = layout.body(layout.records(pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})))
        assert body.count(b"\n") == 2 or encoding.content_type == "application/json"
        answer: dict[str, Any] = ANSWERS.get(str(reading.label or reading.probability), {"score": 0.75})
        said = {
            "text/csv": b"0.75\n0.75\n0.75\n",
            "application/jsonlines": b"\n".join([json.dumps(answer).encode()] * 3),
            "application/json": json.dumps(answer if "predictions" in answer else [answer] * 3).encode(),
        }[reading.accepted]
        assert len(reading.joined([reading.read(said, "", 3, "it")], "it")[0]) == 3
        asked += 1
    assert asked > 10


@pytest.mark.parametrize(
    ("settings", "dataset", "error", "said"),
    [
        ({}, "application/x-parquet", BadDocument, "no request is"),
        ({"content_type": "image/png"}, "application/x-image", NotSupported, "image/png"),
        ({"content_type": "application/x-npy"}, "text/csv", NotSupported, "x-npy"),
        ({}, "application/jsonlines", BadDocument, "content_template"),
        ({"label": "a["}, "text/csv", BadDocument, "position of a column"),
        ({"label": "a[", "accept_type": "application/json"}, "text/csv", BadDocument, "does not parse"),
        ({}, "text/csv", BadDocument, "model_name is not set"),
    ],
)
def test_what_cannot_be_asked(settings: dict[str, Any], dataset: str, error: type[ClarifyOpsError], said: str) -> None:
    with pytest.raises(error) as caught:
        endpoint_of(Predictor.model_validate(settings), dataset)
    assert said in str(caught.value)


def test_zero_is_a_place() -> None:
    predictor = Predictor.model_validate({"label": 0, "probability": 0})
    reading = reading_of(predictor, encoding_of(predictor, "text/csv"))
    found = reading.joined([reading.read(b"0.5,0.1\n0.25,0.9\n", "", 2, "it")], "it")[0]
    assert found.to_dict("list") == {"label": [0.5, 0.25], "probability": [0.5, 0.25]}


@pytest.mark.parametrize("payload", [500, 5_000, 500_000])
def test_an_explanation_asks_as_seldom_as_the_payload_allows(payload: int) -> None:
    """Rows and background are asked once each, and all hybrids together."""

    def score(features: pd.DataFrame) -> np.ndarray:
        values = features.to_numpy(dtype=float)
        found: np.ndarray = 1 / (1 + np.exp(-values[:, 0] * values[:, 1] - values[:, 2]))
        return found

    def behave(_number: int, request: Any) -> Answer:
        return Answer("\n".join(map(repr, score(pd.DataFrame(request.rows)).tolist())).encode() + b"\n")

    rows, background = table(12, 5, seed=1).round(3), table(2, 5, seed=2).round(3)
    here = kernel_shap(score, rows, background, seed=0)
    with serving(behave) as server:
        model = endpoint_of(
            Predictor(), "text/csv", url=server.url, limits=Limits(payload_bytes=payload), backoff=QUICK
        )

        def ask(features: pd.DataFrame) -> np.ndarray:
            found: np.ndarray = model.answer(features).to_numpy()
            return found

        there = kernel_shap(ask, rows, background, seed=0, batch_rows=model.rows_at_once(rows) * 1_000)
        sent = [len(one.rows) for one in server.got]
        longest = max(len(line) + 1 for one in server.got for line in one.body.split(b"\n"))
    np.testing.assert_array_equal(here.values, there.values)
    assert sum(sent) == there.prediction_rows
    assert len(sent) == model.calls <= math.ceil(sum(sent) / ((payload + 1) // longest)) + 2


def test_batches_fill_whole_requests() -> None:
    features = table(50_000, 2)
    with serving() as server:
        model = endpoint_of(
            Predictor(), "text/csv", url=server.url, limits=Limits(payload_bytes=40_000, parallel=2), backoff=QUICK
        )
        step = model.rows_at_once(features)
        assert step < len(features)
        for start in range(0, len(features), step):
            model.answer(features.iloc[start : start + step])
        full = sum(len(one.body) > 0.9 * 40_000 for one in server.got)
    # All but the last of each call.
    assert full >= len(server.got) - math.ceil(len(features) / step)
    assert len(server.got) <= 1.1 * sum(len(one.body) for one in server.got) / 40_000 + math.ceil(len(features) / step)
