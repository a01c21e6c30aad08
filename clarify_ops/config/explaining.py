"""What may be asked of a model beyond SageMaker Clarify's explanations; each part is absent unless it is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictInt, StrictStr

from clarify_ops.config.closed import Closed


class FeatureImportance(Closed):
    """Permutation feature importance: how much worse a metric gets without a feature.

    Attributes:
        metric: Of the model's scores against the observed labels.
        repeats: Permutations of each feature.
    """

    metric: Literal["auc", "accuracy", "log_loss", "r2", "mse", "mae"] = "auc"
    repeats: StrictInt = Field(default=5, ge=1)


class SurrogateModel(Closed):
    """A simple model that is trained on what the model says, with its fidelity.

    Attributes:
        kind: Of the simple model; `lightgbm` needs the extra `surrogate`.
        target: The scores, or their log-odds.
        max_depth: Of a decision tree.
    """

    kind: Literal["decision_tree", "linear", "sgd", "lightgbm"] = "decision_tree"
    target: Literal["values", "log_odds"] = "values"
    max_depth: StrictInt = Field(default=4, ge=1)


class Stability(Closed):
    """How alike rankings of the features are when explanations are repeated.

    Attributes:
        seeds: Explanations of other seeds; of values that are exact they are equal by nature.
        baselines: Explanations against rows of the data drawn anew.
        rows: Rows that are explained each time, evenly spaced.
    """

    seeds: StrictInt = Field(default=5, ge=2)
    baselines: StrictInt = Field(default=5, ge=2)
    rows: StrictInt = Field(default=200, ge=2)


class Curves(Closed):
    """Effects of single features on the output.

    Attributes:
        features: Which, by name or place.
    """

    features: tuple[StrictStr | StrictInt, ...] = Field(min_length=1)
