"""Any estimator with scikit-learn's interface trains, is saved as data, and comes back the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.config.pipeline import DataSection, HoldOut, OutOfFold, TrainSection
from clarify_ops.data.source import Dataset
from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.models.mlflow_model import load_predictor
from clarify_ops.models.trust import refuse_untrusted
from clarify_ops.training.columns import choose_features
from clarify_ops.training.fit import estimator_class, fit
from clarify_ops.training.saving import model_digest, save_model
from clarify_ops.training.split import split_rows
from tests.project import Project, people

ESTIMATORS: dict[str, dict[str, Any]] = {
    "sklearn.linear_model.LogisticRegression": {"max_iter": 300},
    "sklearn.ensemble.RandomForestClassifier": {"n_estimators": 10},
    "sklearn.ensemble.HistGradientBoostingClassifier": {"max_iter": 10},
    "lightgbm.LGBMClassifier": {"n_estimators": 10, "verbose": -1, "n_jobs": 1},
    "xgboost.XGBClassifier": {"n_estimators": 10, "n_jobs": 1},
}


def analysis(**keys: Any) -> AnalysisConfig:
    return AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, **keys}, "The analysis")


def dataset(frame: pd.DataFrame) -> Dataset:
    return Dataset("data.csv", "sha256:0", frame)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_estimator_trains_and_comes_back_the_same(estimator: str, tmp_path: Path) -> None:
    frame = people(300)
    frame.loc[::9, "income"] = np.nan
    frame.loc[::17, "town"] = None
    data = dataset(frame.rename(columns={"income": "income [k$] <net>"}))
    columns = choose_features(data, DataSection(uri="x", label="good"), analysis())
    positive = (frame["good"] == 1).to_numpy()
    split = split_rows(data, positive, OutOfFold(method="out_of_fold", folds=3), 5)
    section = TrainSection(estimator=estimator, parameters=ESTIMATORS[estimator])
    features = columns.frame(data.frame)
    fitted = [fit(features, positive, columns=columns, section=section, split=split, seed=5) for _ in range(2)]
    assert np.isfinite(fitted[0].scores).all()
    assert (fitted[0].scores == fitted[1].scores).all()
    for number, one in enumerate(fitted):
        save_model(one.model, tmp_path / str(number), features.head(3))
    assert model_digest(tmp_path / "0") == model_digest(tmp_path / "1")
    again = load_predictor(tmp_path / "0")(features)
    np.testing.assert_array_equal(again, fitted[0].model.predict_proba(features)[:, 1])


@pytest.mark.parametrize("estimator", ["lightgbm.LGBMClassifier", "xgboost.XGBClassifier"])
def test_the_main_job_with_boosters(project: Project, estimator: str) -> None:
    project.edit(lambda d: d["train"].update(estimator=estimator, parameters=ESTIMATORS[estimator]))
    status, out, err = project.run()
    assert status == 0, err
    assert "Registered  models:/small-model/1" in out


def test_scores_are_out_of_fold() -> None:
    """A model that remembers its rows predicts them at random when it has not seen them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(200), "b": rng.random(200), "y": rng.integers(0, 2, 200)})
    data = dataset(frame)
    columns = choose_features(data, DataSection(uri="x", label="y"), analysis())
    positive = (frame["y"] == 1).to_numpy()
    split = split_rows(data, positive, OutOfFold(method="out_of_fold", folds=5), 1)
    section = TrainSection(estimator="sklearn.tree.DecisionTreeClassifier")
    fitted = fit(columns.frame(frame), positive, columns=columns, section=section, split=split, seed=1)
    assert (fitted.model.predict(columns.frame(frame)) == positive).all()
    assert 0.35 < ((fitted.scores > 0.5) == positive).mean() < 0.65


def test_folds_are_stratified_and_each_row_is_predicted_once() -> None:
    frame = people(500)
    positive = (frame["good"] == 1).to_numpy()
    how = OutOfFold(method="out_of_fold", folds=4, stratify_by=("g",))
    split = split_rows(dataset(frame), positive, how, 2)
    table = pd.crosstab(split.fold, [frame["g"], positive])
    assert ((table.max() - table.min()) <= 1).all()
    assert sum(asked.sum() for _, asked in split.rounds()) == 500
    assert all(not (known & asked).any() for known, asked in split.rounds())
    assert split.released.all()


def test_a_hold_out_is_not_trained_on() -> None:
    frame = people(400)
    positive = (frame["good"] == 1).to_numpy()
    split = split_rows(dataset(frame), positive, HoldOut(method="holdout", test_fraction=0.25), 2)
    assert split.evaluated.sum() == 100
    assert (split.released == ~split.evaluated).all()
    assert set(split.digests) == {"training rows", "fold 0"}


