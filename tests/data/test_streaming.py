"""Files counted batch by batch: the same as reading them with pandas and counting the frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data import batches, cells, csv_batches
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import StoredFile, read_content, read_file
from clarify_ops.data.parquet_table import read_parquet
from clarify_ops.data.streaming import tally_files, tally_in_blocks
from clarify_ops.data.tally import Tally, tally_frame
from clarify_ops.errors import BadData

COLUMNS = ("sex", "label", "age", "school", "prediction", "other")
each_example = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many batches of few rows, so that files of few rows cross their borders."""
    monkeypatch.setattr(batches, "_ROWS", 7)
    monkeypatch.setattr(cells, "_MANY_ROWS", 1)
    monkeypatch.setattr(csv_batches, "_BLOCK", 1 << 9)
    monkeypatch.setattr(csv_batches, "_LOOKED_AT", 1 << 4)


def contents(paths: Sequence[str]) -> list[Any]:
    return [read_content(StoredFile(path, lambda path=path: read_file(path))) for path in paths]  # type: ignore[misc]


def frame_of(paths: Sequence[str], form: str, names: Sequence[str] | None) -> pd.DataFrame:
    if form == "parquet":
        return read_parquet(contents(paths)).frame
    files = contents(paths)
    if names is not None:
        header = ",".join(names).encode() + b"\n"
        files = [replace(one, data=header + one.data.removeprefix(b"\xef\xbb\xbf")) for one in files]
    return read_csv(files, rule="headed").frame


def comparable(tally: Tally) -> dict[str, Any]:
    table = tally.table
    rows = {
        (*codes, count)
        for codes, count in zip(table.codes.tolist(), table.rows.tolist(), strict=True)
        for codes in [tuple(codes)]
    }
    return {
        "cells": rows,
        "entries": table.entries,
        "facets": table.facets,
        "groups": table.groups,
        "predicted": table.predicted,
        "facet_missing": dict(table.missing),
        "axes": table.axes,
        "empty": dict(table.empty_combinations),
        "label": tally.label,
        "positive": tally.positive,
        "kinds": dict(tally.kinds),
        "rows": tally.rows,
        "columns": tally.columns,
        "missing": dict(tally.missing),
        "thresholded": tally.thresholded,
        "shared_positive": tally.shared_positive,
    }


def outcome(count: Any) -> Any:
    """A tally that can be compared, the sentence of a refusal, or None."""
    try:
        found = count()
    except BadData as error:
        return str(error)
    return None if found is None else comparable(found)


def analysis(**given: Any) -> AnalysisConfig:
    return AnalysisConfig.model_validate(
        {"dataset_type": "text/csv", "label_values_or_threshold": [1], "methods": {}, **given}
    )


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    lists = st.sampled_from([[1], ["1"], [0.5], ["a"], ["a", "b"], [1, 2], ["True"]])
    values = st.fixed_dictionaries({}, optional={"value_or_threshold": lists})
    facets = draw(st.lists(st.sampled_from(["sex", "age", "label"]), min_size=1, max_size=3))
    asked = [{"name_or_index": name} | draw(values) for name in facets]
    segments = draw(st.sampled_from([(), ("age",), ("sex", "other")]))
    told: dict[str, Any] = {
        "facet": asked,
        "label_values_or_threshold": draw(st.sampled_from([[1], [0.5], ["a"], ["1"], [0, 1], ["a", "b"], ["True"]])),
        "segment_config": [{"name_or_index": name, "segments": [["a", "1"], ["2", "x"]]} for name in segments] or None,
    }
    if draw(st.booleans()):
        told["probability_threshold"] = draw(st.sampled_from([0.5, 1.0]))
    if draw(st.booleans()):
        told["clarify_ops"] = {"kinds": {"age": "categorical", "label": "categorical", "sex": "categorical"}}
    return {
        "config": analysis(**{key: value for key, value in told.items() if value is not None}),
        "label": "label",
        "facets": facets,
        "group": draw(st.sampled_from([None, "school"])),
        "predicted_label": draw(st.sampled_from([None, "prediction"])),
        "segments": segments,
        "intersections": draw(st.sampled_from([(), (("sex", "school"),), (("age", "sex"), ("school", "label"))])),
    }


