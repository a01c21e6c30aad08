"""MLflow models of every flavour answer as the fitted object does that was saved, and pickles wait for a word."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clarify_ops.errors import BadModel, MissingExtra
from clarify_ops.explain.trees.reading import read_ensemble
from clarify_ops.explain.trees.tree_model import NotReadable
from clarify_ops.models.in_process import model_of
from clarify_ops.models.mlflow_model import load_model, load_model_at
from clarify_ops.models.model import Model
from clarify_ops.models.quiet import quiet

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mlflow: Any = importlib.import_module("mlflow")
    pyfunc: Any = importlib.import_module("mlflow.pyfunc")
lightgbm: Any = pytest.importorskip("lightgbm")
xgboost: Any = pytest.importorskip("xgboost")
catboost: Any = pytest.importorskip("catboost")

ROWS = 240
NATIVE = ["LightGBM Booster", "XGBoost Booster", "XGBoost wrapper", "CatBoost", "LightGBM wrapper", "pipeline"]


def table(rows: int = ROWS) -> tuple[pd.DataFrame, pd.Series]:
    """Numbers with holes, whole numbers and texts, and a label that follows them."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "income": rng.normal(size=rows),
            "age": rng.integers(18, 80, rows),
            "region": rng.choice(["north", "south", "west"], rows),
            "debt": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
        }
    )
    score = frame["income"] + (frame["region"] == "south") + (frame["age"] - 50) / 40
    return frame, (score + rng.normal(size=rows) > 0).astype(int)


def with_categories(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(region=pd.Categorical(frame["region"], categories=["north", "south", "west"]))


def fit(kind: str) -> tuple[Any, str, Callable[[pd.DataFrame], Any]]:
    """A fitted model, its flavour, and how its own library asks it for all that it knows."""
    frame, label = table()
    typed = with_categories(frame)
    if kind == "LightGBM Booster":
        booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(typed, label), 12)
        return booster, "lightgbm", lambda rows: booster.predict(with_categories(rows))
    if kind == "LightGBM wrapper":
        model = lightgbm.LGBMClassifier(n_estimators=12, verbose=-1).fit(typed, label)
        return model, "lightgbm", lambda rows: model.predict_proba(with_categories(rows))
    if kind == "XGBoost wrapper":
        model = xgboost.XGBClassifier(n_estimators=12, enable_categorical=True).fit(typed, label)
        return model, "xgboost", lambda rows: model.predict_proba(with_categories(rows))
    if kind == "XGBoost Booster":
        data = xgboost.DMatrix(typed, label, enable_categorical=True)
        booster = xgboost.train({"objective": "binary:logistic"}, data, 12)
        return (
            booster,
            "xgboost",
            lambda rows: booster.predict(xgboost.DMatrix(with_categories(rows), enable_categorical=True)),
        )
    if kind == "CatBoost":
        model = catboost.CatBoostClassifier(
            iterations=12, verbose=0, cat_features=["region"], allow_writing_files=False
        )
        model.fit(frame, label)
        return model, "catboost", model.predict_proba
    numeric = ["income", "age"]
    encode = make_column_transformer((OneHotEncoder(), ["region"]), ("passthrough", numeric))
    model = make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(frame, label)
    return model, "sklearn", model.predict_proba


def save(model: Any, flavour: str, folder: Path, **settings: Any) -> Path:
    """As MLflow writes it, without asking what is installed."""
    with quiet():
        getattr(mlflow, flavour).save_model(model, str(folder), pip_requirements=[], **settings)
    return folder


def saved(kind: str, folder: Path) -> tuple[Path, Callable[[pd.DataFrame], Any]]:
    model, flavour, ask = fit(kind)
    return save(model, flavour, folder / "model"), ask


@pytest.mark.parametrize("kind", NATIVE)
def test_it_answers_as_the_object_that_was_saved(kind: str, tmp_path: Path) -> None:
    """No word of trust is needed: each lies there as data."""
    folder, ask = saved(kind, tmp_path)
    frame, _ = table()
    model = load_model(folder)
    assert isinstance(model, Model)
    answer = np.asarray(model.answer(frame))
    np.testing.assert_array_equal(answer, np.asarray(ask(frame)))
    assert answer.std() > 0.01
    if answer.ndim == 2:
        assert (model.outputs, model.positive) == (("0", "1"), 1)
    np.testing.assert_array_equal(load_model_at(str(folder))(frame), answer if answer.ndim == 1 else answer[:, 1])
    model.close()
    model.close()


