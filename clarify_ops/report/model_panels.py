"""What describes a model as a whole: importances, accumulated effects, curves of single rows, a surrogate; and stability."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from clarify_ops.gate.published import number
from clarify_ops.report import explanation_figures as figures
from clarify_ops.report.canvas import SHOWN_CATEGORIES, are_numbers, short, shown_categories
from clarify_ops.report.explanation_figures import Curve, Spread
from clarify_ops.report.figures import ranked
from clarify_ops.report.panels import MOST_FIGURES, Panel, Picture, counted, told

LEVEL = 0.95
SHOWN_FEATURES = 20


def importance_panel(document: Mapping[str, Any]) -> Panel:
    """Permutation importances, `FeatureImportance.to_json`, with Student's t intervals over the permutations."""
    metric = str(document.get("metric", "the metric"))
    repeats = max((len(one) for one in document.get("losses") or ()), default=0)
    spreads = _spreads(document, repeats)
    shown = {
        "Metric": metric + ("" if document.get("larger_is_better", True) else ", the smaller the better"),
        "Its value as the rows are": told(document.get("baseline")),
        "Rows": told(document.get("rows")),
        "Permutations of each feature": told(repeats or None),
    }
    picture = Picture(
        partial(figures.bars, spreads, f"how much worse {metric} gets"),
        alt="Importances: " + ", ".join(f"{one.name} {number(one.value)}" for one in spreads[:5]) + ".",
        caption=f"The line is the {LEVEL:.0%} interval over permutations: how far those drawn are from all others.",
    )
    reason = str(document.get("reason") or "")
    return Panel(
        "feature_importance",
        "Permutation feature importance",
        lead=f"How much worse {metric} gets when the values of a feature change rows.",
        warnings=(f"There are no importances: {reason}",) if reason else (),
        facts=tuple((name, words) for name, words in shown.items() if words),
        pictures=(picture,) if spreads else (),
        notes=_left_out(len(document.get("features") or ()) - len(spreads), "feature") if spreads else (),
    )


def _spreads(document: Mapping[str, Any], repeats: int) -> list[Spread]:
    from scipy import stats

    values = document.get("importances") or ()
    errors = document.get("standard_errors") or [None] * len(values)
    known = {
        str(name): (value, error)
        for name, value, error in zip(document.get("features") or (), values, errors, strict=False)
        if value is not None
    }
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, repeats - 1)) if repeats > 1 else math.nan
    found = []
    for name in sorted(known, key=lambda one: (-known[one][0], one))[:SHOWN_FEATURES]:
        value, error = known[name]
        half = math.nan if error is None else reach * error
        ends = (None, None) if math.isnan(half) else (value - half, value + half)
        found.append(Spread(name, value, *ends))
    return found


def effects_panel(entries: Sequence[Mapping[str, Any]], smallest: int) -> Panel:
    """Accumulated local effects, a list of `AccumulatedEffects.to_json`.

    Categories that are known to have fewer than `smallest` rows are left out.
    """
    pictures, notes = [], _errors(entries)
    for entry in _drawn(entries):
        if entry.get("data_type") == "numerical":
            pictures.append(_numerical_effect(entry))
        else:
            picture, left_out = _categorical_effect(entry, smallest)
            pictures += [picture] if picture else []
            notes += [left_out] if left_out else []
    return Panel(
        "accumulated_effects",
        "Accumulated local effects",
        lead="How the output moves with a feature where there are rows: a row is moved no further than to its neighbouring value.",
        pictures=tuple(pictures[:MOST_FIGURES]),
        notes=(*notes, *_left_out(len(pictures) - MOST_FIGURES, "feature")),
    )


def _numerical_effect(entry: Mapping[str, Any]) -> Picture:
    feature, points = str(entry["feature_name"]), entry["feature_values"]
    rows = entry.get("interval_rows") or ()
    curves = []
    for place, values in enumerate(entry["effects"]):
        errors = accumulated_errors((entry.get("standard_errors") or {place: ()})[place], rows)
        low, high = (None, None)
        if errors is not None:
            low = [value - 2 * error for value, error in zip(values, errors, strict=True)]
            high = [value + 2 * error for value, error in zip(values, errors, strict=True)]
        curves.append(Curve(_header(entry, place), values, low, high))
    banded = any(one.low is not None for one in curves)
    return Picture(
        partial(figures.effect, feature, points, curves, rows, numerical=True, axis="effect on the output"),
        alt=f"Effect of {feature}: {_course(points, curves)}.",
        caption=f"{_course(points, curves)}. {'The band is two standard errors; the' if banded else 'The'} bars show where the rows are.",
        wide=False,
    )


