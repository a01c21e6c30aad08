"""Whatever the bytes, expressions and settings are: a table, or one sentence with exit status 2; no crash, and no hanging."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.errors import ClarifyOpsError

FRAME = pd.DataFrame(
    {"id": [1, 2, 3, 4], "age": [30, 41, None, 25], "sex": ["f", "m", 'a "b"', None], "y": [True, False, True, True]}
)
LINES = [{"features": [1, "a", None, 2.5], "label": 1}, {"features": [2, "b", "c", 3], "label": None}]


def parquet() -> bytes:
    stream = io.BytesIO()
    FRAME.astype({"sex": "category"}).to_parquet(stream)
    return stream.getvalue()


VALID: dict[str, bytes] = {
    "text/csv": FRAME.to_csv(index=False).encode(),
    "application/jsonlines": "\n".join(map(json.dumps, LINES)).encode(),
    "application/json": json.dumps({"instances": LINES}).encode(),
    "application/x-parquet": parquet(),
}
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
}
EXPRESSIONS = ["features", "label", "instances[*].features", "instances[*].label", "@", "instances[].features[0]"]
BOUNDED = settings(
    max_examples=40,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

columns = st.one_of(st.integers(-2, 5), st.sampled_from([*FRAME.columns, "label", "column_1", "", "é"]))
jmespath_text = st.one_of(
    st.sampled_from(EXPRESSIONS),
    st.lists(
        st.sampled_from(
            [*"abc.[]*@|&()!<>=,:{}'\"`0123 -?\\", "features", "label", "instances", "sort_by(", "length(", "max("]
        ),
        max_size=8,
    ).map("".join),
    st.text(max_size=6),
)


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["set", "cut", "insert", "drop", "double"])):
            case "set" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = draw(
                    st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"["]))
                )
            case "drop":
                del data[at : at + draw(st.integers(1, 8))]
            case _:
                data[at:at] = data[at : at + 20]
    return bytes(data)


@st.composite
def configurations(draw: st.DrawFn, kind: str) -> AnalysisConfig:
    keys: dict[str, Any] = {"dataset_type": kind, "methods": {}}
    if kind in {"application/json", "application/jsonlines"}:
        keys["features"] = draw(jmespath_text)
        label: st.SearchStrategy[Any] = st.one_of(jmespath_text, st.integers(0, 2))
    else:
        label = columns
    optional: dict[str, st.SearchStrategy[Any]] = {
        "label": label,
        "predicted_label": label,
        "headers": st.one_of(
            st.just(list(FRAME.columns)), st.lists(st.text(max_size=3), max_size=6), st.just(["a", "b", "c", "d", "e"])
        ),
        "facet": st.lists(columns.map(lambda name: {"name_or_index": name, "value_or_threshold": [0.5]}), max_size=2),
        "group_variable": columns,
        "excluded_columns": st.lists(columns, max_size=2),
        "joinsource_name_or_index": columns,
        "clarify_ops": st.just({"intersections": [["sex", 1]], "kinds": {"age": "continuous"}}),
    }
    for key in draw(st.lists(st.sampled_from(sorted(optional)), max_size=3, unique=True)):
        keys[key] = draw(optional[key])
    return AnalysisConfig.parse(keys, "The configuration")


def read(config: AnalysisConfig, data: str | Path | pd.DataFrame | None) -> None:
    found, refusal = None, None
    try:
        found = read_analysis_data(config, data)
    except ClarifyOpsError as error:
        refusal = error
    if found is None:
        assert refusal is not None
        assert refusal.exit_status == 2
        assert refusal.message.endswith(".")
        assert len(str(refusal).splitlines()) == 1
        return
    assert list(found.frame.index) == list(range(len(found.frame)))
    assert len(found.frame) > 0
    assert found.frame.columns.is_unique
    used = [found.label, found.predicted_label, found.group, found.join, *found.facets, *found.features]
    assert {name for name in used if name is not None} <= set(found.frame.columns)
    assert found.label not in found.features
    if len(found.files) == 1:
        assert found.files[0].rows == len(found.frame)


@pytest.mark.parametrize("kind", VALID)
@BOUNDED
@given(data=st.data())
def test_random_bytes(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(COMPRESSED)))
    (tmp_path / f"a{suffix}").write_bytes(data.draw(st.binary(max_size=60)))
    read(data.draw(configurations(kind)), tmp_path / f"a{suffix}")


@pytest.mark.parametrize("kind", VALID)
@BOUNDED
@given(data=st.data())
def test_mutated_files(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(COMPRESSED)))
    inside = data.draw(st.booleans())
    content, compress = VALID[kind], COMPRESSED[suffix]
    content = compress(data.draw(mutated(content))) if inside else data.draw(mutated(compress(content)))
    (tmp_path / f"a{suffix}").write_bytes(content)
    read(data.draw(configurations(kind)), tmp_path / f"a{suffix}")


@pytest.mark.parametrize("kind", ["application/json", "application/jsonlines"])
@BOUNDED
@given(expression=jmespath_text, label=jmespath_text)
def test_random_jmespath(tmp_path: Path, kind: str, expression: str, label: str) -> None:
    (tmp_path / "a").write_bytes(VALID[kind])
    keys = {"dataset_type": kind, "methods": {}, "features": expression, "label": label}
    read(AnalysisConfig.parse(keys, "The configuration"), tmp_path / "a")


@BOUNDED
@given(data=st.data())
def test_files_side_by_side(tmp_path: Path, data: st.DataObject) -> None:
    names = ["data/0.csv", "data/1.csv", "facets.csv", "predictions.csv"]
    (tmp_path / "data").mkdir(exist_ok=True)
    for name in names:
        (tmp_path / name).write_bytes(data.draw(mutated(VALID["text/csv"])))
    config = data.draw(configurations("text/csv"))
    for key, name in (("facet", "facets.csv"), ("predicted_label", "predictions.csv")):
        if data.draw(st.booleans()):
            config = config.model_copy(update={f"{key}_dataset_uri": str(tmp_path / name)})
    read(config, tmp_path / data.draw(st.sampled_from(["data", "data/0.csv", "data/*.csv"])))


@BOUNDED
@given(
    config=st.sampled_from(sorted(VALID)).flatmap(configurations),
    order=st.permutations(list(FRAME.columns)),
    rows=st.integers(0, 4),
    names=st.one_of(st.none(), st.lists(st.one_of(st.text(max_size=2), st.integers(0, 3)), min_size=4, max_size=4)),
)
def test_data_frames(config: AnalysisConfig, order: list[str], rows: int, names: list[str | int] | None) -> None:
    frame = FRAME[order].head(rows).astype({"sex": "category"})
    if names is not None:
        frame.columns = pd.Index(names, dtype=object)
    read(config, frame)


@BOUNDED
@given(uri=st.text(max_size=30))
def test_random_addresses(tmp_path: Path, uri: str) -> None:
    keys = {"dataset_type": "text/csv", "methods": {}}
    # Below a folder of its own, or an address such as "/" would be read to its leaves.
    read(AnalysisConfig.parse(keys, "The configuration"), f"{tmp_path}/x/{uri.replace('..', '')}")
