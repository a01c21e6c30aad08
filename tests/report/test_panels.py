"""What reports show of a model: every number from the sections of metrics.json, nothing of groups that are too small."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

from clarify_ops.analysis.notes import metric_notes
from clarify_ops.explain.accumulated_effects import accumulated_effects
from clarify_ops.gate.published import number
from clarify_ops.report import canvas
from clarify_ops.report import explanation_figures as figures
from clarify_ops.report.chapters import DRAWN, chapters, header
from clarify_ops.report.cohort_panel import cohort_panel
from clarify_ops.report.explanation_figures import Spread
from clarify_ops.report.findings_page import render_findings
from clarify_ops.report.model_panels import (
    accumulated_errors,
    curves_panel,
    effects_panel,
    importance_panel,
    stability_panel,
    surrogate_panel,
)
from clarify_ops.report.notebook import findings_notebook
from clarify_ops.report.panels import Panel, explainer_panel
from clarify_ops.report.pdf import findings_pdf
from tests.analysis.jobs import people, score
from tests.report.found import EVIL, evil, found
from tests.report.test_page import Reader

NOTES = metric_notes()
PANELS: dict[str, Callable[[Any], Panel]] = {
    "cohorts": cohort_panel,
    "feature_importance": importance_panel,
    "accumulated_effects": lambda section: effects_panel(section, 10),
    "individual_curves": lambda section: curves_panel(section, 10),
    "surrogate": surrogate_panel,
    "stability": stability_panel,
}


@pytest.fixture(scope="module")
def page() -> Reader:
    return Reader(render_findings(found(), NOTES))


def numbers(drawn: Any) -> list[float]:
    return [float(one) for one in drawn]


def widths(axes: Any) -> list[float]:
    return [bar.get_width() for bar in axes.patches]


def every_panel() -> list[Panel]:
    return [panel for chapter in chapters(found().further, 10) for panel in chapter.panels]


def test_the_header_says_which_explainer_why_of_what_and_how_exactly(page: Reader) -> None:
    facts = found().further["explanations"]
    assert facts["explainer"] in page.text
    assert facts["background"] in page.text
    assert facts["reason"].partition(" Not taken: ")[0] in page.text
    assert facts["not_taken"]
    for name, why in facts["not_taken"].items():
        assert f"{name} {why}" in page.text
    unknown = facts["values_without_standard_error"]
    assert unknown
    assert f"no standard error is known of {unknown} values" in page.text
    assert f"about {facts['prediction_rows']:,} rows" in page.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 9, "exact_rows": 9, "values_without_standard_error": 0}, "none: nothing was sampled"),
        ({"largest_standard_error": 0.25, "values_without_standard_error": 2}, "at most 0.250; 2 values without one"),
        ({"largest_standard_error": None}, "no standard error is known"),
        ({"largest_standard_error": 0.25, "values_without_standard_error": 0}, "standard errors are at most 0.250"),
        ({"prediction_rows": 0}, "the values are read off the model"),
        ({"warnings": ["Beware of the dog."]}, "Beware of the dog."),
    ],
)
def test_the_header_follows_the_facts(changes: dict[str, Any], said: str) -> None:
    panel = explainer_panel({**found().further["explanations"], **changes})
    assert any(said in words for words in (*panel.warnings, *dict(panel.facts).values()))


def test_every_section_is_a_figure_and_no_table_of_records(page: Reader) -> None:
    shown = {panel.name for panel in every_panel()}
    assert shown == set(DRAWN) - {"explanations"}
    for panel in every_panel():
        assert panel.pictures
        for picture in panel.pictures:
            assert picture.alt in [one["alt"] for one in page.pictures if "alt" in one]
    assert "coalitions" not in page.text[page.text.index("Further results", 500) :]


def test_a_cohort_stands_with_its_rows_and_prediction_or_with_the_reason(page: Reader) -> None:
    section = found().further["cohorts"]
    masked = [one for one in section["cohorts"] if one["reason"]]
    assert [one["name"] for one in masked] == ["villagers", "townspeople"]
    for one in (section["everyone"], *section["cohorts"]):
        if one["reason"]:
            assert f"{one['name']} {one['rule']} not shown: {one['reason']}" in page.text
        else:
            (mean,) = one["mean_prediction"].values()
            assert " ".join(f"{one['name']} {one['rule']} {one['rows']:,} {number(mean)}".split()) in page.text
    drawn = [picture.alt for picture in cohort_panel(section).pictures]
    assert not any("villagers" in alt or "townspeople" in alt for alt in drawn)
    assert any("in debt against women" in alt for alt in drawn)
    for note in section["notes"]:
        assert note in page.text


def test_distinct_differences_are_filled_and_others_hollow() -> None:
    those = [Spread("a", 1.0, 0.5, 1.5, marked=True), Spread("b", 0.1, -0.5, 0.7, marked=False)]
    (axes,) = figures.intervals({"size": those}, "difference").axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() == "white" for line in dots] == [False, True]
    whiskers = [
        sorted(numbers(line.get_xdata()))
        for line in axes.lines
        if line.get_marker() in ("None", "") and line.get_alpha()
    ]
    assert whiskers == [[0.5, 1.5], [-0.5, 0.7]]


def test_a_bar_is_as_long_as_its_number_in_every_cohort() -> None:
    section = found().further["cohorts"]
    groups = {one["name"]: one["global_values"]["label0"] for one in (section["everyone"], section["cohorts"][0])}
    features = list(groups["women"])
    (axes,) = figures.grouped_bars(groups, features, "importance", "all rows").axes
    drawn = widths(axes)
    assert drawn == [groups[name][feature] for name in groups for feature in features]


def test_importances_are_the_largest_first_with_students_interval() -> None:
    from scipy import stats

    section = found().further["feature_importance"]
    panel = importance_panel(section)
    (axes,) = panel.pictures[0].draw().axes
    order = np.argsort([-value for value in section["importances"]], kind="stable")
    assert widths(axes) == [section["importances"][place] for place in order]
    losses = np.array(section["losses"])[order[0]]
    low, high = stats.t.interval(0.95, len(losses) - 1, losses.mean(), stats.sem(losses))
    whisker = next(line for line in axes.lines if line.get_marker() == "|")
    assert np.allclose(whisker.get_xdata(), [low, high])


def test_the_band_of_effects_is_that_of_repeated_steps() -> None:
    """Steps with known errors, drawn again and again: the centred sums spread as the band says."""
    errors, rows = np.array([0.3, 0.1, 0.5, 0.2]), np.array([30, 10, 40, 20])
    steps = np.random.default_rng(0).normal(0, errors, (200_000, 4))
    sums = np.concatenate([np.zeros((len(steps), 1)), steps.cumsum(axis=1)], axis=1)
    middles = (sums[:, 1:] + sums[:, :-1]) / 2
    centred = sums - (middles * rows / rows.sum()).sum(axis=1, keepdims=True)
    assert np.allclose(accumulated_errors(errors.tolist(), rows.tolist()) or (), centred.std(axis=0), rtol=0.02)
    assert accumulated_errors([0.3, None], [1, 1]) is None


def test_effects_are_centred_as_the_band_takes_them_to_be() -> None:
    frame = people(80)[["income", "debt"]]
    (one,) = accumulated_effects(score, frame, {"income": "numerical"})
    sums = np.concatenate([[0.0], one.local_effects[0].cumsum()])
    middles = (sums[1:] + sums[:-1]) / 2
    rows = np.array(one.interval_rows)
    assert np.allclose(sums - (middles * rows).sum() / rows.sum(), one.effects[0])


def test_categories_of_few_rows_are_left_out_of_effects() -> None:
    entry = {
        "feature_name": "town",
        "data_type": "categorical",
        "feature_values": ["a", "b", "c"],
        "effects": [[0.1, 0.2, 0.7]],
        "interval_rows": [50, 4],
        "label_headers": ["label0"],
    }
    panel = effects_panel([entry], 10)
    (axes,) = (one for one in panel.pictures[0].draw().axes if one.lines)
    assert numbers(axes.lines[0].get_ydata()) == [0.1]
    assert panel.notes == ("town: 2 categories of fewer than 10 rows not shown.",)
    assert not effects_panel([{**entry, "interval_rows": [4, 4]}], 10).pictures


def test_rules_are_told_as_they_are_and_curves_of_few_rows_are_not() -> None:
    rules = "x > 1:\n  label0: 0.25 (1,000 rows)\nx ≤ 1:\n  not shown (fewer than 10 rows)"
    assert surrogate_panel({"kind": "decision_tree", "rules": rules}).text == rules
    (entry, *_) = found().further["individual_curves"]
    assert not curves_panel([{**entry, "rows": 9}], 10).pictures


@pytest.mark.parametrize("name", list(PANELS))
def test_absent_keys_leave_gaps_and_no_errors(name: str) -> None:
    whole = json.loads(json.dumps(found().further[name]))
    PANELS[name](type(whole)())
    records = whole if isinstance(whole, list) else [whole]
    for key in records[0]:
        partial = [{other: value for other, value in one.items() if other != key} for one in records]
        for picture in PANELS[name](partial if isinstance(whole, list) else partial[0]).pictures:
            picture.draw()


def test_undefined_importances_say_why() -> None:
    section = {**found().further["feature_importance"], "importances": [None] * 5, "reason": "One class only."}
    panel = importance_panel(section)
    assert panel.warnings == ("There are no importances: One class only.",)
    assert not panel.pictures


def test_nothing_is_shown_where_nothing_was_found() -> None:
    assert header({}) is None
    assert chapters({}, 10) == []


def test_figures_are_the_same_each_time_small_and_without_a_date() -> None:
    for picture in every_panel()[0].pictures:
        first, again = canvas.small_png(picture.draw()), canvas.small_png(picture.draw())
        assert first == again
        with Image.open(io.BytesIO(first)) as image:
            assert image.info.keys() <= {"dpi"}
            assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_a_name_fits_and_keeps_only_letters_that_the_font_has() -> None:
    assert canvas.short("age") == "age"
    assert canvas.short("two\nlines") == "two lines"
    assert canvas.short("中") == "[U+4E2D]"
    assert len(canvas.short(EVIL)) == 26


def test_numbers_that_are_categories_stand_in_their_order() -> None:
    assert [[30, 4, 17][at] for at in canvas.shown_categories([30, 4, 17])] == [4, 17, 30]
    assert canvas.shown_categories(["b", "a"]) == [0, 1]
    assert len(canvas.shown_categories([f"town {place}" for place in range(99)])) == canvas.SHOWN_CATEGORIES


def test_the_notebook_has_the_same_figures_and_they_need_no_code() -> None:
    notebook = nbformat.reads(findings_notebook(found(), NOTES), as_version=4)  # type: ignore[no-untyped-call]
    cells = {cell["id"]: cell for cell in notebook.cells}
    for panel in every_panel():
        cell = cells[f"panel-{panel.name.replace('_', '-')}"]
        assert cell.cell_type == "markdown"
        kept = [base64.b64decode(one["image/png"]) for one in cell.attachments.values()]
        assert kept == [picture.png() for picture in panel.pictures]
        assert all(f"(attachment:{name})" in cell.source for name in cell.attachments)


def test_the_pdf_has_an_outline_of_its_chapters() -> None:
    content = findings_pdf(found(), NOTES)
    assert b"/Outlines" in content
    titles = [words.decode("latin-1") for words in re.findall(rb"/Title \((.*?)\)\s", content)]
    for title in ("Groups", "Explanations", *(one.title for one in chapters(found().further, 10)), "Configuration"):
        assert title in titles
    assert findings_pdf(replace(evil(), further={}), NOTES).count(b"/Dest") > 100


def test_shares_of_attributions_stand_by_facet_with_a_bar(page: Reader) -> None:
    shares = [one for one in found().measures if one.metric == "facet_attribution_share"]
    assert {one.facet for one in shares} == {None, "sex", "city"}
    trusted = page.text[page.text.index("Shares and agreement") :]
    for one in shares:
        assert one.value is not None
        assert number(one.value) in trusted
        if one.facet:
            assert any(
                f"facet_attribution_share of {one.facet}" in str(label.get("aria-label")) for label in page.pictures
            )
