"""Documents: read with one sentence for what is wrong, written whole, digested the same everywhere."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.documents import (
    canonical,
    digest,
    digest_bytes,
    digest_file,
    parse_document,
    read_document,
    write_bytes,
    write_json,
    write_text,
)
from clarify_ops.errors import BadDocument

anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.yaml", b"", "The policy .*a.yaml is empty"),
        ("a.yaml", b" \n\n", "is empty"),
        ("a.yaml", b"name: \xe9", "is not UTF-8 text"),
        ("a.yaml", b"name: x\nrules: [1,\n", "is not valid YAML: line 3: "),
        ("a.yaml", b"name: x\n\tmin: 1\n", "is not valid YAML: line 2: "),
        ("a.yaml", b"!!python/object:os.system x", "is not valid YAML: line 1: could not determine a constructor"),
        ("a.json", b'{"a": 1,\n"b": }', "is not valid JSON: line 2: Expecting value"),
        ("a.json", b"{'a': 1}", "is not valid JSON: line 1: "),
        ("a.json", b'{"title": "a \\ud800"}', r"holds half a character, '\\ud800'"),
        ("a.yaml", b'title: "a \\udc00"', r"holds half a character, '\\udc00'"),
        ("a.yaml", b"&a [*a]", "contains itself"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadDocument, match=words) as caught:
        read_document(tmp_path / name, "policy")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "no.yaml", tmp_path, tmp_path / "file" / "below.yaml"):
        with pytest.raises(BadDocument, match=r"is not a file\. Check the path"):
            read_document(path, "policy")


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    document = {"name": "x", "rules": [{"min": 0.8, "values": ["1", "yes"]}]}
    write_json(tmp_path / "a.json", document)
    assert read_document(tmp_path / "a.json", "policy") == document
    (tmp_path / "a.yaml").write_text('name: x\nrules: [{min: 0.8, values: ["1", "yes"]}]\n')
    assert read_document(tmp_path / "a.yaml", "policy") == document
    assert parse_document("a: 1", "The text") == {"a": 1}


def test_a_file_without_an_ending_is_what_it_is(tmp_path: Path) -> None:
    """YAML takes 1e-06 for a text."""
    (tmp_path / "verdict").write_text('{"p": 1e-06}', encoding="utf-8")
    (tmp_path / "policy").write_text("{p: 0.5, name: first}", encoding="utf-8")
    assert read_document(tmp_path / "verdict", "verdict") == {"p": 1e-06}
    assert read_document(tmp_path / "policy", "policy") == {"p": 0.5, "name": "first"}


@settings(deadline=None)
@given(anything)
def test_written_json_is_read_back(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.mktemp("d") / "a.json"
    assert write_json(path, document) == path
    assert json.loads(path.read_text()) == document


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_not_json_is_not_written(tmp_path: Path, number: float) -> None:
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json(tmp_path / "a.json", {"value": number})
    assert read_document(tmp_path / "a.json", "result") == {"old": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_keys_are_sorted_unless_a_contract_orders_them(tmp_path: Path) -> None:
    document = {"version": "1.0", "a": {"z": 1, "b": 2}}
    assert list(json.loads(write_json(tmp_path / "a.json", document).read_text())) == ["a", "version"]
    kept = json.loads(write_json(tmp_path / "a.json", document, sort_keys=False).read_text())
    assert (list(kept), list(kept["a"])) == (["version", "a"], ["z", "b"])


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.txt", "new")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_result_may_be_read_by_whoever_may_read_the_folder(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.bin", b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_canonical_form_forgets_what_another_machine_may_not_repeat() -> None:
    assert canonical({"b": 0.1 + 0.2, "a": [1, (2.0, None)]}) == b'{"a":[1,[2.0,null]],"b":0.3}'
    assert canonical(-0.0) == canonical(0.0) == b"0.0"
    assert canonical({1: "é"}) == '{"1":"é"}'.encode()
    assert canonical([math.nan, math.inf, -math.inf]) == b'["nan","inf","-inf"]'
    assert digest({"a": 1 / 3}) == digest({"a": 0.3333333333333})
    assert digest({"a": 1 / 3}) != digest({"a": 0.33333333333})
    assert digest({"a": True}) != digest({"a": 1})
    assert digest({"a": "1"}) != digest({"a": 1})


@settings(deadline=None)
@given(anything)
def test_the_digest_does_not_depend_on_the_order_of_keys_or_on_a_round_trip(document: Any) -> None:
    def reordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reordered(value[key]) for key in reversed(value)}
        return [reordered(one) for one in value] if isinstance(value, list) else value

    assert digest(reordered(document)) == digest(document)
    assert digest(json.loads(json.dumps(document))) == digest(document)
    assert canonical(json.loads(canonical(document))) == canonical(document)


def test_files_and_bytes_have_the_digest_that_sha256sum_prints(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_file(tmp_path / "abc") == digest_bytes(b"abc") == known


@pytest.mark.parametrize(
    ("text", "as_json"),
    [("rules:\n- min: 0.9\n  why: w\n  min: 0.1\n", False), ('{"rules": [{"min": 0.9, "min": 0.1}]}', True)],
)
def test_a_key_that_stands_twice(text: str, *, as_json: bool) -> None:
    """Only the last would count, and whoever signed the document may have read the first."""
    with pytest.raises(BadDocument, match="has the key min twice"):
        parse_document(text, "The policy", as_json=as_json)


def test_what_is_merged_in_may_be_said_otherwise() -> None:
    text = "a: &a {min: 1, max: 2}\nb: &b\n  <<: *a\n  min: 3\nc: {<<: *b, max: 4}\n"
    document = parse_document(text, "The policy")
    assert (document["b"], document["c"]) == ({"min": 3, "max": 2}, {"min": 3, "max": 4})
