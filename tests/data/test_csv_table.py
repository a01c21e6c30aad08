"""CSV: pandas' types exactly, files as if they were one, and the line of what is wrong."""

from __future__ import annotations

import csv as python_csv
import io
from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clarify_ops.data.csv_header import Headers
from clarify_ops.data.csv_records import cells, records, rows_of_width
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import Content
from clarify_ops.errors import BadData


def files(*contents: bytes | str) -> list[Content]:
    data = [one.encode() if isinstance(one, str) else one for one in contents]
    return [Content(f"{place}.csv", f"sha256:{place}", one) for place, one in enumerate(data)]


def by_pandas(content: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content.encode()), low_memory=False, index_col=False)


VALUES = st.one_of(
    st.integers(-5, 2**70).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["", "True", "False", "NA", "nan", "inf", " 1", "1 ", "0x1", "1_0", "x", "-", "2020-01-01", '5"']),
    st.text(alphabet='ab ,"\n\r\t;é', max_size=4),
)
CELLS = st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8)


def written(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV; Python's own writer leaves a carriage return unquoted where lines end otherwise."""

    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\r\n') else cell

    # A row of nothing but blanks would be an empty line, which is no row.
    lines = [",".join(map(quoted, row)) for row in rows]
    return "".join(f"{line}\n" for line in lines)


@given(CELLS)
@example([["1", "", "x"], ["", "2", ""]])
def test_types_and_values_are_those_of_pandas(rows: list[list[str]]) -> None:
    content = written([["a", "b", "c"], *rows])
    expected = by_pandas(content)
    pd.testing.assert_frame_equal(read_csv(files(content)).frame, expected)
    # The same rows under the same names, given by hand and not in the file. What looks like a header there is refused.
    body = written(rows)
    try:
        found = read_csv(files(body), Headers(("a", "b", "c"))).frame
    except BadData as error:
        assert "looks like a header" in error.message  # noqa: PT017
    else:
        pd.testing.assert_frame_equal(found, expected)


@given(CELLS, st.data())
def test_many_files_have_the_types_of_one(rows: list[list[str]], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    edges = list(zip([0, *cuts], [*cuts, len(rows)], strict=True))
    ends = data.draw(st.booleans())
    parts = [written([["a", "b", "c"], *rows[start:end]]) for start, end in edges]
    table = read_csv(files(*(part if ends else part.removesuffix("\n") for part in parts)))
    pd.testing.assert_frame_equal(table.frame, by_pandas(written([["a", "b", "c"], *rows])))
    assert list(table.rows) == [end - start for start, end in edges]


@given(CELLS)
def test_records_are_cut_as_pandas_cuts_them(rows: list[list[str]]) -> None:
    """The slow reading, and the fast one where it answers, against pandas' count and Python's own reader."""
    content = written(rows).encode()
    found = list(records(content))
    assert len(found) == len(pd.read_csv(io.BytesIO(content), header=None, names=["a", "b", "c"], index_col=False))
    assert [cells(content, one) for one in found] == [
        row for row in python_csv.reader(io.StringIO(content.decode(), newline="")) if row
    ]
    assert rows_of_width(content, 0, 3) in {None, len(found)}


@given(st.lists(st.sampled_from(["1", "x", ",", "\n", "\r\n", "\r", '"', " ", "\t", "é"]), max_size=30).map("".join))
@example('1,"x\ny"\n2,3,4\n')
@example(" \n1,2\n")
def test_fast_and_slow_counts_of_fields_agree(text: str) -> None:
    content = text.encode()
    widths = {one.fields for one in records(content)}
    for width in (1, 2, 3):
        found = rows_of_width(content, 0, width)
        if found is not None:
            assert widths <= {width}
            assert found == len(list(records(content)))
        elif width > 1 and '"' not in text and "\r" not in text and widths == {width}:
            # Nothing stands in its way but a line of blanks.
            assert any(line and not line.strip(" \t") for line in text.split("\n"))


@given(CELLS, st.integers(0, 7), st.integers(1, 4))
def test_a_row_of_another_length_is_found_with_its_line(rows: list[list[str]], place: int, width: int) -> None:
    place %= len(rows)
    wrong = ["z"] * (width if width != 3 else 5)
    content = written([["a", "b", "c"], *rows[:place], wrong, *rows[place:]])
    line = written([["a", "b", "c"], *rows[:place]]).count("\n") + 1
    if "\r" in content:
        line = next(one.line for one in list(records(content.encode()))[place + 1 :])
    with pytest.raises(BadData) as caught:
        read_csv(files(content))
    assert f"in line {line}" in caught.value.message
    assert str(len(wrong)) in caught.value.message


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (["a,b\n1,2\n3\n"], r"0\.csv is not valid CSV: Expected 2 fields in line 3, saw 1"),
        (['a,b\n"x\ny\nz",2\n3\n'], "Expected 2 fields in line 5, saw 1"),
        (['a,b\n"x\ny\nz",2\n3,4,5\n'], "Expected 2 fields in line 5, saw 3"),
        # White space that pandas does not take for an empty line.
        (["a,b\n1,2\n\x0b\n"], "Expected 2 fields in line 3, saw 1"),
        (["a,b\n\n\n1,2\n3\n"], "Expected 2 fields in line 5, saw 1"),
        (["a,b\n1,2\n", "a,b\n3,4\n5\n"], r"1\.csv is not valid CSV: Expected 2 fields in line 3, saw 1"),
        (["a,b\n1,2\n", "a,b\n3,4\n5,6,7\n"], r"1\.csv is not valid CSV: Expected 2 fields in line 3, saw 3"),
        # Joined without a look at each, the second file's quote would close the first one's.
        (['a,b\n1,"2\n', 'a,b\n3,"4\n'], r"0\.csv is not valid CSV: EOF inside string .*line 2"),
        (["a,b\n1,2\n", "a,b\n3,é\n".encode("latin-1")], r"1\.csv is not UTF-8 text: line 2"),
        (["é,b\n1,2\n".encode("latin-1")], r"0\.csv is not UTF-8 text: line 1"),
        ([b"\x1f\x8b\x08\x00,\x00\xff\n"], r"It looks compressed: name it with the suffix \.gz"),
        (["a,b\n1,2\n".encode("utf-16-le")], "It holds zero bytes: save it as UTF-8"),
        ([b"PAR1\x15\x04\xff"], "It looks like Parquet, whose dataset_type is application/x-parquet"),
        (["a,b\n1,2\n", "a,c\n1,2\n"], r"compared with 0\.csv, 1\.csv lacks 'b', and only 1\.csv has 'c'"),
        (["a,b\n1,2\n", "b,a\n1,2\n"], r"in another order: column 0 is 'a' in 0\.csv and 'b' in 1\.csv"),
        (["a,b\n1,2\n", "1,2,3\n"], r"0\.csv has 2, 1\.csv has 3"),
        (["a,b\n", "a,b\n"], "2 data files have no rows"),
        (["a,b\n1,2\n", ""], r"1\.csv is empty"),
        (["a,b,a\n1,2,3\n"], "has two columns 'a'"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(contents: list[str | bytes], words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_csv(files(*contents))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1,2,3\n", r"headers names 2 columns, and line 1 of 0\.csv has 3"),
        ("1\n2\n", r"headers names 2 columns, and line 1 of 0\.csv has 1"),
        (
            "Age,Sex\n30,f\n",
            "looks like a header and differs from headers: column 0 is 'Age' there and 'age' in headers",
        ),
        ("sex,age\nf,30\n", "column 0 is 'sex' there and 'age' in headers"),
        ("years,gender\n30,f\n", "looks like a header"),
    ],
)
def test_headers_that_do_not_fit(content: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_csv(files(content), Headers(("age", "sex")))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("age,sex\n30,f\n", [[30, "f"]]),
        (" age, sex \n30,f\n", [[30, "f"]]),
        ('"age","sex"\n30,f\n', [[30, "f"]]),
        ("\ufeffage,sex\n30,f\n", [[30, "f"]]),
        ("\n\nage,sex\n30,f\n", [[30, "f"]]),
        ("30,f\n", [[30, "f"]]),
        # A row without its number is a row, whatever stands below it.
        ("x,f\ny,m\n", [["x", "f"], ["y", "m"]]),
        ("sex,f\ny,m\n", [["sex", "f"], ["y", "m"]]),
        ("sex,1\ny,2\n", [["sex", 1], ["y", 2]]),
        ("1,f,\n2,m,\n", [[1, "f"], [2, "m"]]),
    ],
)
def test_the_first_row_is_dropped_only_when_it_is_the_header(content: str, rows: list[list[object]]) -> None:
    frame = read_csv(files(content), Headers(("age", "sex"))).frame
    pd.testing.assert_frame_equal(frame, pd.DataFrame(rows, columns=["age", "sex"]))


def test_a_first_row_without_its_number_is_a_row() -> None:
    frame = read_csv(files(",f\n30,m\n"), Headers(("age", "sex"))).frame
    assert frame["sex"].tolist() == ["f", "m"]


def test_a_header_over_text_alone_is_noted() -> None:
    assert read_csv(files("town\nA\nB\n")).notes == ("The first row of 0.csv is taken as its header: town.",)
    assert read_csv(files("town,n\nA,1\n")).notes == ()


def test_a_part_without_the_header_of_the_others_is_noted() -> None:
    table = read_csv(files("a,b\n1,x\n", "2,y\n"))
    assert table.frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert table.notes == (
        "1 of 2 files have no header, 1.csv for one; their columns are taken in the order of 0.csv.",
    )


@pytest.mark.parametrize("cell", ["1", " -1.5e3", "2020-01-31", "2020-01-31 10:00", "True", "false"])
def test_a_first_row_that_holds_a_value_is_no_header(cell: str) -> None:
    table = read_csv(files(f"x,{cell}\ny,{cell}\n"))
    assert list(table.frame.columns) == ["column_0", "column_1"]
    assert table.numbered
    assert len(table.frame) == 2
    assert table.notes[0].startswith("The first row of 0.csv holds values, so it is no header")
    assert read_csv(files(f"x,{cell}\ny,{cell}\n"), rule="headed").frame.columns[0] == "x"


def test_a_column_without_a_name_is_noted() -> None:
    table = read_csv(files(",a\n0,5\n"))
    assert list(table.frame.columns) == ["Unnamed: 0", "a"]
    assert table.notes == ("Column 0 of 0.csv has no name and is called 'Unnamed: 0'.",)


def test_a_row_knows_its_line() -> None:
    table = read_csv(files('a,b\n"x\ny",1\n\nz,2\n', "a,b\nw,3\n"))
    assert [table.place(row) for row in range(3)] == ["line 2 of 0.csv", "line 5 of 0.csv", "line 2 of 1.csv"]


def test_a_long_file_is_counted_in_pieces() -> None:
    lines = [f"{number},{'x' * (number % 90)}," for number in range(120_000)]
    table = read_csv(files("a,b,c\n" + "\n".join(lines), "a,b,c\r\n1,2,3\r\n"))
    assert table.rows == (120_000, 1)
    lines[100_000] = "1,2"
    with pytest.raises(BadData, match="Expected 3 fields in line 100002, saw 2"):
        read_csv(files("a,b,c\n" + "\n".join(lines)))