@pytest.mark.parametrize("kind", NATIVE)
def test_columns_are_found_by_name(kind: str, tmp_path: Path) -> None:
    folder, _ = saved(kind, tmp_path)
    frame, _ = table()
    model = load_model(folder)
    shuffled = frame[["debt", "region", "income", "age"]].assign(other=1)
    np.testing.assert_array_equal(model.answer(shuffled), model.answer(frame))
    with pytest.raises(BadModel, match=r"'income', which the rows do not have\. Did you mean .incomes.") as caught:
        model.answer(frame.rename(columns={"income": "incomes"}))
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("kind", NATIVE[:4])
def test_a_category_of_nobody_is_a_missing_one(kind: str, tmp_path: Path) -> None:
    folder, ask = saved(kind, tmp_path)
    frame, _ = table()
    model = load_model(folder)
    unseen = frame.assign(region="elsewhere")
    few = frame.assign(region="south").head(3)
    np.testing.assert_array_equal(np.asarray(model.answer(few)), np.asarray(ask(few)))
    assert np.isfinite(model.answer(unseen)).all()
    if kind != "CatBoost":
        missing = frame.assign(region=pd.Series([None] * len(frame), dtype=object))
        np.testing.assert_array_equal(model.answer(unseen), model.answer(missing))


@pytest.mark.parametrize("kind", NATIVE)
def test_preparing_twice_changes_nothing(kind: str, tmp_path: Path) -> None:
    folder, _ = saved(kind, tmp_path)
    frame, _ = table()
    model = load_model(folder)
    once = model.prepared(frame)
    pd.testing.assert_frame_equal(model.prepared(once), once)
    np.testing.assert_array_equal(model.answer(once), model.answer(frame))


@pytest.mark.parametrize("kind", ["LightGBM Booster", "XGBoost Booster", "XGBoost wrapper", "LightGBM wrapper"])
def test_tree_explainers_read_the_estimator(kind: str, tmp_path: Path) -> None:
    folder, _ = saved(kind, tmp_path)
    assert not isinstance(read_ensemble(load_model(folder).estimator), NotReadable)


def test_boosters_that_know_no_names(tmp_path: Path) -> None:
    frame, label = table()
    rows = frame[["income", "debt"]]
    matrix = rows.to_numpy()
    first = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(matrix, label), 5)
    second = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(matrix, label), 5)
    third = catboost.CatBoostRegressor(iterations=5, verbose=0, allow_writing_files=False).fit(matrix, label)
    linear = xgboost.train(
        {"objective": "reg:squarederror", "booster": "gblinear"}, xgboost.DMatrix(np.nan_to_num(matrix), label), 5
    )
    for flavour, model, expected in (
        ("lightgbm", first, first.predict(matrix)),
        ("xgboost", second, second.predict(xgboost.DMatrix(matrix))),
        ("catboost", third, third.predict(matrix)),
        ("xgboost", linear, linear.predict(xgboost.DMatrix(matrix))),
    ):
        folder = save(model, flavour, tmp_path / str(id(model)))
        np.testing.assert_array_equal(load_model(folder).answer(rows), expected)


def test_categories_that_are_numbers_in_the_rows(tmp_path: Path) -> None:
    frame, label = table()
    codes = frame["age"] % 3
    fitted = frame[["income"]].assign(code=pd.Categorical(codes.astype(str)))
    model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(fitted, label), 5)
    again = load_model(save(model, "lightgbm", tmp_path / "model"))
    np.testing.assert_array_equal(again.answer(frame[["income"]].assign(code=codes)), model.predict(fitted))


def test_several_classes_and_several_labels() -> None:
    frame, label = table()
    rows = frame[["income", "age"]]
    several = model_of(LogisticRegression(max_iter=1000).fit(rows, frame["region"]))
    assert (several.outputs, several.positive) == (("north", "south", "west"), None)
    assert np.asarray(several.answer(rows)).shape == (ROWS, 3)
    two = MultiOutputClassifier(LogisticRegression(max_iter=1000)).fit(rows, np.column_stack([label, 1 - label]))
    both = model_of(two)
    assert both.outputs == ("0_0", "0_1", "1_0", "1_1")
    np.testing.assert_array_equal(both.answer(rows), np.column_stack(two.predict_proba(rows)))


def test_a_regression_is_asked_for_its_value(tmp_path: Path) -> None:
    frame, label = table()
    rows = frame[["income", "debt"]]
    fitted = HistGradientBoostingRegressor(max_iter=5).fit(rows, label)
    model = load_model(
        save(fitted, "sklearn", tmp_path / "model", serialization_format="skops", skops_trusted_types=types(fitted))
    )
    assert model.outputs is None
    np.testing.assert_array_equal(model.answer(rows), fitted.predict(rows))


def types(model: Any) -> list[str]:
    import skops.io

    found: list[str] = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    return found


