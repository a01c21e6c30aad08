"""What people see on standard output: verdicts, and where everything is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.measures import Interval, Measure

if TYPE_CHECKING:
    from clarify_ops.analysis.results import Analysis
    from clarify_ops.steps.register import Outcome

_MOST_ROWS = 80
_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}


def show_outcome(outcome: Outcome) -> None:
    """The verdict, and where everything is."""
    from clarify_ops.steps import register
    from clarify_ops.steps.stating import SIGNED, STATEMENT

    show_verdict(outcome.verdict)
    console = standard_output()
    folder, registration = outcome.result.folder, outcome.registration
    places = [("Report", str(folder / register.REPORT)), ("Model card", str(folder / register.CARD))]
    signed = folder / SIGNED
    places.append(("Evidence", str(signed) if signed.is_file() else f"{folder / STATEMENT}, unsigned"))
    if registration.version is not None:
        places.append(("Registered", f"models:/{registration.model}/{registration.version} as {registration.alias}"))
    else:
        places.append(("Registered", "nothing"))
    places.append(("Run", registration.note or f"{registration.run} in {registration.registry}"))
    if registration.look:
        places.append(("Look at it", registration.look))
    for name, place in places:
        console.print(Text(f"{name:<11} {place}"), soft_wrap=True)


def show_verdict(verdict: Verdict) -> None:
    """The verdict, check by check, then every check that does not pass in a sentence, then the waivers."""
    console = standard_output()
    if verdict.judgements:
        console.print(_table(verdict))
    for one in verdict.judgements:
        if one.outcome != "PASS":
            console.print(Text(_sentence(one), style=_COLOURS[one.outcome]), soft_wrap=True)
    for one in verdict.judgements:
        if one.waiver is not None:
            console.print(Text(_waiver(one)), soft_wrap=True)
    console.print(
        Text(f"Verdict: {verdict.outcome}. {verdict.reason}", style=f"bold {_COLOURS[verdict.outcome]}"), soft_wrap=True
    )


def _table(verdict: Verdict) -> Table:
    table = Table(title=f"Policy {verdict.policy}", title_justify="left")
    for name in ("check", "metric", "about"):
        table.add_column(name, overflow="fold")
    for name in ("value", f"{verdict.confidence:.0%} interval", "bound", "rows"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    for one in verdict.judgements:
        outcome = f"{one.outcome}, waived" if one.waived else one.outcome
        cells = (
            one.rule,
            one.metric,
            one.subject,
            number(one.value),
            interval_text(one.interval),
            one.bound,
            rows_text(one),
        )
        table.add_row(*(Text(cell) for cell in cells), Text(outcome, style=_COLOURS[one.outcome]))
    return table


def _sentence(one: Judgement) -> str:
    value = "no value" if one.value is None else f"value {number(one.value)}, interval {interval_text(one.interval)}"
    return f"{one.outcome} {one.rule}: {one.metric} for {one.subject}: {value}, bound {one.bound}, rows {rows_text(one)}. {one.reason}"


def _waiver(one: Judgement) -> str:
    waiver = one.waiver
    if waiver is None:
        return ""
    return (
        f"Waiver of {one.rule} for {one.subject} up to {waiver.up_to:g}, granted {waiver.granted} by {waiver.approver} for"
        f" {waiver.author}: {waiver.note}. {waiver.reason}"
    )


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
        table.add_row("quality", quality.name, "0 to 1", "", Text(f"{quality.title}. {quality.reading}"))
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
