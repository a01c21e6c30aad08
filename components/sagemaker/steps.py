"""The steps as processing steps of a SageMaker pipeline, made from the step table.

A step runs `clarify-ops VERB` in our image. Folders of earlier steps and documents arrive below
`/opt/ml/processing/input`, what the step writes leaves from `/opt/ml/processing/output`, and S3 lies between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from clarify_ops.components.commands import arguments, ports
from clarify_ops.components.image import image
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME, Port

if TYPE_CHECKING:
    from sagemaker.core.shapes import ProcessingInput
    from sagemaker.mlops.workflow import ProcessingStep

INPUT = PurePosixPath("/opt/ml/processing/input")
OUTPUT = PurePosixPath("/opt/ml/processing/output")
VERDICT_FILE = "Verdict"


@dataclass(frozen=True)
class Job:
    """Where and as whom the steps run.

    Attributes:
        role: ARN of the role that the jobs take on.
        results: S3 prefix below which every run makes a folder, and every step one in it.
        session: A `sagemaker.core.workflow.pipeline_context.PipelineSession`.
        image: URI of our image in ECR; by default what `CLARIFY_OPS_IMAGE` says.
        instance_type: As SageMaker calls it, or a pipeline parameter.
        volume_size_in_gb: Of the disk that data and results must fit on.
        environment: Variables for every step, for example those of an MLflow server.
        options: Further arguments of the SDK's `Processor`: network_config, tags, volume_kms_key and so on.
    """

    role: str
    results: str
    session: Any
    image: str = field(default_factory=image)
    instance_type: Any = "ml.m5.xlarge"
    volume_size_in_gb: int = 30
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def pretraining_bias(job: Job, *, pipeline: Any, data: Any = None, policy: Any = None) -> ProcessingStep:
    """Measures bias in the labels, counts every group, and looks for columns that give label or facet away."""
    return processing_step(job, "pretraining-bias", {"pipeline": pipeline, "data": data, "policy": policy})


def train(job: Job, *, pipeline: Any, data: Any = None, policy: Any = None) -> ProcessingStep:
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle."""
    return processing_step(job, "train", {"pipeline": pipeline, "data": data, "policy": policy})


def posttraining_bias(
    job: Job, *, pipeline: Any, training: Any, data: Any = None, policy: Any = None
) -> ProcessingStep:
    """Measures bias of the predictions, and their quality for everybody and for each facet value."""
    values = {"pipeline": pipeline, "training": training, "data": data, "policy": policy}
    return processing_step(job, "posttraining-bias", values)


def explain(job: Job, *, pipeline: Any, training: Any, data: Any = None, policy: Any = None) -> ProcessingStep:
    """Attributes every score to features with Kernel SHAP, and shows what each feature does on average."""
    values = {"pipeline": pipeline, "training": training, "data": data, "policy": policy}
    return processing_step(job, "explain", values)


def gate(
    job: Job,
    *,
    pipeline: Any,
    pretraining_bias: Any,
    training: Any,
    posttraining_bias: Any,
    explanations: Any,
    data: Any = None,
    policy: Any = None,
    champion: Any = None,
    no_fail: bool = True,
) -> ProcessingStep:
    """Judges by the policy and registers nothing; `answer` reads its verdict.

    It succeeds whatever the verdict, unlike on the command line: a processing job that fails ends the pipeline before
    anything could branch.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "pretraining_bias": pretraining_bias,
        "training": training,
        "posttraining_bias": posttraining_bias,
        "explanations": explanations,
        "policy": policy,
        "champion": champion,
        "no_fail": no_fail,
    }
    return processing_step(job, "gate", values)


def register(
    job: Job,
    *,
    pipeline: Any,
    pretraining_bias: Any,
    training: Any,
    posttraining_bias: Any,
    explanations: Any,
    data: Any = None,
    policy: Any = None,
    champion: Any = None,
    registry_uri: Any = None,
    verdict: Any = None,
    evidence: Any = None,
) -> ProcessingStep:
    """Judges again, writes verdict, evidence, report and model card, and registers a model that passes.

    A verdict or evidence from the gate is named by the gate's step.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "pretraining_bias": pretraining_bias,
        "training": training,
        "posttraining_bias": posttraining_bias,
        "explanations": explanations,
        "policy": policy,
        "champion": champion,
        "registry_uri": registry_uri,
        "verdict": verdict,
        "evidence": evidence,
    }
    return processing_step(job, "register", values)


