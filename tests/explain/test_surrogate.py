"""Surrogates repeat models, and their fidelity is that of what they say, for numbers and for labels of any kind."""

from __future__ import annotations

import builtins
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as theirs
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from clarify_ops.errors import BadData, BadDocument, BadModel, MissingExtra
from clarify_ops.explain.fidelity import agreement, fidelity_of_numbers
from clarify_ops.explain.surrogate import Kind, fit_surrogate

from .models import loan, loans, numbers

KINDS: tuple[Kind, ...] = ("lightgbm", "linear", "sgd", "decision_tree")


def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    data = load_breast_cancer(as_frame=True)
    return data.data, np.where(data.target == 1, "benign", "malignant")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_is_repeated_and_its_terms_are_found(kind: Kind) -> None:
    rows = numbers(800, 3, 1)
    found = fit_surrogate(lambda x: (5 * x["x0"] + x["x1"]).to_numpy() * 1e6, rows, kind=kind, max_depth=8, seed=0)
    assert found.fidelity.r2 is not None
    assert found.fidelity.r2 > 0.9
    assert found.warnings == ()
    assert found.features[int(found.importances.argmax())] == "x0"
    assert found.importances.sum() == pytest.approx(1)
    assert found.importances[2] < 0.02
    if kind == "linear":
        spread = np.array([5, 1]) * (rows[["x0", "x1"]] - rows[["x0", "x1"]].mean()).abs().mean()
        np.testing.assert_allclose(found.importances[:2], spread / spread.sum(), rtol=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["values", "log_odds", "labels"])
def test_categories_and_gaps_are_repeated(kind: Kind, target: Any) -> None:
    rows = loans(600, 3)
    found = fit_surrogate(loan, rows, kind=kind, target=target, classes=["yes", "no"], max_depth=8, seed=1)
    assert found.fidelity.accuracy is not None
    assert found.fidelity.accuracy > 0.7
    assert (found.fidelity.r2 is None) == (target == "labels")
    assert found.importances.shape == (5,)
    # Values that training did not have, or lacked, are answered.
    odd = loans(5, 4).assign(town=pd.Series(["east", None, "north", "east", None]))
    assert len(found.answer(odd)) == 5
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["fidelity"]["rows"] == found.fidelity.rows


def test_fidelity_is_taken_on_rows_that_were_held_out() -> None:
    rows = numbers(400, 3, 2)
    noise = np.random.default_rng(0).normal(size=400)
    found = fit_surrogate(lambda _: noise, rows, kind="lightgbm", seed=0)
    assert found.trained_rows + found.fidelity.rows == 400
    # Noise is learned by heart, and not repeated where it was not seen.
    assert found.fidelity.r2 is not None
    assert found.fidelity.r2 < 0.2
    assert "its importances are not the model's" in found.warnings[0]


def test_string_classes_do_not_make_a_fidelity_of_minus_61_5() -> None:
    rows, labels = cancer()
    model = RandomForestClassifier(50, random_state=0).fit(rows, labels)
    by_label = fit_surrogate(model.predict, rows, target="labels", seed=0)
    by_class = fit_surrogate(model.predict_proba, rows, target="labels", classes=model.classes_, seed=0)
    assert by_label.fidelity == by_class.fidelity
    assert by_label.outputs == ("benign", "malignant")
    assert by_label.fidelity.accuracy is not None
    assert by_label.fidelity.kappa is not None
    assert 0.7 < by_label.fidelity.kappa < by_label.fidelity.accuracy <= 1
    assert by_label.fidelity.reasons["r2"] == "Labels have no variance to repeat."
    assert set(by_label.answer(rows.iloc[:50])) == {"benign", "malignant"}


@pytest.mark.parametrize("target", ["values", "log_odds", "labels"])
def test_sgd_on_unscaled_columns_has_no_importance_of_2_2e14(target: Any) -> None:
    rows, labels = cancer()
    model = RandomForestClassifier(50, random_state=0).fit(rows, labels)
    found = fit_surrogate(model.predict_proba, rows, kind="sgd", target=target, seed=0)
    assert found.importances.sum() == pytest.approx(1)
    assert (found.importances < 0.5).all()
    assert found.fidelity.accuracy is not None
    assert found.fidelity.accuracy > 0.9
    assert found.fidelity.r2 is None or 0.5 < found.fidelity.r2 <= 1


def test_fidelity_equals_scikit_learns_numbers() -> None:
    rng = np.random.default_rng(1)
    truth, said = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    assert fidelity_of_numbers(truth, said)[0] == pytest.approx(theirs.r2_score(truth, said))
    ones, others = rng.choice(["a", "b", "c"], 60), rng.choice(["a", "b", "c"], 60)
    accuracy, kappa = agreement(ones, others)
    assert accuracy == theirs.accuracy_score(ones, others)
    assert kappa == pytest.approx(theirs.cohen_kappa_score(ones, others))


def test_the_same_seed_gives_the_same_surrogate() -> None:
    rows = loans(200, 3)
    for kind in KINDS:
        one, same, other = (fit_surrogate(loan, rows, kind=kind, seed=seed).to_json() for seed in (1, 1, 2))
        assert one == same != other


