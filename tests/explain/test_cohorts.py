"""Cohorts: which rows they have, what moves the output there, how they differ, and what is not told of small ones."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clarify_ops.config.closed import Closed
from clarify_ops.config.cohorts import Cohort, CohortFacet, Cohorts
from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.cohort_rows import CohortRows, Errors, by_error, cohort_rows
from clarify_ops.explain.cohorts import EVERYONE, THE_REST, CohortReport, compare_cohorts
from clarify_ops.explain.differences import gaps_of_means
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.masking import hidden_groups, tells_of_few

from .models import loan, loans


def explained(values: np.ndarray[Any, Any], features: tuple[str, ...], outputs: tuple[str, ...]) -> Explanation:
    rows = len(values)
    base = np.full((rows, len(outputs)), 0.25)
    return Explanation(
        features=features,
        outputs=outputs,
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=np.full(len(outputs), 0.25),
        base_values=base,
        predictions=base + values.sum(axis=1),
        exact=np.ones(rows, dtype=bool),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
    )


@pytest.fixture
def explanation() -> Explanation:
    """Two hundred rows; the first feature matters twice as much in the first half, the second one turns its sign there."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(200, 3, 2))
    values[:100, 0] *= 2
    values[:, 1] = np.abs(values[:, 1]) * np.where(np.arange(200) < 100, 1, -1)[:, None]
    return explained(values, ("x", "y", "z"), ("label0", "label1"))


def half(name: str = "first", against: str | None = None) -> CohortRows:
    return CohortRows(name, "the first half", np.arange(200) < 100, 0, against)


def config(**keys: Any) -> Cohort:
    return Cohort.parse({"name": "a", **keys}, "The cohort")


def test_values_of_a_cohort_are_those_of_its_rows_alone(explanation: Explanation) -> None:
    report = compare_cohorts(explanation, [half()])
    values = explanation.values[:100]
    found = report.cohorts[0]
    assert found.rows == 100
    assert found.global_values == {
        output: dict(zip("xyz", np.abs(values[:, :, place]).mean(axis=0).tolist(), strict=True))
        for place, output in enumerate(explanation.outputs)
    }
    assert found.mean_values is not None
    assert found.mean_prediction is not None
    assert found.expected_value == {"label0": 0.25, "label1": 0.25}
    for place, output in enumerate(explanation.outputs):
        total = 0.25 + sum(found.mean_values[output].values())
        assert total == pytest.approx(found.mean_prediction[output])
        assert total == pytest.approx(explanation.predictions[:100, place].mean())
    assert report.everyone.name == EVERYONE
    assert report.everyone.global_values is not None
    assert report.everyone.global_values["label0"]["x"] == pytest.approx(explanation.global_values()[0, 0])


@pytest.mark.parametrize("aggregation", ["mean_abs", "mean_sq", "median"])
def test_aggregations_are_those_of_an_explanation(explanation: Explanation, aggregation: Any) -> None:
    found = compare_cohorts(explanation, [half()], aggregation=aggregation).cohorts[0].global_values
    part = explained(explanation.values[:100], explanation.features, explanation.outputs)
    assert found is not None
    np.testing.assert_allclose(
        [[found[output][feature] for output in part.outputs] for feature in part.features],
        part.global_values(aggregation),
    )


def test_differences_are_ranked_and_tell_size_from_shift(explanation: Explanation) -> None:
    comparison = compare_cohorts(explanation, [half()]).comparisons[0]
    assert (comparison.cohort, comparison.against, comparison.shared) == ("first", THE_REST, False)
    assert [one.largest for one in comparison.differences] == sorted(
        (one.largest for one in comparison.differences), reverse=True
    )
    found = {(one.feature, one.output): one for one in comparison.differences}
    # Twice the size, and no shift; a shift, and no size; neither.
    assert found["x", "label0"].size.distinct
    assert not found["x", "label0"].shift.distinct
    assert not found["y", "label0"].size.distinct
    assert found["y", "label0"].shift.distinct
    assert not found["z", "label0"].size.distinct
    assert not found["z", "label0"].shift.distinct
    for (feature, output), one in found.items():
        values = explanation.values[:, "xyz".index(feature), int(output[-1])]
        for gap, numbers in ((one.size, np.abs(values)), (one.shift, values)):
            peer = stats.ttest_ind(numbers[:100], numbers[100:], equal_var=False).confidence_interval(0.95)
            assert (gap.low, gap.high) == pytest.approx((peer.low, peer.high))
            assert gap.value == pytest.approx(numbers[:100].mean() - numbers[100:].mean())


