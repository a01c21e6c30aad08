"""`SageMakerClarifyProcessor`: the SDK's constructor and methods, with jobs that run here or with our image."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from clarify_ops.config.composed import (
    Names,
    bias_document,
    explanation_document,
    labels_document,
    whole_document,
)
from clarify_ops.errors import BadInput
from clarify_ops.sagemaker.names import name_from_prefix

if TYPE_CHECKING:
    from clarify_ops.sagemaker.local import LocalJob
    from clarify_ops.sagemaker.remote import RemoteJob

MODE = "CLARIFY_OPS_MODE"
LOCAL = "local"
TRUST_MODEL = "CLARIFY_OPS_TRUST_MODEL"


class SageMakerClarifyProcessor:
    """Runs analyses as the SageMaker SDK's class of this name does.

    A job runs in this process where `instance_type` is "local" or the environment has `CLARIFY_OPS_MODE=local`: then local
    paths may stand where S3 URIs do, and role, session, network and the like are of no consequence. A model of such a job is
    asked in this process (an MLflow model), at its address, or by the name that SageMaker knows; a file that runs code when it
    is read is opened only with `CLARIFY_OPS_TRUST_MODEL=1` in the environment or in `env`. Otherwise it is a
    SageMaker processing job with the image that `image_uri` or the environment's `CLARIFY_OPS_IMAGE` names.

    Args:
        role: Name or ARN of the role that the job takes.
        instance_count, instance_type, volume_size_in_gb, volume_kms_key: Of the machines.
        output_kms_key: Encrypts the results.
        max_runtime_in_seconds: After which the job is stopped.
        sagemaker_session: The SDK's session; by default boto3's own.
        env: Variables of the container, and of a job that runs here.
        tags: Of the job, as the SDK takes them.
        network_config: The SDK's `NetworkConfig`, or the request's `NetworkConfig` as a mapping.
        job_name_prefix: In place of the method's own.
        version: Clarify's; taken for compatibility, for the image has its own.
        skip_early_validation: Leave the checking of the configuration to the job.
        image_uri: Our image in a registry. The only argument that the SDK's class has not.

    Attributes:
        jobs, latest_job: What was started here.
    """

    def __init__(
        self,
        role: str | None = None,
        instance_count: int | None = None,
        instance_type: str | None = None,
        volume_size_in_gb: int = 30,
        volume_kms_key: str | None = None,
        output_kms_key: str | None = None,
        max_runtime_in_seconds: int | None = None,
        sagemaker_session: Any = None,
        env: dict[str, str] | None = None,
        tags: Any = None,
        network_config: Any = None,
        job_name_prefix: str | None = None,
        version: str | None = None,
        skip_early_validation: bool = False,
        *,
        image_uri: str | None = None,
    ) -> None:
        self.role = role
        self.instance_count = instance_count
        self.instance_type = instance_type
        self.volume_size_in_gb = volume_size_in_gb
        self.volume_kms_key = volume_kms_key
        self.output_kms_key = output_kms_key
        self.max_runtime_in_seconds = max_runtime_in_seconds
        self.sagemaker_session = sagemaker_session
        self.env = env
        self.tags = tags
        self.network_config = network_config
        self.job_name_prefix = job_name_prefix
        self.version = version
        self.skip_early_validation = skip_early_validation
        self.image_uri = image_uri
        self.jobs: list[LocalJob | RemoteJob] = []
        self.latest_job: LocalJob | RemoteJob | None = None

    @property
    def runs_here(self) -> bool:
        """Whether jobs run in this process.

        Raises:
            BadInput: `CLARIFY_OPS_MODE` says something else than "local".
        """
        mode = os.environ.get(MODE, "")
        if mode not in {"", LOCAL}:
            raise BadInput(f"The environment has {MODE}={mode}.", f"Set it to {LOCAL}, or leave it out.")
        return LOCAL in {mode, self.instance_type}

    @property
    def trusts_model(self) -> bool:
        """Whether a job that runs here opens a model whose files run code when they are read, as a pickle does.

        Raises:
            BadInput: `CLARIFY_OPS_TRUST_MODEL` says something else than 1 or 0.
        """
        said = {**os.environ, **(self.env or {})}.get(TRUST_MODEL, "")
        if said not in {"", "0", "1"}:
            raise BadInput(f"The environment has {TRUST_MODEL}={said}.", "Set it to 1, or leave it out.")
        return said == "1"

    def run(self, **_: Any) -> None:
        """Not here: choose what to run.

        Raises:
            NotImplementedError: Always, as in the SDK.
        """
        raise NotImplementedError(
            "Please choose a method of run_pre_training_bias, run_post_training_bias, run_bias, run_explainability or"
            " run_bias_and_explainability."
        )

    def run_pre_training_bias(
        self,
        data_config: Any,
        data_bias_config: Any,
        methods: Names = "all",
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        kms_key: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> None:
        """Measures bias of the labels.

        Args:
            data_config: The dataset, and where results go.
            data_bias_config: Positive labels and facets.
            methods: "all" or names of metrics.
            wait: Until the job has ended. A job that runs here always has.
            logs: Tell on standard error what is being done.
            job_name: In place of one made of prefix and time.
            kms_key: Encrypts the uploaded configuration.
            experiment_config: Of the processing job.

        Raises:
            ClarifyOpsError: The job ran here and failed, or could not be started.
        """
        document = labels_document(data_config, data_bias_config, methods)
        name = job_name or self._name("Clarify-Pretraining-Bias")
        self._start(data_config, document, name, wait=wait, logs=logs, kms_key=kms_key, experiment=experiment_config)

    def run_post_training_bias(
        self,
        data_config: Any,
        data_bias_config: Any,
        model_config: Any = None,
        model_predicted_label_config: Any = None,
        methods: Names = "all",
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        kms_key: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> None:
        """Measures bias of the predictions; arguments as of `run_pre_training_bias`, and a model and how to read it."""
        document = bias_document(
            data_config, data_bias_config, model=model_config, labels=model_predicted_label_config, after=methods
        )
        name = job_name or self._name("Clarify-Posttraining-Bias")
        self._start(data_config, document, name, wait=wait, logs=logs, kms_key=kms_key, experiment=experiment_config)

    def run_bias(
        self,
        data_config: Any,
        bias_config: Any,
        model_config: Any = None,
        model_predicted_label_config: Any = None,
        pre_training_methods: Names = "all",
        post_training_methods: Names = "all",
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        kms_key: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> None:
        """Measures bias of labels and predictions; arguments as of `run_post_training_bias`."""
        document = bias_document(
            data_config,
            bias_config,
            model=model_config,
            labels=model_predicted_label_config,
            before=pre_training_methods,
            after=post_training_methods,
        )
        name = job_name or self._name("Clarify-Bias")
        self._start(data_config, document, name, wait=wait, logs=logs, kms_key=kms_key, experiment=experiment_config)

    def run_explainability(
        self,
        data_config: Any,
        model_config: Any,
        explainability_config: Any,
        model_scores: Any = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        kms_key: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> None:
        """Explains a model; `model_scores` says where its scores stand. Other arguments as of `run_bias`."""
        document = explanation_document(data_config, model_config, model_scores, explainability_config)
        name = job_name or self._name("Clarify-Explainability")
        self._start(data_config, document, name, wait=wait, logs=logs, kms_key=kms_key, experiment=experiment_config)

    def run_bias_and_explainability(
        self,
        data_config: Any,
        model_config: Any,
        explainability_config: Any,
        bias_config: Any,
        pre_training_methods: Names = "all",
        post_training_methods: Names = "all",
        model_predicted_label_config: Any = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        kms_key: str | None = None,
        experiment_config: dict[str, str] | None = None,
    ) -> None:
        """Measures bias and explains a model in one job; arguments as of `run_bias` and `run_explainability`."""
        document = whole_document(
            data_config,
            bias_config,
            explainability_config,
            model=model_config,
            labels=model_predicted_label_config,
            before=pre_training_methods,
            after=post_training_methods,
        )
        name = job_name or self._name("Clarify-Bias-And-Explainability")
        self._start(data_config, document, name, wait=wait, logs=logs, kms_key=kms_key, experiment=experiment_config)

    def _name(self, prefix: str) -> str:
        return name_from_prefix(self.job_name_prefix or prefix)

    def _start(
        self,
        data: Any,
        document: dict[str, Any],
        name: str,
        *,
        wait: bool,
        logs: bool,
        kms_key: str | None,
        experiment: dict[str, str] | None,
    ) -> None:
        if not self.skip_early_validation:
            from clarify_ops.config.analysis import AnalysisConfig

            AnalysisConfig.parse(document, "The analysis configuration")
        if self.runs_here:
            from clarify_ops.sagemaker.local import run_here

            self._keep(run_here(document, data, name, logs=logs, trust_model=self.trusts_model))
            return
        from clarify_ops.sagemaker.remote import start_job

        job = start_job(self, document, data, name, kms_key=kms_key, experiment=experiment)
        self._keep(job)
        if wait:
            job.wait(logs=logs)

    def _keep(self, job: LocalJob | RemoteJob) -> None:
        self.latest_job = job
        self.jobs.append(job)
