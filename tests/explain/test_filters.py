"""The filter language: what it means, that it runs nothing, and what is said of what it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadDocument
from clarify_ops.explain.filtered import filter_rows
from clarify_ops.explain.filters import Both, Comparison, Missing, Node, Not, Truth, columns_of, parse_filter

COLUMNS = ["age", "limit", "sex", "town", "married", "hours-per-week", "in", "a`b"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Numbers, text, categories and truth values, with gaps."""
    return pd.DataFrame(
        {
            "age": [20, 30, 40, 50],
            "limit": [25.0, np.nan, 35.0, 50.0],
            "sex": ["Female", "Male", None, "Female"],
            "town": pd.Categorical(["north", "west", "west", None], categories=["west", "north"]),
            "married": pd.array([True, None, False, True], dtype="boolean"),
            "hours-per-week": [40, 20, 30, 60],
            "in": [True, False, True, False],
            "a`b": [1, 2, 3, 4],
        }
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age > 30", [2, 3]),
        ("30 < age", [2, 3]),
        ("age >= 30 and age <= 40", [1, 2]),
        ("30 <= age <= 40", [1, 2]),
        ("age == 20 or age == 50", [0, 3]),
        ("age in [20, 50]", [0, 3]),
        ("age in (20, 50.0,)", [0, 3]),
        ("age not in [20, 50]", [1, 2]),
        ("age != 20.0", [1, 2, 3]),
        ("age > -1", [0, 1, 2, 3]),
        ("age < 1e400", [0, 1, 2, 3]),
        ("age < 99999999999999999999999999", [0, 1, 2, 3]),
        ("not age > 30", [0, 1]),
        ("not not age > 30", [2, 3]),
        ("sex == 'Female'", [0, 3]),
        ('sex != "Female"', [1]),
        ("not sex == 'Female'", [1]),
        ("sex is missing", [2]),
        ("sex is not missing", [0, 1, 3]),
        ("not sex is missing", [0, 1, 3]),
        ("town == 'west' or sex == 'Female'", [0, 1, 2, 3]),
        ("town < 'o'", [0]),
        ("age > limit", [2]),
        ("age == limit", [3]),
        ("not (age == limit)", [0, 2]),
        ("married", [0, 3]),
        ("not married", [2]),
        ("married == false", [2]),
        ("married == 1 and True == married", [0, 3]),
        ("`hours-per-week` >= 40", [0, 3]),
        ("`in` and `a``b` < 3", [0]),
        # and binds before or, as in Python.
        ("age == 20 or age == 30 and sex == 'x'", [0]),
        ("(age == 20 or age == 30) and sex == 'Male'", [1]),
        # One side decides where the other is not known.
        ("limit > 0 or age == 30", [0, 1, 2, 3]),
        ("limit > 0 and age == 30", []),
        ("not (limit > 0 and age == 40)", [0, 1, 3]),
        (r"sex == 'Fem\ale'", [0, 3]),
        ("\n\tage\n>\n30 ", [2, 3]),
    ],
)
def test_an_expression_means_its_rows(frame: pd.DataFrame, text: str, rows: list[int]) -> None:
    found = filter_rows(text, frame)
    assert np.flatnonzero(found.yes).tolist() == rows
    assert not (found.yes & found.no).any()


