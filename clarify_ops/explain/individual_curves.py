"""Individual conditional expectation: what partial dependence is the mean of, a curve a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.explanation import output_names
from clarify_ops.explain.forced import Change, ForcedModel, in_groups
from clarify_ops.explain.game import BATCH_ROWS, Floats, Positions, Predict
from clarify_ops.explain.partial_dependence import (
    FeatureKind,
    Grid,
    asked_together,
    chosen_grids,
    forced_outputs,
    json_value,
)

MOST_CURVES = 1000
"""Rows that have curves unless another number is asked for."""


@dataclass(frozen=True, eq=False)
class IndividualCurves:
    """Curves of some rows as one feature is forced to values.

    Attributes:
        feature: Its name.
        data_type: Its kind, as given.
        feature_values: (points,) as partial dependence has them.
        outputs: Names of the outputs.
        rows: (rows,) positions of those with a curve, in rising order.
        curves: (rows, outputs, points) the output of each row, the feature forced to the point; less its value at the first
            point where they are centred.
        centred: Whether they are.
        rows_in_all: Rows that they were drawn from.
        error: Why there are none; empty where there are some.
    """

    feature: str
    data_type: FeatureKind
    feature_values: tuple[Any, ...]
    outputs: tuple[str, ...]
    rows: Positions
    curves: Floats
    centred: bool
    rows_in_all: int
    error: str = ""

    def mean(self) -> Floats:
        """(outputs, points): partial dependence over these rows."""
        return np.asarray(self.curves.mean(axis=0), dtype=np.float64)

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """(shares, outputs, points): a band that holds that share of the curves below it, at every point by itself."""
        return np.asarray(np.quantile(self.curves, list(shares), axis=0), dtype=np.float64)

    def from_first_point(self) -> IndividualCurves:
        """The same curves, each less its value at the first point: what the feature changes then shows side by side."""
        return replace(self, curves=self.curves - self.curves[:, :, :1], centred=True)

    def to_json(self, *, curves: bool = False) -> dict[str, Any]:
        """JSON types only; a row's own curve only where `curves` asks for it."""
        document: dict[str, Any] = {
            "feature_name": self.feature,
            "data_type": self.data_type,
            "feature_values": list(self.feature_values),
            "label_headers": list(self.outputs),
            "centred": self.centred,
            "rows": len(self.rows),
            "rows_in_all": self.rows_in_all,
        }
        if self.error:
            return document | {"error": self.error}
        document |= {"mean": self.mean().tolist(), "quantiles": {}}
        for share, band in zip(BANDS, self.quantiles(BANDS), strict=True):
            document["quantiles"][f"{share:g}"] = band.tolist()
        return document | ({"positions": self.rows.tolist(), "curves": self.curves.tolist()} if curves else {})


BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)


def individual_curves(
    predict: Predict,
    rows: pd.DataFrame,
    kinds: Mapping[str, FeatureKind],
    *,
    grid_resolution: int = 15,
    most_rows: int = MOST_CURVES,
    seed: int = 0,
    centred: bool = False,
    batch_rows: int = BATCH_ROWS,
    labels: Sequence[str] | None = None,
) -> tuple[IndividualCurves, ...]:
    """How the output of each row moves with a feature; curves that are not parallel show an interaction.

    The points are those of partial dependence over all rows. The mean of the curves of all rows is partial dependence.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features).
        kinds: The features to vary, in the order of the result, and the kind of each.
        grid_resolution: Buckets of a numerical feature.
        most_rows: Rows with a curve; of more, as many are drawn without regard to what they hold.
        seed: Fixes which.
        centred: Take from every curve its value at the first point.
        batch_rows: Most rows in one prediction call.
        labels: Names of the outputs; None for label0, label1, ...

    Returns:
        One result a feature. A feature of another kind, or without a value, has an error instead.

    Raises:
        BadData: A feature is unknown, or numerical and holds other things than finite numbers.
        BadDocument: `grid_resolution` or `most_rows` is below 1, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape.

    Source: Goldstein et al. (2015), arXiv:1309.6392.
    """
    if most_rows < 1:
        raise BadDocument(f"most_rows is {most_rows}, and must be at least 1.")
    grids, errors = chosen_grids(rows, kinds, grid_resolution)
    drawn = np.arange(len(rows))
    if len(rows) > most_rows:
        drawn = np.sort(np.random.default_rng(seed).choice(len(rows), most_rows, replace=False))
    some = rows.iloc[drawn].reset_index(drop=True)
    nothing = np.empty((0, 0, 0))
    found = {
        feature: IndividualCurves(
            feature, one.data_type, (), (), drawn[:0], nothing, centred, len(rows), error=one.error
        )
        for feature, one in errors.items()
    }
    names = None if labels is None else tuple(labels)
    for together in asked_together(some, grids):
        outputs: dict[str, list[Floats]] = {feature: [] for feature in together}
        for feature, one in forced_outputs(predict, some, together, batch_rows):
            outputs[feature].append(one)
        for feature, points in outputs.items():
            curves = np.stack(points, axis=2)
            result = IndividualCurves(
                feature=feature,
                data_type=kinds[feature],
                feature_values=tuple(map(json_value, grids[feature].points.tolist())),
                outputs=output_names(curves.shape[1], names),
                rows=drawn,
                curves=curves,
                centred=False,
                rows_in_all=len(rows),
            )
            found[feature] = result.from_first_point() if centred else result
    return tuple(found[feature] for feature in kinds)


