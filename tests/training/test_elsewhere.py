"""Of a model that was trained elsewhere: the columns that it sees, and which of its scores is the positive label's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.config.pipeline import DataSection
from clarify_ops.data.source import Dataset
from clarify_ops.errors import BadData, BadModel
from clarify_ops.models.estimators import Asking
from clarify_ops.models.in_process import InProcessModel
from clarify_ops.models.signature import Field, Signature
from clarify_ops.training.columns import choose_features
from clarify_ops.training.elsewhere import (
    LabelNames,
    copy_model,
    pinned_libraries,
    positive_scores,
    require_probabilities,
    seen_features,
)

ROWS = pd.DataFrame({"a": [0.1, 0.2, 0.7], "b": [1, 2, 3]})


def answering(answer: Any, outputs: Sequence[str] | None = None) -> InProcessModel:
    return InProcessModel("m", Asking(lambda _: answer, outputs=None if outputs is None else tuple(outputs)))


def scores(answer: Any, outputs: Sequence[str] | None, label: Sequence[Any], positive: Sequence[bool]) -> list[float]:
    names = LabelNames.of(pd.Series(label), np.array(positive))
    found: list[float] = positive_scores(answering(answer, outputs), names)(ROWS).round(6).tolist()
    return found


TWO = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
THREE = np.array([[0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])


@pytest.mark.parametrize(
    ("answer", "outputs", "label", "positive", "expected"),
    [
        # The classes are the label's values, however they are written.
        (TWO, ["0", "1"], [0, 1, 1], [False, True, True], [0.1, 0.2, 0.7]),
        (TWO, ["0", "1"], [0.0, 1.0, 1.0], [True, False, False], [0.9, 0.8, 0.3]),
        (TWO, ["False", "True"], [0, 1, 1], [False, True, True], [0.1, 0.2, 0.7]),
        (TWO, ["good", "poor"], ["good", "poor", "poor"], [True, False, False], [0.9, 0.8, 0.3]),
        (THREE, ["1", "2", "3"], [1, 2, 3], [False, True, True], [0.5, 0.8, 0.9]),
        (THREE, ["1", "2", "3"], [1, 3, 3], [False, True, True], [0.1, 0.3, 0.7]),
        # They were encoded: a label of 1 and 2 is not one of 0 and 1.
        (TWO, ["0", "1"], [1, 2, 2], [True, False, False], [0.1, 0.2, 0.7]),
        (TWO, ["0", "1"], ["no", "yes", "yes"], [False, True, True], [0.1, 0.2, 0.7]),
        # Nothing names them.
        (TWO, None, [0, 1, 1], [False, True, True], [0.1, 0.2, 0.7]),
        (TWO[:, 1], None, [0, 1, 1], [False, True, True], [0.1, 0.2, 0.7]),
        (TWO[:, [1]], None, [0, 1, 1], [False, True, True], [0.1, 0.2, 0.7]),
        (
            pd.DataFrame(TWO, columns=["poor", "good"]),
            None,
            ["good", "poor", "poor"],
            [True, False, False],
            [0.1, 0.2, 0.7],
        ),
        # A sum of single-precision probabilities is not more than certain.
        (np.array([1.0000001, 0.5, -1e-9]), None, [0, 1, 1], [False, True, True], [1.0, 0.5, 0.0]),
    ],
)
def test_the_score_is_that_of_the_positive_label(
    answer: Any, outputs: list[str] | None, label: list[Any], positive: list[bool], expected: list[float]
) -> None:
    assert scores(answer, outputs, label, positive) == expected


@pytest.mark.parametrize(
    ("answer", "outputs", "words"),
    [
        (TWO, ["low", "high"], r"2 columns \(low, high\), and nothing tells which"),
        (TWO * 2, None, "2 columns, and nothing tells which"),
        (THREE, None, "3 columns, and nothing tells which"),
        (np.array([0.1, 0.2, 3.5]), None, "are not probabilities"),
        (np.array([0.1, np.nan, 0.5]), None, "are not probabilities"),
        (np.array(["yes", "no", "no"]), None, "with labels or texts"),
        (np.array([0.1, 0.2]), None, "one row a row"),
    ],
)
def test_what_is_no_probability_of_it_is_refused(answer: Any, outputs: list[str] | None, words: str) -> None:
    with pytest.raises(BadModel, match=words):
        scores(answer, outputs, ["no", "yes", "yes"], [False, True, True])


def test_labels_alone_are_no_probabilities() -> None:
    with pytest.raises(BadModel, match="labels alone"):
        require_probabilities(np.array([0.0, 1.0, 1.0]), "m")
    require_probabilities(np.array([0.0, 1.0, 0.99]), "m")


def seen(model: InProcessModel, **section: Any) -> list[str]:
    frame = pd.DataFrame({"y": [0, 1], "b": [1.0, 2.0], "my a": [3.0, 4.0], "g": [0, 1], "id": [7, 8]})
    data = DataSection.parse({"uri": "x", "label": "y", "exclude": {"id": "a name"}, **section}, "The section")
    facet = [{"name_or_index": "g", "value_or_threshold": [1]}]
    analysis = AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, "facet": facet}, "The analysis")
    dataset = Dataset("data.csv", "sha256:0", frame)
    return seen_features(model, choose_features(dataset, data, analysis), dataset, data.features)


def taking(*fields: Field, columns: tuple[str, ...] | None = None) -> InProcessModel:
    return InProcessModel("m", Asking(len, columns), signature=Signature(fields) if fields else None)


def test_it_sees_what_its_signature_names() -> None:
    assert seen(taking(Field("my a", "double"), Field("b", "double"))) == ["b", "my a"]
    assert seen(taking(Field("b", "double"), Field("absent", "double", required=False))) == ["b"]
    assert seen(taking(Field("b", "double"), columns=("b", "my a"))) == ["b"]
    assert seen(taking(columns=("my_a",))) == ["my a"]
    assert seen(taking(Field("g", "long")), sensitive_features=["g"]) == ["g"]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("g", "takes the column 'g', which the pipeline keeps from it: a facet"),
        ("id", "takes the column 'id', which the pipeline keeps from it: a name"),
        ("y", "takes the column 'y', which the pipeline keeps from it: the label"),
        ("bb", "names the column 'bb', which the data do not have"),
    ],
)
def test_a_column_that_it_must_not_see_or_that_is_not_there(column: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        seen(taking(Field("b", "double"), Field(column, "double")))


def test_one_that_knows_no_names_needs_a_list_of_them() -> None:
    for model in (taking(), taking(columns=("Column_0", "Column_1"))):
        with pytest.raises(BadModel, match="does not name its columns"):
            seen(model)
        assert seen(model, features=["my a", "b"]) == ["my a", "b"]


def test_links_are_no_evidence(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").symlink_to("/etc/passwd")
    with pytest.raises(BadModel, match="holds a link, MLmodel"):
        copy_model(folder, tmp_path / "copy", "m")
    assert not (tmp_path / "copy").exists()


def test_versions_are_those_that_the_model_asks_for(tmp_path: Path) -> None:
    assert pinned_libraries(tmp_path) == {}
    text = "mlflow==3.17.2\nxgboost[gpu] == 3.2.0 ; python_version > '3'\nnumpy>=2\n# pandas==1\n"
    (tmp_path / "requirements.txt").write_text(text, encoding="utf-8")
    assert pinned_libraries(tmp_path) == {"mlflow": "3.17.2", "xgboost": "3.2.0"}
