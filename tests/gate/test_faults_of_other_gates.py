"""What other gates let through or refuse by mistake, each by its name: this one does not.

The faults were seen in TFMA 0.52, SageMaker's ClarifyCheckStep, MLflow 3.17, fairlearn 0.15, aequitas 1.1 and fairpipe 0.11.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.bias.measure import measure as measure_bias
from clarify_ops.bias.table import BY_NAME
from clarify_ops.config.analysis import AnalysisConfig, Facet
from clarify_ops.config.policy import Policy, Rule
from clarify_ops.data.counts import count
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.gate.judge import judge
from clarify_ops.gate.verdict import Verdict
from clarify_ops.measures import Interval
from clarify_ops.steps import judging
from tests.gate.calibration import Population, outcomes
from tests.gate.test_judge import TODAY, measure, normal_ends, policy, rule


def verdict(rows: pd.DataFrame, *rules: Rule, confidence: float = 0.95) -> Verdict:
    """From rows to the verdict: columns `group`, `label` and `predicted`."""
    table = count(
        rows,
        facets=[Facet(name_or_index="group")],
        label=rows["label"].to_numpy(dtype=bool),
        predicted=rows["predicted"].to_numpy(dtype=bool),
        kinds={"group": "categorical"},
    )
    found = measure_bias(table, [BY_NAME[one.metric] for one in rules], level=confidence, seed=1)
    return judge(found, Policy(name="p", rules=rules, confidence=confidence), TODAY)


def about(metric: str, **changes: Any) -> Rule:
    return Rule.model_validate(
        {"id": metric, "stage": "post_training", "metric": metric, "facet": "group", "why": "agreed", **changes}
    )


def people(sizes: dict[str, int], accepted: dict[str, float], positive: float = 0.5) -> pd.DataFrame:
    """So many rows of each group, of which a share is accepted, evenly spread over the labels."""
    parts = []
    for group, size in sizes.items():
        place = np.arange(size)
        predicted = np.floor((place + 1) * accepted[group]) > np.floor(place * accepted[group])
        label = np.random.default_rng(size).random(size) < positive
        parts.append(pd.DataFrame({"group": group, "label": label, "predicted": predicted}))
    return pd.concat(parts, ignore_index=True)


# TFMA


def test_tfma_ignores_the_confidence_interval_in_its_gate() -> None:
    """A good value of few rows is no evidence; TFMA compares `float(metric)` with the bound."""
    few = verdict(people({"a": 20, "b": 20}, {"a": 0.5, "b": 0.5}), about("DPPL", within=0.1))
    assert {one.value for one in few.judgements} == {0.0}
    assert few.outcome == "INCONCLUSIVE"


def test_tfma_takes_an_empty_slice_as_validated() -> None:
    """There: "Empty metrics per slice is considered validated"."""
    assert judge([], policy(rule()), TODAY).outcome == "FAIL"
    assert judge([measure(None)], policy(rule()), TODAY).outcome == "FAIL"


def test_tfma_names_slices_that_the_data_lack_and_so_does_this_gate() -> None:
    found = judge([measure()], policy(rule(values=("1", "2"))), TODAY)
    assert [one.outcome for one in found.judgements] == ["PASS", "FAIL"]
    assert "no black = 2" in found.judgements[1].reason


def test_tfma_changes_relative_to_a_baseline_near_zero_are_nan() -> None:
    """A comparison with the champion is a difference: at a champion of 0 it has a value like any other."""
    one = replace(measure(0.0, -0.005, 0.005, ends=normal_ends(0.0, -0.005, 0.005)), stage="champion", metric="DPPL")
    asked = rule(None, 0.01, stage="champion", metric="DPPL")
    assert judge([one], policy(asked), TODAY).outcome == "PASS"


# SageMaker's ClarifyCheckStep


def test_clarify_check_step_has_no_bound_of_its_own_and_skips_the_first_run() -> None:
    """There a first run has nothing to drift from; here an absolute bound holds from the first run on."""
    first = replace(measure(0.5, 0.4, 0.6, ends=normal_ends(0.5, 0.4, 0.6)))
    assert judge([first], policy(rule()), TODAY).outcome == "FAIL"
    asked = rule(None, 0.01, stage="champion", metric="DPPL")
    missing = judge([first], policy(asked), TODAY)
    assert (missing.outcome, missing.may_register) == ("FAIL", False)


# MLflow's validate_evaluation_results


def test_mlflow_passes_a_gap_of_minus_0_9_under_at_most_0_1() -> None:
    one = measure(-0.9, -0.95, -0.85, ends=normal_ends(-0.9, -0.95, -0.85))
    found = judge([one], policy(rule(None, 0.1)), TODAY)
    assert (found.outcome, found.judgements[0].min) == ("FAIL", -0.1)


def test_mlflow_passes_nan_against_a_relative_change() -> None:
    with pytest.raises(ValueError, match="is NaN"):
        measure(math.nan)
    undefined = measure(None, stage="champion", metric="DPPL")
    asked = rule(None, 0.01, stage="champion", metric="DPPL")
    assert judge([undefined], policy(asked, inconclusive="warn"), TODAY).may_register is False


def test_mlflow_crashes_on_nan_against_an_absolute_change() -> None:
    nowhere = measure(interval=Interval(math.nan, math.nan, 0.95, "x"))
    assert judge([nowhere], policy(rule(), inconclusive="warn"), TODAY).exit_status == 3


def test_mlflow_passes_without_any_thresholds() -> None:
    found = judge([measure()], policy(inconclusive="warn"), TODAY)
    assert (found.outcome, found.may_register) == ("FAIL", False)


def test_mlflow_refuses_numpy_numbers_as_thresholds() -> None:
    asked = rule(None, None, max=np.float64(0.1))
    assert judge([measure()], policy(asked), TODAY).outcome == "PASS"


# fairlearn's MetricFrame


def test_fairlearn_bootstraps_max_minus_min_and_is_never_at_parity() -> None:
    """Its lower end is above 0 in every sample of an unbiased model; here one in a hundred fails at most, at parity itself."""
    population = Population("DPPL", 6, 1000, 0.3)
    found = outcomes(population, population.draw(1_000, np.random.default_rng(2)))
    assert found.fails.mean() <= 0.01


def test_fairlearn_takes_a_missing_prediction_for_a_rejection_in_silence() -> None:
    """Clarify's dialect has it so too; here it is counted, and a pipeline predicts every row itself."""
    rows = people({"a": 30, "b": 30}, {"a": 0.5, "b": 0.5}).astype({"label": int, "predicted": float})
    rows.loc[3, "predicted"] = math.nan
    document = {
        "dataset_type": "text/csv",
        "methods": {},
        "label": "label",
        "label_values_or_threshold": [1],
        "clarify_ops": {"kinds": {"label": "categorical"}},
    }
    config = AnalysisConfig.parse(document, "The analysis")
    assert read_outcomes(rows, config, "label", "predicted").missing == {"label": 0, "predicted": 1}


