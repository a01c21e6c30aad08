"""`policy init` writes a policy that is sound and not tuned to what was measured; `policy check` finds what is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.analysis.first_policy import PROPOSALS, first_policy
from clarify_ops.analysis.results import read_measures
from clarify_ops.config.policy import Policy
from clarify_ops.documents import parse_document
from clarify_ops.errors import BadDocument
from clarify_ops.gate.judge import judge
from clarify_ops.measures import Measure
from tests.project import Project


@pytest.fixture
def ran(project: Project, finished: Path) -> Project:
    project.take_over(finished)
    assert project.step("gate")[0] == 0
    return project


def policy_of(text: str) -> Policy:
    return Policy.parse(parse_document(text, "The policy"), "The policy")


def bounds_of(text: str) -> list[tuple[str, str, str | None, float | None, float | None, float | None]]:
    return [(one.stage, one.metric, one.facet, one.min, one.max, one.within) for one in policy_of(text).rules]


def test_a_first_policy_is_sound_and_judges_what_it_was_made_from(ran: Project) -> None:
    status, out, _ = ran.cli("policy", "init", "run", "--output", "first.yaml", "--name", "mine")
    assert (status, out.strip()) == (0, "first.yaml")
    status, out, err = ran.cli("policy", "check", "first.yaml", "--analysis", "run", "--pipeline", "pipeline.yaml")
    assert status == 0, out
    assert "0 errors" in err
    text = (ran.folder / "first.yaml").read_text(encoding="utf-8")
    assert policy_of(text).name == "mine"
    measures = read_measures(ran.folder / "run/gate/metrics.json")
    verdict = judge(measures, policy_of(text), date(2026, 11, 21))
    assert all(one.value is not None for one in verdict.judgements)
    assert ran.step("gate", "--policy", "first.yaml")[0] in {0, 3, 4}


def test_every_line_says_what_it_does(ran: Project) -> None:
    measures = read_measures(ran.folder / "run/gate/metrics.json")
    for line in first_policy(measures, "here").splitlines():
        code, _, comment = line.partition("  # ") if not line.lstrip().startswith("#") else ("", "", line)
        assert len(comment) > 8, line
        assert not code.strip() or yaml.safe_load(code.strip().removeprefix("- ")) is not None


def test_bounds_do_not_depend_on_what_was_measured(ran: Project) -> None:
    measures = read_measures(ran.folder / "run/gate/metrics.json")
    changed = [_changed(one) for one in measures]
    assert changed != list(measures)
    assert first_policy(changed, "here") == first_policy(measures, "here")


def _changed(one: Measure) -> Measure:
    if one.value is None:
        return replace(one, value=0.77, reason="")
    return replace(one, value=None, reason="changed", interval=None)


def test_a_policy_is_screened_and_never_called_compliant(ran: Project) -> None:
    text = first_policy(read_measures(ran.folder / "run/gate/metrics.json"), "here")
    assert "four-fifths screen" in text
    assert "compliant" not in text
    # g = 1 is about a quarter of 400 rows.
    small = re.search(r"# g = 1 has (\d+) rows\. A fair model needs about 263", text)
    assert small is not None


def test_nothing_is_overwritten(ran: Project) -> None:
    before = (ran.folder / "policy.yaml").read_text(encoding="utf-8")
    status, _, err = ran.cli("policy", "init", "run")
    assert status == 2
    assert "The file policy.yaml exists." in err
    assert (ran.folder / "policy.yaml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "is not a file"),
        (("data.csv",), "does not hold the measures"),
        (("run/training", "--output", "new/policy.yaml"), "cannot be written"),
        (("run/gate", "--name", "not a name", "--output", "new.yaml"), "name"),
        ((".",), "has no metrics.json"),
    ],
)
def test_what_cannot_be_made_a_policy_is_refused(ran: Project, arguments: tuple[str, ...], words: str) -> None:
    if arguments[0] == "run/training":
        arguments = ("run/posttraining_bias", *arguments[1:])
    status, out, err = ran.cli("policy", "init", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert not (ran.folder / "new.yaml").exists()


def test_a_run_without_a_judgement_is_taken_as_well(project: Project, finished: Path) -> None:
    project.take_over(finished)
    assert project.cli("policy", "init", "run", "--output", "a.yaml")[0] == 0
    assert {one[0] for one in bounds_of((project.folder / "a.yaml").read_text(encoding="utf-8"))} >= {
        "data",
        "pre_training",
        "post_training",
        "quality",
    }


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True))
def test_any_name_of_a_facet_makes_a_policy_that_reads_back(facets: list[str]) -> None:
    facets = [one for one in facets if one.isprintable()] or ["f"]
    measures = [
        Measure("post_training", "DI", 0.9, facet=one, facet_value=one, groups={"a": 9, "d": 20}) for one in facets
    ]
    policy = policy_of(first_policy(measures, "\n#: x"))
    assert [rule.facet for rule in policy.rules] == facets


def test_nothing_measured_makes_no_policy() -> None:
    with pytest.raises(BadDocument):
        first_policy([], "nothing")


def test_every_proposal_is_a_rule_that_can_pass_and_fail() -> None:
    from clarify_ops.analysis.known_metrics import range_of, table_of
    from clarify_ops.gate.bounds import bound_of

    for one in PROPOSALS:
        assert one.metric in table_of(one.stage)
        facet = "f" if one.per_facet else None
        text = first_policy([Measure(one.stage, one.metric, 0.1, facet=facet, facet_value=facet)], "here")
        rule = policy_of(text).rules[0]
        reach = range_of(one.stage, one.metric)
        if reach is not None:
            assert bound_of(rule).meets(reach)
            assert not bound_of(rule).holds(reach.low, reach.high)


def test_problems_are_lines_or_json_with_status_2(ran: Project) -> None:
    ran.edit(lambda policy: policy["rules"][1].update(metric="RDD"), "policy.yaml")
    status, out, err = ran.cli("policy", "check", "policy.yaml")
    assert status == 2
    line = next(
        place
        for place, text in enumerate((ran.folder / "policy.yaml").read_text(encoding="utf-8").splitlines(), 1)
        if "RDD" in text
    )
    assert out.startswith(f"policy.yaml:{line}: error: recall: The metric 'RDD' is not known in stage post_training.")
    assert "1 error, 0 warnings" in err
    status, out, _ = ran.cli("policy", "check", "policy.yaml", "--json")
    assert status == 2
    assert json.loads(out)["problems"][0]["line"] == line


def test_a_pipeline_without_facets_and_a_missing_policy_are_refused(ran: Project) -> None:
    assert ran.cli("policy", "check", "nowhere.yaml")[0] == 2
    status, _, err = ran.cli("policy", "check", "policy.yaml", "--pipeline", "policy.yaml")
    assert status == 2
    assert "has no analysis with facets" in err
