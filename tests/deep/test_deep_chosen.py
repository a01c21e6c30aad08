"""Which explainer a network calls for: all coalitions where they fit, its layers where these are known, or questions alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from clarify_ops.errors import NotSupported
from clarify_ops.explain.choosing import Choice, choose, explain, stands_in
from clarify_ops.explain.deep import DEEPLIFT, GRADIENTS, deep_shap, expected_gradients
from clarify_ops.explain.question import Question
from clarify_ops.models.in_process import model_of
from tests.deep.networks import rows_and_background, with_relu

FEATURES = 14
RNG = np.random.default_rng(3)
NAMES = [f"x{position}" for position in range(FEATURES)]
ROWS = pd.DataFrame(RNG.normal(size=(6, FEATURES)), columns=NAMES)
BACKGROUND = pd.DataFrame(RNG.normal(size=(5, FEATURES)), columns=NAMES)


class Squared(torch.nn.Module):  # type: ignore[misc]
    """Computes outside of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = wide()

    def forward(self, points: Any) -> Any:
        return torch.relu(self.inner(points)) ** 2


def wide() -> Any:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(FEATURES, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))


def chosen(network: Any, **settings: Any) -> Choice:
    return choose(Question.of(model_of(network), ROWS, BACKGROUND, **settings))


def test_many_features_are_explained_by_the_layers() -> None:
    found = explain(model_of(wide()), ROWS, BACKGROUND, labels=["no", "yes"])
    assert (found.explainer, found.unit, found.outputs) == ("deep_shap", "as the model gives them", ("no", "yes"))
    assert found.background == "5 baseline rows, by its layers"
    assert found.warnings == (DEEPLIFT,)
    assert not found.exact.any()
    assert "approximate" in found.reason
    assert "exact: rows differ from the baseline in 14 features" in found.reason
    np.testing.assert_allclose(found.values, deep_shap(wide(), ROWS, BACKGROUND).values, atol=1e-12)
    np.testing.assert_allclose(found.predictions, model_of(wide()).answer(ROWS), atol=1e-5)


def test_few_features_are_explained_by_all_coalitions() -> None:
    rows, background = rows_and_background()
    assert choose(Question.of(model_of(with_relu()), rows, background)).explainer == "exact"


def test_the_layers_never_stand_in_for_kernel_shap() -> None:
    assert stands_in(Question.of(model_of(wide()), ROWS, BACKGROUND)).explainer == "kernel_shap"


@pytest.mark.parametrize(
    ("network", "settings", "explainer", "why"),
    [
        (Squared, {}, "kernel_shap", "its values miss the predictions by up to"),
        (wide, {"num_samples": 100}, "kernel_shap", "a number of coalitions is given"),
        (wide, {"max_standard_error": 0.1}, "permutation_shap", ""),
        (wide, {"features_to_explain": NAMES[:13]}, "kernel_shap", "for all features in their order"),
    ],
)
def test_what_the_layers_do_not_tell_is_asked(network: Any, settings: Any, explainer: str, why: str) -> None:
    choice = chosen(network(), **settings)
    assert choice.explainer == explainer
    assert why in dict(choice.considered).get("deep_shap", "")


def test_what_stands_in_front_of_a_network_is_asked() -> None:
    network = wide()
    answer = model_of(network).answer

    def predict(frame: pd.DataFrame) -> Any:
        return np.exp(answer(frame))

    choice = choose(Question.of(predict, ROWS, BACKGROUND, estimator=network))
    assert choice.explainer == "kernel_shap"
    assert "what the model answers is another number" in dict(choice.considered)["deep_shap"]
    by_name = explain(predict, ROWS, BACKGROUND, "deep_shap", estimator=network)
    assert by_name.unit == "output of the network"
    assert by_name.warnings[-1] == "The output of the network is explained, and not what the model answers."


def test_gradients_are_to_be_asked_for() -> None:
    found = explain(model_of(wide()), ROWS, BACKGROUND, "expected_gradients", seed=4, num_samples=50)
    assert (found.explainer, found.warnings[0]) == ("expected_gradients", GRADIENTS)
    again = expected_gradients(wide(), ROWS, BACKGROUND, rng=np.random.default_rng(4), samples=50)
    np.testing.assert_array_equal(found.values, again.values)
    assert (found.standard_errors > 0).all()
    with pytest.raises(NotSupported, match="deep_shap cannot be used: it needs baseline rows"):
        explain(model_of(wide()), ROWS, method="deep_shap")
    with pytest.raises(NotSupported, match="expected_gradients knows no bound"):
        explain(model_of(wide()), ROWS, BACKGROUND, "expected_gradients", max_standard_error=0.1)
