"""`ClarifyCheckStep` of the SDK, as a processing step that runs our image.

SageMaker's own step starts Clarify's container, compares and reads the registry itself. Here the job does all of that:
`clarify-ops check` analyses, finds the previous baseline, compares and fails. What the step's properties name are its
outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.properties import Properties, PropertyFile
from sagemaker.mlops.workflow.steps import ConfigurableRetryStep, ProcessingStep, StepTypeEnum

from clarify_ops.components.image import image
from clarify_ops.components.sagemaker.check_document import analysis_document, config_arguments
from clarify_ops.components.sagemaker.inputs import INPUT
from clarify_ops.components.sagemaker.job import environment_variables, without_secrets
from clarify_ops.components.sagemaker.processing import OUTPUT, retries
from clarify_ops.components.sagemaker.variables import flag, is_variable, text
from clarify_ops.errors import BadInput, NotSupported
from clarify_ops.steps.check import CALCULATED, CHECK, HANDED_ON

_RECORD = OUTPUT.parent / "check"
_CHECK_FILE = "Check"
# Where the verb calls it otherwise than the SDK.
_OPTIONS = {
    "model_package_group_name": "model_package_group",
    "supplied_baseline_constraints": "baseline_constraints",
}
_HOUR = 3600
Told = str | tuple[str, Any]
"""An argument, or a variable of the environment."""


class ClarifyCheckStep(ProcessingStep):
    """A drift check in a pipeline, in SageMaker's own vocabulary.

    `properties.CalculatedBaselineConstraints` and `properties.BaselineUsedForDriftCheckConstraints` are S3 URIs of
    analysis.json files, for `ModelMetrics` and `DriftCheckBaselines`; all other properties are those of a processing step.
    Both lie in a folder of the execution, for a registered baseline must not change when the pipeline runs again.

    Args:
        name: Of the step.
        clarify_check_config: `DataBiasCheckConfig`, `ModelBiasCheckConfig` or `ModelExplainabilityCheckConfig`, the SDK's or
            ours.
        check_job_config: `CheckJobConfig`, the SDK's or ours.
        skip_check: Compare with nothing.
        fail_on_violation: Fail the step where there are violations.
        register_new_baseline: Hand the new baseline on as the one for later checks.
        model_package_group_name: The previous baseline is that of its latest approved version.
        supplied_baseline_constraints: S3 URI of the previous baseline, an analysis.json; it goes before the group's.
        display_name, description, cache_config, depends_on: As for every step.
        retry_policies: By default what SageMaker itself broke is tried again; violations never are.
        strict: Judge by our rule instead of Clarify's.
        model: S3 URI of an MLflow model, a folder or model.tar.gz, which is asked in the job itself: no endpoint is made. Of a
            training step that leaves one, `properties.ModelArtifacts.S3ModelArtifacts`.

    Raises:
        BadInput: A value is wrong by itself; or a variable stands where none can.
        NotSupported: Several instances, or a configuration that nothing here follows.
    """

    def __init__(  # noqa: PLR0917 - the SDK's signature
        self,
        name: str,
        clarify_check_config: Any,
        check_job_config: Any,
        skip_check: Any = False,  # noqa: FBT002 - likewise
        fail_on_violation: Any = True,  # noqa: FBT002 - likewise
        register_new_baseline: Any = False,  # noqa: FBT002 - likewise
        model_package_group_name: Any = None,
        supplied_baseline_constraints: Any = None,
        display_name: str | None = None,
        description: str | None = None,
        cache_config: Any = None,
        depends_on: list[Any] | None = None,
        *,
        retry_policies: list[Any] | None = None,
        strict: Any = False,
        model: Any = None,
    ) -> None:
        # Not ProcessingStep's own: it takes a call of Processor.run, which starts a job where the session is no
        # PipelineSession, as that of a CheckJobConfig may be.
        ConfigurableRetryStep.__init__(
            self,
            name,
            StepTypeEnum.PROCESSING,
            display_name,
            description,
            depends_on,
            retries() if retry_policies is None else retry_policies,
        )
        self.step_args = None
        self.cache_config = cache_config
        self.property_files = [PropertyFile(name=_CHECK_FILE, output_name=_RECORD.name, path=CHECK)]
        document, model_name = analysis_document(clarify_check_config, model_given=model is not None)
        told = [
            *_switch("skip_check", skip_check),
            *_switch("fail_on_violation", fail_on_violation),
            *_switch("register_new_baseline", register_new_baseline),
            *_option("model_package_group_name", model_package_group_name),
            *_option("supplied_baseline_constraints", supplied_baseline_constraints),
            *_option("model_name", model_name),
            *(_switch("strict", strict) if strict is not False else []),
        ]
        data = clarify_check_config.data_config
        inputs = [_input("dataset", data.s3_data_input_path, "data", data)]
        arguments = ["check", "--data", str(INPUT / "data"), "--output", str(OUTPUT), "--record", str(_RECORD)]
        if model is not None:
            inputs.append(_input("model", model, "model"))
            arguments += ["--model", str(INPUT / "model")]
        arguments += [one for one in told if isinstance(one, str)] + config_arguments(document)
        variables = {key: value for one in told if isinstance(one, tuple) for key, value in [one]}
        self._request = _request(check_job_config, inputs, _outputs(name, data.s3_output_path), arguments, variables)
        self._properties = _properties(name, self)

    @property
    def arguments(self) -> dict[str, Any]:
        """The request of CreateProcessingJob."""
        return dict(self._request)

    @property
    def violated(self) -> Any:
        """Whether there are violations, for the conditions of a pipeline whose check does not fail."""
        return JsonGet(step_name=self.name, property_file=_CHECK_FILE, json_path="violated")


def _switch(name: str, value: Any) -> list[Told]:
    """An argument for a constant, a variable of the job's environment for a variable of the pipeline."""
    if is_variable(flag(value, name)):
        return [_in_environment(name, value)]
    option = name.replace("_", "-")
    return [f"--{option}" if value else f"--no-{option}"]


