"""The model that a configuration names is set up when it is asked, and only if whoever made it is trusted."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from clarify_ops.analysis.opening import asked_model
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.errors import BadModel


def test_a_local_shadow_needs_trust_and_answers(tmp_path: Path) -> None:
    features = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["a", "b"])
    fitted = LogisticRegression().fit(features, features["a"] > 0)
    mlflow.sklearn.save_model(
        fitted,
        tmp_path / "model",
        serialization_format="skops",
        pyfunc_predict_fn="predict_proba",
        pip_requirements=["scikit-learn"],
    )
    predictor = {"model_name": str(tmp_path / "model")}
    config = AnalysisConfig.model_validate({"dataset_type": "text/csv", "methods": {}, "predictor": predictor})
    said: list[str] = []
    with asked_model(None, config, trust=False, progress=said.append) as asked:
        assert asked is not None
        assert not said
        with pytest.raises(BadModel, match="trust"):
            asked.scores(features)
    with asked_model(None, config, trust=True, progress=said.append) as asked:
        assert asked is not None
        # Nothing names the positive one of two, so that both are there.
        np.testing.assert_array_equal(asked.scores(features), fitted.predict_proba(features))
