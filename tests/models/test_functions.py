"""Functions and objects in memory as models, by themselves and by their import path."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from clarify_ops.errors import BadModel
from clarify_ops.models.in_process import InProcessModel, load_function, model_of
from clarify_ops.models.mlflow_model import load_model
from clarify_ops.models.model import Model
from clarify_ops.models.quiet import quiet

from .test_flavours import table


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the working directory, with models of many kinds."""
    name = f"models_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np\n"
        "print('imported')\n"
        "def scores(rows): return rows['income'].to_numpy() * 2\n"
        "def broken(rows): raise KeyError('no such thing\\nmore of it')\n"
        "class Fitted:\n"
        "    @staticmethod\n"
        "    def predict_proba(rows): return np.tile([0.25, 0.75], (len(rows), 1))\n"
        "    predict = predict_proba\n"
        "    classes_ = np.array(['no', 'yes'])\n"
        "fitted = Fitted()\n"
        "number = 3\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    return name


def test_a_function_by_its_import_path(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    frame, _ = table()
    with pytest.raises(BadModel, match=rf"{module}:scores is Python code.*trust=True"):
        load_model(f"{module}:scores")
    model = load_model(f"{module}:scores", trust=True)
    assert isinstance(model, Model)
    assert (model.name, model.estimator) == (f"{module}:scores", None)
    np.testing.assert_array_equal(model.answer(frame), frame["income"] * 2)
    fitted = load_function(f"{module}:fitted", trust=True)
    assert (fitted.outputs, fitted.positive) == (("no", "yes"), 1)
    assert np.asarray(fitted.answer(frame)).shape == (len(frame), 2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("{0}:score", r"no 'score' in it\. Did you mean .scores."),
        ("{0}:number", "neither a function nor a fitted estimator"),
        ("{0}:Fitted", "neither a function nor a fitted estimator"),
        ("no_such_module_here:scores", "cannot be imported: ModuleNotFoundError"),
        ("nowhere/at/all", "There is no model nowhere/at/all"),
    ],
)
def test_a_path_that_leads_to_no_model(module: str, path: str, sentence: str) -> None:
    with pytest.raises(BadModel, match=sentence):
        load_model(path.format(module), trust=True)


def test_a_model_that_fails_says_one_sentence(module: str) -> None:
    frame, _ = table()
    model = load_model(f"{module}:broken", trust=True)
    with pytest.raises(BadModel, match=r"failed on 240 rows: KeyError: .no such thing") as caught:
        model.answer(frame)
    assert "\n" not in str(caught.value)
    numeric = model_of(LinearRegression().fit(frame[["income"]], frame["age"]))
    with pytest.raises(BadModel, match="The model LinearRegression failed on 240 rows: ValueError"):
        numeric.answer(frame.assign(income="much"))


def test_standard_output_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever thread leaves last."""
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with quiet():
        thread.start()
        inside.wait()
        print("lost")
    leave.set()
    thread.join()
    print("there")
    assert capsys.readouterr().out == "there\n"


def test_a_callable_is_a_model() -> None:
    frame, _ = table()
    model = model_of(lambda rows: rows["income"], "a rule")
    assert isinstance(model, InProcessModel)
    np.testing.assert_array_equal(model.answer(frame), frame["income"])
