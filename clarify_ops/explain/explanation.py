"""Attributions of a set of rows, and the forms in which they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument

Floats = NDArray[np.float64]
Aggregation = Literal["mean_abs", "mean_sq", "median"]

AS_GIVEN = "as the model gives them"
"""The unit of outputs of which nothing is known but the numbers."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Shapley values of every row, feature and output.

    Attributes:
        features: Names of the features, in the order of the data.
        outputs: Names of the outputs, "label0", "label1", ... unless given.
        values: (rows, features, outputs), in the unit of the outputs, or in log-odds.
        standard_errors: Of the values, same shape: 0 where every coalition was evaluated, NaN where the sample is too
            small to tell.
        expected_value: (outputs,) mean output of the model over the background.
        base_values: (rows, outputs) what the values of a row start from: the expected value, unless only some features
            are explained; then the others stay at the row's values here too.
        predictions: (rows, outputs) the model on the rows, in the unit of the values.
        exact: (rows,) True where every coalition was evaluated.
        coalitions: Coalitions evaluated, summed over rows.
        prediction_rows: Rows that the model was asked for.
        prediction_calls: Calls in which it was asked.
        log_odds: Whether the outputs are log-odds, turned into them first or by nature.
        warnings: What a reader must know before trusting the values.
        explainer: Its name in the table of explainers.
        unit: What values and predictions are in: AS_GIVEN, "log-odds", "probability", "value", ...
        background: What an absent feature is replaced by; empty where nobody said.
        reason: Why this explainer was taken; empty where nobody chose.
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Floats
    standard_errors: Floats
    expected_value: Floats
    base_values: Floats
    predictions: Floats
    exact: NDArray[np.bool_]
    coalitions: int
    prediction_rows: int
    prediction_calls: int
    log_odds: bool = False
    warnings: tuple[str, ...] = ()
    explainer: str = "kernel_shap"
    unit: str = AS_GIVEN
    background: str = ""
    reason: str = ""

    def global_values(self, agg: Aggregation = "mean_abs") -> Floats:
        """(features, outputs): the values over all rows, as SageMaker Clarify sums them up.

        Args:
            agg: Mean of the absolute values, mean of their squares, or median of the values with their signs.
        """
        if agg not in get_args(Aggregation):
            raise ValueError(f"agg must be one of {', '.join(get_args(Aggregation))}")
        if agg == "median":
            return np.asarray(np.median(self.values, axis=0), dtype=np.float64)
        size = np.abs(self.values) if agg == "mean_abs" else self.values**2
        return np.asarray(size.mean(axis=0), dtype=np.float64)

    @property
    def sizes(self) -> Floats:
        """(features, outputs) mean absolute values."""
        return self.global_values("mean_abs")

    def additivity_gap(self) -> float:
        """Largest |base + sum of the values - prediction|; it proves the arithmetic, and nothing about the values."""
        gap = self.base_values + self.values.sum(axis=1) - self.predictions
        return float(np.abs(gap).max(initial=0.0))

    def to_frame(self) -> pd.DataFrame:
        """The table of out.csv: a row a row, columns `<feature>_<label>`, the labels of a feature side by side."""
        columns = [f"{feature}_{output}" for feature in self.features for output in self.outputs]
        return pd.DataFrame(self.values.reshape(len(self.values), len(columns)), columns=columns)

    def to_clarify(self, agg: Aggregation = "mean_abs") -> dict[str, dict[str, Any]]:
        """The `kernel_shap` object of analysis.json, in Clarify's order of keys."""
        overall = self.global_values(agg)
        return {
            output: {
                "global_shap_values": dict(zip(self.features, overall[:, column].tolist(), strict=True)),
                "expected_value": float(self.expected_value[column]),
            }
            for column, output in enumerate(self.outputs)
        }

    def facts(self) -> dict[str, Any]:
        """How the values were made, without any row of them: what a report and the evidence hold."""
        known = self.standard_errors[np.isfinite(self.standard_errors)]
        return {
            "features": list(self.features),
            "outputs": list(self.outputs),
            "log_odds": self.log_odds,
            "explainer": self.explainer,
            "unit": self.unit,
            "background": self.background,
            "reason": self.reason,
            "rows": len(self.values),
            "exact_rows": int(self.exact.sum()),
            "largest_standard_error": float(known.max()) if known.size else None,
            "values_without_standard_error": int(self.standard_errors.size - known.size),
            "additivity_gap": self.additivity_gap(),
            "coalitions": self.coalitions,
            "prediction_rows": self.prediction_rows,
            "prediction_calls": self.prediction_calls,
            "warnings": list(self.warnings),
        }

    def to_json(self) -> dict[str, Any]:
        """Every field, rows included; a standard error that is not known is null."""
        document = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in document.items():
            if isinstance(value, np.ndarray):
                document[name] = value.tolist()
            elif isinstance(value, tuple):
                document[name] = list(value)
        errors = self.standard_errors.astype(object)
        errors[np.isnan(self.standard_errors)] = None
        document["standard_errors"] = errors.tolist()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Explanation:
        """The inverse of `to_json`."""
        features, outputs = tuple(document["features"]), tuple(document["outputs"])
        rows = len(document["values"])
        # The shapes are given, because a list cannot tell (0, features, outputs) from (0,).
        shapes = {
            "values": (rows, len(features), len(outputs)),
            "standard_errors": (rows, len(features), len(outputs)),
            "expected_value": (len(outputs),),
            "base_values": (rows, len(outputs)),
            "predictions": (rows, len(outputs)),
        }
        arrays = {name: np.array(document[name], dtype=np.float64).reshape(shape) for name, shape in shapes.items()}
        return cls(
            **{
                **document,
                **arrays,
                "features": features,
                "outputs": outputs,
                "exact": np.array(document["exact"], dtype=np.bool_),
                "warnings": tuple(document["warnings"]),
            }
        )


def baseline_note(rows: int) -> str:
    """`Explanation.background` of a game over baseline rows.

    >>> baseline_note(3)
    '3 baseline rows, interventional'
    """
    return f"{rows} baseline row{'s' if rows != 1 else ''}, interventional"


def output_names(count: int, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """The names given for the outputs, or Clarify's label0, label1, ...

    Raises:
        BadDocument: There are more or fewer names than outputs.
    """
    if names is None:
        return tuple(f"label{index}" for index in range(count))
    if len(names) != count:
        raise BadDocument(f"There are {len(names)} label headers, and the model gives {count} outputs.")
    return names
