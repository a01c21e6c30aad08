"""`promote`, `rollback` and `audit`: who is champion, since when, and whether that is deserved."""

from __future__ import annotations

import datetime
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clarify_ops.cli import given
from clarify_ops.errors import BadInput

if TYPE_CHECKING:
    from clarify_ops.registry.protocol import RegisteredVersion
    from clarify_ops.steps.registries import Found

Pipeline = Annotated[
    Path | None, typer.Option(help="A pipeline document, whose registry is meant.", show_default=False)
]
RegistryUri = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.",
        show_default=False,
        callback=given.text,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The registered model; by default the pipeline's.", show_default=False),
]
Alias = Annotated[str, typer.Option(metavar="NAME", help="The alias that moves.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the registry.", show_default=False)]
By = Annotated[
    str | None, typer.Option(metavar="WHO", help="Who says so; by default the user's name.", show_default=False)
]


def promote(
    version: Annotated[
        str, typer.Argument(help="Number of the version, or what it is called now: challenger.", show_default=False)
    ],
    *,
    reason: Reason,
    model: Model = None,
    alias: Alias = "champion",
    by: By = None,
    pipeline: Pipeline = None,
    registry_uri: RegistryUri = None,
) -> None:
    """Make a version the champion, if its evidence holds.

    Example: clarify-ops promote challenger --pipeline pipeline.yaml --reason "Approved by the committee on 3 March"

    All that was registered with the version is fetched and checked: the digest of the evidence, the verdict, the waivers of
    today, the documents, and every file of the model. If anything is wrong, nothing changes and the exit status is 3.
    """
    from clarify_ops.registry.promotion import promote as move
    from clarify_ops.steps.registries import find_registry

    place = find_registry(pipeline, registry_uri)
    name = _model(place, model)
    _show(move(place.registry, name, version, alias=alias, reason=reason, by=_who(by), today=_today()), alias)


def rollback(
    *,
    reason: Reason,
    model: Model = None,
    alias: Alias = "champion",
    by: By = None,
    pipeline: Pipeline = None,
    registry_uri: RegistryUri = None,
) -> None:
    """Give the alias back to the version that had it before.

    Example: clarify-ops rollback --pipeline pipeline.yaml --reason "Refusals doubled in the north"

    The version before must verify, as for promote; one that does not is passed over for the one before it. If there is
    none, nothing changes and the exit status is 3.
    """
    from clarify_ops.registry.promotion import rollback as move
    from clarify_ops.steps.registries import find_registry

    place = find_registry(pipeline, registry_uri)
    name = _model(place, model)
    _show(move(place.registry, name, alias=alias, reason=reason, by=_who(by), today=_today()), alias)


def audit(
    *,
    pipeline: Annotated[
        Path | None,
        typer.Option(help="A pipeline document, whose registry is meant.", show_default=False, callback=given.document),
    ] = None,
    registry_uri: RegistryUri = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The registered model; all models by default.", show_default=False, callback=given.text
        ),
    ] = None,
    demote: Annotated[
        bool,
        typer.Option(
            "--demote",
            envvar="CLARIFY_OPS_DEMOTE",
            help="Take the aliases from versions without valid evidence; remove no version.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json in place of words.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder to write audit.json to.", show_default=False)] = None,
) -> None:
    """List versions and aliases without valid evidence; exit with 3 when there are any.

    Example: clarify-ops audit --registry-uri http://mlflow:5000 --demote

    A registry cannot veto: whoever may write to it can make a version, move an alias or edit a report. So this verb looks at
    every version, fetches what was registered with it, and tells what does not hold; run it every night.
    """
    import json

    from clarify_ops.cli.progress import Progress
    from clarify_ops.steps import audit as step

    with Progress(1) as progress:
        found = step.run(
            output,
            pipeline=pipeline,
            registry_uri=registry_uri,
            model=model,
            demote=demote,
            progress=progress.of(step.NAME),
        )
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2, sort_keys=True))
    else:
        typer.echo("\n".join([*found.lines(), found.summary]))
    raise typer.Exit(found.exit_status)


def _show(found: RegisteredVersion, alias: str) -> None:
    typer.echo(f"{found.model} {found.version} is {alias}")


def _model(place: Found, model: str | None) -> str:
    name = model or place.model
    if name is None:
        raise BadInput("It is not said which model is meant.", "Give --model, or --pipeline.")
    return name


def _who(by: str | None) -> str:
    return by or getpass.getuser()


def _today() -> datetime.date:
    return datetime.datetime.now().astimezone().date()