def test_fairlearn_gives_a_group_without_positives_a_recall_of_0() -> None:
    """There the equalized odds difference is 1: a false FAIL. Here the recall is undefined, and the reason says so."""
    rows = people({"a": 200, "b": 200}, {"a": 0.5, "b": 0.5})
    rows.loc[rows["group"] == "b", "label"] = False
    found = verdict(rows, about("RD", within=0.1)).judgements
    assert {one.value for one in found} == {None}
    assert all(one.reason.startswith("Undefined: There are no") for one in found)


def test_fairlearn_finds_a_single_group_fair() -> None:
    found = verdict(people({"a": 400}, {"a": 0.5}), about("DPPL", within=0.1))
    assert found.outcome == "FAIL"
    assert "Undefined" in found.judgements[0].reason


def test_fairlearn_has_no_interval_for_equalized_odds() -> None:
    found = verdict(
        people({"a": 400, "b": 400}, {"a": 0.5, "b": 0.5}), about("RD", within=0.3), about("SD", within=0.3)
    )
    assert all(one.interval is not None and one.p_value is not None for one in found.judgements)


# Point thresholds and uncorrected tests


def test_point_thresholds_fail_unbiased_models() -> None:
    """The four-fifths rule by values alone fails four in five of six equal groups with 1,000 rows; this gate next to none."""
    population = Population("DI", 6, 1000, 0.3)
    counts = population.draw(400, np.random.default_rng(3))
    accepted = counts.predictions(1, 1) / counts.n(1)
    assert (accepted.min(axis=1) / accepted.max(axis=1) < 0.8).mean() > 0.7
    assert outcomes(population, counts).fails.mean() <= 0.05


def test_aequitas_flags_every_unbiased_model() -> None:
    """There each of 25 runs was "unfair", and half had a "significant" group: t-tests without a correction."""
    population = Population("DPPL", 6, 1000, 0.3, "all at the bound")
    found = outcomes(population, population.draw(4_000, np.random.default_rng(4)))
    assert found.fails.mean() <= 0.055


# fairpipe, by the numbers of its review


def test_fairpipe_bl_013_a_bootstrap_that_is_not_what_it_says() -> None:
    """A difference of proportions never rests on a bootstrap: it has a score interval, which is also what decides."""
    found = verdict(people({"a": 400, "b": 300}, {"a": 0.5, "b": 0.4}), about("DPPL", within=0.1))
    for one in found.judgements:
        assert one.interval is not None
        assert one.interval.method == "Newcombe score"


def test_fairpipe_bl_014_the_interval_of_max_minus_min_at_equality() -> None:
    """Every group is compared with the others, sign and all, so that an interval at equality holds 0."""
    found = verdict(people({"a": 300, "b": 300, "c": 300}, dict.fromkeys("abc", 0.5)), about("DPPL", within=0.2))
    assert len(found.judgements) == 3
    for one in found.judgements:
        assert one.interval is not None
        assert one.interval.low < 0 < one.interval.high


