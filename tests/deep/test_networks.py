"""PyTorch and Keras models from MLflow, asked in process."""

from __future__ import annotations

import importlib
import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from clarify_ops.errors import BadModel
from clarify_ops.explain.deep import deep_shap
from clarify_ops.explain.game import checked_outputs
from clarify_ops.models.in_process import model_of
from clarify_ops.models.mlflow_model import load_model
from clarify_ops.models.quiet import quiet
from tests.deep.networks import FEATURES, rows_and_background, with_relu

ROWS, BACKGROUND = rows_and_background()


def saved(flavour: str, network: Any, folder: Path, **settings: Any) -> Path:
    with quiet():
        module: Any = importlib.import_module(f"mlflow.{flavour}")
        module.save_model(network, str(folder), pip_requirements=[], **settings)
    return folder


def signature() -> Any:
    from mlflow.models import infer_signature

    with quiet():
        return infer_signature(ROWS.to_numpy(np.float32), np.zeros((len(ROWS), 2), np.float32))


def asked(network: Any) -> Any:
    with torch.no_grad():
        return network.eval()(torch.tensor(ROWS.to_numpy(np.float32))).numpy()


def dense(*, layer: Any = None) -> Any:
    keras.utils.set_random_seed(2)
    layers = [keras.Input((FEATURES,)), keras.layers.Dense(6, activation="relu"), *([] if layer is None else [layer])]
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])


def test_a_pytorch_model_waits_for_a_word(tmp_path: Path) -> None:
    """Every form of it holds a pickle or a program."""
    network = torch.nn.Sequential(with_relu(), torch.nn.Dropout(0.5)).train()
    with quiet():
        folder = saved("pytorch", network, tmp_path / "model", serialization_format="pickle", signature=signature())
    with pytest.raises(BadModel, match=r"a pickle.*trust=True"):
        load_model(folder)
    model = load_model(folder, trust=True)
    assert isinstance(model.estimator, torch.nn.Module)
    np.testing.assert_allclose(model.answer(ROWS), asked(network), rtol=1e-6)
    np.testing.assert_array_equal(model.answer(ROWS), model.answer(ROWS))
    with pytest.raises(BadModel, match="takes 5 columns, and the rows have 4"):
        model.answer(ROWS.iloc[:, :4])
    assert deep_shap(model.estimator, ROWS, BACKGROUND).values.shape == (len(ROWS), FEATURES, 2)


def test_a_module_in_memory() -> None:
    np.testing.assert_allclose(model_of(with_relu()).answer(ROWS), asked(with_relu()), rtol=1e-6)
    double = np.asarray(model_of(with_relu().double()).answer(ROWS))
    np.testing.assert_allclose(double, asked(with_relu()), rtol=1e-4)
    with pytest.raises(BadModel, match="'x0' holds no numbers"):
        model_of(with_relu()).answer(ROWS.assign(x0="a"))
    with pytest.raises(BadModel, match="failed on 8 rows: RuntimeError"):
        model_of(with_relu()).answer(ROWS[["x0"]])


def test_a_keras_model_is_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = dense()
    network.compile("adam", "mse")
    expected = network.predict(ROWS.to_numpy(np.float32), verbose=0)
    model = load_model(saved("keras", network, tmp_path / "model", signature=signature()))
    assert isinstance(model.estimator, keras.Model)
    np.testing.assert_allclose(checked_outputs(model.answer(ROWS), len(ROWS)), expected, rtol=1e-6)
    np.testing.assert_allclose(model_of(network).answer(ROWS), expected, rtol=1e-6)
    assert capsys.readouterr().out == ""


@keras.saving.register_keras_serializable(package="somebody")
class Twice(keras.layers.Layer):  # type: ignore[misc]
    """A layer of somebody's own."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


@pytest.mark.parametrize("layer", [Twice, lambda: keras.layers.Lambda(lambda inputs: inputs * 2)])
def test_code_in_a_keras_file_waits_for_a_word(layer: Any, tmp_path: Path) -> None:
    network = dense(layer=layer())
    expected = network.predict(ROWS.to_numpy(np.float32), verbose=0)
    folder = saved("keras", network, tmp_path / "model")
    with pytest.raises(BadModel, match=r"model\.keras is made of code or classes of its own.*trust=True"):
        load_model(folder)
    np.testing.assert_allclose(load_model(folder, trust=True).answer(ROWS), expected, rtol=1e-6)


def test_a_keras_file_that_names_a_function_of_pythons(tmp_path: Path) -> None:
    folder = saved("keras", dense(), tmp_path / "model")
    (file,) = folder.rglob("*.keras")
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(parts["config.json"])
    document["config"]["layers"][1].update(module="os", class_name="system", registered_name=None)
    parts["config.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(BadModel, match="classes of its own"):
        load_model(folder)
    file.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(BadModel, match=r"is no \.keras archive"):
        load_model(folder)


def test_an_exported_keras_model_is_a_program(tmp_path: Path) -> None:
    folder = saved("keras", dense(), tmp_path / "model")
    document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    document["flavors"]["keras"]["save_exported_model"] = True
    (folder / "MLmodel").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(BadModel, match="a program of TensorFlow's"):
        load_model(folder)


def test_rows_pass_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [np.asarray(model_of(one).answer(ROWS)) for one in (with_relu(), dense())]
    monkeypatch.setattr("clarify_ops.models.estimators.NETWORK_ROWS", 3)
    parts = [np.asarray(model_of(one).answer(ROWS)) for one in (with_relu(), dense())]
    for left, right in zip(whole, parts, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    assert isinstance(ROWS, pd.DataFrame)