# What a column of text may hold, from tame to odd.
TEXTS: dict[str, list[str]] = {
    "digits": ["0", "1"],
    "numbers": ["1", "2", "10", "-3", "007"],
    "floats": ["0.5", "1", "1.0", "1e0", "2.5", "inf"],
    "gaps": ["1", "2", ""],
    "words": ["a", "b", "c", "1"],
    "missing words": ["a", "NA", "", "nan", "None", "null"],
    "truth": ["True", "False"],
    "mixed truth": ["True", "false", "TRUE", "FALSE", ""],
    "truth and more": ["True", "False", "1"],
    "odd": ["a,b", 'say "a"', "two\nlines", "ä", " a", "a ", "0x10", "+1", "1_0", "  1"],
    "long": ["123456789012345678901234567890", "1", "-1"],
    "beyond": ["18446744073709551615", "9223372036854775808", "1"],
    "dates": ["2020-01-01", "2020-01-02"],
}


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[list[bytes], bool]:
    header = draw(st.booleans())
    kinds = {name: draw(st.sampled_from(sorted(TEXTS))) for name in COLUMNS}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    quoting: Literal[0, 1] = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    files = []
    for _ in range(draw(st.integers(1, 3))):
        text = io.StringIO()
        writer = csv.writer(text, quoting=quoting, lineterminator=ending)
        if header:
            writer.writerow(COLUMNS)
        for _ in range(draw(st.integers(0, 60))):
            writer.writerow([rng.choice(TEXTS[kinds[name]]) for name in COLUMNS])
        body = text.getvalue()
        if draw(st.booleans()):
            body = body.rstrip("\r\n")
        files.append((b"\xef\xbb\xbf" if draw(st.booleans()) else b"") + body.encode())
    return files, header


def same(paths: Sequence[str], form: str, asked: dict[str, Any], *, header: bool = True) -> bool:
    """Asserts that both ways agree where the quick one has an answer; whether it has."""
    names, asked = None if header else COLUMNS, {"predicted_label": None, **asked}
    quick = outcome(lambda: tally_files(paths, format=form, header_row=header, names=names, **asked))  # type: ignore[arg-type]
    if quick is None:
        return False
    assert quick == outcome(lambda: tally_frame(frame_of(paths, form, names), **asked))
    return True


def written(folder: Path, files: Sequence[bytes], suffix: str) -> list[str]:
    for number, content in enumerate(files):
        (folder / f"{number}{suffix}").write_bytes(content)
    return [str(folder / f"{number}{suffix}") for number in range(len(files))]


@each_example
@given(csv_files(), questions())
def test_csv_files_are_counted_as_the_frame_is(
    tmp_path: Path, made: tuple[list[bytes], bool], asked: dict[str, Any]
) -> None:
    files, header = made
    same(written(tmp_path, files, ".csv"), "csv", asked, header=header)


FIELD = st.sampled_from(["a", "1", '"', '""', " ", "\t", '"a"', "a\r", '"\n"', "", "x\n", '"a,b"', "\0", "ä", "NA"])


@each_example
@given(
    st.lists(st.lists(FIELD, min_size=1, max_size=8), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n", "\n\n"])
)
def test_whatever_stands_in_a_csv_file_is_cut_as_pandas_cuts_it_or_not_at_all(
    tmp_path: Path, lines: list[list[str]], ending: str
) -> None:
    text = "sex,label,age" + ending + ending.join(",".join([*line, "1", "2"][:3]) for line in lines)
    [path] = written(tmp_path, [text.encode()], ".csv")
    config = analysis(
        facet=[{"name_or_index": "sex"}], clarify_ops={"kinds": {"sex": "categorical", "label": "categorical"}}
    )
    same([path], "csv", {"config": config, "label": "label", "facets": ["sex"], "group": "age"})


ARROW: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [0, 1, 2, -3]),
    "with gaps": (pa.int64(), [0, 1, None]),
    "small": (pa.int8(), [0, 1, -128, 127]),
    "unsigned": (pa.uint64(), [0, 1, 2**64 - 1]),
    "far apart": (pa.int64(), [0, 1, -(2**63), 2**63 - 1, None]),
    "float": (pa.float64(), [0.0, -0.0, 1.0, 2.5, float("nan"), None]),
    "single": (pa.float32(), [0.5, 1.0, 0.1, None]),
    "text": (pa.string(), ["a", "b", "1", None]),
    "long text": (pa.large_string(), ["a", "b", "", "NA"]),
    "category": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", None]),
    "truth": (pa.bool_(), [True, False]),
    "truth with gaps": (pa.bool_(), [True, False, None]),
    "none": (pa.int64(), [None]),
}