def accumulated_errors(errors: Sequence[float | None], rows: Sequence[int]) -> list[float] | None:
    """Standard errors of accumulated effects, from those of the steps; None where one is not known.

    An effect is the sum of the steps up to it, less the mean over the rows, of which each is taken to be in the middle of its
    interval. Steps are over different rows, and so independent.

    Args:
        errors: (points - 1,) of the steps.
        rows: (points - 1,) that each was taken over.
    """
    total = sum(rows)
    if not total or len(errors) != len(rows) or any(one is None for one in errors):
        return None
    beyond = [(sum(rows[step + 1 :]) + rows[step] / 2) / total for step in range(len(rows))]
    return [
        math.sqrt(
            sum(
                (((step < point) - beyond[step]) * error) ** 2 for step, error in enumerate(errors) if error is not None
            )
        )
        for point in range(len(rows) + 1)
    ]


def _categorical_effect(entry: Mapping[str, Any], smallest: int) -> tuple[Picture | None, str]:
    feature, points = str(entry["feature_name"]), entry["feature_values"]
    rows = entry.get("interval_rows") or ()
    # A step is taken over the rows of both its categories: neither has more.
    most = [min(rows[max(0, at - 1) : at + 1], default=smallest) for at in range(len(points))]
    kept = [at for at in range(len(points)) if most[at] >= smallest]
    few = len(points) - len(kept)
    if len(kept) > SHOWN_CATEGORIES and not are_numbers(points):
        far = sorted(kept, key=lambda at: -max(abs(curve[at]) for curve in entry["effects"]))[:SHOWN_CATEGORIES]
        kept = sorted(far)
    if are_numbers(points):
        kept = sorted(kept, key=lambda at: points[at])
    left = (
        f"{feature}: {counted(few, 'category', 'categories')} of fewer than {smallest} rows not shown." if few else ""
    )
    if not kept:
        return None, left
    curves = [
        Curve(_header(entry, place), [values[at] for at in kept]) for place, values in enumerate(entry["effects"])
    ]
    named = [points[at] for at in kept]
    hidden = len(points) - few - len(kept)
    picture = Picture(
        partial(figures.effect, feature, named, curves, (), numerical=False, axis="effect on the output"),
        alt=f"Effect of {feature}: {_course(named, curves)}.",
        caption=f"{_course(named, curves)}{f'; the {len(kept)} categories with the largest effects' if hidden else ''}.",
        wide=False,
    )
    return picture, left


def curves_panel(entries: Sequence[Mapping[str, Any]], smallest: int) -> Panel:
    """Individual conditional expectation in quantiles, a list of `IndividualCurves.to_json`."""
    pictures, notes = [], _errors(entries)
    for entry in _drawn(entries, "mean"):
        if entry.get("rows", smallest) < smallest:
            notes.append(f"{entry['feature_name']}: of fewer than {smallest} rows, not shown.")
        else:
            pictures += [_band(entry, place) for place in range(len(entry["mean"]))]
    rows, total = (entries[0].get(key) for key in ("rows", "rows_in_all")) if entries else (None, None)
    sample = f" Of {rows:,} of the {total:,} rows." if rows and total and rows < total else ""
    return Panel(
        "individual_curves",
        "Individual curves around partial dependence",
        lead="How the output of single rows moves as a feature is set to each value: wide bands are rows that differ, and bands that"
        f" are not parallel to the mean are interactions.{sample}",
        pictures=tuple(pictures[:MOST_FIGURES]),
        notes=(*notes, *_left_out(len(pictures) - MOST_FIGURES, "figure")),
    )


def _band(entry: Mapping[str, Any], output: int) -> Picture:
    feature, points = str(entry["feature_name"]), entry["feature_values"]
    numerical = entry.get("data_type") == "numerical"
    kept = list(range(len(points))) if numerical else shown_categories(points)
    mean = [entry["mean"][output][at] for at in kept]
    bands = {float(share): [band[output][at] for at in kept] for share, band in (entry.get("quantiles") or {}).items()}
    middle = bands.pop(0.5, None)
    several = len(entry["mean"]) > 1
    axis = f"output {_header(entry, output)}" if several else "output"
    if entry.get("centred"):
        axis += ", from the first point"
    named = [points[at] for at in kept]
    course = _course(named, [Curve(_header(entry, output), mean)])
    spread = "" if middle is None else f"; the median goes from {number(min(middle))} to {number(max(middle))}"
    return Picture(
        partial(figures.quantile_bands, feature, named, mean, bands, numerical=numerical, axis=short(axis, 34)),
        alt=f"Curves over {feature}: the mean of {course}{spread}.",
        caption=f"Mean of {course}.",
        wide=False,
    )


