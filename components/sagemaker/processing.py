"""Any step of the table as a processing step: `clarify-ops VERB` in our image, with S3 before and behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypedDict

from clarify_ops.components.commands import arguments, ports
from clarify_ops.components.sagemaker.inputs import bring, is_brought
from clarify_ops.components.sagemaker.job import Job, without_secrets
from clarify_ops.components.sagemaker.variables import flag, is_variable, text
from clarify_ops.errors import BadInput, nearest
from clarify_ops.steps.table import BY_NAME, Port

if TYPE_CHECKING:
    from sagemaker.mlops.workflow import ProcessingStep
    from sagemaker.mlops.workflow.retry import RetryPolicy
    from sagemaker.mlops.workflow.step_dependency import StepDependency
    from sagemaker.mlops.workflow.steps import CacheConfig, Step

OUTPUT = PurePosixPath("/opt/ml/processing/output")
VERDICT_FILE = "Verdict"
KEPT_FOR = "P30D"


class StepOptions(TypedDict, total=False):
    """What every step takes besides its inputs.

    Attributes:
        name: In the pipeline, where a name must be the only one of its kind: give one to a step that appears twice.
        display_name: In SageMaker Studio.
        description: In SageMaker Studio.
        depends_on: Steps to wait for although nothing of theirs is read.
        cache_config: By default a step whose results depend on its inputs alone is taken from a run of the last 30 days with the
            same arguments, and every other step runs anew. SageMaker compares addresses, not contents: the gate
            refuses results that are about other data.
        retry_policies: By default what SageMaker itself broke is tried again. What our step refused never is.
    """

    name: str
    display_name: str
    description: str
    depends_on: Sequence[str | Step | StepDependency]
    cache_config: CacheConfig
    retry_policies: Sequence[RetryPolicy]


def processing_step(
    job: Job, step: str, values: Mapping[str, Any], options: StepOptions | None = None
) -> ProcessingStep:
    """Any step of the table as a processing step.

    Args:
        job: Where it runs.
        step: Name in the step table.
        values: By the name of the port. A folder is the step that writes it, or an S3 URI; a file an S3 URI, or for a
            verdict or evidence the step of the gate; a dataset in S3 is brought into the container, any other URI is
            passed on. Each may be a pipeline variable.
        options: Name, dependencies, caching and retries.

    Raises:
        BadInput: A required value is missing, of a wrong type, or cannot be brought into a container.
    """
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow import ProcessingStep

    row, options = BY_NAME[step], options or {}
    for given in options.keys() - StepOptions.__annotations__.keys():
        known = [*StepOptions.__annotations__, *(port.name for port in ports(step))]
        raise BadInput(f"The step {step} takes no {given!r}.", nearest(given, known))
    name = _name(options.get("name", step_name(step)))
    inputs, told, switches = [], dict(values), {}
    for port in ports(step):
        value = values.get(port.name)
        if value is None:
            continue
        if is_brought(port, value):
            entry, path = bring(port, value)
            inputs.append(entry)
            told[port.name] = str(path)
        elif port.kind == "flag" and is_variable(flag(value, f"The switch {port.name!r}")):
            # An argument is there or not before the pipeline runs; a variable of the container may say either.
            switches[variable(port)] = value.to_string()
            told[port.name] = None
        elif port.kind != "flag":
            text(value, f"The value of {port.name!r}")
    output = str(OUTPUT / row.folder)
    command = [without_secrets(one, "An argument of the step " + step) for one in arguments(step, told, output)]
    to_s3 = ProcessingS3Output(s3_uri=job.place(name, row.folder), local_path=output, s3_upload_mode="EndOfJob")
    return ProcessingStep(
        name=name,
        step_args=job.processor(switches).run(
            inputs=inputs,
            outputs=[ProcessingOutput(output_name=row.folder, s3_output=to_s3)],
            arguments=command,
        ),
        display_name=options.get("display_name", row.title),
        description=options.get("description", row.description),
        property_files=[PropertyFile(name=VERDICT_FILE, output_name=row.folder, path="verdict.json")]
        if step == "gate"
        else None,
        cache_config=options.get("cache_config", _kept() if row.pure else None),
        depends_on=list(options.get("depends_on", ())) or None,
        retry_policies=list(options.get("retry_policies", retries())),
    )


def retries() -> list[RetryPolicy]:
    """Tries again what failed on SageMaker's side.

    A step that ends with an error of its own, such as a refused model, is an algorithm error to SageMaker, and in none of these.
    """
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )

    calls = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
    return [
        StepRetryPolicy(exception_types=calls, interval_seconds=5, backoff_rate=2.0, max_attempts=5),
        SageMakerJobStepRetryPolicy(
            exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
            failure_reason_types=[
                SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
            ],
            interval_seconds=60,
            backoff_rate=2.0,
            max_attempts=4,
        ),
    ]


def step_name(step: str) -> str:
    """Name of a step in a SageMaker pipeline.

    >>> step_name("pretraining-bias")
    'PretrainingBias'
    """
    return "".join(word.capitalize() for word in step.split("-"))


def variable(port: Port) -> str:
    """The environment variable of a switch.

    >>> variable(Port("no_fail", "flag", ""))
    'CLARIFY_OPS_NO_FAIL'
    """
    return f"CLARIFY_OPS_{port.name.upper()}"


def _name(given: Any) -> str:
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given):
        raise BadInput(f"A step cannot be called {given!r}.", "Use up to 64 letters, digits, hyphens and underscores.")
    return given


def _kept() -> CacheConfig:
    from sagemaker.mlops.workflow.steps import CacheConfig

    return CacheConfig(enable_caching=True, expire_after=KEPT_FOR)
