"""Accumulated local effects: how the output moves with a feature, seen only where there are rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.explanation import output_names
from clarify_ops.explain.forced import Change, ForcedModel
from clarify_ops.explain.game import BATCH_ROWS, Floats, Positions, Predict
from clarify_ops.explain.level_order import ordered_levels
from clarify_ops.explain.partial_dependence import FeatureKind, json_value

UNSUPPORTED_KIND = "Accumulated effects are of numerical or categorical features"
NO_VALUE = "The feature has no value in any row"


@dataclass(frozen=True, eq=False)
class AccumulatedEffects:
    """First-order accumulated local effects of one feature.

    Attributes:
        feature: Its name.
        data_type: Its kind, as given.
        feature_values: (points,) ends of the intervals, or categories in their order.
        effects: (outputs, points) accumulated effect, less its mean over the rows.
        local_effects: (outputs, points - 1) mean difference of the output between the two ends of an interval, over the rows
            in it.
        standard_errors: (outputs, points - 1) of the local effects; NaN of a single row.
        interval_rows: (points - 1,) rows that each was taken over. A row of a category is in the intervals on both sides.
        outputs: Names of the outputs.
        rows: Rows in all.
        missing: Rows without a value of the feature, which are left out.
        error: Why there is nothing; empty where there is something.
    """

    feature: str
    data_type: FeatureKind
    feature_values: tuple[Any, ...]
    effects: Floats
    local_effects: Floats
    standard_errors: Floats
    interval_rows: tuple[int, ...]
    outputs: tuple[str, ...]
    rows: int
    missing: int
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON types only; a standard error that is not known is null."""
        entry: dict[str, Any] = {
            "feature_name": self.feature,
            "data_type": self.data_type,
            "rows": self.rows,
            "missing": self.missing,
        }
        if self.error:
            return entry | {"error": self.error}
        errors = self.standard_errors.astype(object)
        errors[np.isnan(self.standard_errors)] = None
        return entry | {
            "feature_values": list(self.feature_values),
            "effects": self.effects.tolist(),
            "local_effects": self.local_effects.tolist(),
            "standard_errors": errors.tolist(),
            "interval_rows": list(self.interval_rows),
            "label_headers": list(self.outputs),
        }


