"""The options of every verb that has a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Explain = Annotated[
    bool, typer.Option("--explain", help="Tell in words why, and what would decide it, in place of the table.")
]
Junit = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the verdict as JUnit XML as well.", show_default=False)
]
Markdown = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the verdict as Markdown for a pull request as well.", show_default=False),
]
Sarif = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the verdict as SARIF 2.1.0 as well.", show_default=False)
]
Annotations = Annotated[
    bool,
    typer.Option(
        "--annotations", help="Print the verdict as annotations of GitHub Actions as well, at the rules of the policy."
    ),
]
