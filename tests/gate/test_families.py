"""Holm's correction, and what it means for a verdict."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.gate.families import holm
from clarify_ops.gate.judge import judge
from clarify_ops.measures import Measure
from tests.gate.test_judge import TODAY, measure, normal_ends, policy, rule

p_values = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=5)


def closed(values: list[float], member: int) -> float:
    """The adjusted p-value by the closure of Bonferroni's test: the largest over all sets with the member in them."""
    others = [place for place in range(len(values)) if place != member]
    sets = [(member, *more) for size in range(len(values)) for more in itertools.combinations(others, size)]
    return max(min(1.0, len(one) * min(values[place] for place in one)) for one in sets)


@given(p_values)
def test_holm_is_the_closure_of_bonferroni(values: list[float | None]) -> None:
    known = [1.0 if one is None else one for one in values]
    for place, found in enumerate(holm(values)):
        if values[place] is None:
            assert found is None
        else:
            assert found == pytest.approx(closed(known, place))


def test_no_members_no_corrections() -> None:
    assert holm([]) == []


def gaps(*values: float, metric: str = "DPL") -> list[Measure]:
    """One facet value each, with a 95 % interval of 0.1 on either side."""
    return [
        measure(
            one,
            one - 0.1,
            one + 0.1,
            facet_value=str(place),
            metric=metric,
            ends=normal_ends(one, one - 0.1, one + 0.1),
        )
        for place, one in enumerate(values)
    ]


def test_what_fails_alone_may_be_chance_among_many() -> None:
    """A gap of 0.19 against 0.1 is 1.76 standard errors: p = 0.039, and ten times that among ten."""
    alone = judge(gaps(0.19), policy(rule()), TODAY).judgements[0]
    assert (alone.outcome, alone.plain, alone.family) == ("FAIL", "FAIL", "gap")
    assert alone.p_value == alone.adjusted_p == pytest.approx(0.0389, abs=1e-4)
    found = judge(gaps(0.19, *[0.0] * 9), policy(rule()), TODAY)
    first = found.judgements[0]
    assert (found.outcome, first.outcome, first.plain) == ("INCONCLUSIVE", "INCONCLUSIVE", "FAIL")
    assert first.p_value == alone.p_value
    assert first.adjusted_p == pytest.approx(10 * 0.0389, abs=1e-3)
    assert first.reason == "Beyond the bound by itself (p = 0.039), but not among the 10 of its family (p = 0.39)."


def test_a_family_is_what_the_policy_declares() -> None:
    measures = gaps(0.19) + gaps(0.0, metric="CI")
    apart = policy(rule(), rule(id="other", metric="CI"))
    together = policy(rule(family="bias"), rule(id="other", metric="CI", family="bias"))
    assert judge(measures, apart, TODAY).judgements[0].outcome == "FAIL"
    found = judge(measures, together, TODAY).judgements
    assert [one.family for one in found] == ["bias", "bias"]
    assert found[0].outcome == "INCONCLUSIVE"
    # A family called like a rule is not that rule's own.
    named = policy(rule(id="bias"), rule(id="other", metric="CI", family="bias"))
    assert judge(measures, named, TODAY).judgements[0].outcome == "FAIL"


def test_what_fails_outright_or_is_a_fact_is_no_member() -> None:
    fact = measure(0.0, facet_value="8", exact=True, interval=None)
    undefined = measure(None, facet_value="9")
    found = judge([*gaps(0.19), fact, undefined], policy(rule()), TODAY).judgements
    assert [one.outcome for one in found] == ["FAIL", "PASS", "FAIL"]
    assert found[0].adjusted_p == found[0].p_value
    assert found[1].p_value is found[2].adjusted_p is None


def test_a_pass_needs_every_member() -> None:
    found = judge(gaps(*[0.0] * 9, 0.05), policy(rule(-0.11, 0.11)), TODAY)
    assert [one.outcome for one in found.judgements] == ["PASS"] * 9 + ["INCONCLUSIVE"]
    assert found.outcome == "INCONCLUSIVE"


def test_alpha_is_the_policys() -> None:
    assert judge(gaps(0.19), policy(rule(), alpha=0.03), TODAY).outcome == "INCONCLUSIVE"
    assert judge(gaps(0.19), policy(rule(), alpha=0.04), TODAY).outcome == "FAIL"
