"""What people see of evidence: what was checked, and which numbers came out otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from clarify_ops.cli.show import standard_output

if TYPE_CHECKING:
    from clarify_ops.gate.verify import Check, Verification
    from clarify_ops.steps.replay import Replay

_COLOURS = {"OK": "green", "FALSE": "red", "NOT CHECKED": "yellow"}


def show_verification(found: Verification) -> None:
    """A line for every fact and for every file that is false; files that are right are counted by their folder."""
    console = standard_output()
    table = Table(title=f"Evidence in {found.where}", title_justify="left")
    for name in ("checked", "result", "why"):
        table.add_column(name, overflow="fold")
    for one in _short(found.checks):
        table.add_row(Text(one.what), Text(one.state, style=_COLOURS[one.state]), Text(one.note))
    console.print(table)
    console.print(Text(f"Evidence digest   {found.digest}"), soft_wrap=True)
    if found.statement is not None:
        console.print(Text(f"Statement digest  {found.statement}"), soft_wrap=True)
    console.print(Text(f"Verdict           {found.outcome}"), soft_wrap=True)
    console.print(Text(f"Signature         {found.signature}"), soft_wrap=True)
    false = found.false
    said = f"{len(false)} of {len(found.checks)} checks are false: {', '.join(one.what for one in false)}."
    words = said if false else "All that was checked holds."
    console.print(Text(words, style="bold red" if false else "bold green"), soft_wrap=True)


def _short(checks: tuple[Check, ...]) -> list[Check]:
    """The checks, with many files of one folder and one state as one line."""
    from clarify_ops.gate.verify import Check

    groups: dict[tuple[str, str, str], list[Check]] = {}
    for one in checks:
        folder = str(Path(one.what).parent) if "/" in one.what else one.what
        # What is false is always named.
        groups.setdefault((one.what if one.state == "FALSE" else folder, one.state, one.note), []).append(one)
    return [
        Check(f"{folder}: {len(members)} files", members[0].state, members[0].note) if len(members) > 1 else members[0]
        for (folder, _, _), members in groups.items()
    ]


def show_replay(found: Replay) -> None:
    """The numbers that came out otherwise, and how many were compared."""
    console = standard_output()
    if found.differences:
        table = Table(title="Numbers that came out otherwise", title_justify="left")
        for name in ("number", "claimed", "recomputed", "tolerance"):
            table.add_column(name, overflow="fold")
        for one in found.differences:
            table.add_row(Text(one.what), Text(one.claimed), Text(one.found), Text(one.tolerance))
        console.print(table)
    for note in found.notes:
        console.print(Text(note), soft_wrap=True)
    said = f"{len(found.differences)} of {found.compared} numbers came out otherwise."
    equal = f"All {found.compared} numbers came out as claimed."
    words, style = (said, "bold red") if found.differences else (equal, "bold green")
    console.print(Text(words, style=style), soft_wrap=True)
