"""The option that gives a model which was trained elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URI",
        help="A model that was trained elsewhere, where the pipeline says so: the folder or URI of an MLflow model, an archive"
        " (model.tar.gz) of one, or a folder that holds the archive.",
        show_default=False,
    ),
]
