"""`check`: an analysis, and whether it has drifted from a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clarify_ops.cli.container import CONTAINER_CONFIG, CONTAINER_OUTPUT, container_places, tell_outcome
from clarify_ops.errors import BadInput, Refused

if TYPE_CHECKING:
    from clarify_ops.steps.check import Check, Terms

Config = Annotated[
    Path | None,
    typer.Option(help="The analysis configuration (analysis_config.json).", show_default=str(CONTAINER_CONFIG)),
]
ConfigText = Annotated[
    list[str] | None,
    typer.Option(
        metavar="JSON",
        help="The configuration itself, in place of a file; given several times, its pieces in order.",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="A file, a folder, a glob or a URI of them; by default the configuration's dataset_uri, or the container's"
        " data folder.",
        show_default=False,
    ),
]
Output = Annotated[Path | None, typer.Option(help="Folder to write.", show_default=str(CONTAINER_OUTPUT))]
Record = Annotated[
    Path | None,
    typer.Option(
        help="Folder for a record that no later analysis in OUTPUT overwrites: violations and both baselines.",
        show_default=False,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="A model, in place of the configuration's: as for clarify-ops analyze, or an archive (model.tar.gz).",
        show_default=False,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        envvar="CLARIFY_OPS_MODEL_NAME",
        metavar="NAME",
        help="SageMaker's name of the model, in place of the configuration's predictor.model_name.",
        show_default=False,
    ),
]
TrustModel = Annotated[
    bool,
    typer.Option(
        "--trust-model",
        envvar="CLARIFY_OPS_TRUST_MODEL",
        help="Open a model whose files run code when they are read: a pickle, a function.",
    ),
]
Current = Annotated[
    Path | None,
    typer.Option(help="A finished analysis.json, or its folder, in place of making one.", show_default=False),
]
BaselineConstraints = Annotated[
    str | None,
    typer.Option(
        "--baseline-constraints",
        "--baseline",
        envvar="CLARIFY_OPS_BASELINE_CONSTRAINTS",
        metavar="URI",
        help="The previous baseline: an analysis.json, of Clarify or of clarify_ops. It goes before the group's.",
        show_default=False,
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--model-package-group",
        envvar="CLARIFY_OPS_MODEL_PACKAGE_GROUP",
        metavar="NAME",
        help="The previous baseline is that of the latest approved version of this group in the SageMaker Model Registry.",
        show_default=False,
    ),
]
SkipCheck = Annotated[
    bool, typer.Option("--skip-check/--no-skip-check", envvar="CLARIFY_OPS_SKIP_CHECK", help="Compare with nothing.")
]
FailOnViolation = Annotated[
    bool,
    typer.Option(
        "--fail-on-violation/--no-fail-on-violation",
        envvar="CLARIFY_OPS_FAIL_ON_VIOLATION",
        help="Exit with 3 where there are violations.",
    ),
]
RegisterNewBaseline = Annotated[
    bool,
    typer.Option(
        "--register-new-baseline/--no-register-new-baseline",
        envvar="CLARIFY_OPS_REGISTER_NEW_BASELINE",
        help="Hand the new baseline on to later checks, not the previous one.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        envvar="CLARIFY_OPS_STRICT",
        help="Our rule for bias metrics, not Clarify's: measured from parity, and only what the confidence interval"
        " excludes; a metric that lost its value violates.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Makes the verb known to the command line."""
    app.command()(check)


