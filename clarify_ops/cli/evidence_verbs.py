"""The verbs about evidence: verify it, make its numbers again, make a key."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clarify_ops.errors import BadInput

if TYPE_CHECKING:
    from clarify_ops.registry.protocol import RegisteredVersion, Registry

RegistryUri = Annotated[
    str | None,
    typer.Option(
        metavar="URI", help="Registry that has the version; MLFLOW_TRACKING_URI by default.", show_default=False
    ),
]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="Registered model.", show_default=False)]
Version = Annotated[str | None, typer.Option(metavar="N", help="Version of the registered model.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Makes the verbs known to the command line."""
    app.command()(verify)
    app.command()(replay)
    app.command()(keygen)


def verify(  # noqa: PLR0917 - options, which typer hands over by name
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|EVIDENCE",
            help="Folder of a run or of a release, or one file: statement.dsse.json, statement.json or evidence.json.",
            show_default=False,
        ),
    ],
    key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) that must have signed it.", show_default=False)
    ] = None,
    require_signature: Annotated[  # noqa: FBT002 - typer makes a switch of it
        bool, typer.Option("--require-signature", help="Refuse what is unsigned, or was not checked with a key.")
    ] = False,
    registry_uri: RegistryUri = None,
    model: Model = None,
    version: Version = None,
    on: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day (UTC) on which it must hold, in place of today.", show_default=False
        ),
    ] = None,
    model_signature: Annotated[
        Path | None,
        typer.Option(help="Signature of the model's files, made by sigstore's model-signing.", show_default=False),
    ] = None,
    model_key: Annotated[
        Path | None, typer.Option(help="Public key (elliptic curve, PEM) of that signature.", show_default=False)
    ] = None,
) -> None:
    """Check evidence: every file by its digest, the signature, and the digests that a registry has.

    Example: clarify-ops verify runs/mortgage-approval --key release.pem.pub

    Exit status: 0 all that was checked holds; 3 something is false, and is named; 2 the evidence is cut short or is none;
    5 the registry failed.
    """
    from clarify_ops.cli.show_evidence import show_verification
    from clarify_ops.steps.verifying import verify as work

    if (model_signature is None) != (model_key is None):
        raise BadInput("A signature of the model and its key go together.", "Give --model-signature and --model-key.")
    found = work(
        path,
        key=key,
        require_signature=require_signature,
        version=_asked_version(registry_uri, model, version),
        on=None if on is None else on.replace(tzinfo=datetime.UTC),
        model_signature=(model_signature, model_key) if model_signature and model_key else None,
    )
    show_verification(found)
    raise typer.Exit(found.exit_status)


def replay(  # noqa: PLR0917 - options, which typer hands over by name
    folder: Annotated[Path | None, typer.Argument(help="Folder of a run or of a release.", show_default=False)] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="URI", help="URI of the dataset, in place of the pipeline's.", show_default=False),
    ] = None,
    keep_model: Annotated[  # noqa: FBT002 - typer makes a switch of it
        bool,
        typer.Option("--keep-model", help="Take model and predictions of the run as they are, and do not train again."),
    ] = False,
    champion: Annotated[
        str | None,
        typer.Option(help="What it was compared with, in place of the champion's kept answers.", show_default=False),
    ] = None,
    registry_uri: RegistryUri = None,
    model: Model = None,
    version: Version = None,
    trust_model: Annotated[  # noqa: FBT002 - typer makes a switch of it
        bool,
        typer.Option(
            "--trust-model",
            envvar="CLARIFY_OPS_TRUST_MODEL",
            help="Open a model that was trained elsewhere though reading it runs what is in it, as the run's pipeline says.",
        ),
    ] = False,
) -> None:
    """Make the numbers of a run again from its pipeline and data, and compare them with those that it claims.

    Example: clarify-ops replay runs/mortgage-approval

    Without a folder, what was registered as a version is brought from the registry. Exit status: 0 every number is equal
    within the tolerance that the evidence states; 3 some are not, and are named.
    """
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.show_evidence import show_replay
    from clarify_ops.steps import replay as step

    if (folder is None) == (model is None):
        raise BadInput("Nothing says what to replay.", "Give a folder, or --model and --version of a registry.")
    if folder is None and keep_model:
        raise BadInput("No registry has the predictions of a run.", "Leave out --keep-model, or give the run's folder.")
    with Progress(1) as progress:
        same: dict[str, Any] = {"data": data, "champion": champion, "trust_model": trust_model}
        same["progress"] = progress.of("replay")
        if folder is not None:
            found = step.replay(folder, keep_model=keep_model, **same)
        else:
            found = step.replay_version(*_version_in(registry_uri, model, version), **same)
    show_replay(found)
    raise typer.Exit(found.exit_status)


def keygen(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the private key goes; the public one is FILE.pub.")
    ],
) -> None:
    """Make a key pair (Ed25519) to sign evidence with; nothing is overwritten.

    Keep the private key where the release job alone can read it, and hand out the public one.
    """
    from clarify_ops.gate.signing import make_keys

    private, public, identity = make_keys(path)
    typer.echo(f"{private}  private key, for its owner alone")
    typer.echo(f"{public}  public key {identity[:16]}")


def _asked_version(uri: str | None, model: str | None, version: str | None) -> RegisteredVersion | None:
    return None if uri is None and model is None and version is None else _version_in(uri, model, version)[1]


def _version_in(uri: str | None, model: str | None, version: str | None) -> tuple[Registry, RegisteredVersion]:
    from clarify_ops.steps.registries import find_registry
    from clarify_ops.steps.verifying import version_of

    if model is None or version is None:
        raise BadInput("A registry has many versions.", "Name one with --model and --version.")
    registry = find_registry(uri=uri).registry
    return registry, version_of(registry, model, version)