def audit(
    job: Job, *, pipeline: Any = None, registry_uri: Any = None, model: Any = None, demote: bool = False
) -> ProcessingStep:
    """Lists versions and aliases of a registry without valid evidence, and fails when there are any."""
    values = {"pipeline": pipeline, "registry_uri": registry_uri, "model": model, "demote": demote}
    return processing_step(job, "audit", values)


def processing_step(job: Job, step: str, values: Mapping[str, Any]) -> ProcessingStep:
    """Any step of the table as a processing step.

    Args:
        job: Where it runs.
        step: Name in the step table.
        values: By the name of the port. A folder is the step that writes it, or an S3 URI; a file an S3 URI, or for a
            verdict or evidence the step of the gate; a dataset in S3 is brought into the container, any other URI is
            passed on.

    Raises:
        BadInput: A required value is missing, or cannot be brought into a container.
    """
    from sagemaker.core.processing import Processor
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow import ProcessingStep

    row = BY_NAME[step]
    inputs, told = [], dict(values)
    for port in ports(step):
        value = values.get(port.name)
        if value is None or not _is_brought(port, value):
            continue
        entry, path = _bring(port, value)
        inputs.append(entry)
        told[port.name] = str(path)
    output = str(OUTPUT / row.folder)
    processor = Processor(
        role=job.role,
        image_uri=job.image,
        instance_count=1,
        instance_type=job.instance_type,
        entrypoint=["clarify-ops"],
        volume_size_in_gb=job.volume_size_in_gb,
        env=dict(job.environment) or None,
        sagemaker_session=job.session,
        **job.options,
    )
    # Named here, for the SDK would ask the account for a default bucket, and that needs the network.
    to = Join(on="/", values=[job.results.rstrip("/"), ExecutionVariables.PIPELINE_EXECUTION_ID, row.folder])
    to_s3 = ProcessingS3Output(s3_uri=to, local_path=output, s3_upload_mode="EndOfJob")
    return ProcessingStep(
        name=step_name(step),
        step_args=processor.run(
            inputs=inputs,
            outputs=[ProcessingOutput(output_name=row.folder, s3_output=to_s3)],
            arguments=arguments(step, told, output),
        ),
        display_name=row.title,
        description=row.description,
        property_files=[PropertyFile(name=VERDICT_FILE, output_name=row.folder, path="verdict.json")]
        if step == "gate"
        else None,
    )


def answer(gate: ProcessingStep, key: str) -> Any:
    """A value of the verdict of a gate step, for conditions: `may_register`, `outcome` or `reason`."""
    from sagemaker.core.workflow.functions import JsonGet

    return JsonGet(step_name=gate.name, property_file=VERDICT_FILE, json_path=key)


def step_name(step: str) -> str:
    """Name of a step in a SageMaker pipeline.

    >>> step_name("pretraining-bias")
    'PretrainingBias'
    """
    return "".join(word.capitalize() for word in step.split("-"))


def _is_brought(port: Port, value: Any) -> bool:
    """Whether a value goes into the container as a file or folder, or is told as text."""
    return port.kind in {"file", "folder"} or (
        port.name == "data" and isinstance(value, str) and value.startswith("s3://")
    )


def _bring(port: Port, value: Any) -> tuple[ProcessingInput, PurePosixPath]:
    """The input of the job, and where it lies in the container."""
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input
    from sagemaker.mlops.workflow import ProcessingStep

    folder = INPUT / port.name
    if isinstance(value, ProcessingStep):
        uri, path = _output_of(value), folder if port.kind == "folder" else folder / f"{port.name}.json"
    elif not isinstance(value, str):
        raise BadInput(
            f"The input {port.name!r} is a variable, whose file name is not known before the run.", "Give an S3 URI."
        )
    elif not value.startswith("s3://"):
        raise BadInput(f"The input {port.name!r} is {value!r}, which no container can reach.", "Give an S3 URI.")
    else:
        uri, path = value, folder if port.kind == "folder" else folder / PurePosixPath(value).name
    # SageMaker puts a single object, like all below a prefix, into the folder under its own name.
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=str(folder),
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=port.name, s3_input=source), path


def _output_of(step: ProcessingStep) -> Any:
    """S3 URI of what a step writes: it ties the steps together."""
    (folder,) = (row.folder for row in BY_NAME.values() if step_name(row.name) == step.name)
    return step.properties.ProcessingOutputConfig.Outputs[folder].S3Output.S3Uri
