"""What people see: progress on standard error, verdicts and places on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.measures import Interval
from clarify_ops.steps import register

_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}
# In a log, a counter that goes up is worth a line now and then.
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Tells what is being done: a moving line on a terminal, a line a piece of work in a log."""

    def __init__(self, steps: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._steps = steps
        self._current = ""
        self._since = self._said = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()
        if kind is None:
            self._finish()

    def __call__(self, number: int, step: str, words: str) -> None:
        """Told by a run: number of the step, its name, what is being done."""
        title = f"[{number}/{self._steps}] {step}" if self._steps > 1 else step
        now = time.monotonic()
        new_step = title != self._current
        if new_step:
            self._finish()
            self._current, self._since = title, now
        line = f"{title}: {words}"
        if self._status is not None:
            self._status.update(Text(line))
        elif new_step or not words.startswith("explained") or now - self._said >= _SECONDS_BETWEEN_LINES:
            self._console.print(Text(line), soft_wrap=True)
            self._said = now

    def of(self, step: str) -> Callable[[str], None]:
        """For a step that runs alone."""
        return lambda words: self(1, step, words)

    def _finish(self) -> None:
        if self._current:
            took = time.monotonic() - self._since
            self._console.print(Text(f"{self._current}: done in {took:.1f} s", style="dim"), soft_wrap=True)


def show_outcome(outcome: register.Outcome) -> None:
    """The verdict, and where everything is."""
    show_verdict(outcome.verdict)
    console = _standard_output()
    folder, registration = outcome.result.folder, outcome.registration
    places = [("Report", str(folder / register.REPORT)), ("Model card", str(folder / register.CARD))]
    places.append(("Evidence", f"{folder / 'evidence.json'}"))
    if registration.version is not None:
        places.append(("Registered", f"models:/{registration.model}/{registration.version} as {registration.alias}"))
    else:
        places.append(("Registered", "nothing"))
    places.append(("Run", f"{registration.run} in {registration.registry}"))
    places.append(("Look at it", registration.look))
    for name, place in places:
        console.print(Text(f"{name:<11} {place}"), soft_wrap=True)


def show_verdict(verdict: Verdict) -> None:
    """The verdict, check by check, then every check that does not pass in a sentence, then the waivers."""
    console = _standard_output()
    if verdict.judgements:
        console.print(_table(verdict))
    for one in verdict.judgements:
        if one.outcome != "PASS":
            console.print(Text(_sentence(one), style=_COLOURS[one.outcome]), soft_wrap=True)
    for one in verdict.judgements:
        if one.waiver is not None:
            console.print(Text(_waiver(one)), soft_wrap=True)
    console.print(Text(f"Verdict: {verdict.outcome}. {verdict.reason}", style=f"bold {_COLOURS[verdict.outcome]}"), soft_wrap=True)


def _table(verdict: Verdict) -> Table:
    table = Table(title=f"Policy {verdict.policy}", title_justify="left")
    for name in ("check", "metric", "about"):
        table.add_column(name)
    for name in ("value", f"{verdict.confidence:.0%} interval", "bound", "rows"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    for one in verdict.judgements:
        outcome = f"{one.outcome}, waived" if one.waived else one.outcome
        cells = (one.rule, one.metric, one.subject, number(one.value), interval_text(one.interval), one.bound, rows_text(one))
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


def rows_text(one: Judgement) -> str:
    """Group sizes: disadvantaged against advantaged, or all."""
    groups = one.groups
    if "a" in groups:
        return f"{groups.get('d', 0)} vs {groups['a']}"
    return str(next(iter(groups.values()), "-"))


def show_metrics() -> None:
    """The table of metrics."""
    from clarify_ops.bias.table import METRICS
    from clarify_ops.quality.performance import QUALITY
    from clarify_ops.steps.notes import FACTS

    table = Table()
    for name in ("stage", "metric", "range", "parity", "title and reading"):
        table.add_column(name, overflow="fold")
    for fact in FACTS:
        table.add_row(Text(fact.stage), Text(fact.name), "", "", Text(f"{fact.note.title}. {fact.note.reading}"))
    for metric in METRICS:
        bounds = f"{metric.low:.3g} to {metric.high:.3g}"
        table.add_row(Text(metric.stage), metric.name, bounds, f"{metric.parity:g}", Text(f"{metric.description}. {metric.reading}"))
    for quality in QUALITY:
        table.add_row("quality", quality.name, "0 to 1", "", Text(f"{quality.title}. {quality.reading}"))
    _standard_output().print(table)


def _standard_output() -> Console:
    # A pipe has no width; a table of results must not be squeezed into 80 columns there.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 132)
