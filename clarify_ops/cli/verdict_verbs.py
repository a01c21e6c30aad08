"""`show`: a verdict that was reached before, again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clarify_ops.cli.verdict_options import Annotations, Explain, Junit, Markdown, Sarif


def show(
    verdict: Annotated[
        Path, typer.Argument(help="A verdict.json, or the folder of a gate, register or run.", show_default=False)
    ],
    *,
    policy: Annotated[
        Path | None, typer.Option(help="The policy, for the forms that point at its rules.", show_default=False)
    ] = None,
    explain: Explain = False,
    junit: Junit = None,
    markdown: Markdown = None,
    sarif: Sarif = None,
    annotations: Annotations = False,
) -> None:
    """Show a verdict that was reached before; with --explain, tell why in words.

    Example: clarify-ops show runs/mortgage-approval --explain

    Exits with 0 whatever the verdict says: nothing is judged here.
    """
    from clarify_ops.analysis.results import read_measures
    from clarify_ops.cli.verdict_files import VerdictFiles
    from clarify_ops.gate.reading import VERDICT_FILE, read_verdict

    files = VerdictFiles(junit, markdown, sarif, annotations, explain).check()
    places = [verdict / part / VERDICT_FILE for part in ("", "release", "gate")] if verdict.is_dir() else [verdict]
    file = next((place for place in places if place.is_file()), places[0])
    found = read_verdict(file)
    beside = file.parent / "metrics.json"
    files.show(found, read_measures(beside) if beside.is_file() else (), None, policy)
