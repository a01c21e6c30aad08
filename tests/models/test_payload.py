"""What is encoded reads back as what it was, and Clarify's templates make what its documentation shows."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.errors import BadData, BadDocument, BadModel, NotSupported
from clarify_ops.models.answer import Answered, Reading, part
from clarify_ops.models.payload import CSV, JSON, JSON_LINES, ContentType, Encoding

LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "floats": st.floats(allow_infinity=False),
    "integers": st.integers(-(2**63), 2**63 - 1),
    "texts": LETTERS,
    "truths": st.booleans(),
    "mixed": st.none()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | LETTERS
    | st.booleans(),
}
A_AND_B = pd.DataFrame({"A": [0, 3], "B": [1, 4]})


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 6))
    names = draw(st.lists(LETTERS, min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(sorted(CELLS)))
        values = draw(st.lists(CELLS[kind], min_size=rows, max_size=rows))
        columns[name] = pd.Series(values, dtype=object) if kind == "mixed" else pd.Series(values)
    return pd.DataFrame(columns)


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def cells(table: pd.DataFrame) -> list[list[Any]]:
    columns = [table.iloc[:, at].astype(object).tolist() for at in range(table.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)]


def sent(encoding: Encoding, table: pd.DataFrame) -> str:
    layout = encoding.layout([str(name) for name in table.columns])
    return layout.body(layout.records(table)).decode()


def same(found: Any, value: Any) -> bool:
    """Equal in value, type and sign of zero."""
    if missing(value):
        return found is None
    return type(found) is type(value) and repr(found) == repr(value)


@given(tables())
def test_csv_reads_back(table: pd.DataFrame) -> None:
    found = list(csv.reader(io.StringIO(sent(Encoding(CSV), table), newline="")))
    expected = [["" if missing(value) else str(value) for value in row] for row in cells(table)]
    assert found == expected
    for row, texts in zip(cells(table), found, strict=True):
        for value, text in zip(row, texts, strict=True):
            if isinstance(value, float) and not missing(value):
                assert repr(float(text)) == repr(value)


@given(tables())
def test_json_reads_back(table: pd.DataFrame) -> None:
    names, rows = list(table.columns), cells(table)
    lists = json.loads(sent(Encoding(JSON, '{"instances": $records}', "$features"), table))["instances"]
    objects = json.loads(sent(Encoding(JSON, "$records", "$features_kvp"), table))
    lines = [json.loads(line)["x"] for line in sent(Encoding(JSON_LINES, '{"x": $features}'), table).split("\n")]
    served = json.loads(sent(Encoding(JSON, flavour="mlflow"), table))["dataframe_split"]
    assert served["columns"] == names
    assert [list(one) for one in objects] == [names] * len(rows)
    for row, *found in zip(rows, lists, [list(one.values()) for one in objects], lines, served["data"], strict=True):
        for values in found:
            assert all(map(same, values, row)), (values, row)


@pytest.mark.parametrize(
    ("content", "record", "expected"),
    [
        ('{"instances": $records}', "$features", {"instances": [[0, 1], [3, 4]]}),
        (
            '{"instances": $records, "feature_names": $feature_names}',
            "$features",
            {"instances": [[0, 1], [3, 4]], "feature_names": ["A", "B"]},
        ),
        ("$records", "$features_kvp", [{"A": 0, "B": 1}, {"A": 3, "B": 4}]),
        ("$records", '{"A": "${A}", "B": "${B}"}', [{"A": 0, "B": 1}, {"A": 3, "B": 4}]),
        ("$records", '{"B": ["${B}"], "a": {"A": "${A}"}}', [{"B": [1], "a": {"A": 0}}, {"B": [4], "a": {"A": 3}}]),
        (
            '{"rows": $records}',
            '{"names": $feature_names, "values": $features}',
            {"rows": [{"names": ["A", "B"], "values": [0, 1]}, {"names": ["A", "B"], "values": [3, 4]}]},
        ),
        ({"instances": "$records", "model": "x"}, "$features", {"instances": [[0, 1], [3, 4]], "model": "x"}),
    ],
)
def test_the_templates_of_json(content: str | dict[str, str], record: str, expected: Any) -> None:
    assert json.loads(sent(Encoding(JSON, content, record), A_AND_B)) == expected


def test_a_single_record_is_a_request_of_its_own() -> None:
    layout = Encoding(JSON, "$record", "$features_kvp").layout(["A", "B"])
    assert layout.alone
    assert [json.loads(layout.body([one])) for one in layout.records(A_AND_B)] == [{"A": 0, "B": 1}, {"A": 3, "B": 4}]


def test_a_placeholder_among_the_values_is_a_value() -> None:
    table = pd.DataFrame({"$features": ["$records", "${B}"], "B": ["$features_kvp", '"']})
    found = json.loads(sent(Encoding(JSON, '{"instances": $records}', "$features_kvp"), table))
    assert found == {"instances": [{"$features": "$records", "B": "$features_kvp"}, {"$features": "${B}", "B": '"'}]}


@pytest.mark.parametrize(
    ("kind", "content", "record", "said"),
    [
        (JSON_LINES, None, None, "needs a content_template"),
        (JSON_LINES, '{"f": 1}', None, "placeholder \\$features once"),
        (JSON_LINES, '{"f": $features, "g": $features}', None, "once"),
        (JSON_LINES, '{"f": "$features"}', None, "no valid JSON"),
        (JSON, None, "$features", "needs a content_template"),
        (JSON, "$records", None, "needs a record_template"),
        (JSON, '{"i": 1}', "$features", "either \\$records or \\$record"),
        (JSON, '{"i": $records, "j": $record}', "$features", "either"),
        (JSON, '{"i": "$records"}', "$features", "no valid JSON"),
        (JSON, "$records", '{"A": "${A}"}', "leaves out the feature 'B'"),
        (JSON, "$records", '{"A": "${A}", "B": "${b}"}', "the feature 'b', which there is not"),
        (JSON, "$records", "[$features, $features]", "twice"),
        (CSV, "$records", None, "says nothing about a request of text/csv"),
        (JSON_LINES, '{"f": $features}', "$features", "record_template says nothing"),
    ],
)
def test_a_template_that_cannot_work(kind: ContentType, content: str | None, record: str | None, said: str) -> None:
    with pytest.raises(BadDocument, match=said):
        Encoding(kind, content, record).layout(["A", "B"])


def test_time_series_are_refused() -> None:
    with pytest.raises(NotSupported, match="target_time_series"):
        Encoding(JSON, '{"i": $record}', '{"target": $target_time_series}').layout(["A"])


def test_infinity_is_no_json_and_is_csv() -> None:
    table = pd.DataFrame({"x": [1.0, math.inf]})
    assert sent(Encoding(CSV), table) == "1.0\ninf"
    with pytest.raises(BadData, match="'x' has an infinite value"):
        sent(Encoding(JSON, "$records", "$features"), table)


def test_a_row_with_one_missing_value_is_a_row() -> None:
    table = pd.DataFrame({"x": [1.0, np.nan, 2.0]})
    assert list(csv.reader(io.StringIO(sent(Encoding(CSV), table)))) == [["1.0"], [""], ["2.0"]]


@pytest.mark.parametrize("dtype", ["float32", "Int64", "boolean", "category", "datetime64[ns]", "string"])
def test_other_types_of_columns(dtype: str) -> None:
    raw = {"boolean": [True, False, None], "datetime64[ns]": ["2026-01-02", None, "2026-01-02"]}.get(
        dtype, [1, None, 3] if dtype != "string" else ["a", None, "b"]
    )
    column = pd.Series(raw).astype(dtype)  # type: ignore[call-overload]
    texts = sent(Encoding(CSV), pd.DataFrame({"x": column, "y": [1, 2, 3]})).split("\n")
    expected = ["" if pd.isna(one) else str(one) for one in column.astype(object)]
    assert texts == [f"{one},{at}" for at, one in enumerate(expected, start=1)]


# Answers


def read(reading: Reading, body: str, rows: int) -> pd.DataFrame:
    return reading.joined([reading.read(body.encode(), "", rows, "it")], "it")[0]


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=3, max_size=3), min_size=2, max_size=8))
def test_scores_come_back_bit_for_bit(rows: list[list[float]]) -> None:
    finite = [[min(max(value, -1e308), 1e308) for value in row] for row in rows]
    bodies: dict[ContentType, str] = {
        CSV: "\n".join(",".join(map(repr, row)) for row in finite),
        JSON_LINES: "\n".join(json.dumps({"scores": row}) for row in finite),
        JSON: json.dumps({"predictions": finite}),
    }
    for kind, body in bodies.items():
        found = read(Reading(kind), body, len(finite))
        assert [list(map(repr, row)) for row in found.to_numpy().tolist()] == [list(map(repr, row)) for row in finite]


@pytest.mark.parametrize(
    ("reading", "body", "label", "probability"),
    [
        # The documented shapes of CSV: scores; a label and a score; lists within cells.
        (Reading(CSV, None, 0), "0.6\n0.2\n", None, [[0.6], [0.2]]),
        (Reading(CSV, 0, 1), "1,0.6\n0,0.2\n", [1, 0], [[0.6], [0.2]]),
        (Reading(CSV, 0, 1), 'yes,"[0.4, 0.6]"\nno,"[0.8, 0.2]"\n', ["yes", "no"], [[0.4, 0.6], [0.8, 0.2]]),
        (
            Reading(CSV, 0, 1),
            "\"['cat','dog']\",\"[0.1,0.9]\"\n\"['cat','dog']\",\"[0.7,0.3]\"\n",
            ["dog", "cat"],
            [[0.1, 0.9], [0.7, 0.3]],
        ),
        # The likeliest first: a place means another label in each row.
        (
            Reading(JSON_LINES, "label", "prob"),
            '{"label": ["b", "a"], "prob": [0.9, 0.1]}\n{"label": ["a", "b"], "prob": [0.8, 0.2]}',
            ["b", "a"],
            [[0.9, 0.1], [0.2, 0.8]],
        ),
        (
            Reading(JSON_LINES, "label", "prob", ("a", "b")),
            '{"label": ["b", "a"], "prob": [0.9, 0.1]}\n{"label": ["a", "b"], "prob": [0.8, 0.2]}',
            ["b", "a"],
            [[0.1, 0.9], [0.8, 0.2]],
        ),
        (
            Reading(JSON, "predictions[*].predicted_label", "predictions[*].score"),
            '{"predictions": [{"predicted_label": 1, "score": 0.6}, {"predicted_label": 0, "score": 0.2}]}',
            [1, 0],
            [[0.6], [0.2]],
        ),
        (
            Reading(JSON, None, "outputs.p"),
            '{"outputs": {"p": [[0.6, 0.4], [0.2, 0.8]]}}',
            None,
            [[0.6, 0.4], [0.2, 0.8]],
        ),
        (Reading(JSON_LINES, 0, 1), '["yes", 0.6]\n["no", 0.2]\n', ["yes", "no"], [[0.6], [0.2]]),
    ],
)
def test_labels_and_probabilities_are_found(
    reading: Reading, body: str, label: list[Any] | None, probability: list[list[float]]
) -> None:
    found = read(reading, body, 2)
    labels, scores = part(found, "label"), part(found, "probability")
    assert (None if labels is None else labels.iloc[:, 0].tolist()) == label
    assert scores is not None
    assert scores.to_numpy().tolist() == probability


def test_types_are_decided_when_all_rows_are_there() -> None:
    reading = Reading(CSV)
    answers = [reading.read(body, "", 2, "it") for body in (b"1\n0\n", b"1\nunknown\n")]
    assert reading.joined(answers, "it")[0][0].tolist() == ["1", "0", "1", "unknown"]
    assert reading.joined(answers[:1], "it")[0][0].tolist() == [1, 0]


def test_one_row_may_be_answered_without_a_list() -> None:
    for body in ("[[0.1, 0.9]]", "[0.1, 0.9]", '{"scores": [0.1, 0.9]}', '{"predictions": [[0.1, 0.9]]}'):
        assert read(Reading(JSON), body, 1).to_numpy().tolist() == [[0.1, 0.9]]


@pytest.mark.parametrize(
    ("reading", "body", "said"),
    [
        (Reading(JSON_LINES, "who"), '{"who": 1}\n{"whom": 2}', "has nothing where predictor.label looks"),
        (Reading(JSON, "p[*].who"), '{"p": [{"who": 1}, {"whom": 2}]}', "1 rows at 'p\\[\\*\\].who' for 2"),
        (Reading(JSON, "sort(who)"), '{"who": [1, "a"]}', "does not suit"),
        (Reading(CSV, 2), "1,2\n3,4\n", "no position 2"),
        (Reading(JSON_LINES, "l", "p"), '{"l": [1, 2], "p": [0.1]}\n{"l": [1, 2], "p": [0.1]}', "2 labels and"),
        (Reading(JSON_LINES, "l", "p"), '{"l": [1, 2], "p": [1, 2]}\n{"l": [1, 3], "p": [1, 2]}', "other labels"),
        (Reading(JSON_LINES, "l", "p"), '{"l": [1, 2], "p": ["x", 2]}\n{"l": [1, 2], "p": [1, 2]}', "no numbers"),
    ],
)
def test_an_answer_that_is_not_what_was_configured(reading: Reading, body: str, said: str) -> None:
    with pytest.raises(BadModel, match=said):
        read(reading, body, 2)


def test_expressions_are_checked_before_anything_is_asked() -> None:
    with pytest.raises(BadDocument, match=r"predictor\.label does not parse"):
        Reading(JSON, "a[")
    with pytest.raises(BadDocument, match="position of a column"):
        Reading(CSV, "score")


def test_answers_of_other_widths() -> None:
    answers = [Answered(pd.DataFrame([[1]]), texts=False), Answered(pd.DataFrame([[1, 2]]), texts=False)]
    with pytest.raises(BadModel, match="1 columns for some rows and 2 for others"):
        Reading(CSV).joined(answers, "it")
