"""Columns that the model was not fitted on: they get exactly 0, and the model is read as it is without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from clarify_ops.analysis.analyze import analyze
from clarify_ops.analysis.results import Analysis
from clarify_ops.explain import ahead
from clarify_ops.explain.kernel import kernel_shap

from .jobs import configuration, people, score

EVERY = ["sex", "city", "school", "income", "debt"]
FITTED = ["city", "school", "income", "debt"]
BASELINE = [["female", "a", 1, 50.0, 3], ["male", "b", 2, 40.0, 1]]
SAID = "The model leaves these features out, and so they have 0 everywhere: 'sex'."


def pipeline(last: Any) -> Any:
    """Of all features but the facet."""
    frame = people(300)
    encode = make_column_transformer((OneHotEncoder(), ["city"]), remainder=StandardScaler())
    return make_pipeline(encode, last).fit(frame[FITTED], frame["paid"])


def boosted() -> Any:
    import lightgbm

    return pipeline(lightgbm.LGBMClassifier(n_estimators=8, num_leaves=6, n_jobs=1, verbose=-1))


def explained(model: Any, *, own: dict[str, Any] | None = None, told: Any = None, **shap: Any) -> Analysis:
    settings = {"baseline": BASELINE, "seed": 1, "use_logit": True, **shap}
    document = configuration(methods={"shap": settings}, clarify_ops=own or {})
    return analyze(document, people(60), model=model, **({} if told is None else {"progress": told}))


@pytest.mark.parametrize(
    ("make", "name"),
    [(boosted, "tree_shap"), (lambda: pipeline(LogisticRegression()), "linear_shap")],
    ids=["boosted", "linear"],
)
def test_a_facet_left_in_the_data_hides_no_model(make: Any, name: str) -> None:
    model = make()
    found = explained(model)
    facts = found.metrics["explanations"]
    assert facts["explainer"] == name
    assert facts["warnings"] == [SAID]
    assert found.explanation is not None
    assert list(found.explanation.features) == EVERY
    assert (found.explanation.values[:, 0] == 0).all()
    assert (found.explanation.standard_errors == 0).all()
    assert found.explanation.additivity_gap() < 1e-9
    # The game in which the facet plays as well, by asking about all coalitions.
    asked = kernel_shap(
        lambda rows: model.predict_proba(rows[FITTED])[:, 1],
        people(60)[EVERY],
        pd.DataFrame(BASELINE, columns=EVERY),
        num_samples=2**5,
        seed=0,
        use_logit=True,
    )
    np.testing.assert_allclose(found.explanation.values, asked.values, atol=1e-9)
    assert list(found.to_clarify()["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == EVERY


def test_what_is_sampled_is_sampled_among_the_columns_of_the_model() -> None:
    found = explained(boosted(), use_logit=False)
    assert found.explanation is not None
    assert found.metrics["explanations"]["explainer"] == "kernel_shap"
    assert (found.explanation.values[:, 0] == 0).all()
    assert found.explanation.coalitions <= 60 * (2 ** len(FITTED) - 2)


@pytest.mark.parametrize("chosen", [["income", "sex"], ["sex"]])
def test_features_to_explain_among_which_the_model_leaves_some_out(chosen: list[str]) -> None:
    found = explained(boosted(), features_to_explain=chosen).explanation
    assert found is not None
    assert list(found.features) == [name for name in EVERY if name in chosen]
    assert (found.values[:, 0] == 0).all()
    if "income" in chosen:
        alone = explained(boosted(), features_to_explain=["income"]).explanation
        assert alone is not None
        np.testing.assert_array_equal(found.values[:, 1:], alone.values)
        assert (found.values[:, 1] != 0).any()


def test_a_function_is_asked_about_every_column() -> None:
    found = explained(score)
    assert found.metrics["explanations"]["warnings"] == []
    assert found.explanation is not None
    assert found.explanation.coalitions > 60 * (2**4 - 2)


def test_a_very_large_budget_is_told_before_it_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.said_ahead, "__kwdefaults__", {"many": 1_000})
    told: list[str] = []
    found = explained(score, told=told.append, num_samples=10)
    asked = [place for place, words in enumerate(told) if words.startswith("asked the model about")]
    (place,) = (place for place, words in enumerate(told) if "is about to ask the model about" in words)
    assert place < asked[0]
    assert found.explanation is not None
    predictions = found.explanation.coalitions * len(BASELINE)
    assert f"kernel_shap is about to ask the model about {predictions:,} rows: 60 rows, " in told[place]
    told.clear()
    explained(boosted(), told=told.append)
    assert not any("is about to ask" in words for words in told)
    monkeypatch.setattr(ahead.said_ahead, "__kwdefaults__", {"many": predictions + 1})
    explained(score, told=told.append, num_samples=10)
    assert not any("is about to ask" in words for words in told)