def test_rows_without_an_answer_are_counted(frame: pd.DataFrame) -> None:
    assert filter_rows("limit > 0", frame).unknown == 1
    assert filter_rows("limit > 0 or age == 30", frame).unknown == 0
    assert filter_rows("limit > 0 or sex == 'x'", frame).unknown == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it ends where a column, a number or quoted text should follow"),
        ("aeg > 3", "there is no column 'aeg', which character 1 names. Did you mean \"age\"?"),
        ("age > 3 and sxe == 'f'", "'sxe', which character 13 names"),
        ("sex == Female", "there is no column 'Female', which character 8 names.*Text stands in quotes"),
        ("age = 3", "'=' at character 5 means nothing here. Write == for equality"),
        ("age > ", "it ends where a column, a number"),
        ("age > 3 age", "at character 9 stands 'age' where and, or, or the end"),
        ("(age > 3", "it ends where [)] should follow"),
        ("age > 3)", "at character 8 stands '[)]'"),
        ("sex == 'f", "the ' at character 8 is not closed"),
        ("`age > 3", "the ` at character 1 is not closed"),
        ("age in []", "at character 9 stands ']' where a value of the list"),
        ("age in 3", "at character 8 stands '3' where a list"),
        ("age in [limit]", "the column 'limit' at character 9 stands in a list"),
        ("age not 3", "stands '3' where in should"),
        ("3 < 4", "the comparison at character 1 is of no column"),
        ("3", "it ends where a comparison should follow"),
        ("age - 3 > 4", "stands '-' where"),
        ("hours-per-week > 3", "Put the name in backticks: `hours-per-week`"),
        ("in > 3", "Put the name in backticks: `in`"),
        ("age is 3", "stands '3' where missing should"),
        ("age", "the column 'age' at character 1 holds numbers, which are not true or false by themselves"),
        ("age == '3'", "the column 'age', of numbers, is compared with the text '3'"),
        ("age == true", "the column 'age', of numbers, is compared with a truth value"),
        ("sex == 3", "the column 'sex', of text, is compared with the number 3. Put it in quotes"),
        ("sex == age", "compared with the numbers of 'age'"),
        ("married == 'yes'", "the column 'married', of truth values, is compared with the text 'yes'"),
        ("married > false", "are compared by == and != alone"),
        ("__import__('os').system('true')", "there is no column '__import__'"),
        ("age.__class__ == 3", "'.' at character 4 means nothing here"),
        ("(" * 60 + "age > 3" + ")" * 60, "more than 50 parentheses are open"),
        ("age > " + "9" * 400, "the number at character 7 has 400 digits"),
        ("age > 3" + " " * 10_000, "has 10,007 characters, and may have 10,000"),
    ],
)
def test_what_is_refused_names_the_character(frame: pd.DataFrame, text: str, said: str) -> None:
    with pytest.raises(BadDocument, match=said) as caught:
        filter_rows(text, frame, "cohorts[0].where")
    assert caught.value.message.startswith("cohorts[0].where")


@pytest.mark.parametrize("column", [[1, "a"], [[1], [2]], pd.to_datetime(["2020-01-01", "2020-01-02"])])
def test_columns_that_are_no_filter_are_named(column: Any) -> None:
    with pytest.raises(BadDocument, match="column 'x' at character 1 holds"):
        filter_rows("x == 1", pd.DataFrame({"x": column}))


def test_columns_without_values_and_tables_without_rows_mean_nobody() -> None:
    frame = pd.DataFrame({"x": [np.nan, np.nan], "y": [None, None]})
    assert not filter_rows("x > 1 or y == 'a'", frame).yes.any()
    assert filter_rows("x is missing", frame).yes.all()
    assert len(filter_rows("x > 1", frame.iloc[:0]).yes) == 0


NAMES = [*COLUMNS, "`a``b`", "`hours-per-week`", "__class__", "lambda"]
SIGNS = [
    "`",
    "and",
    "or",
    "not",
    "in",
    "is",
    "missing",
    "true",
    "(",
    ")",
    "[",
    "]",
    ",",
    "==",
    "!=",
    "<",
    ">=",
    "=",
    "-",
    "1",
    "2.5",
    "1e9",
    ".5",
    "'a'",
    '"',
    "'",
    "\\",
    ".",
    "\x00",
    "é",
    "²",
]
words = st.sampled_from([*NAMES, *SIGNS])


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(words, max_size=25).map(" ".join), st.lists(words, max_size=9).map("".join), st.text()))
def test_any_text_is_an_answer_or_one_sentence(frame: pd.DataFrame, text: str) -> None:
    said = ""
    try:
        found = filter_rows(text, frame)
    except BadDocument as error:
        said = error.message
    else:
        assert not (found.yes & found.no).any()
    assert len(said) < 300 + len(text)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, str]:
    """An expression, and the same in Python over the variables of a row in which nothing is missing."""
    if depth == 0 or draw(st.booleans()):
        name = draw(st.sampled_from(["age", "score"]))
        sign = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        value = (
            draw(st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5]))),
            draw(st.sampled_from(["age", "score"])),
        )
        other = str(value[draw(st.integers(0, 1))])
        return f"{name} {sign} {other}", f"{name} {sign} {other}"
    (one, same), (two, alike) = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    word = draw(st.sampled_from(["and", "or"]))
    if draw(st.booleans()):
        return f"not ({one}) {word} {two}", f"not ({same}) {word} {alike}"
    return f"({one}) {word} ({two})", f"({same}) {word} ({alike})"


