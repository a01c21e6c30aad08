"""Partial dependence: the mean output when one feature is forced to a value in every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.explanation import output_names
from clarify_ops.explain.forced import Change, ForcedModel, in_groups, keeps_dtype
from clarify_ops.explain.game import BATCH_ROWS, Floats, Predict, mean_in_order

FeatureKind = Literal["numerical", "categorical", "free_text"]

UNSUPPORTED_KIND = (
    "Detected data type is not supported for PDP. PDP can only be computed for numerical or categorical columns"
)


@dataclass(frozen=True)
class PartialDependence:
    """Partial dependence on one feature.

    Attributes:
        feature: Its name.
        data_type: Its kind, as given.
        feature_values: (points,) centres of equal-width buckets, or categories by falling frequency.
        data_distribution: (points,) share of the rows with an observed value in each bucket or category; sums to 1.
        model_predictions: (outputs, points) mean output over all rows, the feature forced to the point.
        label_headers: Names of the outputs.
        rows: Rows averaged over, those without a value of the feature included.
        missing: Rows without a value of the feature.
        error: Why there is nothing; empty where there is something.
    """

    feature: str
    data_type: FeatureKind
    feature_values: tuple[Any, ...] = ()
    data_distribution: tuple[float, ...] = ()
    model_predictions: tuple[tuple[float, ...], ...] = ()
    label_headers: tuple[str, ...] = ()
    rows: int = 0
    missing: int = 0
    error: str = ""

    def to_clarify(self) -> dict[str, Any]:
        """The entry of `explanations.pdp` in analysis.json, in Clarify's order of keys."""
        entry: dict[str, Any] = {"feature_name": self.feature, "data_type": self.data_type}
        if self.error:
            return entry | {"error": self.error}
        return entry | {
            "feature_values": list(self.feature_values),
            "data_distribution": list(self.data_distribution),
            "model_predictions": [list(predictions) for predictions in self.model_predictions],
            "label_headers": list(self.label_headers),
        }

    def to_json(self) -> dict[str, Any]:
        """Clarify's entry and the counts that it has no place for."""
        return self.to_clarify() | {"rows": self.rows, "missing": self.missing}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PartialDependence:
        """The inverse of `to_json`."""
        return cls(
            feature=document["feature_name"],
            data_type=document["data_type"],
            feature_values=tuple(document.get("feature_values", ())),
            data_distribution=tuple(document.get("data_distribution", ())),
            model_predictions=tuple(tuple(row) for row in document.get("model_predictions", ())),
            label_headers=tuple(document.get("label_headers", ())),
            rows=document["rows"],
            missing=document["missing"],
            error=document.get("error", ""),
        )