@dataclass(frozen=True, eq=False)
class JointDependence:
    """Partial dependence on two features at once.

    Attributes:
        features: Their names.
        feature_values: The points of each.
        predictions: (outputs, points of the first, points of the second) mean output over all rows.
        outputs: Names of the outputs.
        interaction: (outputs,) share of the variance of the joint dependence, over these points as the data have them, that
            the two features do not give one by one: 0 for a sum of both, NaN where the joint dependence is constant.
        rows: Rows averaged over.
    """

    features: tuple[str, str]
    feature_values: tuple[tuple[Any, ...], tuple[Any, ...]]
    predictions: Floats
    outputs: tuple[str, ...]
    interaction: Floats
    rows: int


def joint_dependence(
    predict: Predict,
    rows: pd.DataFrame,
    features: Mapping[str, FeatureKind],
    *,
    grid_resolution: int = 10,
    batch_rows: int = BATCH_ROWS,
    labels: Sequence[str] | None = None,
) -> JointDependence:
    """The mean output with two features forced to every pair of their points.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to average over.
        features: Two features and the kind of each.
        grid_resolution: Buckets of a numerical feature.
        batch_rows: Most rows in one prediction call.
        labels: Names of the outputs; None for label0, label1, ...

    Raises:
        BadDocument: There are other than two features, or one has no points, or the labels do not fit the outputs.
        BadData: A feature is unknown, or numerical and holds other things than finite numbers.
        BadModel: The outputs are not finite numbers of one shape.

    Source: Friedman (2001), doi:10.1214/aos/1013203451; the share after Friedman and Popescu (2008),
    doi:10.1214/07-AOAS148.
    """
    if len(features) != 2:
        raise BadDocument(f"Joint dependence is of 2 features, and {len(features)} are given.")
    grids, errors = chosen_grids(rows, features, grid_resolution)
    for feature, wrong in errors.items():
        raise BadDocument(f"There is no dependence on {feature!r}: {wrong.error[0].lower()}{wrong.error[1:]}.")
    first, second = features
    model = ForcedModel(predict, rows, {name: grid.points for name, grid in grids.items()}, batch_rows=batch_rows)
    sizes = (len(grids[first].points), len(grids[second].points))
    places = (model.names.index(first), model.names.index(second))
    pairs = [(one, other) for one in range(sizes[0]) for other in range(sizes[1])]
    means: list[Floats] = []
    for group in in_groups(pairs, len(rows)):
        changes = [
            Change({place: np.array([point]) for place, point in zip(places, pair, strict=True)}) for pair in group
        ]
        means.extend(model.outputs(changes).mean(axis=1))
    table = np.stack(means, axis=1).reshape(-1, *sizes)
    return JointDependence(
        features=(first, second),
        feature_values=(_values(grids[first]), _values(grids[second])),
        predictions=table,
        outputs=output_names(len(table), None if labels is None else tuple(labels)),
        interaction=_interaction(table, grids[first].counts, grids[second].counts),
        rows=len(rows),
    )


def _values(grid: Grid) -> tuple[Any, ...]:
    return tuple(map(json_value, grid.points.tolist()))


def _interaction(table: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
    """(outputs,): of a table less its mean, what is left when rows and columns have lost their means, squared."""
    weights = np.outer(first / first.sum(), second / second.sum())
    overall = (table * weights).sum(axis=(1, 2), keepdims=True)
    of_first = (table * second).sum(axis=2, keepdims=True) / second.sum()
    of_second = (table * first[:, None]).sum(axis=1, keepdims=True) / first.sum()
    left = ((table - of_first - of_second + overall) ** 2 * weights).sum(axis=(1, 2))
    whole = ((table - overall) ** 2 * weights).sum(axis=(1, 2))
    # Rounding alone makes a variance of some 1e-32.
    moves = whole > (np.finfo(np.float64).eps * np.abs(table).max(axis=(1, 2))) ** 2
    share: Floats = np.full(len(table), np.nan)
    share[moves] = left[moves] / whole[moves]
    return share