@settings(deadline=None, max_examples=200)
@given(expressions(), st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=5))
def test_expressions_mean_what_python_means(pair: tuple[str, str], rows: list[tuple[int, int]]) -> None:
    text, python = pair
    found = filter_rows(text, pd.DataFrame(rows, columns=["age", "score"]))
    expected = [bool(eval(python, {"__builtins__": {}}, {"age": a, "score": b})) for a, b in rows]  # noqa: S307 - the oracle
    assert found.yes.tolist() == expected
    assert found.unknown == 0


def slow(node: Node, row: dict[str, Any]) -> bool | None:
    """What a condition says of one row, by the table of Kleene's logic."""
    match node:
        case Not(inner):
            said = slow(inner, row)
            return None if said is None else not said
        case Both(parts, any_of):
            said_all = [slow(part, row) for part in parts]
            if any_of in said_all:
                return any_of
            return None if None in said_all else not any_of
        case Missing(column):
            return row[column.name] is None
        case Truth(column):
            return row[column.name]  # type: ignore[no-any-return]
        case Comparison(left, _, right):
            given_ = [row[one.name] if hasattr(one, "name") else one for one in (left, right)]
            return None if None in given_ else given_[0] == given_[1]


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(
        [
            "a == 1 or not b == 2 and c",
            "not (a == b or c)",
            "a in [1, 2] and (b is missing or c)",
            "not (a not in [1] and not c) or b == 2",
        ]
    ),
    st.lists(
        st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, 1, 2]), st.sampled_from([None, True, False])),
        min_size=1,
        max_size=6,
    ),
)
def test_missing_values_follow_the_logic_of_three_values(text: str, rows: list[tuple[Any, ...]]) -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array([row[0] for row in rows], dtype="Int64"),
            "b": pd.Series([np.nan if row[1] is None else float(row[1]) for row in rows]),
            "c": pd.array([row[2] for row in rows], dtype="boolean"),
        }
    )
    found = filter_rows(text, frame)
    node = parse_filter(text, ["a", "b", "c"])
    for place, row in enumerate(rows):
        said = slow(node, dict(zip("abc", row, strict=True)))
        assert (bool(found.yes[place]), bool(found.no[place])) == (said is True, said is False)


def test_columns_are_listed_as_they_are_mentioned() -> None:
    node = parse_filter("not (age > limit) or `hours-per-week` is missing and married", COLUMNS)
    assert list(columns_of(node)) == ["age", "limit", "hours-per-week", "married"]


def test_a_filter_of_adult_finds_the_rows_that_pandas_finds(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "adult" / "adult.data", header=None, skipinitialspace=True)
    data.columns = pd.Index([f"column-{place}" for place in data.columns])
    text = "`column-9` == 'Female' and (`column-0` < 30 or `column-12` in [20, 40]) and not `column-3` == 'HS-grad'"
    expected = (
        (data["column-9"] == "Female")
        & ((data["column-0"] < 30) | data["column-12"].isin([20, 40]))
        & (data["column-3"] != "HS-grad")
    )
    assert expected.any()
    assert (filter_rows(text, data).yes == expected).all()
