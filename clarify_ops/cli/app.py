"""The verbs. Each is a few lines: read the options, call the step, say what came of it.

Everything heavy is imported by the verb that needs it, so that `clarify-ops --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clarify_ops.cli import check_verb, evidence_verbs, policy_verbs, publish_verb, registry_verbs, verdict_verbs
from clarify_ops.cli.container import CONTAINER_CONFIG, CONTAINER_OUTPUT, container_places, tell_container
from clarify_ops.cli.secrets import fetch_secrets
from clarify_ops.cli.step_options import (
    Champion,
    Data,
    Evidence,
    Explanations,
    Model,
    NoFail,
    Output,
    Pipeline,
    Policy,
    PosttrainingBias,
    PretrainingBias,
    RegistryUri,
    SigningKey,
    Training,
    VerdictFile,
)
from clarify_ops.cli.verdict_options import Annotations, Explain, Junit, Markdown, Sarif
from clarify_ops.errors import BadInput, ClarifyOpsError, nearest

if TYPE_CHECKING:
    from clarify_ops.steps.judging import Parts

app = typer.Typer(
    name="clarify-ops",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="""Stop a biased or unexplained model from reaching production.

    clarify-ops run PIPELINE.yaml does the whole job: pretraining bias check, training, posttraining bias check,
    explanations, and a model card with registration that the gate can refuse. Each of the five is a verb of its own, with
    files in and files out, for an orchestrator to run in a container.

    Exit status: 0 passed; 2 a document, file or argument is wrong; 3 the gate says FAIL, or evidence does not belong; 4 the
    gate is INCONCLUSIVE and the policy blocks; 5 something outside failed, try again.""",
)

INTERRUPTED = 130


@app.command()
def run(
    pipeline: Annotated[Path, typer.Argument(help="The pipeline document (pipeline.yaml).", show_default=False)],
    data: Data = None,
    model: Model = None,
    policy: Policy = None,
    registry_uri: RegistryUri = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the run; runs/NAME of the pipeline by default.", show_default=False)
    ] = None,
    signing_key: SigningKey = None,
    explain: Explain = False,
    junit: Junit = None,
    markdown: Markdown = None,
    sarif: Sarif = None,
    annotations: Annotations = False,
) -> None:
    """Run the five steps of a pipeline in order: the main job.

    Example: clarify-ops run examples/mortgage/pipeline.yaml
    """
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.show import show_places
    from clarify_ops.cli.verdict_files import VerdictFiles
    from clarify_ops.config.pipeline import load_pipeline
    from clarify_ops.steps import run as job

    folder = output or Path("runs", load_pipeline(pipeline, policy=policy, data=data).name)
    files = VerdictFiles(junit, markdown, sarif, annotations, explain).check(folder / "release")
    with Progress(len(job.ORDER)) as progress, files.around():
        outcome = job.run(
            pipeline,
            folder,
            data=data,
            model=model,
            policy=policy,
            registry_uri=registry_uri,
            key=signing_key,
            progress=progress,
        )
    files.show(outcome.verdict, outcome.result.measures, pipeline, policy)
    show_places(outcome)
    raise typer.Exit(outcome.verdict.exit_status)


@app.command("pretraining-bias")
def pretraining_bias(pipeline: Pipeline, output: Output, data: Data = None, policy: Policy = None) -> None:
    """Measure bias in the data, count the groups, and look for columns that give the answer away."""
    from clarify_ops.steps import pretraining_bias as step

    _alone(step.NAME, lambda tell: step.run(pipeline, output, data=data, policy=policy, progress=tell))


@app.command()
def train(pipeline: Pipeline, output: Output, data: Data = None, model: Model = None, policy: Policy = None) -> None:
    """Fit the estimator, predict rows that were not seen, and save an MLflow model; or take one that was trained elsewhere."""
    from clarify_ops.steps import train as step

    _alone(step.NAME, lambda tell: step.run(pipeline, output, data=data, model=model, policy=policy, progress=tell))


@app.command("posttraining-bias")
def posttraining_bias(
    pipeline: Pipeline, training: Training, output: Output, data: Data = None, policy: Policy = None
) -> None:
    """Measure bias of the predictions, and their quality for everybody and for each facet value."""
    from clarify_ops.steps import posttraining_bias as step

    _alone(
        step.NAME, lambda tell: step.run(pipeline, output, training=training, data=data, policy=policy, progress=tell)
    )


@app.command()
def explain(pipeline: Pipeline, training: Training, output: Output, data: Data = None, policy: Policy = None) -> None:
    """Attribute every score to features with Kernel SHAP, and show what each feature does on average."""
    from clarify_ops.steps import explain as step

    _alone(
        step.NAME, lambda tell: step.run(pipeline, output, training=training, data=data, policy=policy, progress=tell)
    )


@app.command()
def gate(
    pipeline: Pipeline,
    pretraining_bias: PretrainingBias,
    training: Training,
    posttraining_bias: PosttrainingBias,
    explanations: Explanations,
    output: Output,
    data: Data = None,
    policy: Policy = None,
    champion: Champion = None,
    registry_uri: RegistryUri = None,
    signing_key: SigningKey = None,
    no_fail: NoFail = False,
    explain: Explain = False,
    junit: Junit = None,
    markdown: Markdown = None,
    sarif: Sarif = None,
    annotations: Annotations = False,
) -> None:
    """Judge by the policy, write verdict, evidence, report and card; register nothing."""
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.verdict_files import VerdictFiles
    from clarify_ops.steps import gate as step

    files = VerdictFiles(junit, markdown, sarif, annotations, explain).check(output)
    with Progress(1) as progress, files.around():
        result, verdict = step.run(
            pipeline,
            output,
            parts=_parts(pretraining_bias, training, posttraining_bias, explanations),
            data=data,
            policy=policy,
            champion=champion,
            registry_uri=registry_uri,
            key=signing_key,
            progress=progress.of(step.NAME),
        )
    files.show(verdict, result.measures, pipeline, policy)
    typer.echo(result.folder / step.VERDICT)
    raise typer.Exit(0 if no_fail else verdict.exit_status)


@app.command()
def register(
    pipeline: Pipeline,
    pretraining_bias: PretrainingBias,
    training: Training,
    posttraining_bias: PosttrainingBias,
    explanations: Explanations,
    output: Output,
    data: Data = None,
    policy: Policy = None,
    champion: Champion = None,
    registry_uri: RegistryUri = None,
    verdict: VerdictFile = None,
    evidence: Evidence = None,
    signing_key: SigningKey = None,
    explain: Explain = False,
    junit: Junit = None,
    markdown: Markdown = None,
    sarif: Sarif = None,
    annotations: Annotations = False,
) -> None:
    """Judge again, write verdict, evidence, report and card, and register a model that passes."""
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.show import show_places
    from clarify_ops.cli.verdict_files import VerdictFiles
    from clarify_ops.steps import register as step

    files = VerdictFiles(junit, markdown, sarif, annotations, explain).check(output)
    with Progress(1) as progress, files.around():
        outcome = step.run(
            pipeline,
            output,
            parts=_parts(pretraining_bias, training, posttraining_bias, explanations),
            data=data,
            policy=policy,
            champion=champion,
            registry_uri=registry_uri,
            verdict=verdict,
            evidence=evidence,
            key=signing_key,
            progress=progress.of(step.NAME),
        )
    files.show(outcome.verdict, outcome.result.measures, pipeline, policy)
    show_places(outcome)
    raise typer.Exit(outcome.verdict.exit_status)


@app.command()
def analyze(
    config: Annotated[
        Path | None,
        typer.Option(help="The analysis configuration (analysis_config.json).", show_default=str(CONTAINER_CONFIG)),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="A file, a folder, a glob or a URI of them; by default the configuration's dataset_uri, or the"
            " container's data folder.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write.", show_default=str(CONTAINER_OUTPUT))] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="A model, in place of the configuration's: an MLflow folder or URI (models:/NAME/1) or a Python function"
            " (package.module:function), asked in process; or the address of an endpoint (http://HOST:PORT).",
            show_default=False,
        ),
    ] = None,
    trust_model: Annotated[
        bool,
        typer.Option(
            "--trust-model",
            envvar="CLARIFY_OPS_TRUST_MODEL",
            help="Open a model whose files run code when they are read: a pickle, a function.",
        ),
    ] = False,
) -> None:
    """Do what a SageMaker Clarify processing job does: analysis_config.json in, analysis.json and a report out.

    Example: clarify-ops analyze --config analysis_config.json --data validation.csv --output analysis
    --model http://localhost:8080

    Without options it reads and writes where Clarify's own container does, so that a processing job only changes its image.
    """
    from clarify_ops.analysis.analyze import analyze as work
    from clarify_ops.cli.progress import Progress
    from clarify_ops.cli.show import show_analysis

    place = container_places(config, data, output)
    with Progress(1) as progress:
        found = work(
            place.config,
            place.data,
            model=model,
            output=place.output,
            progress=progress.of("analyze"),
            trust_model=trust_model,
        )
    show_analysis(found)


check_verb.add_to(app)
app.command()(verdict_verbs.show)
evidence_verbs.add_to(app)
app.add_typer(policy_verbs.app, name="policy")
app.command()(publish_verb.publish)
app.command()(registry_verbs.promote)
app.command()(registry_verbs.rollback)
app.command()(registry_verbs.audit)


@app.command()
def schema(
    document: Annotated[
        str,
        typer.Argument(help="analysis, pipeline, policy, verdict, metrics, evidence or statement.", show_default=False),
    ],
) -> None:
    """Print the JSON Schema of a document, for editors."""
    import json
    from functools import partial

    from clarify_ops.cli.schemas import WRITTEN, analysis_schema, written_schema
    from clarify_ops.config.pipeline import Pipeline as PipelineDocument
    from clarify_ops.config.policy import Policy as PolicyDocument

    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "analysis": analysis_schema,
        "pipeline": PipelineDocument.model_json_schema,
        "policy": PolicyDocument.model_json_schema,
        **{name: partial(written_schema, name) for name in WRITTEN},
    }
    if document not in makers:
        raise BadInput(f"There is no schema of {document!r}.", nearest(document, makers))
    typer.echo(json.dumps(makers[document](), indent=2))


@app.command()
def metrics() -> None:
    """List every metric that a policy can bound, with its range and how to read it."""
    from clarify_ops.cli.show import show_metrics

    show_metrics()


def main() -> None:
    """Entry point: errors that were meant become one sentence and their exit status."""
    try:
        fetch_secrets(os.environ)
        app()
    except ClarifyOpsError as error:
        typer.secho(f"error: {error.message}", err=True, fg="red" if sys.stderr.isatty() else None)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        tell_container(error)
        raise SystemExit(error.exit_status) from error
    except KeyboardInterrupt:
        _say_interrupted()
        raise SystemExit(INTERRUPTED) from None
    except SystemExit as end:
        # Ctrl-C within a verb: typer makes this status of it, and says nothing.
        if end.code == INTERRUPTED:
            _say_interrupted()
        raise


def _say_interrupted() -> None:
    typer.echo("interrupted; nothing half-written was left", err=True)


def _alone(name: str, work: Callable[[Callable[[str], None]], Any]) -> None:
    """Runs one step and prints the folder it wrote and the digest of its claims."""
    from clarify_ops.cli.progress import Progress

    with Progress(1) as progress:
        result = work(progress.of(name))
    typer.echo(f"{result.folder}  {result.digest}")


def _parts(pretraining_bias: Path, training: Path, posttraining_bias: Path, explanations: Path) -> Parts:
    from clarify_ops.steps.judging import Parts

    return Parts(pretraining_bias, training, posttraining_bias, explanations)