def test_the_split_depends_on_the_seed_and_its_digests_on_the_rows() -> None:
    frame = people(200)
    positive = (frame["good"] == 1).to_numpy()
    how = OutOfFold(method="out_of_fold", folds=4)
    first, again, other = (split_rows(dataset(frame), positive, how, seed) for seed in (1, 1, 2))
    assert first.digests == again.digests
    assert (first.fold != other.fold).any()
    changed = split_rows(dataset(frame.assign(income=frame["income"] + 1)), positive, how, 1)
    assert all(first.digests[name] != changed.digests[name] for name in first.digests)


def test_a_hold_out_runs_end_to_end(project: Project) -> None:
    project.edit(lambda d: d.update(split={"method": "holdout", "test_fraction": 0.5}))
    status, _, err = project.run()
    assert status == 0, err
    verdict = json.loads((project.folder / "run" / "release" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["judgements"][0]["groups"] == {"all": 200}


def test_sensitive_columns_stay_out_unless_asked_for() -> None:
    data = dataset(people())
    config = analysis(facet=[{"name_or_index": "g"}], group_variable="area")
    section = DataSection(uri="x", label="good")
    columns = choose_features(data, section, config)
    assert columns.names == ["income", "debt", "town"]
    assert columns.left_out == {"g": "a facet", "area": "the group variable", "good": "the label"}
    asked = choose_features(data, section.model_copy(update={"sensitive_features": ("g",)}), config)
    assert asked.names == ["income", "debt", "town", "g"]


def test_numbers_that_are_names_are_categories() -> None:
    section = DataSection(uri="x", label="good", categorical=("area",))
    columns = choose_features(dataset(people()), section, analysis())
    assert columns.of_kind("categorical") == ["town", "area"]


def test_nothing_left_to_learn_from() -> None:
    section = DataSection.model_validate(
        {"uri": "x", "label": "good", "exclude": ["income", "debt", "town", "g", "area"]}
    )
    with pytest.raises(BadData, match="No column is left"):
        choose_features(dataset(people()), section, analysis())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("sklearn.linear_model.LogisticRegresion", "no class"),
        ("sklearn.liner_model.LogisticRegression", "no module"),
        ("os.path.join", "no class"),
        ("collections.OrderedDict", "no fit and predict_proba"),
    ],
)
def test_what_is_not_an_estimator(path: str, words: str) -> None:
    with pytest.raises(BadDocument, match=words):
        estimator_class(path)


def test_types_of_foreign_packages_are_not_loaded() -> None:
    refuse_untrusted(["sklearn.tree._tree.Tree", "pathlib.Path"], ["pathlib"], "The model")
    with pytest.raises(BadModel, match=r"evil\.Thing"):
        refuse_untrusted(["numpy.dtype", "evil.Thing"], (), "The model")
    for function in ("builtins.exec", "numpy.fromfile", "sklearn.nowhere.Thing"):
        with pytest.raises(BadModel, match=function):
            refuse_untrusted([function], (), "The model")


@pytest.mark.parametrize(
    ("estimator", "parameters", "words"),
    [
        ("sklearn.ensemble.VotingClassifier", {}, "cannot be made from plain parameters"),
        ("sklearn.svm.SVC", {}, "cannot predict"),
        ("lightgbm.LGBMClassifier", {"objective": "nonsense", "verbose": -1}, "cannot be fitted: Unknown objective"),
    ],
)
def test_what_an_estimator_raises_is_one_sentence(
    project: Project, estimator: str, parameters: dict[str, Any], words: str
) -> None:
    project.edit(lambda d: d.update(train={"estimator": estimator, "parameters": parameters}))
    status, _, err = project.cli("train", "--pipeline", "pipeline.yaml", "--output", "out")
    assert (status, words in err) == (2, True), err


def test_a_hold_out_too_small_for_both_labels() -> None:
    frame = people(100)
    with pytest.raises(BadData, match=r"A part of 0\.001 of 100 rows"):
        split_rows(dataset(frame), frame["good"].to_numpy() == 1, HoldOut(method="holdout", test_fraction=0.001), 1)


def test_a_column_of_times() -> None:
    frame = people(20).assign(when=pd.date_range("2020-01-01", periods=20))
    with pytest.raises(BadData, match=r"'when' of data\.csv holds times"):
        choose_features(dataset(frame), DataSection(uri="data.csv", label="good"), analysis())