def _option(name: str, value: Any) -> list[Told]:
    """As `_switch`, for text: an argument cannot be left out when the pipeline runs, an empty variable says nothing."""
    if value is None or value == "":
        return []
    option = _OPTIONS.get(name, name)
    if is_variable(text(value, name)):
        return [_in_environment(option, value)]
    return [str(without_secrets(f"--{option.replace('_', '-')}={value}", f"The argument {name}"))]


def _in_environment(option: str, value: Any) -> Told:
    # As text: the environment of a job takes nothing else.
    return f"CLARIFY_OPS_{option.upper()}", value.to_string()


def _input(name: str, uri: Any, folder: str, data: Any = None) -> dict[str, Any]:
    source = {
        "S3Uri": _in_s3(name, uri),
        "LocalPath": str(INPUT / folder),
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": getattr(data, "s3_data_distribution_type", None) or "FullyReplicated",
        "S3CompressionType": getattr(data, "s3_compression_type", None) or "None",
    }
    return {"InputName": name, "S3Input": source}


def _outputs(step: str, place: Any) -> list[dict[str, Any]]:
    """The results where the data configuration says, and the record of this execution below."""
    below = ["checks", ExecutionVariables.PIPELINE_EXECUTION_ID, step]
    if isinstance(_in_s3("s3_output_path", place), str):
        parts = [place.rstrip("/")]
    else:
        parts = list(place.values) if isinstance(place, Join) and place.on == "/" else [place]
    return [
        _output("analysis_result", place, str(OUTPUT), "EndOfJob"),
        # At once: what SageMaker uploads at the end of a job it may not upload where that fails, and the violations are
        # looked for just then.
        _output(_RECORD.name, Join(on="/", values=[*parts, *below]), str(_RECORD), "Continuous"),
    ]


def _output(name: str, uri: Any, path: str, mode: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


def _in_s3(name: str, uri: Any) -> Any:
    if is_variable(uri) or (isinstance(uri, str) and uri.startswith("s3://")):
        return uri
    raise BadInput(f"{name} is {uri!r}, which no processing job can reach.", "Give an S3 URI.")


def _request(
    job: Any,
    inputs: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
    arguments: Sequence[Any],
    variables: Mapping[str, Any],
) -> dict[str, Any]:
    if not is_variable(job.instance_count) and job.instance_count != 1:
        raise NotSupported(
            f"A check on {job.instance_count} instances is not made: each of them would do all of it.",
            "Set instance_count to 1, with a larger instance_type if the data need it.",
        )
    cluster = {
        "InstanceCount": job.instance_count,
        "InstanceType": job.instance_type,
        "VolumeSizeInGB": job.volume_size_in_gb,
        **_given(VolumeKmsKeyId=job.volume_kms_key),
    }
    network = job.network_config
    return {
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs, **_given(KmsKeyId=job.output_kms_key)},
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {
            "ImageUri": getattr(job, "image_uri", None) or image(),
            "ContainerEntrypoint": ["clarify-ops"],
            "ContainerArguments": list(arguments),
        },
        "RoleArn": _role(job),
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_in_seconds or _HOUR},
        **_given(
            Environment={**environment_variables(job.env or {}), **variables},
            NetworkConfig=network._to_request_dict() if hasattr(network, "_to_request_dict") else network,  # noqa: SLF001 - the SDK's own way to say it
            Tags=[{"Key": key, "Value": value} for key, value in job.tags.items()]
            if isinstance(job.tags, Mapping)
            else job.tags,
        ),
    }


def _role(job: Any) -> Any:
    """The ARN; a name is looked up as the SDK does, which needs the network."""
    if is_variable(job.role) or "/" in job.role:
        return job.role
    if job.sagemaker_session is None:
        raise BadInput(f"The role {job.role!r} is no ARN.", "Give its ARN, or a session to look it up with.")
    return job.sagemaker_session.expand_role(job.role)


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None and value not in ({}, [])}


def _properties(name: str, step: ClarifyCheckStep) -> Properties:
    """Those of a processing job, and those of a check, which are read off its outputs."""
    found = Properties(step_name=name, step=step, shape_name="DescribeProcessingJobResponse")
    record = found.ProcessingOutputConfig.Outputs[_RECORD.name].S3Output.S3Uri
    # Whatever the flags are when the pipeline runs: the job writes both files, and knows which baseline the second one is.
    found.CalculatedBaselineConstraints = Join(on="/", values=[record, CALCULATED, "analysis.json"])
    found.BaselineUsedForDriftCheckConstraints = Join(on="/", values=[record, HANDED_ON, "analysis.json"])
    return found