def test_distinct_holds_for_all_questions_together(explanation: Explanation) -> None:
    # Two cohorts, three features, two outputs, size and shift.
    cohorts = [half("first", "second"), CohortRows("second", "", np.arange(200) >= 80)]
    report = compare_cohorts(explanation, cohorts, level=0.9)
    assert report.notes[0].startswith("Of 24 differences about 2.4 would leave out 0 at 90 % by chance")
    assert "first and second share rows; the intervals take that into account." in report.notes
    for comparison, (one, other) in zip(
        report.comparisons, [(cohorts[0].rows, cohorts[1].rows), (cohorts[1].rows, ~cohorts[1].rows)], strict=True
    ):
        for found in comparison.differences:
            values = explanation.values[:, "xyz".index(found.feature), [int(found.output[-1])]]
            wide = gaps_of_means(values, one, other, 1 - 0.1 / 24, 0.9)[0]
            assert wide.low is not None
            assert wide.high is not None
            assert found.shift.distinct == (wide.low > 0 or wide.high < 0)


def test_the_same_rows_give_the_same_report_and_it_survives_json(explanation: Explanation) -> None:
    cohorts = [half(), CohortRows("none", "nobody", np.zeros(200, dtype=bool), 3), half("again", "first")]
    report = compare_cohorts(explanation, cohorts, smallest=5)
    text = json.dumps(report.to_json(), sort_keys=True, allow_nan=False)
    assert text == json.dumps(compare_cohorts(explanation, cohorts, smallest=5).to_json(), sort_keys=True)
    assert CohortReport.from_json(json.loads(text)) == report
    # Equal groups differ in nothing, surely.
    assert all(one.shift.low == one.shift.high == 0 for one in report.comparisons[2].differences)
    assert report.cohorts[1].rows == 0
    assert report.cohorts[1].unknown == 3
    assert report.comparisons[1].reason == "no rows"


def test_small_groups_and_what_gives_them_away_are_masked(explanation: Explanation) -> None:
    row = np.arange(200)
    few = compare_cohorts(explanation, [CohortRows("few", "", row < 9)])
    assert few.cohorts[0].rows is None
    assert few.cohorts[0].global_values is None
    assert few.cohorts[0].reason == few.comparisons[0].reason == "fewer than 10 rows"
    assert few.comparisons[0].differences == ()
    assert few.notes == ()
    most = compare_cohorts(explanation, [CohortRows("most", "", row >= 9)])
    assert most.cohorts[0].reason == "beside the others it would tell the values of fewer than 10 rows"
    assert most.cohorts[0].rows is None
    # Two of three values tell the third.
    by_value = [
        CohortRows(name, "", found)
        for name, found in (("f", row < 90), ("m", row >= 95), ("x", (row >= 90) & (row < 95)))
    ]
    three = compare_cohorts(explanation, by_value)
    assert [one.rows for one in three.cohorts] == [None, 105, None]
    compared = compare_cohorts(explanation, [half("first", "few"), CohortRows("few", "", row < 9)])
    assert compared.comparisons[0].reason == "few: fewer than 10 rows"
    assert compare_cohorts(explanation, [CohortRows("few", "", row < 9)], smallest=9).cohorts[0].rows == 9


def derivable(groups: list[np.ndarray[Any, Any]], smallest: int) -> bool:
    """By trying every set of fewer rows than that: whether its indicator is a combination of the groups'."""
    rows = len(groups[0])
    table = np.array([np.ones(rows), *groups], dtype=np.float64)
    rank = np.linalg.matrix_rank(table)
    for size in range(1, smallest):
        for members in itertools.combinations(range(rows), size):
            target = np.zeros(rows)
            target[list(members)] = 1
            if np.linalg.matrix_rank(np.vstack([table, target])) == rank:
                return True
    return False