def partial_dependence(
    predict: Predict,
    rows: pd.DataFrame,
    kinds: Mapping[str, FeatureKind],
    *,
    grid_resolution: int = 15,
    batch_rows: int = BATCH_ROWS,
    labels: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[PartialDependence, ...]:
    """Partial dependence on some features, as SageMaker Clarify computes it.

    A numerical feature is cut into equal-width buckets over its range and forced to their centres, so a column of
    integers is forced to fractions and becomes one of floats, in its own predictions only. A categorical feature is forced
    to each of its values. Missing values are counted and never a point.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to average over.
        kinds: The features to vary, in the order of the result, and the kind of each.
        grid_resolution: Buckets of a numerical feature.
        batch_rows: Most rows in one prediction call.
        labels: Names of the outputs; None for label0, label1, ...
        progress: Told the features done and their number, after each.

    Returns:
        One result a feature. A feature of another kind, or without a value, has an error instead.

    Raises:
        BadData: A feature is unknown, or numerical and holds other things than finite numbers.
        BadDocument: `grid_resolution` is below 1, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape.

    Source: Friedman (2001), doi:10.1214/aos/1013203451.
    """
    grids, errors = chosen_grids(rows, kinds, grid_resolution)
    results = dict(errors)
    names = None if labels is None else tuple(labels)
    if progress is not None and results:
        progress(len(results), len(kinds))
    for together in asked_together(rows, grids):
        means: dict[str, list[Floats]] = {feature: [] for feature in together}
        for feature, outputs in forced_outputs(predict, rows, together, batch_rows):
            means[feature].append(mean_in_order(outputs))
            if len(means[feature]) == len(grids[feature].points):
                curve = np.stack(means[feature])
                results[feature] = _result(rows[feature], kinds[feature], grids[feature], curve, names)
                if progress is not None:
                    progress(len(results), len(kinds))
    return tuple(results[feature] for feature in kinds)


@dataclass(frozen=True)
class Grid:
    """Points at which a feature is forced, and how many rows stand behind each."""

    points: pd.Series[Any]
    counts: NDArray[np.intp]


def chosen_grids(
    rows: pd.DataFrame, kinds: Mapping[str, FeatureKind], grid_resolution: int
) -> tuple[dict[str, Grid], dict[str, PartialDependence]]:
    """The points of each feature, and results without any where there are none.

    Raises:
        BadData: A feature is unknown, or numerical and holds other things than finite numbers.
        BadDocument: `grid_resolution` is below 1.
    """
    if grid_resolution < 1:
        raise BadDocument(f"grid_resolution is {grid_resolution}, and must be at least 1.")
    grids, errors = {}, {}
    for feature, kind in kinds.items():
        if feature not in rows.columns:
            raise BadData.unknown_column(feature, map(str, rows.columns), "Partial dependence")
        column = rows[feature]
        missing = int(column.isna().sum())
        if kind in GRIDS and missing < len(rows):
            grids[feature] = GRIDS[kind](column.dropna(), grid_resolution)
            continue
        known = kind if kind in GRIDS else "free_text"
        error = UNSUPPORTED_KIND if kind not in GRIDS else "The feature has no value in any row"
        errors[feature] = PartialDependence(feature, known, rows=len(rows), missing=missing, error=error)
    return grids, errors


def asked_together(rows: pd.DataFrame, grids: Mapping[str, Grid]) -> list[dict[str, Grid]]:
    """Features that share prediction calls; those whose points need another dtype are alone, for only they may have it."""
    shared = {feature: grid for feature, grid in grids.items() if keeps_dtype(rows[feature], grid.points)}
    alone = [{feature: grid} for feature, grid in grids.items() if feature not in shared]
    return [shared, *alone] if shared else alone


def forced_outputs(
    predict: Predict, rows: pd.DataFrame, grids: Mapping[str, Grid], batch_rows: int
) -> Iterator[tuple[str, Floats]]:
    """The outputs with each feature forced to each of its points.

    Yields:
        A feature and (rows, outputs), point after point and feature after feature.
    """
    model = ForcedModel(predict, rows, {name: grid.points for name, grid in grids.items()}, batch_rows=batch_rows)
    wanted = [(name, point) for name, grid in grids.items() for point in range(len(grid.points))]
    for group in in_groups(wanted, len(rows)):
        changes = [Change({model.names.index(name): np.array([point])}) for name, point in group]
        yield from zip((name for name, _ in group), model.outputs(changes), strict=True)


def _result(
    column: pd.Series[Any], kind: FeatureKind, grid: Grid, means: Floats, labels: tuple[str, ...] | None
) -> PartialDependence:
    observed = int(column.notna().sum())
    return PartialDependence(
        feature=str(column.name),
        data_type=kind,
        feature_values=tuple(map(json_value, grid.points.tolist())),
        data_distribution=tuple((grid.counts / observed).tolist()),
        model_predictions=tuple(map(tuple, means.T.tolist())),
        label_headers=output_names(means.shape[1], labels),
        rows=len(column),
        missing=len(column) - observed,
    )


def _buckets(observed: pd.Series[Any], number: int) -> Grid:
    """Centres of equal-width buckets over the observed range; one where there is a single value."""
    try:
        values = observed.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadData(f"The feature {observed.name!r} is said to be numerical and holds other values.") from error
    if not np.isfinite(values).all():
        raise BadData(f"The feature {observed.name!r} holds infinite values, so its range has no buckets.")
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Grid(observed.iloc[:1].reset_index(drop=True), np.array([len(values)]))
    edges = np.linspace(low, high, number + 1)
    counts, _ = np.histogram(values, edges)
    centres = pd.Series((edges[:-1] + edges[1:]) / 2, name=observed.name)
    # Only fractions turn a column of integers into one of floats.
    if pd.api.types.is_float_dtype(observed.dtype) or bool((centres % 1 == 0).all()):
        centres = centres.astype(observed.dtype)
    return Grid(centres, counts)


def _categories(observed: pd.Series[Any], _: int) -> Grid:
    """The values by falling frequency, equally frequent ones in order of appearance."""
    codes, _values = pd.factorize(observed)
    counts = np.bincount(codes)
    order = np.argsort(-counts, kind="stable")
    # Taken from the column itself, the points keep its dtype.
    first = np.unique(codes, return_index=True)[1]
    return Grid(observed.iloc[first[order]].reset_index(drop=True), counts[order])


def json_value(value: Any) -> Any:
    """Numbers, text and truth as they are; what JSON has no form for, such as a date, as text."""
    return value if isinstance(value, str | int | float | bool) else str(value)


GRIDS: Mapping[str, Callable[[pd.Series[Any], int], Grid]] = {"numerical": _buckets, "categorical": _categories}