class Fired:
    """Leaves a mark when it is read from a pickle."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("flavour", ["sklearn", "lightgbm", "python_function", "pytorch", "somebody's"])
def test_a_pickle_waits_for_a_word(flavour: str, tmp_path: Path) -> None:
    import pickle

    folder, mark = tmp_path / "model", tmp_path / "mark"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(Fired(mark)))
    settings = {
        "sklearn": {"pickled_model": "model.pkl", "serialization_format": "pickle"},
        "lightgbm": {
            "data": "model.pkl",
            "model_class": "lightgbm.sklearn.LGBMClassifier",
            "serialization_format": "pickle",
        },
        "python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"},
        "pytorch": {"model_data": "model.pkl"},
        "somebody's": {},
    }[flavour]
    flavours = {flavour: settings, **({"python_function": {"loader_module": "x"}} if flavour == "somebody's" else {})}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavours}), encoding="utf-8")
    with pytest.raises(BadModel, match=r"not opened\. If you trust whoever made it, say so: trust=True") as caught:
        load_model(folder)
    assert str(folder) in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("form", ["pickle", "cloudpickle"])
def test_a_trusted_pickle_is_opened(form: str, tmp_path: Path) -> None:
    fitted, flavour, ask = fit("pipeline")
    frame, _ = table()
    folder = save(fitted, flavour, tmp_path / "model", serialization_format=form)
    model = load_model(folder, trust=True)
    assert type(model.estimator) is type(fitted)
    np.testing.assert_array_equal(model.answer(frame), ask(frame))


def test_a_class_that_names_code_is_not_made(tmp_path: Path) -> None:
    folder, _ = saved("XGBoost wrapper", tmp_path)
    document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    document["flavors"]["xgboost"]["model_class"] = "subprocess.Popen"
    (folder / "MLmodel").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(BadModel, match=r"a class of its own \(subprocess\.Popen\)"):
        load_model(folder)


@pytest.mark.parametrize("kind", ["LightGBM Booster", "XGBoost Booster", "CatBoost"])
def test_a_file_elsewhere_and_a_damaged_file(kind: str, tmp_path: Path) -> None:
    folder, _ = saved(kind, tmp_path)
    document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    (settings,) = [one for name, one in document["flavors"].items() if name != "python_function"]
    file = folder / settings["data"]
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 3])
    with pytest.raises(BadModel, match="cannot be read"):
        load_model(folder)
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(BadModel, match="is not there"):
        load_model(folder)
    settings["data"] = "../elsewhere"
    (folder / "MLmodel").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(BadModel, match="outside of it"):
        load_model(folder)


class Rule(pyfunc.PythonModel):  # type: ignore[misc]
    """Speaks while it answers, and needs whole numbers."""

    def predict(self, context: object, model_input: pd.DataFrame, params: object = None) -> Any:  # noqa: ARG002 - MLflow's
        print("answering")
        warnings.warn("an old way", DeprecationWarning, stacklevel=1)
        assert model_input["age"].dtype.kind == "i"
        return model_input["age"] * 2 + model_input["income"]


def test_a_python_function_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mlflow.models import infer_signature

    frame, _ = table()
    rows = frame[["income", "age"]]
    with quiet():
        signature = infer_signature(rows, rows["income"])
        pyfunc.save_model(str(tmp_path / "model"), python_model=Rule(), signature=signature, pip_requirements=[])
    with pytest.raises(BadModel, match=r"loaded by Python code \(mlflow\.pyfunc\.model\)"):
        load_model(tmp_path / "model")
    model = load_model(tmp_path / "model", trust=True)
    assert type(model.estimator).__name__ == "Rule"
    floats = frame[["debt", "age", "income"]].assign(age=frame["age"].astype(float))
    np.testing.assert_array_equal(model.answer(floats), rows["age"] * 2 + rows["income"])
    with pytest.raises(BadModel, match=r"takes whole numbers in the column 'age', and the rows hold 40\.5 there"):
        model.answer(rows.assign(age=40.5))
    assert capsys.readouterr().out == ""


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An MLflow server's place, in files."""
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.get_tracking_uri())
    yield
    mlflow.set_tracking_uri(before)


def test_wherever_it_lies(tracking: None, tmp_path: Path) -> None:
    fitted, _, ask = fit("pipeline")
    frame, _ = table()
    with quiet(), mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            fitted, name="model", pip_requirements=[], registered_model_name="credit", skops_trusted_types=types(fitted)
        )
    for place in (logged.model_uri, "models:/credit/1", f"runs:/{run.info.run_id}/model", (tmp_path / "x").as_uri()):
        if place.startswith("file:"):
            save(fitted, "sklearn", tmp_path / "x", skops_trusted_types=types(fitted))
        model = load_model(place)
        assert model.name == place
        np.testing.assert_array_equal(model.answer(frame), ask(frame))
        model.close()
    with pytest.raises(BadModel, match="models:/credit/7 cannot be fetched"):
        load_model("models:/credit/7")


def test_what_is_fetched_goes_with_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folder, _ = saved("pipeline", tmp_path)
    model = load_model(folder.as_uri())
    assert list((tmp_path / "temporary").glob("clarify-ops-model-*"))
    model.close()
    assert not list((tmp_path / "temporary").iterdir())
    (folder / "MLmodel").unlink()
    with pytest.raises(BadModel):
        load_model(folder.as_uri())
    assert not list((tmp_path / "temporary").iterdir())


def test_a_library_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = saved("XGBoost Booster", tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    with pytest.raises(MissingExtra, match="needs xgboost, which is not installed") as caught:
        load_model(folder)
    assert "pip install xgboost" in caught.value.hint