@st.composite
def arrow_tables(draw: st.DrawFn) -> tuple[list[pa.Table], int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = {name: ARROW[draw(st.sampled_from(sorted(ARROW)))] for name in COLUMNS}
    tables = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(0, 60))
        columns = {
            name: pa.array([values[place] for place in rng.integers(0, len(values), rows)], type=kind)
            for name, (kind, values) in kinds.items()
        }
        tables.append(pa.table(columns))
    return tables, draw(st.integers(1, 40))


@each_example
@given(arrow_tables(), questions())
def test_a_frame_is_counted_alike_in_blocks(made: tuple[list[pa.Table], int], asked: dict[str, Any]) -> None:
    frame = pd.concat([table.to_pandas() for table in made[0]], ignore_index=True)
    assert outcome(lambda: tally_in_blocks(frame, **asked)) == outcome(lambda: tally_frame(frame, **asked))


@each_example
@given(arrow_tables(), questions())
def test_parquet_files_are_counted_as_the_frame_is(
    tmp_path: Path, made: tuple[list[pa.Table], int], asked: dict[str, Any]
) -> None:
    tables, group_rows = made
    paths = [str(tmp_path / f"{number}.parquet") for number in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        pq.write_table(table, path, row_group_size=group_rows)
    answered = same(paths, "parquet", asked)
    assert answered == any(len(table) for table in tables)


@pytest.mark.parametrize(
    "dtype", ["Int64", "boolean", "category", "string", "int64[pyarrow]", "str", "float64", "object"]
)
def test_the_types_that_pandas_wrote_are_those_it_gets_back(tmp_path: Path, dtype: str) -> None:
    values: list[Any] = (
        [1, 0, 1, 1] if dtype in {"Int64", "boolean", "int64[pyarrow]", "float64"} else ["1", "0", "1", "1"]
    )
    frame = pd.DataFrame({"sex": pd.Series([*values, None, *values], dtype=dtype), "label": 1, "age": range(9)})
    path = str(tmp_path / "a.parquet")
    frame.to_parquet(path)
    config = analysis(
        facet=[{"name_or_index": "sex", "value_or_threshold": [1]}], clarify_ops={"kinds": {"label": "categorical"}}
    )
    assert same([path], "parquet", {"config": config, "label": "label", "facets": ["sex"], "group": None})


def question(**more: Any) -> dict[str, Any]:
    config = analysis(facet=[{"name_or_index": "sex"}], clarify_ops={"kinds": {"label": "categorical"}}, **more)
    return {"config": config, "label": "label", "facets": ["sex"], "group": None, "predicted_label": "prediction"}


def test_scores_are_cut_without_counting_each(tmp_path: Path) -> None:
    rows = cells.MOST_VALUES + 1000
    scores = np.random.default_rng(0).random(rows)
    frame = pd.DataFrame({"sex": np.where(scores < 0.3, "f", "m"), "label": 1, "prediction": scores})
    frame.loc[5, "prediction"] = None
    paths = {"parquet": str(tmp_path / "a.parquet"), "csv": str(tmp_path / "a.csv")}
    frame.to_parquet(paths["parquet"])
    frame.to_csv(paths["csv"], index=False)
    for form, path in paths.items():
        assert same([path], form, question(probability_threshold=0.4))
        assert same([path], form, question(probability_threshold=float(scores[7])))
    # Without a threshold every score would be a value of its own.
    assert not same([paths["parquet"]], "parquet", question())
    assert not same([paths["csv"]], "csv", question())


@pytest.mark.parametrize("odd", ["", "1", "-7", "1e-3", "inf", "NA", "+.5", " 0.5"])
def test_scores_as_text_are_those_of_pandas(tmp_path: Path, odd: str) -> None:
    lines = [f"{'fm'[row % 2]},1,{row / 30_000:.6f}" for row in range(cells.MOST_VALUES + 5)]
    content = "\n".join(["sex,label,prediction", *lines, f"f,0,{odd}", *lines, ""]).encode()
    assert same(written(tmp_path, [content], ".csv"), "csv", question(probability_threshold=0.5))


@pytest.mark.parametrize("odd", ["high", "True", '"0,5"'])
def test_what_is_no_score_is_left_to_the_reader_of_frames(tmp_path: Path, odd: str) -> None:
    lines = [f"{'fm'[row % 2]},1,{row / 30_000:.6f}" for row in range(cells.MOST_VALUES + 5)]
    content = "\n".join(["sex,label,prediction", *lines, f"f,0,{odd}", ""]).encode()
    assert not same(written(tmp_path, [content], ".csv"), "csv", question(probability_threshold=0.5))


def test_many_whole_numbers_are_no_scores(tmp_path: Path) -> None:
    lines = [f"{'fm'[row % 2]},1,{row}" for row in range(cells.MOST_VALUES + 5)]
    content = "\n".join(["sex,label,prediction", *lines, ""]).encode()
    assert not same(written(tmp_path, [content], ".csv"), "csv", question(probability_threshold=0.5))


def test_many_combinations_are_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.integers(0, 40, 3000) for name in ("sex", "age", "school")})
    frame = frame.assign(label=frame["age"] % 2, prediction=frame["sex"] % 2)
    path = str(tmp_path / "a.parquet")
    frame.to_parquet(path)
    monkeypatch.setattr(cells, "_DENSE", 1000)
    monkeypatch.setattr(cells, "_TOGETHER", 50)
    config = analysis(facet=[{"name_or_index": name} for name in ("sex", "age")])
    asked = {
        "config": config,
        "label": "label",
        "facets": ["sex", "age"],
        "group": "school",
        "predicted_label": "prediction",
    }
    assert same([path], "parquet", asked)
    monkeypatch.setattr(cells, "MOST_CELLS", 1000)
    assert not same([path], "parquet", asked)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([Decimal(1), Decimal(2)]),
        pa.array([[1], [2]]),
        pa.array([0, 1], type=pa.timestamp("ns")),
        pa.array([b"a", b"b"]),
    ],
    ids=lambda column: str(column.type),
)
def test_other_types_are_left_to_pandas(tmp_path: Path, column: pa.Array) -> None:
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"sex": column, "label": [0, 1], "prediction": [1, 1]}), path)
    assert not same([path], "parquet", question())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sex,label,prediction\n",
        b"sex,label\na,1\n",
        b"sex,label,prediction\na,1\n",
        b"sex,label,prediction\na,1,1,\n",
        b'sex,label,prediction\na,1,"1\n',
        b'sex,label,prediction\na"b"c,1,1\n',
        b"sex,label,prediction\n\xff,1,1\n",
        b"sex,sex,label,prediction\na,a,1,1\n",
        b"sex,label,prediction\n a,1,1\na,1,1\n",
    ],
)
def test_what_is_wrong_or_doubtful_is_left_to_the_reader_of_frames(tmp_path: Path, content: bytes) -> None:
    assert not same(written(tmp_path, [content], ".csv"), "csv", question())


def test_a_damaged_parquet_file_is_left_to_the_reader_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"sex": ["a", "b"] * 500, "label": range(1000), "prediction": [1] * 1000}), path)
    content = bytearray(path.read_bytes())
    content[4:600] = b"\xff" * 596
    path.write_bytes(content)
    assert not same([str(path)], "parquet", question())
    path.write_bytes(b"PAR1")
    assert not same([str(path)], "parquet", question())


def test_files_that_disagree_or_lie_elsewhere_are_left_to_the_reader_of_frames(tmp_path: Path) -> None:
    one, two = b"sex,label,prediction\na,1,1\n", b"sex,prediction,label\na,1,1\n"
    assert not same(written(tmp_path, [one, two], ".csv"), "csv", question())
    assert not same(written(tmp_path, [one], ".csv.gz"), "csv", question())
    assert not same(["package://clarify_ops/a.csv"], "csv", question())
    assert same(written(tmp_path, [one, one], ".csv"), "csv", question())
