"""A verdict in the terminal: a table where there is room, a few lines a check where there is not, and in words."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clarify_ops.cli.show import interval_text, number, rows_text, standard_output
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.verdict_words import (
    accounts,
    chance,
    idle_waivers,
    needs_words,
    opening,
    outcome_words,
    title,
    visible,
    waiver_words,
    what_next,
)

_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}
# Narrower, and the numbers of the table are broken over lines.
_TABLE_COLUMNS = 118


def show_verdict(verdict: Verdict) -> None:
    """The verdict, check by check, then every check that does not pass in a sentence, then the waivers."""
    console = standard_output()
    if verdict.judgements and console.width >= _TABLE_COLUMNS:
        console.print(_table(verdict))
    elif verdict.judgements:
        _list(console, verdict)
    for one in verdict.judgements:
        if one.outcome != "PASS":
            _say(console, _sentence(one), _COLOURS[one.outcome])
    for one in verdict.judgements:
        if one.waiver is not None:
            _say(console, f"{title(one)}: {waiver_words(one)}")
    _end(console, verdict)


def explain_verdict(verdict: Verdict, notes: Mapping[str, MetricNote]) -> None:
    """Why, in words: for each check what was asked and found, how sure that is, and what would decide it; then what follows.

    Args:
        verdict: The verdict.
        notes: How each metric is to be read, by its name.
    """
    console = standard_output()
    for one, account in zip(verdict.judgements, accounts(verdict, notes), strict=True):
        console.print(Text(f"{account.outcome}  {account.title}", style=f"bold {_COLOURS[one.outcome]}"))
        for name, words in account.parts:
            console.print(Padding(Text.assemble((f"{name}: ", "bold"), words), (0, 0, 0, 2), expand=False))
        console.print()
    _end(console, verdict)
    for sentence in what_next(verdict):
        console.print(Text(sentence))


def _end(console: Console, verdict: Verdict) -> None:
    for sentence in idle_waivers(verdict):
        _say(console, sentence)
    _say(console, opening(verdict), f"bold {_COLOURS[verdict.outcome]}")


def _say(console: Console, words: str, style: str = "") -> None:
    console.print(Text(words, style=style), soft_wrap=True)


def _table(verdict: Verdict) -> Table:
    table = Table(title=Text(f"Policy {verdict.policy}"), title_justify="left")
    for name in ("check", "metric", "about"):
        table.add_column(name, overflow="fold")
    for name in ("value", f"{verdict.confidence:.0%} interval", "bound", "rows"):
        table.add_column(name, justify="right")
    tested = any(one.p_value is not None for one in verdict.judgements)
    if tested:
        corrected = any(one.adjusted_p not in {None, one.p_value} for one in verdict.judgements)
        table.add_column("p (corrected)" if corrected else "p", justify="right")
    families = any(one.family not in {"", one.rule} for one in verdict.judgements)
    if families:
        table.add_column("family", overflow="fold")
    table.add_column("outcome")
    for one in verdict.judgements:
        cells = [
            one.rule,
            one.metric,
            one.subject,
            number(one.value),
            interval_text(one.interval),
            one.bound,
            rows_text(one),
            *([_p(one)] if tested else []),
            *([one.family] if families else []),
        ]
        table.add_row(*(Text(visible(cell)) for cell in cells), Text(outcome_words(one), style=_COLOURS[one.outcome]))
    return table


def _list(console: Console, verdict: Verdict) -> None:
    console.print(Text(f"Policy {verdict.policy}", style="italic"))
    for one in verdict.judgements:
        console.print(Text.assemble((outcome_words(one), _COLOURS[one.outcome]), "  ", title(one)))
        said = [f"{number(one.value)} {interval_text(one.interval)}", f"bound {one.bound}", f"rows {rows_text(one)}"]
        console.print(
            Padding(Text("; ".join(part for part in (*said, chance(one)) if part)), (0, 0, 0, 2), expand=False)
        )


def _p(one: Judgement) -> str:
    if one.p_value is None:
        return "-"
    told = [f"{p:.3f}" if p >= 0.001 else "<0.001" for p in (one.p_value, one.adjusted_p) if p is not None]
    return told[0] if one.adjusted_p in {None, one.p_value} else f"{told[0]} ({told[1]})"


def _sentence(one: Judgement) -> str:
    value = "no value" if one.value is None else f"value {number(one.value)}, interval {interval_text(one.interval)}"
    family = f" in the family {one.family}" if one.family not in {"", one.rule} else ""
    sure = f" {chance(one)}{family}." if one.p_value is not None else ""
    return visible(
        f"{one.outcome} {one.rule}: {one.metric} for {one.subject}: {value}, bound {one.bound}, rows {rows_text(one)}."
        f" {one.reason}{sure} {needs_words(one)}"
    )