def accumulated_effects(
    predict: Predict,
    rows: pd.DataFrame,
    kinds: Mapping[str, FeatureKind],
    *,
    intervals: int = 20,
    orders: Mapping[str, Sequence[Any]] | None = None,
    batch_rows: int = BATCH_ROWS,
    labels: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[AccumulatedEffects, ...]:
    r"""Sums up, from interval to interval, what moving a feature within the interval does to the rows that are in it.

    .. math:: \hat f_j(x) = \sum_{k \le k(x)} \frac{1}{n_k} \sum_{i : x_{ij} \in (z_{k-1}, z_k]}
        \bigl( f(z_k, x_{i \setminus j}) - f(z_{k-1}, x_{i \setminus j}) \bigr) - c

    Partial dependence forces every row to every value, and asks about rows that cannot be where features go together; here
    a row is moved no further than its own interval.

    The intervals of a numerical feature hold about equally many rows, and their ends occur in the data, so that integers
    stay integers. The levels of a categorical one are taken in the order given; else in that of an ordered category; else
    so that levels whose rows are alike in the other features stand next to each other (`ordered_levels`). A step between
    two levels is taken by the rows of both.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features).
        kinds: The features, in the order of the result, and the kind of each.
        intervals: Most intervals of a numerical feature.
        orders: By feature, its levels in order; those that occur must be among them.
        batch_rows: Most rows in one prediction call.
        labels: Names of the outputs; None for label0, label1, ...
        progress: Told the features done and their number, after each.

    Returns:
        One result a feature. A feature of another kind, or without a value, has an error instead. A constant one has a
        single point of effect 0.

    Raises:
        BadData: A feature is unknown, or numerical and holds other things than finite numbers, or an order lacks a level.
        BadDocument: `intervals` is below 1, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape.

    Source: Apley and Zhu (2020), doi:10.1111/rssb.12377.
    """
    if intervals < 1:
        raise BadDocument(f"intervals is {intervals}, and must be at least 1.")
    names = None if labels is None else tuple(labels)
    results = []
    for done, (feature, kind) in enumerate(kinds.items(), start=1):
        if feature not in rows.columns:
            raise BadData.unknown_column(feature, map(str, rows.columns), "Accumulated effects")
        there = rows[feature].notna().to_numpy()
        if kind not in STEPS or not there.any():
            results.append(_nothing(feature, kind, rows, there))
        else:
            observed = rows[there].reset_index(drop=True)
            steps = STEPS[kind](observed, feature, intervals, (orders or {}).get(feature))
            results.append(
                _accumulated(
                    predict, observed, feature, steps, kind=kind, batch_rows=batch_rows, labels=names, rows=len(rows)
                )
            )
        if progress is not None:
            progress(done, len(kinds))
    return tuple(results)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Moves of rows between neighbouring points.

    Attributes:
        points: (points,) in order.
        rows: (moves,) which row is moved.
        interval: (moves,) from point `interval` to the next.
        places: (rows,) where rows are on the way, in points: 2.5 is between the second and the third after the first.
    """

    points: pd.Series[Any]
    rows: Positions
    interval: Positions
    places: Floats


def _accumulated(
    predict: Predict,
    observed: pd.DataFrame,
    feature: str,
    steps: _Steps,
    *,
    kind: FeatureKind,
    batch_rows: int,
    labels: tuple[str, ...] | None,
    rows: int,
) -> AccumulatedEffects:
    moved = observed.iloc[steps.rows] if len(steps.rows) else observed.iloc[:1]
    model = ForcedModel(predict, moved, {feature: steps.points}, batch_rows=batch_rows)
    place = model.names.index(feature)
    if len(steps.rows):
        before, after = model.outputs([Change({place: steps.interval}), Change({place: steps.interval + 1})])
        differences = after - before
    else:
        # A constant feature moves nothing; the model still says how many outputs it has.
        differences = model.unforced()[:0]
    size, outputs = len(steps.points) - 1, differences.shape[1]
    counts = np.bincount(steps.interval, minlength=size)
    local, errors = np.zeros((outputs, size)), np.full((outputs, size), np.nan)
    for output in range(outputs):
        means = np.bincount(steps.interval, differences[:, output], size) / counts
        squares = np.bincount(steps.interval, (differences[:, output] - means[steps.interval]) ** 2, size)
        local[output] = means
        several = counts > 1
        errors[output, several] = np.sqrt(squares[several] / (counts[several] - 1) / counts[several])
    effects = np.concatenate([np.zeros((outputs, 1)), local.cumsum(axis=1)], axis=1)
    effects -= _mean_on_the_way(effects, steps.places)
    return AccumulatedEffects(
        feature=feature,
        data_type=kind,
        feature_values=tuple(map(json_value, steps.points.tolist())),
        effects=effects,
        local_effects=local,
        standard_errors=errors,
        interval_rows=tuple(counts.tolist()),
        outputs=output_names(outputs, labels),
        rows=rows,
        missing=rows - len(observed),
    )


def _mean_on_the_way(effects: Floats, places: Floats) -> Floats:
    """(outputs, 1): the mean effect of the rows, half way between two points where they are in an interval."""
    low, high = np.floor(places).astype(np.intp), np.ceil(places).astype(np.intp)
    return np.asarray(((effects[:, low] + effects[:, high]) / 2).mean(axis=1, keepdims=True), dtype=np.float64)


def _between_quantiles(observed: pd.DataFrame, feature: str, intervals: int, order: Sequence[Any] | None) -> _Steps:
    if order is not None:
        raise BadDocument(f"An order is given for {feature!r}, which is numerical.")
    column = observed[feature].reset_index(drop=True)
    try:
        values = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadData(f"The feature {feature!r} is said to be numerical and holds other values.") from error
    if not np.isfinite(values).all():
        raise BadData(f"The feature {feature!r} holds infinite values, so it has no intervals.")
    ranked = np.argsort(values, kind="stable")
    shares = np.ceil(np.arange(intervals + 1) * len(values) / intervals).astype(np.intp)
    chosen = ranked[np.maximum(shares - 1, 0)]
    _, first = np.unique(values[chosen], return_index=True)
    ends = chosen[first]
    # The lowest value is an end of the first interval and in it.
    interval = np.maximum(np.searchsorted(values[ends], values) - 1, 0)
    moves = np.arange(len(values)) if len(ends) > 1 else np.arange(0)
    places = interval + 0.5 if len(ends) > 1 else np.zeros(len(values))
    return _Steps(column.iloc[ends].reset_index(drop=True), moves, interval[moves], places)


def _between_levels(observed: pd.DataFrame, feature: str, _: int, order: Sequence[Any] | None) -> _Steps:
    first, codes = ordered_levels(observed, feature, order)
    rows = np.arange(len(observed))
    up, down = rows[codes < len(first) - 1], rows[codes > 0]
    points = observed[feature].iloc[first].reset_index(drop=True)
    return _Steps(
        points, np.concatenate([up, down]), np.concatenate([codes[up], codes[down] - 1]), codes.astype(np.float64)
    )


def _nothing(feature: str, kind: FeatureKind, rows: pd.DataFrame, there: NDArray[np.bool_]) -> AccumulatedEffects:
    known = kind in STEPS
    empty = np.empty((0, 0))
    return AccumulatedEffects(
        feature=feature,
        data_type=kind if known else "free_text",
        feature_values=(),
        effects=empty,
        local_effects=empty,
        standard_errors=empty,
        interval_rows=(),
        outputs=(),
        rows=len(rows),
        missing=int((~there).sum()),
        error=NO_VALUE if known else UNSUPPORTED_KIND,
    )


STEPS: Mapping[str, Callable[[pd.DataFrame, str, int, Sequence[Any] | None], _Steps]] = {
    "numerical": _between_quantiles,
    "categorical": _between_levels,
}