@settings(deadline=None, max_examples=100)
@given(st.integers(4, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32))
def test_no_set_of_few_rows_follows_from_what_is_shown(rows: int, count: int, smallest: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = [rng.random(rows) < rng.random() for _ in range(count)]
    if derivable(groups, smallest):
        assert tells_of_few(groups, smallest)
    hidden = hidden_groups(groups, smallest)
    shown = [group for place, group in enumerate(groups) if place not in hidden and group.any()]
    assert all(group.sum() >= smallest for group in shown)
    if shown:
        assert not derivable(shown, smallest)


def test_groups_that_tell_of_nobody_small_are_shown() -> None:
    row = np.arange(100)
    assert hidden_groups([row < 50, row >= 50, row < 20, row % 2 == 0], 10) == set()
    assert hidden_groups([row < 50, row < 45, row < 40], 10) == {1}
    assert hidden_groups([np.zeros(100, dtype=bool), row < 5], 10) == {1}


@pytest.mark.parametrize("overlap", [0, 15])
def test_intervals_hold_as_often_as_they_say(overlap: int) -> None:
    # Skewed values of unequal spread: 2,000 draws of 40 and 60 rows, of which some belong to both.
    rng = np.random.default_rng(11)
    one, other = np.arange(100 - overlap) < 40, np.arange(100 - overlap) >= 40 - overlap
    scale = np.where(one & other, 1.0, np.where(one, 2.0, 0.5))[:, None]
    values = rng.gamma(2.0, size=(100 - overlap, 2000)) * scale
    truth = float((2.0 * scale[one]).mean() - (2.0 * scale[other]).mean())
    gaps = gaps_of_means(values, one, other, 0.95, 0.95)
    held = np.mean([gap.low is not None and gap.high is not None and gap.low <= truth <= gap.high for gap in gaps])
    # Five standard errors of a share of 2,000, and what skewness costs.
    assert 0.95 - 0.03 - 5 * 0.005 < held < 0.95 + 5 * 0.005


def test_groups_without_spread_or_with_a_single_row_have_plain_answers() -> None:
    values = np.array([[1.0], [1.0], [3.0], [3.0], [7.0]])
    row = np.arange(5)
    same = gaps_of_means(values, row < 2, (row == 2) | (row == 3), 0.95, 0.99)[0]
    assert (same.value, same.low, same.high, same.distinct) == (-2.0, -2.0, -2.0, True)
    alone = gaps_of_means(values, row == 4, row < 4, 0.95, 0.99)[0]
    assert (alone.value, alone.low, alone.high, alone.distinct) == (5.0, None, None, False)


def test_cohorts_of_other_rows_or_names_are_refused(explanation: Explanation) -> None:
    with pytest.raises(BadDocument, match="'a' is of 3 rows, and 200 are explained"):
        compare_cohorts(explanation, [CohortRows("a", "", np.ones(3, dtype=bool))])
    with pytest.raises(BadDocument, match="compared with 'b', which is no cohort"):
        compare_cohorts(explanation, [half("a", "b")])


def test_errors_are_those_of_the_confusion_table() -> None:
    observed = np.array([True, True, False, False, True, False])
    predicted = np.array([True, False, True, False, False, True])
    known = np.array([True, True, True, True, False, False])
    errors = Errors(observed, predicted, np.array([0.1, 0.9, 0.9, np.nan, 0.0, 0.5]), known)
    found = {
        kind: np.flatnonzero(by_error(kind, errors).yes).tolist()
        for kind in ("false_positives", "false_negatives", "wrong", "right", "high_residuals")
    }
    # Of five residuals a tenth is one row, and what equals it.
    assert found == {
        "false_positives": [2],
        "false_negatives": [1],
        "wrong": [1, 2],
        "right": [0, 3],
        "high_residuals": [1, 2],
    }
    assert by_error("wrong", errors).unknown == 2
    assert by_error("high_residuals", errors).unknown == 1
    assert not by_error("high_residuals", Errors(residuals=np.zeros(4))).yes.any()
    assert by_error("high_residuals", Errors(residuals=np.full(4, np.nan))).unknown == 4


def test_cohorts_are_found_by_filter_facet_and_error() -> None:
    frame = pd.DataFrame({"sex": ["f", "m", None, "f"], "age": [20.0, 30.0, 40.0, np.nan]})
    errors = Errors(np.array([True, False, True, False]), np.array([True, True, True, True]))
    found = cohort_rows(
        [
            config(name="old", where="age > 25"),
            config(name="women", facet={"name_or_index": "sex", "value_or_threshold": ["f"]}),
            config(name="over", facet={"name_or_index": 1, "value_or_threshold": [25]}),
            config(name="wrong", error="false_positives", against="old"),
        ],
        frame,
        errors,
    )
    assert [np.flatnonzero(one.rows).tolist() for one in found] == [[1, 2], [0, 3], [1, 2], [1, 3]]
    assert [one.unknown for one in found] == [1, 1, 1, 0]
    assert [one.rule for one in found] == ["age > 25", "sex = f", "age in (25.0, 40.0]", "false positives"]
    assert [one.against for one in found] == [None, None, None, "old"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "the cohort 'a' needs exactly one of where, facet and error, and has none of them"),
        ({"where": "x > 1", "error": "wrong"}, "and has where and error"),
        ({"wher": "x > 1"}, "unknown key wher"),
        ({"error": "bad"}, "key error: input should be 'false_positives'"),
        ({"name": "", "error": "wrong"}, "key name"),
        ({"facet": {"name_or_index": "x", "value_or_threshold": []}}, "key facet.value_or_threshold"),
    ],
)
def test_a_cohort_has_one_rule(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(BadDocument, match=said):
        config(**keys)


class Document(Closed):
    """As the configuration will hold them."""

    cohorts: Cohorts = ()


@pytest.mark.parametrize(
    ("cohorts", "said"),
    [
        ([{"name": "a", "error": "wrong"}, {"name": "a", "error": "right"}], "two cohorts are called 'a'"),
        ([{"name": "a", "error": "wrong", "against": "b"}], "the cohort 'a' is compared with 'b', which is no cohort"),
        ([{"name": "a", "error": "wrong", "against": "a"}], "the cohort 'a' is compared with itself"),
    ],
)
def test_cohorts_know_each_other(cohorts: list[dict[str, str]], said: str) -> None:
    with pytest.raises(BadDocument, match=said):
        Document.parse({"cohorts": cohorts}, "The configuration")


@pytest.mark.parametrize(
    ("keys", "error", "said"),
    [
        ({"where": "aeg > 3"}, BadDocument, r"clarify_ops.cohorts\[0\].where: there is no column 'aeg'"),
        ({"facet": {"name_or_index": "sx", "value_or_threshold": ["f"]}}, BadData, "'sx'"),
        ({"facet": {"name_or_index": 5, "value_or_threshold": ["f"]}}, BadData, "the dataset has 1 columns"),
        ({"error": "wrong"}, BadDocument, "wrong predictions need labels"),
        ({"error": "high_residuals"}, BadDocument, "high residuals need labels and predictions that are numbers"),
    ],
)
def test_what_a_cohort_asks_for_must_be_there(keys: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        cohort_rows([config(**keys)], pd.DataFrame({"sex": ["f"]}))


def test_facets_take_numbers_words_and_kinds_set_by_hand() -> None:
    frame = pd.DataFrame({"code": [1, 2, 2, 3]})
    facet = CohortFacet(name_or_index="code", value_or_threshold=(2,))
    above = cohort_rows([Cohort(name="a", facet=facet)], frame)[0]
    equal = cohort_rows([Cohort(name="a", facet=facet)], frame, kinds={"code": "categorical"})[0]
    assert (above.rows.tolist(), equal.rows.tolist()) == ([False, False, False, True], [False, True, True, False])


def test_a_model_with_an_interaction_shows_in_its_cohorts() -> None:
    data = loans(300, 5)
    explanation = kernel_shap(loan, data, data.iloc[:20], num_samples=200, seed=1)
    cohorts = cohort_rows(
        [config(name="married", where="married"), config(name="poor", where="income < 30 and married is not missing")],
        data,
    )
    report = compare_cohorts(explanation, cohorts)
    # Married applicants have another value of `married`: its attributions shift.
    strongest = report.comparisons[0].differences[0]
    assert strongest.shift.distinct
    assert {one.feature for one in report.comparisons[0].differences[:2]} == {"married"}
    assert report.cohorts[0].unknown == 0
    assert report.cohorts[1].unknown == int(data["income"].isna().sum())


def test_cohorts_of_adult(shared: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    adult = pd.read_csv(shared / "data" / "adult" / "adult.data", header=None, skipinitialspace=True, nrows=3000)
    adult.columns = pd.Index([f"column_{place}" for place in adult.columns])
    numeric = [f"column_{place}" for place in (0, 4, 10, 11, 12)]
    label = (adult["column_14"] == ">50K").to_numpy()
    scaled = (adult[numeric] - adult[numeric].mean()) / adult[numeric].std()
    model = LogisticRegression().fit(scaled.to_numpy(), label)
    margin = scaled.to_numpy() * model.coef_
    explanation = explained(margin[:, :, None], tuple(numeric), ("label0",))
    predicted = model.predict(scaled.to_numpy())
    report = compare_cohorts(
        explanation,
        cohort_rows(
            [
                config(name="women", facet={"name_or_index": "column_9", "value_or_threshold": ["Female"]}),
                config(name="missed", error="false_negatives", against="caught"),
                config(name="caught", where="column_14 == '>50K' and `column_4` > 0"),
            ],
            adult,
            Errors(label, predicted),
        ),
    )
    women = report.cohorts[0]
    assert women.rows == int((adult["column_9"] == "Female").sum())
    assert women.mean_values is not None
    # Capital gains lift the score of those who were found, and not of those who were missed.
    gains = next(one for one in report.comparisons[1].differences if one.feature == "column_10")
    assert gains.shift.distinct
    assert gains.shift.value < 0
    assert report.comparisons[1].shared
