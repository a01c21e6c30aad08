"""Labels with more than two classes: distances between their full distributions, and every class as the positive one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from clarify_ops.bias import distances
from clarify_ops.bias.measure import measure
from clarify_ops.bias.regions import distance_interval
from clarify_ops.bias.table import METRICS, Metric
from clarify_ops.data.counts import Array, Axis, CountTable, FacetEntry
from clarify_ops.measures import Interval, Measure, json_number

Of = Literal["label", "predicted_label"]
DISTANCES: Mapping[str, Callable[[Array, Array], Array]] = {
    "JS": distances.js,
    "KL": distances.kl,
    "KS": distances.ks,
    "LP": distances.lp,
    "TVD": distances.tvd,
}


@dataclass(frozen=True)
class ClassDistance:
    """How far apart the classes of a and of d are distributed.

    Attributes:
        metric: Its short name.
        value: The number, or None where a side has no rows.
        reason: Why it is undefined; empty where it is not.
        interval: Of the value.
    """

    metric: str
    value: float | None
    reason: str = ""
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "metric": self.metric,
            "value": None if self.value is None else json_number(self.value),
            "reason": self.reason,
            "interval": None if self.interval is None else self.interval.to_json(),
        }


@dataclass(frozen=True)
class ClassReport:
    """The classes of the label, or of the predicted label, for one facet value.

    Attributes:
        of: Whose classes.
        facet: Name of the facet, `facet_value`: its value as text.
        classes: Their names.
        advantaged: (classes,) rows of a by class.
        disadvantaged: (classes,) rows of d by class.
        distances: Between both distributions, by the documentation's formulas.
        one_versus_rest: For each class, the bias metrics with that class as the positive one.
    """

    of: Of
    facet: str
    facet_value: str
    classes: tuple[str, ...]
    advantaged: tuple[int, ...]
    disadvantaged: tuple[int, ...]
    distances: tuple[ClassDistance, ...]
    one_versus_rest: Mapping[str, tuple[Measure, ...]]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "of": self.of,
            "facet": self.facet,
            "facet_value": self.facet_value,
            "classes": list(self.classes),
            "advantaged": list(self.advantaged),
            "disadvantaged": list(self.disadvantaged),
            "distances": [one.to_json() for one in self.distances],
            "one_versus_rest": {
                name: [one.to_json() for one in measures] for name, measures in self.one_versus_rest.items()
            },
        }


def class_reports(
    table: CountTable, metrics: Iterable[Metric] = METRICS, *, level: float, seed: int
) -> tuple[ClassReport, ...]:
    """Both analyses for every facet value; nothing where the table tells no more than two classes apart.

    Distances are measured for the label and for the predicted label. The metrics of a class stand with the label for those
    before training, and with the predicted label for those after it.

    Args:
        table: The counts, with axes "label" and, after training, "predicted_label".
        metrics: Which rows of the metric table; the flip test needs the rows and is left out.
        level: Of the intervals.
        seed: Of the bootstraps.
    """
    # Of two classes the metrics themselves tell all.
    axes = {axis.name: axis for axis in table.axes if len(axis.values) > 2}
    chosen = [metric for metric in metrics if metric.form is not None]
    stages: dict[Of, list[Metric]] = {
        "label": [metric for metric in chosen if metric.stage == "pre_training"],
        "predicted_label": [metric for metric in chosen if metric.stage == "post_training"],
    }
    found: list[ClassReport] = []
    for of, those in stages.items():
        if of not in axes or "label" not in axes:
            continue
        against = one_versus_rest(table, axes["label"], axes.get("predicted_label"), those, level=level, seed=seed)
        for place, entry in enumerate(table.entries):
            a, d = class_counts(table, axes[of], entry)
            apart = {name: measures[place] for name, measures in against.items()}
            measured = class_distances(a, d, level)
            sides = tuple(map(int, a)), tuple(map(int, d))
            found.append(ClassReport(of, entry.facet, entry.value, axes[of].values, *sides, measured, apart))
    return tuple(found)


def class_counts(table: CountTable, axis: Axis, entry: FacetEntry) -> tuple[Array, Array]:
    """(classes,) rows of a and of d; rows without a class are left out."""
    codes = table.codes[:, axis.column]
    inside = np.isin(table.codes[:, entry.column], list(entry.members))
    known = codes >= 0
    sides = []
    for side in (~inside, inside):
        rows = np.zeros(len(axis.values))
        np.add.at(rows, codes[known & side], table.rows[known & side])
        sides.append(rows)
    return sides[0], sides[1]


def class_distances(a: Array, d: Array, level: float) -> tuple[ClassDistance, ...]:
    """Every distance between two distributions over classes.

    Args:
        a: (classes,) rows of the advantaged side.
        d: (classes,) rows of the disadvantaged side.
        level: Of the intervals.
    """
    for rows, side in ((a, "advantaged"), (d, "disadvantaged")):
        if not rows.sum():
            return tuple(ClassDistance(name, None, f"There are no {side} rows.") for name in DISTANCES)
    p, q = a / a.sum(), d / d.sum()
    # A class that nobody has is none: it would widen every interval and change no distance.
    kept = (a + d) > 0
    return tuple(
        ClassDistance(name, float(distance(p, q)), interval=_interval(name, a[kept], d[kept], level))
        for name, distance in DISTANCES.items()
    )


def _interval(name: str, a: Array, d: Array, level: float) -> Interval | None:
    return distance_interval(a, d, DISTANCES[name], level) if len(a) > 1 else None


def one_versus_rest(
    table: CountTable,
    label: Axis,
    predicted: Axis | None,
    metrics: Sequence[Metric],
    *,
    level: float,
    seed: int,
) -> dict[str, tuple[tuple[Measure, ...], ...]]:
    """The metrics with each class as the positive one: by class, for each entry of the table in its order."""
    found: dict[str, tuple[tuple[Measure, ...], ...]] = {}
    for code, name in enumerate(label.values):
        measures = measure(with_positive(table, label, predicted, code), metrics, level=level, seed=seed)
        step = len(metrics)
        found[name] = tuple(measures[step * i : step * (i + 1)] for i in range(len(table.entries)))
    return found


def with_positive(table: CountTable, label: Axis, predicted: Axis | None, code: int) -> CountTable:
    """The table with one class as the positive outcome; a missing label is negative, as always."""
    codes = table.codes.copy()
    codes[:, -2] = table.codes[:, label.column] == code
    codes[:, -1] = 0 if predicted is None else table.codes[:, predicted.column] == code
    return replace(table, codes=codes, predicted=predicted is not None)
