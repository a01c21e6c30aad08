"""A verdict in words tells every number that decided it, and nothing that is masked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.gate.verdict import Judgement
from clarify_ops.report.verdict_words import accounts, mask_among, p_words, visible, what_next
from tests.factories import release, verdict
from tests.report.notes import NOTES
from tests.report.verdicts import NEEDS, named, with_chances


def parts_of(rule: str) -> dict[str, str]:
    return next(dict(one.parts) for one in accounts(with_chances(), NOTES) if one.title.startswith(f"{rule}:"))


def test_an_open_check_is_told_with_bound_value_interval_rows_chance_and_needs() -> None:
    told = parts_of("four-fifths")
    assert told["Asked"].startswith(
        "DI (Disparate impact) of black = 1, measured on the predictions, after training, must be at least 0.8."
    )
    assert told["Why this bound"] == "The four-fifths rule of the EEOC guidelines, 29 CFR 1607.4(D)."
    assert (
        told["Found"]
        == "0.734, with a 95 % interval of 0.666 to 0.801 (log ratio), from 197 disadvantaged, 1,792 advantaged."
    )
    assert (
        told["Distance"] == "The value lies 0.066 beyond the bound 0.8, but the interval reaches to both sides of it."
    )
    assert "in 3.1 % of cases (p = 0.031)." in told["Chance"]
    assert "corrected for all of the family groups (Holm), p = 0.062." in told["Chance"]
    assert told["Chance"].endswith("Were it the only check, it would be FAIL.")
    assert told["To decide it"] == NEEDS.note
    assert told["Answer"] == "INCONCLUSIVE. The interval straddles the bound 0.8."


def test_what_the_terminal_and_a_waiver_need_is_told() -> None:
    told = parts_of("label-gap")
    assert told["Waiver"].startswith(
        "Waiver up to 0.3, granted 2026-10-01 by Tomás Okafor (model risk) for Ada Lindqvist (model owner): counts until 2027"
    )
    assert "in less than 0.1 % of cases (p < 0.001)" in told["Chance"]
    assert "sampling error is not allowed for" in parts_of("ranking")["Asked"]
    assert parts_of("refusal-rate")["Found"] == "No value, from 197 disadvantaged, 1,792 advantaged."
    assert "Distance" not in parts_of("refusal-rate")
    assert "black = 1 against 0" in parts_of("approval-gap")["Asked"]


def test_a_value_within_the_bound_has_nothing_against_it() -> None:
    inside = replace(with_chances().judgements[6], p_value=0.93, adjusted_p=1.0, family="groups", value=0.75)
    told = dict(accounts(replace(with_chances(), judgements=(inside,)))[0].parts)
    assert told["Chance"] == "Nothing speaks for a breach of the bound (p = 0.93)."
    assert told["Distance"] == "The value lies on the bound 0.75, which is acceptable."


@pytest.mark.parametrize(
    ("outcome", "inconclusive", "status", "words"),
    [
        ("PASS", "block", 0, "may enter the registry"),
        ("FAIL", "warn", 3, "Registration is refused"),
        ("INCONCLUSIVE", "block", 4, "Registration is blocked"),
        ("INCONCLUSIVE", "approval", 4, "until a person approves it"),
        ("INCONCLUSIVE", "warn", 0, "lets an undecided model"),
    ],
)
def test_what_happens_next_is_said_with_the_exit_status(
    outcome: str, inconclusive: str, status: int, words: str
) -> None:
    asked = verdict((), outcome, inconclusive=inconclusive)  # type: ignore[arg-type]
    assert asked.exit_status == status
    told = what_next(asked)
    assert words in told[0]
    assert told[-1].startswith(f"Exit status {status}: ")


def test_a_small_group_is_masked_where_the_text_is_published() -> None:
    known = release()
    small = replace(
        next(one for one in known.verdict.judgements if one.rule == "age-label-gap"),
        p_value=0.2,
        adjusted_p=0.2,
        needs=NEEDS,
    )
    asked = replace(known.verdict, judgements=(small,))
    full, published = (accounts(asked, NOTES, **one)[0].text for one in ({}, {"mask": mask_among(asked)}))
    assert "0.305" in full
    assert "7 disadvantaged" in full
    assert NEEDS.note in full
    for secret in ("0.305", "7 disadvantaged", "7 rows", "p = 0.2", "612"):
        assert secret not in published
    assert "not published" in published.lower()


def test_the_rows_of_a_group_beside_a_masked_one_are_not_told() -> None:
    known = release()
    beside = replace(
        next(one for one in known.verdict.judgements if one.rule == "approval-gap-married"),
        facet="age_band",
        facet_value="rest",
        groups={"a": 100, "d": 60},
        outcome="INCONCLUSIVE",
        needs=NEEDS,
    )
    asked = replace(known.verdict, judgements=(beside,))
    text = accounts(asked, NOTES, mask_among(asked, known.measures))[0].text
    assert "10 or more disadvantaged" in text
    assert NEEDS.note not in text


@given(st.text())
def test_visible_text_is_one_line_of_what_can_be_seen(text: str) -> None:
    shown = visible(text)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown
    shown.encode()


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z"))))
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


@given(st.text(min_size=1))
def test_no_text_from_outside_breaks_an_account(text: str) -> None:
    for one in accounts(named(text), NOTES):
        assert "\x1b" not in one.text
        assert len(one.text.splitlines()) == len(one.parts)


@given(st.floats(0, 1))
def test_a_p_value_is_never_told_smaller_than_it_is_by_more_than_a_digit(p: float) -> None:
    told = p_words(p)
    if p < 0.001:
        assert told == "p < 0.001"
    else:
        assert abs(float(told.removeprefix("p = ")) - p) <= 0.0005 + 1e-12


def test_an_infinite_value_has_no_distance() -> None:
    one: Judgement = replace(release().verdict.judgements[3], value=float("inf"))
    parts = dict(accounts(replace(release().verdict, judgements=(one,)))[0].parts)
    assert "Distance" not in parts
    assert parts["Found"].startswith("infinite")
