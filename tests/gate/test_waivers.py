"""Waivers are data: their scope, their days and their people, and none is hidden."""

from __future__ import annotations

import pytest

from clarify_ops.config.policy import Waiver
from clarify_ops.gate.judge import judge
from clarify_ops.gate.verdict import Verdict
from tests.gate.test_judge import TODAY, measure, policy, rule, waiver

BEYOND = measure(0.25, 0.2, 0.4)


def judged(*waivers: Waiver, model: str | None = None, one: object = None) -> Verdict:
    return judge([BEYOND if one is None else one], policy(rule(), waivers=waivers), TODAY, model=model)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("written", "judged_model", "counts"),
    [
        (None, "scores", True),
        (None, None, True),
        ("scores", "scores", True),
        ("scores", "other", False),
        ("scores", None, False),
    ],
)
def test_a_waiver_of_one_model_is_for_that_model(written: str | None, judged_model: str | None, counts: bool) -> None:  # noqa: FBT001
    found = judged(waiver(model=written), model=judged_model)
    assert (found.outcome == "PASS") == counts
    use = found.judgements[0].waiver
    assert use is not None
    assert use.model == written
    if not counts:
        assert use.note == "does not count: it is for the model scores"


def test_a_waiver_that_nothing_needs_is_listed() -> None:
    found = judged(waiver(), one=measure())
    assert found.outcome == "PASS"
    assert [(one.rule, one.facet_value, one.waiver.counts) for one in found.idle_waivers] == [("gap", "1", False)]
    assert found.idle_waivers[0].waiver.note == "does not count: it is not needed, for what it covers passes"
    assert found.to_json()["idle_waivers"][0]["waiver"]["approver"] == "Grace"


def test_a_waiver_of_nothing_that_was_judged_is_listed() -> None:
    found = judged(waiver(facet_value="7"))
    assert found.outcome == "FAIL"
    assert found.idle_waivers[0].waiver.note == "does not count: nothing was judged that it covers"


def test_of_two_waivers_one_is_shown_and_the_other_listed() -> None:
    found = judged(waiver(expires="2026-06-02"), waiver())
    assert found.judgements[0].waived
    (idle,) = found.idle_waivers
    assert idle.waiver.note == "does not count: expired on 2026-06-02, and another waiver of the same is shown"


def test_every_waiver_of_a_policy_is_in_the_verdict_once() -> None:
    written = [waiver(), waiver(up_to=0.2), waiver(facet_value="7"), waiver(expires="2026-06-02"), waiver(model="m")]
    found = judged(*written)
    shown = [one.waiver for one in found.judgements if one.waiver is not None]
    assert len(shown) + len(found.idle_waivers) == len(written)


def test_a_waiver_moves_one_side_of_a_mirrored_bound() -> None:
    lower = waiver(up_to=-0.3)
    asked = policy(rule(None, 0.1), waivers=(lower,))
    assert judge([measure(-0.25, -0.4, -0.2)], asked, TODAY).outcome == "PASS"
    assert judge([BEYOND], asked, TODAY).outcome == "FAIL"


def test_no_waiver_lifts_a_forgotten_group_or_old_evidence() -> None:
    asked = policy(rule(values=("2",)), waivers=(waiver(), waiver(facet_value="2")))
    assert [one.waived for one in judge([BEYOND], asked, TODAY).judgements] == [False, False]
    aged = policy(rule(), waivers=(waiver(),), max_age_days=1)
    found = judge([BEYOND], aged, TODAY)
    assert (found.outcome, [one.waived for one in found.judgements]) == ("FAIL", [True, False])
