"""Individual curves equal scikit-learn's and the loop; their mean is partial dependence."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.explain.individual_curves import individual_curves, joint_dependence
from clarify_ops.explain.partial_dependence import FeatureKind, partial_dependence

from .models import loan, loans, numbers, product, three_outputs

KINDS: dict[str, FeatureKind] = {"income": "numerical", "children": "numerical", "town": "categorical"}


def test_equals_a_row_and_a_point_at_a_time() -> None:
    rows = loans(12, 1)
    for result in individual_curves(loan, rows, KINDS, grid_resolution=4, batch_rows=13):
        for place, value in enumerate(result.feature_values):
            for row in range(12):
                one = rows.iloc[[row]].assign(**{result.feature: [value]})
                np.testing.assert_allclose(result.curves[row, :, place], loan(one)[0], atol=1e-12)


def test_the_mean_of_all_curves_is_partial_dependence() -> None:
    rows = loans(50, 2)
    dependence = partial_dependence(loan, rows, KINDS, labels=["yes", "no"])
    for result, mean in zip(individual_curves(loan, rows, KINDS, labels=["yes", "no"]), dependence, strict=True):
        np.testing.assert_allclose(result.mean(), mean.model_predictions, atol=1e-12)
        assert result.feature_values == mean.feature_values
        assert result.outputs == ("yes", "no")


def test_equals_scikit_learn() -> None:
    from sklearn.inspection import partial_dependence as theirs
    from sklearn.tree import DecisionTreeRegressor

    rows = numbers(60, 3, 4)
    fitted = DecisionTreeRegressor(max_depth=4, random_state=0).fit(rows, rows["x0"] * rows["x1"])
    (result,) = individual_curves(fitted.predict, rows, {"x0": "numerical"}, grid_resolution=9)
    expected = theirs(
        fitted, rows, ["x0"], kind="individual", method="brute", custom_values={"x0": np.array(result.feature_values)}
    )
    np.testing.assert_allclose(result.curves[:, 0], expected["individual"][0], rtol=1e-12)


def test_centred_curves_start_at_zero_and_are_parallel_without_interaction() -> None:
    rows = numbers(30, 2, 1)
    (result,) = individual_curves(
        lambda frame: (frame["x0"] ** 2 + frame["x1"]).to_numpy(), rows, {"x0": "numerical"}, centred=True
    )
    assert (result.curves[:, :, 0] == 0).all()
    np.testing.assert_allclose(result.curves, np.broadcast_to(result.curves[:1], result.curves.shape), atol=1e-12)
    assert result.centred


def test_more_rows_than_asked_for_are_drawn_and_said() -> None:
    rows = numbers(200, 2, 1)
    results = [individual_curves(product, rows, {"x0": "numerical"}, most_rows=20, seed=seed)[0] for seed in (1, 1, 2)]
    assert [len(set(one.rows.tolist())) for one in results] == [20] * 3
    assert results[0].rows.tolist() == results[1].rows.tolist() != results[2].rows.tolist()
    # The points are those of all rows, and a curve is that of its own row.
    (whole,) = individual_curves(product, rows, {"x0": "numerical"})
    np.testing.assert_allclose(results[0].curves, whole.curves[results[0].rows])
    assert results[0].rows_in_all == 200


def test_rows_leave_in_json_only_when_asked_for() -> None:
    (result,) = individual_curves(loan, loans(8, 3), {"town": "categorical"})
    short, long = (json.loads(json.dumps(result.to_json(curves=curves), allow_nan=False)) for curves in (False, True))
    assert "curves" not in short
    assert np.array(long["curves"]).shape == (8, 2, len(result.feature_values))
    assert list(short["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    np.testing.assert_allclose(short["quantiles"]["0.5"], np.median(result.curves, axis=0))


def test_joint_dependence_equals_the_loop_and_tells_interaction() -> None:
    rows = loans(9, 5)
    found = joint_dependence(loan, rows, {"children": "numerical", "town": "categorical"}, grid_resolution=3)
    for i, one in enumerate(found.feature_values[0]):
        for j, other in enumerate(found.feature_values[1]):
            expected = loan(rows.assign(children=float(one), town=other)).mean(axis=0)
            np.testing.assert_allclose(found.predictions[:, i, j], expected, atol=1e-12)
    kinds: dict[str, FeatureKind] = {"x0": "numerical", "x1": "numerical"}
    plain = numbers(40, 3, 1)
    summed = joint_dependence(lambda x: (x["x0"] + x["x1"] ** 2 + x["x2"]).to_numpy(), plain, kinds)
    assert summed.interaction == pytest.approx([0], abs=1e-12)
    # A product of a feature of mean 0 with another is all interaction.
    balanced = pd.DataFrame({"x0": [-1.0, -1.0, 1.0, 1.0], "x1": [-1.0, 1.0, -1.0, 1.0]})
    assert joint_dependence(product, balanced, kinds, grid_resolution=2).interaction == pytest.approx([1])
    assert np.isnan(joint_dependence(lambda x: np.full(len(x), 0.1), plain, kinds).interaction).all()


def test_what_is_refused_or_has_no_curves() -> None:
    rows = numbers(5, 2, 1).assign(gone=np.nan, same=1.0)
    gone, same = individual_curves(
        lambda frame: frame["x0"].to_numpy(), rows, {"gone": "numerical", "same": "numerical"}
    )
    assert gone.error == "The feature has no value in any row"
    assert "mean" not in gone.to_json()
    assert same.curves.shape == (5, 1, 1)
    (one,) = individual_curves(product, rows[["x0"]].iloc[:1], {"x0": "numerical"})
    assert one.curves.tolist() == [[[rows["x0"][0]]]]
    with pytest.raises(BadDocument, match="most_rows is 0"):
        individual_curves(product, rows, {"x0": "numerical"}, most_rows=0)
    with pytest.raises(BadData, match="names the column 'x9'"):
        individual_curves(product, rows, {"x9": "numerical"})
    with pytest.raises(BadModel, match="missing or infinite"):
        individual_curves(lambda frame: frame["gone"].to_numpy(), rows, {"x0": "numerical"})
    with pytest.raises(BadDocument, match="is of 2 features, and 1"):
        joint_dependence(three_outputs, rows, {"x0": "numerical"})
    with pytest.raises(BadDocument, match="no dependence on 'gone': the feature has no value"):
        joint_dependence(three_outputs, rows, {"x0": "numerical", "gone": "numerical"})