def check(
    *,
    config: Config = None,
    config_text: ConfigText = None,
    data: Data = None,
    output: Output = None,
    record: Record = None,
    model: Model = None,
    model_name: ModelName = None,
    trust_model: TrustModel = False,
    current: Current = None,
    baseline_constraints: BaselineConstraints = None,
    model_package_group: Group = None,
    skip_check: SkipCheck = False,
    fail_on_violation: FailOnViolation = True,
    register_new_baseline: RegisterNewBaseline = False,
    strict: Strict = False,
) -> None:
    """Analyse, and compare with a baseline: what SageMaker's ClarifyCheckStep does.

    Compare two analyses, analyse and compare, and make a first baseline:

    clarify-ops check --current analysis/analysis.json --baseline before/analysis.json

    clarify-ops check --config analysis_config.json --data june.csv --output june --baseline may/analysis.json

    clarify-ops check --config analysis_config.json --data may.csv --output may --skip-check --register-new-baseline

    By Clarify's rule a bias metric violates where it is farther from 0 than the baseline, and attributions where the order
    of the features keeps less than 0.9 of its gain (NDCG). OUTPUT gets what clarify-ops analyze writes,
    constraint_violations.json, check.json and baseline_used_for_drift_check/analysis.json: the baseline for later checks,
    which is the previous one, or the new one with --register-new-baseline.

    A previous baseline must be there unless both --skip-check and --register-new-baseline are given: a first run.

    Exit status: 0 no violation, or none that fails; 3 violations, or no baseline to compare with; 2 a document or file is
    wrong; 5 something outside failed. Options with a variable (CLARIFY_OPS_...) can be given in the environment as well.
    """
    from clarify_ops.steps.baseline import Where
    from clarify_ops.steps.check import Terms

    terms = Terms(
        Where(baseline_constraints, model_package_group),
        skip_check=skip_check,
        register_new_baseline=register_new_baseline,
        strict=strict,
    )
    if current is not None:
        made = {"--config": config, "--config-text": config_text, "--data": data, "--model": model}
        for option, value in made.items():
            if value:
                raise BadInput(f"{option} is for an analysis that is still to be made, and --current is one that is.")
        found = _finished(current, terms, output, record)
    else:
        found = _analysed(
            _configuration(config, config_text, model_name),
            data=data,
            output=output,
            record=record,
            model=model,
            trust_model=trust_model,
            terms=terms,
        )
    _end(found, fail=fail_on_violation)


def _finished(current: Path, terms: Terms, output: Path | None, record: Path | None) -> Check:
    from clarify_ops.steps.check import compare_documents

    found = compare_documents(current, terms)
    if output is not None:
        found.write(output, record)
    return found


def _analysed(
    config: Path | Mapping[str, Any] | None,
    *,
    data: str | None,
    output: Path | None,
    record: Path | None,
    model: str | None,
    trust_model: bool,
    terms: Terms,
) -> Check:
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.show import show_analysis
    from clarify_ops.steps import check as step

    place = container_places(config, data, output)
    with Progress(1) as progress:
        found, analysis = step.run(
            place.config,
            place.data,
            place.output,
            terms=terms,
            model=model,
            trust_model=trust_model,
            record=record,
            progress=progress.of(step.NAME),
        )
    show_analysis(analysis)
    return found


def _configuration(
    config: Path | None, text: list[str] | None, model_name: str | None
) -> Path | Mapping[str, Any] | None:
    from clarify_ops.config.pieces import from_pieces
    from clarify_ops.documents import read_document

    if config is not None and text:
        raise BadInput("There are two configurations.", "Give --config or --config-text.")
    if not text and not model_name:
        return config
    document = (
        from_pieces(text, "The analysis configuration")
        if text
        else read_document(config or CONTAINER_CONFIG, "analysis configuration")
    )
    if model_name and isinstance(document, dict):
        document["predictor"] = {**(document.get("predictor") or {}), "model_name": model_name}
    found: Mapping[str, Any] = document
    return found


def _end(found: Check, *, fail: bool) -> None:
    """Says what came of it, and fails where it has to."""
    if found.drift is not None:
        for one in found.drift.violations:
            about = f"{one['facet']} = {one['facet_value']}: " if "facet" in one else f"{one['label']}: "
            typer.echo(f"violation  {about}{one['metric_name']}: {one['description']}")
        if found.drift.left_out:
            typer.echo(f"{found.drift.left_out} numbers of the baseline were not measured again, and not compared.")
    if found.violated and fail:
        raise Refused(
            found.sentence(),
            "Look at them in constraint_violations.json. If this is how it is to be, make it the baseline: --skip-check"
            " --register-new-baseline.",
        )
    typer.echo(found.sentence())
    tell_outcome(found.sentence())
