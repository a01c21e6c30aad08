"""The report says everything the release knows, the verdict first, and nothing that must not be published."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from clarify_ops.gate.published import interval_words, number
from clarify_ops.gate.release import ExplanationFacts
from clarify_ops.measures import Measure
from clarify_ops.report import render_report
from tests.factories import DIGEST, interval, judgement, release, verdict, waved_through
from tests.report.notes import NOTES

VOID = {"meta", "link", "img", "br", "hr"}


class Reader(HTMLParser):
    """Checks that every element is closed where it should be, and keeps text, headings and addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.addresses += [str(found[name]) for name in ("src", "href") if name in found]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" or found.get("role") == "img":
            self.pictures.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the name is the base class's
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(release(), NOTES)


def test_the_page_is_well_formed_and_its_headings_do_not_skip(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    assert reader.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(reader.headings, reader.headings[1:], strict=False))


def test_the_verdict_comes_first_with_its_sentence_and_the_waivers(page: str) -> None:
    text = Reader(page).text
    order = [
        text.index(part)
        for part in (
            "Failed 2 of 8 rules fail",
            "Registration is refused",
            "Waived: label-gap",
            "Judgements",
            "Each group (disadvantaged",
            "All rows",
            "Global importance",
            "Dataset",
            "Estimator",
            DIGEST,
        )
    ]
    assert order == sorted(order)
    for said in (
        "Ada Lindqvist",
        "Tomás Okafor",
        "2026-10-01",
        "2027-03-31",
        "0.300",
        "Waiver, without effect: approval-gap",
    ):
        assert said in text


def test_every_judgement_shows_value_interval_bound_and_rows(page: str) -> None:
    rows = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*</tr>\s*<tr[^>]*because(?:(?!</tr>).)*</tr>", page, re.DOTALL)
    judgements = release().verdict.judgements
    assert len(rows) == len(judgements)
    for row, one in zip(rows, judgements, strict=True):
        text = unescape(row)
        assert one.rule in text
        assert one.metric in text
        assert one.bound in text
        assert one.why in text
        assert one.outcome in text
        assert ("waived</span>" in text) == one.waived
        if one.facet == "age_band":
            continue
        assert all(f"{rows:,}" in text for rows in one.groups.values())
        assert ("undefined" if one.value is None else number(one.value)) in text
        if one.interval is not None:
            assert interval_words(one.interval) in text


def test_an_undefined_metric_has_its_reason_and_no_number(page: str) -> None:
    text = Reader(page).text
    assert "undefined : No group variable was given." in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_a_group_of_seven_rows_is_masked_everywhere(page: str) -> None:
    text = Reader(page).text
    assert "fewer than 10" in text
    assert "With 7 rows" not in text
    assert "0.305" not in text
    assert "0.306" not in text
    assert "0.857" not in text
    # The other side of the facet would give the seven away by subtraction.
    assert "1,982" not in text


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    reader = Reader(page)
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert not reader.tags & {"script", "iframe", "object", "form"}
    assert "@import" not in page
    assert "url(" not in page


def test_secrets_of_the_address_are_not_printed(page: str) -> None:
    assert "hunter2" not in page
    assert "X-Amz" not in page
    assert "https://data.example/loans/loanapp.csv" in page


def test_every_picture_says_what_it_shows(page: str) -> None:
    pictures = Reader(page).pictures
    assert len(pictures) > 20
    assert all(picture.get("alt") or picture.get("aria-label") for picture in pictures)
    assert "TE of black = 1: 1.800, interval 0.420 to infinite; acceptable is -1 to 1" in page


def test_text_from_the_data_is_escaped_wherever_it_stands() -> None:
    evil = "<script>alert('x')</script>\"&"
    one = Measure("post_training", evil, 0.2, facet=evil, facet_value=evil, groups={evil: 100}, denominators={evil: 50})
    whole = release()
    page = render_report(
        replace(
            whole,
            pipeline=evil,
            measures=(one, replace(one, value=None, reason=evil)),
            verdict=replace(verdict((judgement(one, evil, "PASS", evil, max=0.3, why=evil),)), reason=evil),
            data=replace(whole.data, name=evil, facets={evil: {evil: 100}}, excluded={evil: evil}, warnings=(evil,)),
            model=replace(whole.model, parameters={evil: evil}, features={evil: evil}),
            explanations=replace(whole.explanations, global_values={evil: {evil: 0.1}}, method=evil, warnings=(evil,)),
            digests={evil: evil},
        )
    )
    reader = Reader(page)
    assert reader.open == []
    assert "script" not in reader.tags
    assert "<script" not in page


def test_the_same_release_gives_the_same_bytes(page: str) -> None:
    assert render_report(release(), NOTES) == page


def test_a_pass_with_a_waiver_shows_both() -> None:
    text = Reader(render_report(waved_through())).text
    assert "Passed Every rule holds. The model may enter the registry. 1 FAIL, waived 2 PASS Waived: label-gap" in text


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("block", "Registration is blocked"),
        ("approval", "until a person approves"),
        ("warn", "lets an undecided model"),
    ],
)
def test_an_inconclusive_verdict_says_what_the_policy_wants(action: str, sentence: str) -> None:
    whole = release(verdict=verdict(release().verdict.judgements, "INCONCLUSIVE", inconclusive=action))
    assert sentence in Reader(render_report(whole)).text


def test_a_release_with_hardly_anything_in_it_is_still_a_page() -> None:
    nothing = ExplanationFacts({}, {}, "mean_abs", {}, {}, (), 0, 0, "Nothing was explained")
    text = Reader(render_report(release(measures=(), verdict=verdict(()), explanations=nothing))).text
    assert "The policy asks for nothing" in text
    assert "No features were explained." in text


def test_differences_from_the_champion_have_tables_of_their_own(page: str) -> None:
    assert "minus champion" not in Reader(page).text
    whole = Measure("champion", "accuracy", -0.0125, groups={"all": 800}, interval=interval(-0.03, 0.005))
    one = replace(whole, metric="DPPL", facet="black", facet_value="1", groups={"a": 500, "d": 300}, value=0.0375)
    small = replace(one, facet_value="2", groups={"a": 796, "d": 4}, value=0.4321)
    compared = render_report(replace(release(), measures=(*release().measures, whole, one, small)), NOTES)
    reader = Reader(compared)
    start = reader.text.index("Candidate minus champion, on the same rows")
    for said in ("All rows", "-0.013", "black = 1", "0.037"):
        assert said in reader.text[start:]
    assert "0.432" not in reader.text
    assert reader.open == []
