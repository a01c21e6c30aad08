"""`publish`: report, card and verdict where people look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clarify_ops.cli import given


def publish(
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="URI",
            help="Folder or prefix that the run has for itself, and that people can read.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder to write.", show_default=False)],
    release: Annotated[
        Path | None,
        typer.Option(
            help="Output folder of the gate or the register step; where there is none, a page says how far the run came.",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(help="How the run ended, in the orchestrator's words.", show_default=False, callback=given.text),
    ] = None,
    message: Annotated[
        str | None, typer.Option(help="Why it ended so.", show_default=False, callback=given.text)
    ] = None,
) -> None:
    """Put report, card and verdict where people look, and say how the run ended, however it ended.

    Example: clarify-ops publish --release run/gate --to s3://reports/2026-11-21 --output run/published

    Refused and broken runs are published as well. Without a release, a report that stands there already stays, and only the
    state is added: that is how an exit handler uses it.
    """
    from clarify_ops.cli.progress import Progress
    from clarify_ops.steps import publish as step

    with Progress(1) as progress:
        found = step.run(output, to=to, release=release, state=state, message=message, progress=progress.of(step.NAME))
    typer.echo(f"{found.place.rstrip('/')}/{step.PAGE}")
