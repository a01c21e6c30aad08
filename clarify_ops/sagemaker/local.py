"""A job that runs in this process."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.errors import BadInput, MissingExtra, Outside

if TYPE_CHECKING:
    from clarify_ops.analysis.results import Analysis

# As CreateModel and CreateEndpoint take it: what is none is a path that does not exist, and AWS need not be asked.
_SAGEMAKER_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True)
class Output:
    """Where results went: `source` as the SDK calls the place in the container, `destination` the place outside."""

    output_name: str
    source: str
    destination: str


@dataclass(frozen=True)
class LocalJob:
    """A job that ran here.

    Attributes:
        job_name: Its name.
        analysis_config: What it was about.
        analysis: What came of it.
        outputs: Where that lies.
    """

    job_name: str
    analysis_config: dict[str, Any]
    analysis: Analysis
    outputs: tuple[Output, ...]

    def describe(self) -> dict[str, Any]:
        """As much of DescribeProcessingJob as there is of a job that ran here."""
        return {
            "ProcessingJobName": self.job_name,
            "ProcessingJobStatus": "Completed",
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": one.output_name, "S3Output": {"S3Uri": one.destination}} for one in self.outputs
                ]
            },
        }

    def wait(self, logs: bool = True) -> None:
        """Returns at once: it has ended."""


def run_here(document: dict[str, Any], data: Any, name: str, *, logs: bool, trust_model: bool = False) -> LocalJob:
    """Runs an analysis and puts its results where `data` says.

    Args:
        document: The analysis configuration.
        data: A `DataConfig`, ours or the SDK's.
        name: Of the job.
        logs: Tell on standard error what is being done.
        trust_model: Open a model whose files run code when they are read.

    Raises:
        ClarifyOpsError: What was wrong; no final file is written then.
    """
    from clarify_ops.analysis.analyze import analyze

    tell: Callable[[str], None] = (lambda words: print(f"{name}: {words}", file=sys.stderr)) if logs else _silent
    destination = str(data.s3_output_path)
    configuration = data.s3_analysis_config_output_path
    source, model = str(data.s3_data_input_path), _model(document)
    if _is_remote(destination):
        with tempfile.TemporaryDirectory() as folder:
            analysis = analyze(document, source, model, folder, tell, trust_model=trust_model)
            tell(f"uploading the results to {destination}")
            _upload(Path(folder), destination)
    else:
        analysis = analyze(document, source, model, _path(destination), tell, trust_model=trust_model)
    if configuration is not None and configuration != destination:
        _put_configuration(document, configuration)
    return LocalJob(name, document, analysis, (Output("analysis_result", "/opt/ml/processing/output", destination),))


def _silent(_: str) -> None:
    """Tells nobody."""


def _model(document: dict[str, Any]) -> str | None:
    """The model to hand over: an MLflow model to be asked in this process, or the address of an endpoint.

    Returns:
        None where the configuration names no model, or one that SageMaker knows, which is asked there by its name.

    Raises:
        BadInput: The name can be neither.
    """
    from clarify_ops.analysis.opening import is_address, is_mlflow_model

    predictor = document.get("predictor", {})
    place = predictor.get("endpoint_name") or predictor.get("model_name")
    if place is None:
        return None
    if is_address(place) or ("endpoint_name" not in predictor and is_mlflow_model(place)):
        return str(place)
    if not _SAGEMAKER_NAME.fullmatch(place):
        what, besides = (
            ("endpoint", "an address") if "endpoint_name" in predictor else ("model", "a folder that is there")
        )
        raise BadInput(
            f"There is no {what} {place}: it is not {besides}, and no name that SageMaker gives.",
            "Name an MLflow model as model_name (a folder, or a URI such as models:/NAME/1), an address"
            " (http://HOST:PORT) or a SageMaker endpoint as endpoint_name, or a SageMaker model.",
        )
    return None


def _is_remote(place: str) -> bool:
    return "://" in place and not place.startswith("file://")


def _path(place: str) -> Path:
    return Path(place.removeprefix("file://"))


def _put_configuration(document: dict[str, Any], place: str) -> None:
    content = json.dumps(document, indent=2) + "\n"
    if not _is_remote(place):
        folder = _path(place)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "analysis_config.json").write_text(content, encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder_name:
        (Path(folder_name) / "analysis_config.json").write_text(content, encoding="utf-8")
        _upload(Path(folder_name), place)


def _upload(folder: Path, place: str) -> None:
    import fsspec

    try:
        store, root = fsspec.core.url_to_fs(place)
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                store.put_file(str(one), f"{root.rstrip('/')}/{one.relative_to(folder).as_posix()}")
    except ImportError as error:
        if place.startswith("s3"):
            raise MissingExtra.of("s3", "The driver for s3:// URIs") from error
        raise BadInput(f"Writing to {place} needs a driver that is not installed: {error}.") from error
    except ValueError as error:
        raise BadInput(f"The output {place} cannot be written: {error}.") from error
    except OSError as error:
        raise Outside(f"The results could not be written to {place}: {error}.", "Try again.") from error
