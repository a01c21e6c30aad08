"""Every fault of a policy is found on its line, and a sound policy has none."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from clarify_ops.analysis.policy_check import Known, Problem, check_policy_file
from clarify_ops.analysis.policy_power import rows_for_margin, rows_to_pass
from clarify_ops.intervals import newcombe_ends, wilson
from clarify_ops.measures import Interval, Measure

TODAY = datetime.date(2026, 11, 21)
MEASURES = (
    Measure("data", "rows", 400.0, facet="sex", facet_value="f", groups={"a": 900, "d": 400}, exact=True),
    Measure("data", "rows", 60.0, facet="sex", facet_value="x", groups={"a": 1240, "d": 60}, exact=True),
    *(
        Measure(
            "post_training",
            metric,
            value,
            facet="sex",
            facet_value=group,
            groups={"a": 1300 - rows, "d": rows},
            interval=Interval(low, high, 0.95, "score"),
        )
        for group, rows, wide in (("f", 400, 0.06), ("x", 60, 0.16))
        for metric, value, low, high in (("RD", 0.02, 0.02 - wide, 0.02 + wide), ("DI", 0.9, 0.9 - wide, 0.9 + wide))
    ),
    Measure("quality", "auc", 0.8, groups={"all": 1300}, interval=Interval(0.77, 0.83, 0.95, "DeLong")),
)
RULE: dict[str, Any] = {"id": "r", "stage": "post_training", "metric": "RD", "facet": "sex", "within": 0.2, "why": "w"}
WAIVER: dict[str, Any] = {
    "rule": "r",
    "facet_value": "f",
    "up_to": 0.3,
    "reason": "n",
    "author": "a",
    "approver": "b",
    "granted": "2026-01-01",
    "expires": "2027-06-30",
}


def checked(tmp_path: Path, *rules: dict[str, Any], known: Known | None = None, **policy: Any) -> list[Problem]:
    document = {"version": "1", "name": "p", "rules": list(rules) or [RULE], **policy}
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    found = check_policy_file(file, Known(MEASURES) if known is None else known, TODAY)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert all(1 <= one.line <= len(lines) for one in found)
    return list(found)


def line_of(tmp_path: Path, problem: Problem) -> str:
    return (tmp_path / "policy.yaml").read_text(encoding="utf-8").splitlines()[problem.line - 1].strip()


def test_a_sound_policy_has_no_problems(tmp_path: Path) -> None:
    assert checked(tmp_path, RULE, waivers=[WAIVER]) == []


@pytest.mark.parametrize(
    ("change", "severity", "line", "words"),
    [
        ({"metric": "RDD"}, "error", "metric: RDD", 'Did you mean "RD"?'),
        ({"metric": "auc"}, "error", "metric: auc", "It is measured in stage quality."),
        ({"facet": "sexx"}, "error", "facet: sexx", 'Did you mean "sex"?'),
        ({"values": ["q", "f", "x"]}, "error", "- id: r", "no sex = q"),
        ({"values": ["f"]}, "error", "- id: r", "which the policy forgets"),
        ({"values": ["f"], "except_values": {"y": "n"}}, "error", "- id: r", "leaves out sex = y"),
        ({"metric": "AD"}, "error", "- id: r", "No AD was measured"),
        ({"within": None, "min": 2.0, "sides": "one"}, "error", "min: 2.0", "can never pass: RD is -1 to 1"),
        ({"within": 1.5}, "warning", "within: 1.5", "can never fail"),
        ({"within": None, "min": 0.1, "max": 0.1}, "error", "min: 0.1", "never a single value"),
        ({"within": None, "max": 0.2, "sides": "one"}, "warning", "sides: one", "on one side only"),
        ({"mode": "point"}, "warning", "mode: point", "no sampling error"),
        ({"within": 0.1}, "warning", "- id: r", "sex = x has too few rows for RD (60)"),
        ({"metric": "DI", "within": 0.9}, "warning", "- id: r", "would make it as narrow"),
        ({"metrc": "RD"}, "error", "metrc: RD", "unknown key rules[0].metrc"),
        ({"min": 0.1}, "error", "- id: r", "within beside min or max"),
        ({"stage": "training"}, "error", "stage: training", "rules[0].stage"),
        ({"within": "a"}, "error", "within: a", "rules[0].within"),
    ],
)
def test_a_fault_of_a_rule_is_told_on_its_line(
    tmp_path: Path, change: dict[str, Any], severity: str, line: str, words: str
) -> None:
    rule = {key: value for key, value in {**RULE, **change}.items() if value is not None}
    found = checked(tmp_path, rule)
    about = [one for one in found if words in f"{one.message} {one.hint}"]
    assert about, found
    assert (about[0].severity, line_of(tmp_path, about[0]), about[0].rule) == (severity, line, "r")


@pytest.mark.parametrize(
    ("change", "severity", "line", "words"),
    [
        ({"expires": "2026-11-20"}, "warning", "expires: '2026-11-20'", "expired on 2026-11-20"),
        ({"expires": "2026-12-01"}, "warning", "expires: '2026-12-01'", "ends in 10 days"),
        ({"granted": "2026-12-01"}, "warning", "granted: '2026-12-01'", "does not count before"),
        ({"facet_value": "q"}, "warning", "facet_value: q", "which the data do not have"),
        ({"up_to": 0.1}, "warning", "up_to: 0.1", "covers nothing: 0.1 is within the bound"),
        ({"rule": "rr"}, "error", "- rule: rr", 'Did you mean "r"?'),
        ({"approver": "a"}, "error", "- rule: r", "one person as author and approver"),
    ],
)
def test_a_fault_of_a_waiver_is_told_on_its_line(
    tmp_path: Path, change: dict[str, Any], severity: str, line: str, words: str
) -> None:
    found = checked(tmp_path, RULE, waivers=[{**WAIVER, **change}])
    assert len(found) == 1, found
    assert words in f"{found[0].message} {found[0].hint}"
    assert (found[0].severity, line_of(tmp_path, found[0])) == (severity, line)


def test_a_waiver_of_a_value_that_the_rule_leaves_out_is_an_error(tmp_path: Path) -> None:
    rule = {**RULE, "values": ["x"], "except_values": {"f": "agreed"}}
    found = checked(tmp_path, rule, waivers=[WAIVER])
    assert [(one.severity, line_of(tmp_path, one)) for one in found] == [("error", "facet_value: f")]


@pytest.mark.parametrize(
    ("other", "severity", "words"),
    [
        ({"within": None, "min": 0.3, "sides": "one"}, "error", "It contradicts the rule 'r'"),
        ({}, "warning", "It says the same as the rule 'r'"),
        ({"within": 0.25}, None, ""),
        ({"within": None, "min": 0.3, "sides": "one", "reference": "x"}, None, ""),
    ],
)
def test_rules_are_held_against_each_other(
    tmp_path: Path, other: dict[str, Any], severity: str | None, words: str
) -> None:
    second = {key: value for key, value in {**RULE, "id": "s", **other}.items() if value is not None}
    found = [one for one in checked(tmp_path, RULE, second) if "one side" not in one.message]
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    assert all(one.rule == "s" and words in one.message for one in found)


def test_rules_about_other_values_do_not_contradict(tmp_path: Path) -> None:
    low = {**RULE, "values": ["f"], "within": 0.2}
    high = {
        key: value
        for key, value in {**RULE, "id": "s", "values": ["x"], "min": 0.3, "within": None, "sides": "one"}.items()
        if value is not None
    }
    assert not [one for one in checked(tmp_path, low, high) if "contradicts" in one.message]


def test_an_empty_policy_and_a_name_used_twice_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('version: "1"\nname: p\nrules: []\n', encoding="utf-8")
    empty = check_policy_file(file, Known(), TODAY)
    assert [(one.severity, one.line) for one in empty] == [("error", 3)]
    twice = checked(tmp_path, RULE, RULE)
    assert [(one.severity, one.message) for one in twice] == [("error", "The rule id 'r' is used twice.")]


def test_without_an_analysis_only_what_the_policy_says_is_checked(tmp_path: Path) -> None:
    assert checked(tmp_path, {**RULE, "facet": "anything", "values": ["q"]}, known=Known()) == []
    found = checked(tmp_path, {**RULE, "facet": "sx"}, known=Known(facets=frozenset({"sex"})))
    assert [one.hint for one in found] == ['Did you mean "sex"?']


def test_what_cannot_be_a_policy_is_an_error_on_a_line(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    for text in ("[]", "3", "rules: 3\nname: p", "name: p\nrules: [3]", "name: p\nrules: [{}]\nwaivers: {}"):
        file.write_text(text, encoding="utf-8")
        assert {one.severity for one in check_policy_file(file, Known(), TODAY)} == {"error"}


def test_the_rows_of_a_margin_are_those_of_the_interval() -> None:
    rows = rows_for_margin(0.1, 0.95)
    low, high = wilson(rows / 2, rows, 0.95)
    assert (high - low) / 2 == pytest.approx(0.1, abs=0.003)


def test_a_fair_model_passes_as_often_as_the_rows_promise() -> None:
    import numpy as np

    rows, others, runs = rows_to_pass(0.1, 0.95), 200_000, 4000
    random = np.random.default_rng(11)
    hits, beside = random.binomial(rows, 0.5, runs), random.binomial(others, 0.5, runs)
    low, high = newcombe_ends((hits, rows), (beside, others), 0.95)
    passed = float(np.mean((low >= -0.1) & (high <= 0.1)))
    assert passed == pytest.approx(0.8, abs=0.03)
