"""`policy init` and `policy check`: a first policy, and what is wrong with one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clarify_ops.errors import BadDocument, BadInput

if TYPE_CHECKING:
    from clarify_ops.measures import Measure

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write a first policy from an analysis, or check one before a run.",
)
_PARTS = ("", "release", "gate")
_STEPS = ("pretraining_bias", "posttraining_bias", "explanations")


@app.command()
def init(
    analysis: Annotated[
        Path,
        typer.Argument(help="A metrics.json, or the folder of an analysis, a step or a run.", show_default=False),
    ],
    output: Annotated[Path, typer.Option(help="File to write; one that exists is left alone.")] = Path("policy.yaml"),
    name: Annotated[str, typer.Option(help="Name of the policy.")] = "first-policy",
) -> None:
    """Write a first policy for what an analysis measured, with a comment for every line.

    Its bounds are conventions and arithmetic: they do not depend on the values measured.

    Example: clarify-ops policy init runs/mortgage-approval --output policy.yaml
    """
    from clarify_ops.analysis.first_policy import first_policy
    from clarify_ops.config.policy import Policy
    from clarify_ops.documents import parse_document

    text = first_policy(_measures(analysis), str(analysis), name)
    Policy.parse(parse_document(text, "The policy"), "The policy")
    try:
        with output.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise BadInput(f"The file {output} exists.", "Name another with --output; nothing was overwritten.") from error
    except OSError as error:
        raise BadInput(f"The file {output} cannot be written: {error.strerror}.", "Name another file.") from error
    typer.echo(output)


@app.command()
def check(
    policy: Annotated[Path, typer.Argument(help="The policy (policy.yaml).", show_default=False)],
    analysis: Annotated[
        Path | None,
        typer.Option(help="A metrics.json, or a folder with one, that the policy is to judge.", show_default=False),
    ] = None,
    pipeline: Annotated[
        Path | None, typer.Option(help="The pipeline whose facets the policy is about.", show_default=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> None:
    """Find what is wrong with a policy, or will be when it meets the data.

    Errors end with exit status 2; warnings do not.

    Example: clarify-ops policy check policy.yaml --analysis runs/mortgage-approval
    """
    import datetime
    import json

    from clarify_ops.analysis.policy_check import Known, check_policy_file

    measures = () if analysis is None else _measures(analysis)
    facets = None if pipeline is None else _facets(pipeline)
    today = datetime.datetime.now().astimezone().date()
    problems = check_policy_file(policy, Known(measures, facets), today)
    errors = sum(one.severity == "error" for one in problems)
    if as_json:
        typer.echo(json.dumps({"policy": str(policy), "problems": [asdict(one) for one in problems]}, indent=2))
    for one in () if as_json else problems:
        about = f"{one.rule}: " if one.rule else ""
        typer.echo(f"{policy}:{one.line}: {one.severity}: {about}{one.message}{f' {one.hint}' if one.hint else ''}")
    typer.echo(f"{_counted(errors, 'error')}, {_counted(len(problems) - errors, 'warning')}", err=True)
    raise typer.Exit(2 if errors else 0)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _measures(place: Path) -> tuple[Measure, ...]:
    """What was measured: one file, or those of the steps of a run that came to no judgement."""
    from clarify_ops.analysis.results import read_measures

    if not place.is_dir():
        return read_measures(place)
    whole = [place / part / "metrics.json" for part in _PARTS]
    files = [file for file in whole if file.is_file()][:1]
    files = files or [file for part in _STEPS if (file := place / part / "metrics.json").is_file()]
    if not files:
        raise BadDocument(f"The folder {place} has no metrics.json.", "Name the folder of an analysis or a run.")
    return tuple(one for file in files for one in read_measures(file))


def _facets(pipeline: Path) -> frozenset[str]:
    from clarify_ops.documents import read_document

    document = read_document(pipeline, "pipeline")
    analysis: Any = document.get("analysis") if isinstance(document, dict) else None
    if isinstance(analysis, str):
        analysis = read_document(pipeline.parent / analysis, "analysis configuration")
    listed = analysis.get("facet") if isinstance(analysis, dict) else None
    if not isinstance(listed, list):
        raise BadDocument(f"The pipeline {pipeline} has no analysis with facets.", "Name a pipeline.yaml.")
    return frozenset(str(one["name_or_index"]) for one in listed if isinstance(one, dict) and "name_or_index" in one)
