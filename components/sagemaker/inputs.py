"""What a job is given: objects in S3 that SageMaker puts on the container's disk, before the step starts."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clarify_ops.components.sagemaker.variables import InS3, is_output, is_variable, text
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME, Port

if TYPE_CHECKING:
    from sagemaker.core.shapes import ProcessingInput
    from sagemaker.mlops.workflow import ProcessingStep

INPUT = PurePosixPath("/opt/ml/processing/input")
# A model in MLflow has no address in S3; the step fetches it.
_MLFLOW = ("models:/", "runs:/")


def is_brought(port: Port, value: Any) -> bool:
    """Whether a value goes into the container as a file or folder, or is told as text."""
    if port.kind in {"file", "folder"}:
        return port.name != "model" or not (isinstance(value, str) and value.startswith(_MLFLOW))
    if port.name != "data":
        return False
    in_s3 = isinstance(value, str) and value.startswith("s3://")
    return in_s3 or is_output(value) or not (isinstance(value, str) or is_variable(value))


def bring(port: Port, value: Any) -> tuple[ProcessingInput, PurePosixPath]:
    """The input of the job, and where it lies in the container.

    Args:
        port: Of the step.
        value: An S3 URI, a variable that will be one, or a step that made it. Of a variable the file name is not known, so the
            step is told the folder that the one file will lie in.

    Raises:
        BadInput: It is none of these.
    """
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input
    from sagemaker.mlops.workflow import ProcessingStep, TrainingStep

    folder = INPUT / port.name
    path = folder
    if isinstance(value, InS3):
        value = value.uri
    if isinstance(value, ProcessingStep):
        uri, output = _output_of(value, port)
        if port.kind == "file" and output in _OURS:
            path = folder / f"{port.name}.json"
    elif isinstance(value, TrainingStep):
        uri = value.properties.ModelArtifacts.S3ModelArtifacts
    elif is_variable(value):
        uri = text(value, f"The input {port.name!r}")
    else:
        uri, name = _constant(port, value)
        path = folder / name
    # SageMaker puts a single object, like all below a prefix, into the folder under its own name.
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=str(folder),
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=port.name, s3_input=source), path


_OURS = {step.folder for step in BY_NAME.values()}


def _constant(port: Port, value: Any) -> tuple[str, str]:
    """An S3 URI, and the name of the file that it is; "" of a folder."""
    what = f"The input {port.name!r}"
    if not isinstance(value, str):
        raise BadInput(
            f"{what} is a {type(value).__name__}, where an S3 URI is needed.",
            "Give an S3 URI, a variable that will be one, or the step that makes it.",
        )
    parts = urlsplit(value)
    if parts.scheme != "s3" or not parts.netloc:
        raise BadInput(f"{what} is {value!r}, which no container can reach.", "Give an S3 URI.")
    name = "" if value.endswith("/") else PurePosixPath(parts.path).name
    if port.kind != "folder":
        return value, name
    # SageMaker takes all that begins alike: without the slash, s3://bucket/run-1 would bring run-10 as well.
    return (value if not name or name.endswith(".gz") else f"{value}/"), ""


def _output_of(step: ProcessingStep, port: Port) -> tuple[Any, str]:
    """S3 URI of what a step writes, which ties the steps together, and the name of that output."""
    # As they were given: to ask the step would prepare its job, which may upload code.
    given = step.step_args.func_kwargs.get("outputs") or ()
    names = [one.output_name for one in given]
    wanted = BY_NAME[port.made_by].folder if port.made_by else ""
    name = wanted if wanted in names else names[0] if len(names) == 1 else None
    if name is None:
        raise BadInput(
            f"The input {port.name!r} is the step {step.name}, which has {len(names)} outputs.",
            "Name one: step.properties.ProcessingOutputConfig.Outputs[NAME].S3Output.S3Uri.",
        )
    if wanted and name != wanted and name in _OURS:
        raise BadInput(f"The input {port.name!r} is the step {step.name}, not the step {port.made_by}.")
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri, name
