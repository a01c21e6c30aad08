"""JUnit, Markdown, SARIF and annotations hold against their formats, whatever text comes from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.config.lines import PolicySource
from clarify_ops.report.verdict_annotations import command, render_annotations
from clarify_ops.report.verdict_junit import render_junit
from clarify_ops.report.verdict_markdown import LIMIT, render_verdict_markdown
from clarify_ops.report.verdict_refused import refused_annotation, refused_junit, refused_markdown, refused_sarif
from clarify_ops.report.verdict_sarif import render_sarif
from clarify_ops.report.verdict_words import mask_among, visible
from tests.factories import release, verdict
from tests.report.notes import NOTES
from tests.report.verdicts import NEEDS, named, with_chances

SOURCE = PolicySource(Path("policy.yaml"), {"label-gap": 7, "four-fifths": 12}, first=2)
# Jenkins' junit-10.xsd: what may stand in what, the attributes that may be there, and those that must.
SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"},
        {"name", "tests", "failures", "errors"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, {"name", "value"}),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name", "time", "classname", "group"},
        {"name"},
    ),
    **dict.fromkeys(("failure", "error", "skipped"), (set(), {"type", "message"}, set())),
    **dict.fromkeys(("system-out", "system-err"), (set(), set(), set())),
}
TRICKY = st.text() | st.sampled_from(
    ["]]>", "a|b", "<b>&amp;</b>", "x\ny\r\nz", "\x00\x1b[2J", "\ud800", "`::error::", "@all"]
)


def junit(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own
    for one in root.iter():
        children, attributes, needed = SHAPE[one.tag]
        assert {child.tag for child in one} <= children
        assert needed <= one.attrib.keys() <= attributes
    return root


def cases(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {case.attrib["name"].split(":")[0]: case for case in root.iter("testcase")}


def test_junit_has_a_case_a_judgement_and_counts_what_it_holds() -> None:
    root = junit(render_junit(with_chances(), NOTES))
    suite = root[0]
    assert len(cases(root)) == len(with_chances().judgements) == int(suite.attrib["tests"])
    assert len(list(root.iter("failure"))) == int(suite.attrib["failures"]) == int(root.attrib["failures"])
    failed = {name for name, case in cases(root).items() if case.find("failure") is not None}
    assert failed == {"four-fifths", "approval-gap", "error-balance", "refusal-rate", "age-label-gap"}
    open_one = cases(root)["four-fifths"].find("failure")
    assert open_one is not None
    assert open_one.attrib["type"] == "INCONCLUSIVE"
    assert NEEDS.note in (open_one.text or "")
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties["outcome"] == "FAIL"
    assert properties["policy_digest"] == with_chances().policy_digest


def test_junit_shows_a_waiver_on_a_case_that_passes() -> None:
    waived = cases(junit(render_junit(with_chances())))["label-gap"]
    assert [child.tag for child in waived] == ["system-out"]
    assert "outcome: FAIL, waived" in (waived[0].text or "")
    assert "Tomás Okafor" in (waived[0].text or "")


def test_junit_skips_what_the_policy_only_warns_about() -> None:
    root = junit(render_junit(replace(with_chances(), inconclusive="warn")))
    skipped = {name for name, case in cases(root).items() if case.find("skipped") is not None}
    assert skipped == {"four-fifths", "error-balance", "age-label-gap"}
    assert int(root[0].attrib["skipped"]) == len(skipped)
    assert {name for name, case in cases(root).items() if case.find("failure") is not None} == {
        "approval-gap",
        "refusal-rate",
    }


@given(TRICKY)
def test_junit_holds_any_text(text: str) -> None:
    root = junit(render_junit(named(text)))
    told = {one.attrib["name"]: one.attrib["value"] for one in root.iter("property")}
    assert told["reason"] == re.sub("[\ufffe\uffff]", "\ufffd", visible(text))


def sarif_schema() -> dict[str, Any]:
    """The part of SARIF 2.1.0 that is written, closed: a misspelt property breaks it."""
    text, uri = {"type": "string"}, {"type": "string", "format": "uri-reference"}
    bag = {"type": "object"}

    def closed(needed: tuple[str, ...], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}

    message = closed(("text",), text=text)
    rule = closed(("id",), id=text, shortDescription=message, help=message, properties=bag)
    place = closed(
        ("artifactLocation", "region"),
        artifactLocation=closed(("uri",), uri=uri),
        region=closed(("startLine",), startLine={"type": "integer", "minimum": 1}),
    )
    suppression = closed(
        ("kind",),
        kind={"enum": ["inSource", "external"]},
        status={"enum": ["accepted", "underReview", "rejected"]},
        justification=text,
    )
    result = closed(
        ("message", "ruleId", "level", "locations"),
        ruleId=text,
        ruleIndex={"type": "integer", "minimum": 0},
        level={"enum": ["none", "note", "warning", "error"]},
        message=message,
        locations={"type": "array", "items": closed((), physicalLocation=place), "uniqueItems": True},
        partialFingerprints={"type": "object", "additionalProperties": text},
        suppressions={"type": "array", "items": suppression},
        properties=bag,
    )
    notification = closed(("message",), message=message, level={"enum": ["none", "note", "warning", "error"]})
    invocation = closed(
        ("executionSuccessful",),
        executionSuccessful={"type": "boolean"},
        exitCode={"type": "integer"},
        toolExecutionNotifications={"type": "array", "items": notification},
    )
    driver = closed(("name",), name=text, rules={"type": "array", "items": rule, "uniqueItems": True})
    run = closed(
        ("tool", "results"),
        tool=closed(("driver",), driver=driver),
        results={"type": "array", "items": result},
        invocations={"type": "array", "items": invocation},
        columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        properties=bag,
    )
    return closed(
        ("version", "runs"), **{"$schema": uri}, version={"const": "2.1.0"}, runs={"type": "array", "items": run}
    )


SARIF = jsonschema.Draft202012Validator(sarif_schema())


def results_of(text: str) -> list[dict[str, Any]]:
    log = json.loads(text)
    SARIF.validate(log)
    run = log["runs"][0]
    rules = [one["id"] for one in run["tool"]["driver"].get("rules", ())]
    assert len(set(rules)) == len(rules)
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
    return list(run["results"])


def test_sarif_points_at_the_rules_of_what_does_not_pass() -> None:
    found = results_of(render_sarif(with_chances(), SOURCE, NOTES))
    assert [one["ruleId"] for one in found] == [one.rule for one in with_chances().judgements if one.outcome != "PASS"]
    by_rule = {one["ruleId"]: one for one in found}
    place = by_rule["four-fifths"]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("policy.yaml", 12)
    assert by_rule["refusal-rate"]["locations"][0]["physicalLocation"]["region"]["startLine"] == SOURCE.first
    assert by_rule["four-fifths"]["level"] == "error"
    assert by_rule["label-gap"]["level"] == "note"
    assert "Tomás Okafor" in by_rule["label-gap"]["suppressions"][0]["justification"]
    assert "suppressions" not in by_rule["approval-gap"]
    warned = {
        one["ruleId"]: one["level"]
        for one in results_of(render_sarif(replace(with_chances(), inconclusive="warn"), SOURCE))
    }
    assert (warned["four-fifths"], warned["approval-gap"]) == ("warning", "error")


@given(TRICKY, TRICKY)
def test_sarif_holds_any_text_and_any_path(text: str, name: str) -> None:
    source = PolicySource(Path(re.sub("[\x00\ud800-\udfff/.]", "_", name) or "p"), {})
    found = results_of(render_sarif(named(text), source))
    uri = found[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(urlparse(uri).path) == source.file.as_posix()


def unescaped(text: str) -> str:
    return text.replace("%2C", ",").replace("%3A", ":").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def test_annotations_are_errors_warnings_and_notices_at_their_lines() -> None:
    lines = render_annotations(with_chances(), SOURCE, NOTES).splitlines()
    assert len(lines) == sum(one.outcome != "PASS" for one in with_chances().judgements)
    assert lines[0].startswith(
        "::notice file=policy.yaml,line=7,title=FAIL%2C waived label-gap%3A DPL of black = 1::Asked: "
    )
    assert lines[1].startswith("::error file=policy.yaml,line=12,")
    warned = render_annotations(replace(with_chances(), inconclusive="warn"), SOURCE).splitlines()
    assert warned[1].startswith("::warning ")


@given(st.text(), st.text(), st.integers(1, 999))
def test_an_annotation_is_one_line_that_reads_back(title: str, message: str, line: int) -> None:
    written = command("error", SOURCE, line, title, message)
    assert "\n" not in written
    assert "\r" not in written
    found = re.fullmatch(r"::error file=policy\.yaml,line=(\d+),title=([^,:]*)::(.*)", written, re.DOTALL)
    assert found is not None
    assert (int(found[1]), unescaped(found[2]), unescaped(found[3])) == (line, title, message)


@given(TRICKY)
def test_no_text_from_outside_makes_a_workflow_command(text: str) -> None:
    lines = render_annotations(named(text), SOURCE).split("\n")
    assert all(line.startswith(("::error ", "::notice ")) for line in lines[:-1])
    assert len(lines) - 1 == sum(one.outcome != "PASS" for one in with_chances().judgements)


@given(TRICKY)
def test_every_form_of_a_refusal_holds_any_text(text: str) -> None:
    error = junit(refused_junit(text, 3)).find(".//error")
    assert error is not None
    assert results_of(refused_sarif(text, 3)) == []
    assert refused_annotation(text).count("\n") == 1
    assert unescaped(refused_annotation(text)).startswith("::error title=Gate: no verdict::")
    assert Tags(refused_markdown(text, 3)).tags == []


class Tags(HTMLParser):
    """The HTML of a Markdown text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the name is the base class's
        self.tags.append(tag)