def test_fairpipe_bl_015_nan_becomes_parity() -> None:
    undefined = judge([measure(None)], policy(rule(), inconclusive="warn"), TODAY)
    assert (undefined.outcome, undefined.judgements[0].value) == ("FAIL", None)


def test_a_key_of_a_rule_that_is_never_looked_at() -> None:
    """Every key of a rule changes a verdict."""
    one = measure(0.07, 0.02, 0.12, ends=normal_ends(0.07, 0.02, 0.12))
    base = judge([one], policy(rule()), TODAY).to_json()
    for changes in (
        {"min": -0.5, "max": 0.5},
        {"mode": "point"},
        {"reference": "2"},
        {"values": ("2",)},
        {"family": "f"},
    ):
        other = judge([one], policy(rule(**{"low": -0.1, "high": 0.1, **_renamed(changes)})), TODAY).to_json()
        assert other["judgements"] != base["judgements"], changes


def _renamed(changes: dict[str, Any]) -> dict[str, Any]:
    return {{"min": "low", "max": "high"}.get(key, key): value for key, value in changes.items()}


def test_fairpipe_bl_017_two_gates_that_disagree_on_signs() -> None:
    """There Python accepts a contrast of -0.056 at 0.05 and the command line refuses it. Here is one judge for all."""
    assert vars(judging)["judge"] is judge
    one = measure(-0.05629, -0.06, -0.0525, ends=normal_ends(-0.05629, -0.06, -0.0525))
    assert judge([one], policy(rule(None, 0.05)), TODAY).outcome == "FAIL"


def test_a_number_without_an_interval_that_passes_under_warn() -> None:
    """No interval is no evidence, whatever the policy does about open questions."""
    for one in (measure(interval=None), measure(interval=Interval(-0.01, 0.01, 0.9, "x"))):
        assert judge([one], policy(rule(), inconclusive="warn"), TODAY).may_register is False


def test_fairpipe_bl_019_small_groups_vanish() -> None:
    """Three rows of a group are judged like all others: undecided, and never out of sight."""
    found = verdict(people({"a": 500, "b": 497, "c": 3}, {"a": 0.5, "b": 0.5, "c": 0.0}), about("DPPL", within=0.1))
    by_value = {one.facet_value: one for one in found.judgements}
    assert by_value.keys() == {"a", "b", "c"}
    assert by_value["c"].outcome == "INCONCLUSIVE"
    assert by_value["c"].groups["d"] == 3


def test_fairpipe_bl_019_a_group_that_the_analysis_lost_is_missed() -> None:
    rows = [replace(measure(50.0, exact=True, interval=None), stage="data", metric="rows", facet_value=v) for v in "12"]
    found = judge([measure(), *rows], policy(rule()), TODAY)
    assert found.outcome == "FAIL"
    assert found.judgements[-1].reason == "The data have black = 2, but no DPL was measured for it."


def test_fairpipe_bl_020_rows_are_matched_by_their_place() -> None:
    """Predictions with another index than the data gave 0 for 1: counting knows no index."""
    rows = people({"a": 200, "b": 200}, {"a": 1.0, "b": 0.0})
    shuffled = rows.set_axis(np.random.default_rng(1).permutation(len(rows)))
    for given in (rows, shuffled):
        found = verdict(given, about("DPPL", within=0.1)).judgements
        assert [one.value for one in found] == [-1.0, 1.0]


def test_fairpipe_bl_026_raw_p_values_below_alpha() -> None:
    """Twenty fair groups: the smallest p-value is below 0.05 by chance, and the corrected one is not."""
    values = [0.19, *[0.0] * 19]
    measures = [
        measure(one, one - 0.1, one + 0.1, facet_value=str(place), ends=normal_ends(one, one - 0.1, one + 0.1))
        for place, one in enumerate(values)
    ]
    first = judge(measures, policy(rule()), TODAY).judgements[0]
    assert first.p_value is not None
    assert first.p_value < 0.05
    assert (first.plain, first.outcome) == ("FAIL", "INCONCLUSIVE")


def test_fairpipe_bl_027_another_backend_another_answer() -> None:
    """The same rows in another order and with other types of columns have the same counts, and with them everything."""
    rows = people({"a": 300, "b": 250}, {"a": 0.5, "b": 0.4})
    asked = (about("DPPL", within=0.1), about("DI", within=0.8))

    def told(given: pd.DataFrame) -> list[dict[str, Any]]:
        judgements = [one.to_json() for one in verdict(given, *asked).judgements]
        return sorted(judgements, key=lambda one: (one["rule"], one["facet_value"]))

    assert told(rows) == told(rows.iloc[::-1]) == told(rows.convert_dtypes(dtype_backend="pyarrow"))
