"""Every form of the card: nothing leaks, nothing breaks out, the same bytes again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from clarify_ops.card import CARDS, cards
from clarify_ops.card.attached import BOM, CARD, CLAUSES_MARKDOWN, PACKAGE_CARD, STANDALONE_CARD
from clarify_ops.config.card import ENTRIES, LONG, SHORT, TOGETHER, CardSection
from clarify_ops.errors import BadDocument
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Needs
from clarify_ops.measures import Measure
from tests.card.attached import BESIDE, HOSTILE, TEXTS
from tests.factories import interval, judgement, measure, release, waved_through


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return cards(release(), BESIDE)


def with_judged(one: Measure, **known: Any) -> Release:
    """The release with one more measure, which a rule judges."""
    whole = release()
    judged = replace(
        judgement(one, "more", "INCONCLUSIVE", known.pop("reason", "The interval straddles the bound."), max=0.1),
        **known,
    )
    verdict = replace(whole.verdict, judgements=(*whole.verdict.judgements, judged))
    return replace(whole, measures=(*whole.measures, one), verdict=verdict)


def test_every_form_is_there_and_made_again_the_same(made: dict[str, str]) -> None:
    assert tuple(made) == CARDS
    assert cards(release(), BESIDE) == made


@pytest.mark.parametrize("name", CARDS)
def test_secrets_and_nan_are_nowhere(made: dict[str, str], name: str) -> None:
    assert not re.search(r"\bNaN\b|hunter2|X-Amz", made[name])


@pytest.mark.parametrize("name", [CARD, PACKAGE_CARD, STANDALONE_CARD, BOM])
def test_every_number_stands_with_interval_rows_and_denominators(made: dict[str, str], name: str) -> None:
    for words in ("197 disadvantaged, 1,792 advantaged", "0.786 to 0.839", "favourable a 1,622, favourable d 131"):
        assert words in made[name]
    assert "undefined: No group variable was given." in made[name]
    assert "approved by Tom\\u00e1s Okafor" in json.dumps(made[name]).replace("\\\\u", "\\u")
    for day in ("2027-03-31", "2026-09-30"):
        assert f"expires {day}" in made[name]


@pytest.mark.parametrize("name", [CARD, PACKAGE_CARD, STANDALONE_CARD, BOM])
def test_how_sure_an_answer_is_and_what_would_decide_it(name: str) -> None:
    one = measure(
        "post_training",
        "AD",
        0.0917,
        subject=("black", "1"),
        groups={"a": 1792, "d": 197},
        interval=interval(0.01, 0.19),
    )
    needs = Needs("black = 1", 4321, "4,321 rows of black = 1 would decide it.")
    text = cards(with_judged(one, p_value=0.31, adjusted_p=0.62, plain="PASS", needs=needs), BESIDE)[name]
    assert (
        "p = 0.310, 0.620 within its family; PASS if it were the only rule; 4,321 rows of black = 1 would decide it."
        in text
    )


@pytest.mark.parametrize("name", CARDS)
def test_a_group_of_four_rows_is_nowhere(name: str) -> None:
    """Not its rows, not its numbers, not what would decide it, and not by subtraction from the others."""
    rows = {"a": 1985, "d": 4}
    one = measure(
        "post_training", "DPPL", 0.123456, subject=("tribe", "x"), groups=rows, denominators={"favourable d": 4},
        interval=interval(0.0654321, 0.1876543, reliable=False),
    )  # fmt: skip
    needs = Needs("tribe = x", 41_234, "41,234 rows of tribe = x would decide it; there are 4.")
    whole = with_judged(one, reason="With 4 rows it cannot be decided.", p_value=0.2718, adjusted_p=0.5436, needs=needs)
    facets = {**whole.data.facets, "tribe": {"x": 4, "rest": 1985}}
    whole = replace(whole, data=replace(whole.data, facets=facets, warnings=()))
    text = cards(whole, BESIDE)[name]
    assert "tribe = x" in text or name.startswith("clauses")
    numbers = r"0\.123\d*|0\.065\d*|0\.18[78]\d*|0\.27[12]\d*|0\.54[34]\d*|1,?985|41,?234"
    assert re.findall(rf"{numbers}|\b4 rows|\bd 4\b|\b4 disadv", text) == []


@pytest.mark.parametrize("name", CARDS)
def test_a_small_group_does_not_follow_from_the_one_beside_it(name: str) -> None:
    """Of a facet with one small value, the rows of the next smallest would give it away."""
    rows = {"a": 1768, "d": 221}
    one = measure(
        "post_training", "DRR", None, reason="None of the 221 rows was refused.", subject=("tribe", "y"), groups=rows
    )
    needs = Needs("tribe = y", 4210, "4,210 rows of tribe = y would decide it; there are 221.")
    whole = with_judged(one, reason="Undefined: None of the 221 rows was refused.", needs=needs)
    facets = {"tribe": {"x": 4, "y": 221, "rest": 1764}}
    text = cards(replace(whole, data=replace(whole.data, facets=facets)), BESIDE)[name]
    assert not re.search(r"\b221\b|1,?768|4,?210", text)


def test_texts_of_a_user_stay_texts() -> None:
    text = cards(release(card={**dict.fromkeys(TEXTS, HOSTILE), "custom": {"a|b\n---": HOSTILE}}), BESIDE)[CARD]
    assert yaml.safe_load(text.split("---\n")[1])["model_name"] == "mortgage-approval"
    body = text.split("\n---\n", 1)[1]
    page = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    kinds = {inner.type for token in page for inner in (token.children or ())} | {token.type for token in page}
    assert kinds.isdisjoint({"html_inline", "html_block", "image", "link_open", "hr", "fence"})
    assert "alert(1)" in body
    headings = [page[place + 1].content for place, token in enumerate(page) if token.type == "heading_open"]
    assert "heading" not in headings


def test_names_in_the_data_stay_names() -> None:
    one = measure(
        "post_training",
        "DI",
        0.9,
        subject=("a|b\n---\n# c", "<b>1</b>"),
        groups={"a": 100, "d": 50},
        interval=interval(0.8, 1),
    )
    made = cards(with_judged(one), BESIDE)
    for name in (CARD, CLAUSES_MARKDOWN):
        assert "\n# c" not in made[name]
        assert "<b>" not in made[name].split("\n---\n", 1)[-1]
    assert yaml.safe_load(made[CARD].split("---\n")[1])["model-index"]
    columns = {row.replace("\\|", "").count("|") for row in made[CARD].splitlines() if "DI of a" in row}
    assert columns == {11}


def test_a_release_that_passes_says_so() -> None:
    made = cards(waved_through(), BESIDE)
    assert "Waived" in made[CARD]
    assert "## Verdict: PASS" in made[CARD]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("owner", "x" * (SHORT + 1), "key owner: string should have at most 1024 characters"),
        ("purpose", "x" * (LONG + 1), "key purpose: string should have at most 2048 characters"),
        ("custom", {"k": "x" * (SHORT + 1)}, "key custom.k"),
        ("custom", {"k" * 256: "x"}, "at most 255 characters"),
        ("custom", {f"k{place}": "x" for place in range(ENTRIES + 1)}, "at most 100 items"),
        ("custom", {f"k{place}": "ü" * 1000 for place in range(ENTRIES)}, f"more than the {TOGETHER:,}"),
        ("language", "English", "key language"),
        ("tags", ["a\nb"], "key tags"),
    ],
)
def test_a_text_over_its_limit_is_refused_in_one_sentence(key: str, value: object, words: str) -> None:
    with pytest.raises(BadDocument) as caught:
        CardSection.parse({key: value}, "The card")
    assert words in caught.value.message
    assert len(caught.value.message) < 400
    assert "\n" not in caught.value.message


def test_texts_at_their_limits_are_taken() -> None:
    section = CardSection.parse(
        {"owner": "ü" * SHORT, "purpose": "ü" * LONG, "language": "en", "tags": "credit"}, "The card"
    )
    assert (section.language, section.tags) == (("en",), ("credit",))