def table_rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            yield re.split(r"(?<!\\)\|", line)[1:-1]


def test_markdown_has_the_verdict_the_table_worst_first_and_an_account_folded_away() -> None:
    text = render_verdict_markdown(with_chances(), NOTES)
    assert text.startswith("## Gate: FAIL\n\n2 of 8 rules fail")
    assert "Exit status 3" in text
    outcomes = [row[0].strip() for row in table_rows(text)][2:]
    assert outcomes == ["FAIL"] * 2 + ["INCONCLUSIVE"] * 3 + ["FAIL, waived"] + ["PASS"] * 2
    assert "p = 0.031, corrected p = 0.062" in text
    assert text.count("<details>") == len(with_chances().judgements)
    assert "- label-gap: Waiver up to 0.3" in text
    assert "- four-fifths = 9: Waiver up to 0.7" in text


@given(TRICKY)
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    written = render_verdict_markdown(named(text))
    assert set(Tags(written).tags) == {"details", "summary"}
    assert {len(row) for row in table_rows(written)} == {8}
    assert not re.search(r"(?<!\\)`(?!sha256)", re.sub("`sha256:[0-9a-f]+`|<summary>.*</summary>", "", written))
    assert not re.search("@[a-z]", written)


@pytest.mark.parametrize("how_many", [2, 60, 600])
def test_markdown_fits_into_a_comment(how_many: int) -> None:
    one = named("x" * 3000 if how_many == 2 else "\N{SNOWMAN}" * 3000).judgements[0]
    whole = replace(with_chances(), judgements=(one,) * how_many)
    text = render_verdict_markdown(whole)
    assert len(text.encode()) <= LIMIT
    assert ("are cut short here" in text) == (how_many > 2)


def test_every_form_says_that_an_empty_policy_fails() -> None:
    empty = replace(verdict(()), reason="The policy has no rules: nothing was asked.")
    root = junit(render_junit(empty))
    assert root[0].attrib["failures"] == root[0].attrib["tests"] == "1"
    assert results_of(render_sarif(empty, SOURCE))[0]["level"] == "error"
    assert (
        render_annotations(empty, SOURCE)
        == "::error file=policy.yaml,line=2,title=FAIL::The policy has no rules: nothing was asked.\n"
    )
    assert "no rules" in render_verdict_markdown(empty)


def test_no_form_publishes_a_masked_group() -> None:
    known = release()
    mask = mask_among(known.verdict, known.measures)
    forms = (
        render_junit(known.verdict, NOTES, mask),
        render_verdict_markdown(known.verdict, NOTES, mask),
        render_sarif(known.verdict, SOURCE, NOTES, mask),
        render_annotations(known.verdict, SOURCE, NOTES, mask),
    )
    for text in forms:
        assert "0.305" not in text
        assert "7 rows" not in text
        assert "not published" in text.lower()
