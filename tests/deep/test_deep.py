"""The deep explainer against full enumeration: equal where the network is linear, and honest where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from clarify_ops.errors import BadData, BadModel, NotSupported
from clarify_ops.explain.deep import DEEPLIFT, deep_shap, expected_gradients, is_network
from clarify_ops.explain.exact import exact_shap
from clarify_ops.explain.explanation import Explanation
from tests.deep.networks import FEATURES, linear, rows_and_background, with_relu

ROWS, BACKGROUND = rows_and_background()


class Functional(torch.nn.Module):  # type: ignore[misc]
    """Computes outside of its layers, where no hook sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = with_relu()

    def forward(self, points: Any) -> Any:
        return torch.relu(self.inner(points)) ** 2


class Cube(torch.nn.Module):  # type: ignore[misc]
    """A layer of nobody's."""

    def forward(self, points: Any) -> Any:
        return points**3


class Flat(torch.nn.Module):  # type: ignore[misc]
    """Answers (rows,)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = linear(1)

    def forward(self, points: Any) -> Any:
        return self.inner(points)[:, 0]


class Pair(torch.nn.Module):  # type: ignore[misc]
    def forward(self, points: Any) -> Any:
        return points, points


def enumerated(network: Any) -> Explanation:
    double = network.double()

    def predict(frame: pd.DataFrame) -> Any:
        with torch.no_grad():
            return double(torch.tensor(frame.to_numpy())).numpy()

    return exact_shap(predict, ROWS, BACKGROUND)


def test_a_linear_network_has_shapley_values() -> None:
    found = deep_shap(linear(), ROWS, BACKGROUND, labels=["first", "second"])
    expected = enumerated(linear())
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)
    np.testing.assert_allclose(found.predictions, expected.predictions, atol=1e-12)
    np.testing.assert_allclose(found.expected_value, expected.expected_value, atol=1e-12)
    assert found.outputs == ("first", "second")
    assert found.warnings == (DEEPLIFT,)
    assert not found.exact.any()
    assert np.isnan(found.standard_errors).all()


@pytest.mark.parametrize("inplace", [False, True])
def test_one_layer_of_relu_adds_up_and_is_near(inplace: bool) -> None:  # noqa: FBT001
    found = deep_shap(with_relu(inplace=inplace), ROWS, BACKGROUND)
    expected = enumerated(with_relu())
    assert found.additivity_gap() < 1e-9
    assert found.warnings == (DEEPLIFT,)
    # Approximate: not the Shapley values, and not far from them either.
    off = np.abs(found.values - expected.values).max() / np.abs(expected.values).max()
    assert 1e-3 < off < 0.5
    assert np.corrcoef(found.values.ravel(), expected.values.ravel())[0, 1] > 0.9


def test_what_hooks_do_not_see_shows_in_the_gap() -> None:
    found = deep_shap(Functional(), ROWS, BACKGROUND)
    reach = np.abs(found.predictions - found.expected_value).max()
    assert found.additivity_gap() > 0.01 * reach
    assert "miss the predictions by up to" in found.warnings[1]


def test_a_layer_without_a_rule_is_named() -> None:
    found = deep_shap(torch.nn.Sequential(linear(), Cube()), ROWS, BACKGROUND)
    assert "No rule is known for Cube" in found.warnings[1]
    assert "miss the predictions" in found.warnings[2]


@pytest.mark.parametrize("network", [linear, with_relu, Functional])
def test_expected_gradients_add_up_within_their_errors(network: Any) -> None:
    found = expected_gradients(network(), ROWS, BACKGROUND, rng=np.random.default_rng(1), samples=3000)
    gap = found.base_values + found.values.sum(axis=1) - found.predictions
    # Of sums of dependent estimates: no more than the sum of their errors.
    assert (np.abs(gap) <= 4 * found.standard_errors.sum(axis=1) + 1e-9).all()
    assert (found.standard_errors > 0).all()
    if network is linear:
        exact = enumerated(linear()).values
        assert (np.abs(found.values - exact) <= 5 * found.standard_errors).all()


def test_standard_errors_are_those_of_repetitions() -> None:
    draws = [
        expected_gradients(with_relu(), ROWS.head(2), BACKGROUND, rng=np.random.default_rng(seed), samples=50)
        for seed in range(40)
    ]
    spread = np.std([one.values for one in draws], axis=0, ddof=1)
    said = np.mean([one.standard_errors for one in draws], axis=0)
    assert 0.8 < np.median(spread / said) < 1.25


def test_the_same_seed_gives_the_same_values() -> None:
    first, second = (
        expected_gradients(with_relu(), ROWS, BACKGROUND, rng=np.random.default_rng(9), samples=20) for _ in range(2)
    )
    np.testing.assert_array_equal(first.values, second.values)


def test_the_users_network_is_left_alone() -> None:
    network = with_relu(inplace=True).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    deep_shap(network, ROWS, BACKGROUND)
    assert network.training
    assert network[1].inplace
    assert not any(hasattr(layer, "y") for layer in network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_one_number_a_row_and_no_rows() -> None:
    flat, column = deep_shap(Flat(), ROWS, BACKGROUND), deep_shap(linear(1), ROWS, BACKGROUND)
    np.testing.assert_allclose(flat.values, column.values, atol=1e-12)
    assert flat.warnings == (DEEPLIFT,)
    assert deep_shap(with_relu(), ROWS.head(0), BACKGROUND).values.shape == (0, FEATURES, 2)
    assert Explanation.from_json(flat.to_json()).explainer == "deep_shap"


def test_what_is_not_explained() -> None:
    with pytest.raises(NotSupported, match="int is no PyTorch module"):
        deep_shap(3, ROWS, BACKGROUND)
    with pytest.raises(BadData, match="'x1' holds no numbers"):
        deep_shap(linear(), ROWS.assign(x1="a"), BACKGROUND.assign(x1="a"))
    with pytest.raises(BadData, match="'x2' has missing"):
        deep_shap(linear(), ROWS.assign(x2=np.nan), BACKGROUND)
    with pytest.raises(BadModel, match="answers tuple for a row"):
        deep_shap(Pair(), ROWS, BACKGROUND)
    with pytest.raises(BadModel, match="cannot be explained by its layers: RuntimeError"):
        deep_shap(linear(), ROWS[["x0"]], BACKGROUND[["x0"]])
    with pytest.raises(BadData, match="at least 2 samples"):
        expected_gradients(linear(), ROWS, BACKGROUND, rng=np.random.default_rng(1), samples=1)
    assert is_network(linear())
    assert not is_network(torch.zeros(1))