def test_a_small_tree_is_told_in_rules_that_give_its_answers() -> None:
    rows = pd.DataFrame({"income": np.arange(200.0), "town": ["north", "south"] * 100})
    rows.loc[::7, "income"] = np.nan

    def model(x: pd.DataFrame) -> np.ndarray:
        return ((x["income"] > 120) & (x["town"] == "north")).to_numpy(float)

    found = fit_surrogate(model, rows, kind="decision_tree", max_depth=2, labels=["approved"], seed=0)
    assert "town is north:" in found.rules
    assert "income > 1" in found.rules
    assert "or missing" in found.rules
    assert "approved: 1 (" in found.rules
    named = fit_surrogate(
        lambda x: np.where(model(x) > 0, "yes", "no"), rows, kind="decision_tree", target="labels", seed=0
    )
    assert "yes (" in named.rules
    assert named.fidelity.accuracy == 1
    assert fit_surrogate(model, rows, kind="linear", seed=0).rules == ""


def test_rules_tell_nothing_of_few_rows() -> None:
    rows = numbers(400, 2, 3)
    everything = fit_surrogate(
        lambda x: x["x0"].round().to_numpy(), rows, kind="decision_tree", smallest_group=1, seed=0
    )
    sizes = sorted(int(one.replace(",", "")) for one in re.findall(r"\(([\d,]+) rows\)", everything.rules))
    assert sum(sizes) == everything.trained_rows
    for smallest in (sizes[0], sizes[0] + 1, sizes[2] + 1):
        told = fit_surrogate(
            lambda x: x["x0"].round().to_numpy(), rows, kind="decision_tree", smallest_group=smallest, seed=0
        )
        few = sum(size < smallest for size in sizes)
        assert told.rules.count(f"not shown (fewer than {smallest} rows)") == few
        assert told.rules.count(f"({smallest} or more rows)") == (few == 1)
        shown = [int(one.replace(",", "")) for one in re.findall(r"\(([\d,]+) rows\)", told.rules)]
        assert all(size >= smallest for size in shown)
        # What is not told cannot be had by subtraction from all: at least two are left out.
        assert len(sizes) - len(shown) != 1


@pytest.mark.parametrize("kind", KINDS)
def test_constant_models_and_constant_features(kind: Kind) -> None:
    rows = loans(60, 1).assign(same=1.0, gone=np.nan)
    flat = fit_surrogate(lambda x: np.full(len(x), 0.3), rows, kind=kind, seed=0)
    assert flat.fidelity.r2 is None
    assert flat.fidelity.accuracy == 1
    assert flat.importances.tolist() == [0.0] * 7
    assert "no feature has an importance" in flat.warnings[0]
    label = fit_surrogate(lambda x: np.repeat("yes", len(x)), rows, kind=kind, target="labels", seed=0)
    assert label.fidelity.kappa is None
    assert [one.value for one in label.measures()] == [None, 1.0, None]
    assert all(one.reason for one in label.measures() if one.value is None)
    moving = fit_surrogate(loan, rows, kind=kind, seed=0)
    assert moving.importances[5:].tolist() == [0.0, 0.0]


def test_measures_can_be_bounded() -> None:
    found = fit_surrogate(loan, loans(300, 2), seed=0)
    measures = {one.metric: one for one in found.measures()}
    assert list(measures) == ["surrogate_r2", "surrogate_accuracy", "surrogate_kappa"]
    interval = measures["surrogate_accuracy"].interval
    assert interval is not None
    assert interval.low < (measures["surrogate_accuracy"].value or 0) <= interval.high
    assert measures["surrogate_r2"].denominators == {"rows held out": 75}


def test_without_lightgbm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "lightgbm":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"LightGBM is not installed. .*clarify-ops\[surrogate\]"):
        fit_surrogate(loan, loans(20, 1), seed=0)


def test_what_is_refused() -> None:
    rows = numbers(20, 2, 1)
    model = lambda x: x["x0"].to_numpy()  # noqa: E731
    with pytest.raises(BadDocument, match=r"no surrogate 'lightgmb'.*lightgbm"):
        fit_surrogate(model, rows, kind="lightgmb", seed=0)  # type: ignore[arg-type]
    with pytest.raises(BadDocument, match="no target 'label'"):
        fit_surrogate(model, rows, target="label", seed=0)  # type: ignore[arg-type]
    with pytest.raises(BadDocument, match="held_out is 1"):
        fit_surrogate(model, rows, held_out=1, seed=0)
    with pytest.raises(BadDocument, match="max_depth is 0"):
        fit_surrogate(model, rows, max_depth=0, seed=0)
    with pytest.raises(BadData, match="There are 1 rows, too few"):
        fit_surrogate(model, rows.iloc[:1], seed=0)
    with pytest.raises(BadModel, match="not numbers"):
        fit_surrogate(lambda x: np.repeat("yes", len(x)), rows, seed=0)
    with pytest.raises(BadModel, match="missing or infinite for 20 of 20"):
        fit_surrogate(lambda x: np.full(len(x), np.nan), rows, seed=0)
    with pytest.raises(BadModel, match="no probabilities"):
        fit_surrogate(model, rows, target="log_odds", seed=0)
    with pytest.raises(BadModel, match="no label for 20 of 20"):
        fit_surrogate(lambda x: np.full(len(x), None), rows, target="labels", seed=0)
    with pytest.raises(BadDocument, match="3 classes, and the model gives 2"):
        fit_surrogate(lambda x: np.ones((len(x), 2)), rows, target="labels", classes=[1, 2, 3], seed=0)
    with pytest.raises(BadData, match="'x0' holds infinite values"):
        fit_surrogate(lambda x: np.ones(len(x)), rows.assign(x0=np.inf), seed=0)
