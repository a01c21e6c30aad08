"""JSON and JSON Lines: the types of pandas, and file and line of what is wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.data.files import Content
from clarify_ops.data.json_table import Expression, Expressions, read_json, read_json_lines
from clarify_ops.errors import BadData, BadDocument

PLAIN = Expressions.of("features", "label", None)
WHOLE = Expressions.of("[*].features", "[*].label", None)


def content(data: str | bytes, name: str = "a.json") -> Content:
    return Content(name, "sha256:0", data.encode() if isinstance(data, str) else data)


def lines(*documents: Any) -> list[Content]:
    return [content("".join(json.dumps(one) + "\n" for one in documents), "a.jsonl")]


def rows(*values: list[Any]) -> list[dict[str, Any]]:
    return [{"features": value, "label": place % 2} for place, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, None], "float64", [1.0, None]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([True, False], "bool", [True, False]),
        ([True, None], "object", [True, None]),
        (["a", None], "str", ["a", None]),
        ([1, "a"], "str", ["1", "a"]),
        ([1.5, True, "a"], "str", ["1.5", "true", "a"]),
        ([None, None], "float64", [None, None]),
        ([2**63, 1], "uint64", [2**63, 1]),
        ([0.1, 2**1030], None, ["0.1", str(2**1030)]),
    ],
)
def test_types_are_those_of_the_same_values_in_csv(values: list[Any], dtype: str | None, expected: list[Any]) -> None:
    column = read_json_lines(lines(*rows(*([value] for value in values))), PLAIN, None).frame["column_0"]
    assert [None if pd.isna(value) else value for value in column] == expected
    if dtype is not None:
        text = pd.DataFrame({"a": values, "b": 0}).to_csv(index=False)
        assert column.dtype == pd.read_csv(io.StringIO(text))["a"].dtype or dtype == "str"
        assert str(column.dtype) in {dtype, "object" if dtype == "str" else dtype}


def test_a_document_and_its_lines_are_the_same_table() -> None:
    records = rows([1, "a", None], [2, "b", 2.5], [3, None, 1])
    one = read_json_lines(lines(*records), PLAIN, ("x", "y", "z", "label"))
    other = read_json(
        [content(json.dumps(records[:2])), content(json.dumps(records[2:]))], WHOLE, ("x", "y", "z", "label")
    )
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert (one.label, other.label) == ("label", "label")
    assert (one.rows, other.rows) == ((3,), (2, 1))
    assert one.place(2) == "line 3 of a.jsonl"
    assert other.place(2) == "row 1 of a.json"


def test_blank_lines_marks_and_windows_line_ends_are_nothing() -> None:
    text = "\ufeff" + '\r\n{"features": [1], "label": 1}\r\n\r\n  \n{"features": ["\u2028"], "label": 0}'
    table = read_json_lines([content(text)], PLAIN, None)
    assert table.frame["column_0"].tolist() == ["1", "\u2028"]
    assert table.place(1) == "line 5 of a.json"


def test_a_label_that_is_missing_in_some_rows_is_missing() -> None:
    table = read_json_lines(lines({"features": [1], "label": 1}, {"features": [2]}), PLAIN, None)
    assert table.frame["column_1"].isna().tolist() == [False, True]


documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["features", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(documents)
def test_a_bare_key_is_found_as_the_interpreter_finds_it(document: Any) -> None:
    import jmespath

    assert Expression("features", "features").find(document, "") == jmespath.search("features", document)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", r"a\.json is empty"),
        ("\ufeff\n", r"a\.json is empty"),
        (b'{"features": [1]}\n\xff', r"is not UTF-8 text: line 2"),
        ('{"features": [1], "label": 1}\n{"features": [1}\n', r"Line 2 of a\.json is not valid JSON: .* at column 16"),
        ("[\n1\n]", r"Line 1 of .*a document over several lines is application/json"),
        ('{"features": [1], "label": 1}\n{"label": 1}', r"'features' of features finds nothing in line 2 of a\.json"),
        ('{"features": 3, "label": 1}', "finds a number in line 1 of .*, not a list"),
        ('{"features": {"a": 3}, "label": 1}', r"finds an object in line 1 of .*A list is made of keys"),
        ('{"features": [], "label": 1}', "finds an empty list in line 1"),
        ('{"features": [1, [2]], "label": 1}', "Feature 1 in line 1 of .* is a list, not a single value"),
        (
            '{"features": [1], "label": 1}\n{"features": [1, 2], "label": 1}',
            "2 features in line 2 of .*, and 1 in the first",
        ),
        ('{"features": [1], "label": [1]}', "'label' of label finds a list in line 1 of .*, not a single value"),
        ('{"features": [1]}\n{"features": [2]}', r"'label' of label finds nothing in any row of a\.json"),
        (
            '{"features": [1], "label": 1}\n{"features": [true], "label": 1}',
            r"'column_0' holds true in line 2 of .* and numbers",
        ),
        ('{"features": [' + "9" * 5000 + '], "label": 1}', "Line 1 of .* cannot be read as JSON"),
        ("[" * 100_000, "Line 1 of .* cannot be read as JSON|is not valid JSON"),
    ],
)
def test_a_line_that_is_wrong_is_named(data: str | bytes, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_json_lines([content(data)], PLAIN, None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('[\n{"features": [1},\n]', r"is not valid JSON: line 2, column 16"),
        ('{"features": [1]}\n{"features": [1]}', r"Extra data. JSON Lines data are application/jsonlines"),
        ("{}", r"'\[\*\]\.features' of features finds nothing in a\.json"),
        ("[]", r"finds nothing in a\.json"),
        (
            '[{"features": [1], "label": 1}, {"features": [2]}]',
            r"of label finds 1 values in 2 rows of a\.json: row 2 has none. A JMESPath projection leaves out",
        ),
        (
            # Of equal length, and each value after the first would stand beside another row's features.
            '[{"features": [1], "label": null}, {"label": 1}, {"features": [2], "label": 0}]',
            r"of features finds 2 values in 3 rows of a\.json: row 2 has none",
        ),
        ('[{"features": [1], "label": 1}, {"features": [2, 3], "label": 1}]', r"2 features in row 2 of a\.json"),
        ('[{"features": [1], "label": {}}]', r"finds an object in row 1 of a\.json"),
    ],
)
def test_a_document_that_is_wrong(data: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_json([content(data)], WHOLE, None)


def test_lists_of_unequal_length() -> None:
    with pytest.raises(BadData, match=r"In a\.json features 'x' finds 2 rows and label 'y' 1"):
        read_json([content('{"x": [[1], [2]], "y": [1]}')], Expressions.of("x", "y", None), None)


def test_one_expression_that_finds_no_list() -> None:
    with pytest.raises(BadData, match=r"'length\(@\)' of features finds a number in a\.json, not a list of rows"):
        read_json([content("[1]")], Expressions.of("length(@)", None, None), None)
    with pytest.raises(BadData, match=r"'avg\(@\)' of label fails in a\.json"):
        read_json([content('["a"]')], Expressions.of("[@]", "avg(@)", None), None)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ((None, "label", None), "lacks the key features"),
        (("a[", None, None), r"JMESPath 'a\[' of features does not parse"),
        (("a", "", None), "JMESPath '' of label does not parse"),
        (("a", 0, None), "label is 0, and JSON data need a JMESPath"),
        (("a", "b", "nosuch(@"), "of predicted_label does not parse"),
    ],
)
def test_expressions_that_are_none(keys: tuple[Any, Any, Any], words: str) -> None:
    with pytest.raises(BadDocument, match=words) as caught:
        Expressions.of(*keys)
    assert len(str(caught.value).splitlines()) == 1


def test_headers_name_features_label_and_prediction() -> None:
    both = Expressions.of("features", "label", "score")
    records = [{"features": [1, 2], "label": 1, "score": 0.5}]
    table = read_json_lines(lines(*records), both, ("a", "b", "y", "p"))
    assert (table.label, table.predicted_label) == ("y", "p")
    words = "headers names 3 columns, and a.jsonl has 4: 2 features and the label and the predicted label"
    with pytest.raises(BadData, match=words):
        read_json_lines(lines(*records), both, ("a", "b", "y"))
    with pytest.raises(BadData, match="headers has two columns 'a'"):
        read_json_lines(lines(*records), both, ("a", "a", "y", "p"))
