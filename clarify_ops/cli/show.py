"""What people see on standard output: metrics, analyses, and where everything is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Interval, Measure

if TYPE_CHECKING:
    from clarify_ops.analysis.results import Analysis
    from clarify_ops.steps.register import Outcome

_MOST_ROWS = 80


def show_places(outcome: Outcome) -> None:
    """Where everything is."""
    from clarify_ops.card.attached import CARD, REPORT
    from clarify_ops.steps.stating import SIGNED, STATEMENT

    console = standard_output()
    folder, registration = outcome.result.folder, outcome.registration
    places = [("Report", str(folder / REPORT)), ("Model card", str(folder / CARD))]
    signed = folder / SIGNED
    places.append(("Evidence", str(signed) if signed.is_file() else f"{folder / STATEMENT}, unsigned"))
    if registration.version is not None:
        # SageMaker knows groups and versions; models:/ is how MLflow spells them.
        known = ("", ", version ") if registration.registry.startswith("s3://") else ("models:/", "/")
        name = f"{known[0]}{registration.model}{known[1]}{registration.version}"
        places.append(("Registered", name if registration.alias is None else f"{name} as {registration.alias}"))
    else:
        places.append(("Registered", "nothing"))
    places.append(("Run", registration.note or f"{registration.run} in {registration.registry}"))
    if registration.look:
        places.append(("Look at it", registration.look))
    for name, place in places:
        console.print(Text(f"{name:<11} {place}"), soft_wrap=True)


def number(value: float | None) -> str:
    """Four significant digits; counts whole.

    >>> number(0.123456), number(1989.0), number(None)
    ('0.1235', '1989', '-')
    """
    if value is None:
        return "-"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"


def interval_text(interval: Interval | None) -> str:
    """Both ends, or a dash where there is none."""
    return "-" if interval is None else f"[{interval.low:.3g}, {interval.high:.3g}]"


def rows_text(one: Judgement | Measure) -> str:
    """Group sizes: disadvantaged against advantaged, or all."""
    groups = one.groups
    if "a" in groups:
        return f"{groups.get('d', 0)} vs {groups['a']}"
    return str(next(iter(groups.values()), "-"))


def show_metrics() -> None:
    """The table of metrics."""
    from clarify_ops.analysis.notes import FACTS
    from clarify_ops.bias.table import METRICS
    from clarify_ops.quality.performance import QUALITY

    table = Table()
    for name in ("stage", "metric", "range", "parity", "title and reading"):
        table.add_column(name, overflow="fold")
    for fact in FACTS:
        table.add_row(Text(fact.stage), Text(fact.name), "", "", Text(f"{fact.note.title}. {fact.note.reading}"))
    for metric in METRICS:
        bounds = f"{metric.low:.3g} to {metric.high:.3g}"
        table.add_row(
            Text(metric.stage),
            metric.name,
            bounds,
            f"{metric.parity:g}",
            Text(f"{metric.description}. {metric.reading}"),
        )
    for quality in QUALITY:
        bounds = f"{quality.low:.3g} to {quality.high:.3g}"
        parity = "" if quality.parity is None else f"{quality.parity:g}"
        table.add_row("quality", quality.name, bounds, parity, Text(f"{quality.title}. {quality.reading}"))
    standard_output().print(table)


def standard_output() -> Console:
    """Where results go."""
    # A pipe has no width; a table of results must not be squeezed into 80 columns there.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def show_analysis(analysis: Analysis) -> None:
    """The metrics facet value by facet value, and where everything is."""
    console = standard_output()
    told = [one for one in analysis.measures if one.facet is not None]
    if told:
        table = Table()
        for name in ("about", "metric"):
            table.add_column(name, overflow="fold")
        for name in ("value", "interval", "rows"):
            table.add_column(name, justify="right")
        for one in told[:_MOST_ROWS]:
            unsure = "" if one.interval is None or one.interval.reliable else " ?"
            table.add_row(
                Text(one.subject), one.metric, number(one.value), interval_text(one.interval) + unsure, rows_text(one)
            )
        console.print(table)
        if len(told) > _MOST_ROWS:
            console.print(f"and {len(told) - _MOST_ROWS:,} more in metrics.json")
        if any(one.interval is not None and not one.interval.reliable for one in told):
            console.print("? the interval is not reliable: too few rows in a cell that it rests on")
    for note in (*(one.warning for one in analysis.findings.kinds.values() if one.warning), *analysis.findings.notes):
        console.print(Text(note), soft_wrap=True)
    if analysis.folder is not None:
        for name in sorted(one.name for one in analysis.folder.iterdir()):
            console.print(Text(str(analysis.folder / name)), soft_wrap=True)