def surrogate_panel(document: Mapping[str, Any]) -> Panel:
    """A surrogate, `Surrogate.to_json`."""
    fidelity = document.get("fidelity") or {}
    reasons = fidelity.get("reasons") or {}
    names = {"r2": "Variance repeated (R2)", "accuracy": "Same label", "kappa": "Same label beyond chance (kappa)"}
    shown = {
        "Surrogate": str(document.get("kind", "")).replace("_", " "),
        "Repeats": str(document.get("target", "")).replace("_", " "),
        **{title: told(fidelity.get(key)) or str(reasons.get(key, "")) for key, title in names.items()},
        "Trained on": "" if document.get("trained_rows") is None else counted(document["trained_rows"], "row"),
        "Judged on": "" if fidelity.get("rows") is None else counted(fidelity["rows"], "row"),
    }
    pairs = dict(zip(map(str, document.get("features") or ()), document.get("importances") or (), strict=False))
    top = [Spread(name, value) for name, value in ranked(pairs, SHOWN_FEATURES) if value]
    picture = Picture(
        partial(figures.bars, top, f"share of {document.get('importance_of') or 'importance'}"),
        alt="What the surrogate goes by: " + ", ".join(f"{one.name} {number(one.value)}" for one in top[:5]) + ".",
        caption="What the surrogate goes by; it is the model's only as far as the surrogate repeats the model.",
    )
    return Panel(
        "surrogate",
        "Surrogate",
        lead="A simple model trained to repeat this one, judged on rows that it has not seen.",
        warnings=tuple(map(str, document.get("warnings") or ())),
        facts=tuple((name, words) for name, words in shown.items() if words),
        pictures=(picture,) if top else (),
        text=str(document.get("rules") or ""),
    )


def stability_panel(document: Mapping[str, Any]) -> Panel:
    """How alike the rankings of repeated explanations are: by what differs, a `RankStability`."""
    those, facts, warnings = [], [], []
    for over, one in document.items():
        name = {"seed": "other seeds", "baseline": "other baselines"}.get(over, over)
        if one.get("reason"):
            warnings.append(f"{name}: {one['reason']}")
        count = one.get("explanations")
        if count is not None:
            rows = "" if one.get("rows") is None else f" of {counted(one['rows'], 'row')}"
            facts.append((f"With {name}", f"{counted(count, 'explanation')}{rows}"))
        overlap = f"share of top {one['top']}" if one.get("top") else "share of the top"
        for key, title, low in (
            ("kendall", "Kendall's tau", one.get("lowest_kendall")),
            ("spearman", "Spearman", None),
            ("top_overlap", overlap, None),
        ):
            if one.get(key) is not None:
                those.append(Spread(f"{name}: {title}", one[key], low))
    picture = Picture(
        partial(figures.rankings, those),
        alt="How alike rankings are: " + ", ".join(f"{one.name} {number(one.value)}" for one in those) + ".",
        caption="The dot is the mean over pairs of explanations; the line goes down to the pair that differs most.",
    )
    return Panel(
        "stability",
        "Stability of the ranking",
        lead="Whether the same features come out on top when the explanation is made again.",
        warnings=tuple(warnings),
        facts=tuple(facts),
        pictures=(picture,) if those else (),
    )


def _drawn(entries: Iterable[Mapping[str, Any]], key: str = "effects") -> list[Mapping[str, Any]]:
    return [one for one in entries if one.get(key) and one.get("feature_values") and "feature_name" in one]


def _errors(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{one.get('feature_name', '')}: {one['error']}." for one in entries if one.get("error")]


def _header(entry: Mapping[str, Any], place: int) -> str:
    headers = entry.get("label_headers") or ()
    return str(headers[place]) if place < len(headers) else f"label{place}"


def _course(points: Sequence[Any], curves: Sequence[Curve]) -> str:
    """Where each curve is lowest and highest, in words."""
    found = []
    for curve in curves:
        low, high = min(curve.values), max(curve.values)
        at = [points[list(curve.values).index(one)] for one in (low, high)]
        if low == high:
            found.append(f"{curve.name} {number(low)} everywhere")
            continue
        found.append(f"{curve.name} from {number(low)} at {at[0]} to {number(high)} at {at[1]}")
    return "; ".join(found)


def _left_out(count: int, what: str) -> tuple[str, ...]:
    return (f"{counted(count, 'more ' + what)} in metrics.json.",) if count > 0 else ()
