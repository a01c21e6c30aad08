"""The options that the verbs of the steps share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clarify_ops.cli import given

Pipeline = Annotated[
    Path, typer.Option(help="The pipeline document (pipeline.yaml).", show_default=False, callback=given.document)
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="URI of the dataset, in place of the pipeline's.",
        show_default=False,
        callback=given.dataset,
    ),
]
Policy = Annotated[
    Path | None,
    typer.Option(help="A policy, in place of the pipeline's.", show_default=False, callback=given.document),
]
Output = Annotated[Path, typer.Option(help="Folder to write.", show_default=False)]
Training = Annotated[Path, typer.Option(help="Output folder of the train step.", show_default=False)]
PretrainingBias = Annotated[Path, typer.Option(help="Output folder of the pretraining-bias step.", show_default=False)]
PosttrainingBias = Annotated[
    Path, typer.Option(help="Output folder of the posttraining-bias step.", show_default=False)
]
Explanations = Annotated[Path, typer.Option(help="Output folder of the explain step.", show_default=False)]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URI",
        help="A model that was trained elsewhere, in place of fitting one: an MLflow model.",
        show_default=False,
        callback=given.text,
    ),
]
Champion = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="What the candidate is compared with, in place of the registry's champion: a model or predictions.",
        show_default=False,
        callback=given.text,
    ),
]
RegistryUri = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="The registry, in place of the pipeline's: an MLflow tracking URI, or S3.",
        show_default=False,
        callback=given.text,
    ),
]
SigningKey = Annotated[
    Path | None,
    typer.Option(
        help="Private key (Ed25519, PEM) to sign the statement with; the environment variable CLARIFY_OPS_SIGNING_KEY"
        " names one as well. Make one with clarify-ops keygen.",
        show_default=False,
    ),
]
NoFail = Annotated[
    bool,
    typer.Option(
        "--no-fail",
        envvar="CLARIFY_OPS_NO_FAIL",
        help="Exit with 0 whatever the verdict, for an orchestrator that branches on it.",
    ),
]
VerdictFile = Annotated[
    Path | None,
    typer.Option(
        "--verdict",
        help="A verdict computed before; it must equal the one computed here.",
        show_default=False,
        callback=given.document,
    ),
]
Evidence = Annotated[
    Path | None,
    typer.Option(
        help="Evidence made before; it must equal the one made here.", show_default=False, callback=given.document
    ),
]
