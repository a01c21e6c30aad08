"""Where and as whom steps run, looked at before anything is sent to SageMaker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clarify_ops.components.image import image
from clarify_ops.components.sagemaker.variables import is_variable, number, text
from clarify_ops.errors import BadInput

if TYPE_CHECKING:
    from sagemaker.core.processing import Processor

    from clarify_ops.components.sagemaker.variables import Number, Text

# Before the name of a variable: its value is the ARN of the secret.
KEPT_ELSEWHERE = "CLARIFY_OPS_SECRET_"
# Of CreateProcessingJob.
LONGEST = 256
_MOST_VARIABLES = 100
_SECRET_WORDS = {"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS"}
_SECRET_KEYS = ("ACCESS_KEY", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY_ID")
# A variable that says where a secret lies, not what it is.
_PLACES = ("FILE", "PATH", "ARN", "NAME", "URI", "URL")
_USER_AND_PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]+@")


@dataclass(frozen=True)
class Job:
    """Where and as whom the steps run. Everything but the session may be a pipeline variable.

    Attributes:
        role: ARN of the role that the jobs take on.
        results: S3 prefix below which every run makes a folder, and every step one in it.
        session: A `sagemaker.core.workflow.pipeline_context.PipelineSession`.
        image: URI of our image in ECR; by default what `CLARIFY_OPS_IMAGE` says.
        instance_type: As SageMaker calls it.
        volume_size_in_gb: Of the disk that data and results must fit on.
        max_runtime_in_seconds: After which SageMaker stops a job; absent: after a day.
        environment: Variables for every step, for example the address of an MLflow server. A password is refused here, for
            whoever may look at the pipeline could read it.
        secrets: Variables that each step gets from AWS Secrets Manager, with the job's role: names, and the ARNs of the
            secrets; `ARN:KEY::` for one value of a secret that is a JSON object.
        options: Further arguments of the SDK's `Processor`: network_config, tags, volume_kms_key and so on.

    A step on a bigger machine gets `dataclasses.replace(job, instance_type="ml.m5.4xlarge")`.
    """

    role: Text
    results: Text
    session: Any
    image: Text = field(default_factory=image)
    instance_type: Text = "ml.m5.xlarge"
    volume_size_in_gb: Number = 30
    max_runtime_in_seconds: Number | None = None
    environment: Mapping[str, Text] = field(default_factory=dict)
    secrets: Mapping[str, Text] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def processor(self, switches: Mapping[str, Any]) -> Processor:
        """The SDK's description of a job.

        Args:
            switches: Variables of the step, beside those of every step.

        Raises:
            BadInput: Something is of a wrong type, or SageMaker would refuse it.
        """
        from sagemaker.core.processing import Processor
        from sagemaker.core.workflow.pipeline_context import PipelineSession

        if not isinstance(self.session, PipelineSession):
            raise BadInput(
                f"The session is a {type(self.session).__name__}, with which a job would start at once.",
                "Give a PipelineSession.",
            )
        if self.max_runtime_in_seconds is not None:
            number(self.max_runtime_in_seconds, "max_runtime_in_seconds")
        return Processor(
            role=_role(self.role),
            image_uri=text(self.image, "The image"),
            instance_count=1,
            instance_type=text(self.instance_type, "instance_type"),
            entrypoint=["clarify-ops"],
            volume_size_in_gb=number(self.volume_size_in_gb, "volume_size_in_gb"),
            max_runtime_in_seconds=self.max_runtime_in_seconds,
            env={**environment_variables(self.environment), **_secrets(self.secrets), **switches} or None,
            sagemaker_session=self.session,
            **self.options,
        )

    def place(self, *parts: str) -> Any:
        """Where a run puts something, below `results` and the run's own folder."""
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.functions import Join

        # Named here, for the SDK would ask the account for a default bucket, and that needs the network.
        prefix = text(self.results, "The prefix for results")
        if isinstance(prefix, str):
            if not prefix.startswith("s3://"):
                raise BadInput(f"The prefix for results is {prefix!r}, where no job can write.", "Give an S3 URI.")
            prefix = prefix.rstrip("/")
        return Join(on="/", values=[prefix, ExecutionVariables.PIPELINE_EXECUTION_ID, *parts])


def without_secrets(value: Any, what: str) -> Any:
    """A text for the definition of a pipeline, which many may read.

    Raises:
        BadInput: It holds a password, or is longer than SageMaker takes.
    """
    if isinstance(value, str):
        if _USER_AND_PASSWORD.search(value):
            raise BadInput(
                f"{what} is an address with a password, which everybody who may look at the pipeline could read.",
                "Leave the password out; `secrets` of the job hands one over.",
            )
        if len(value) > LONGEST:
            raise BadInput(f"{what} has {len(value)} characters, and SageMaker takes {LONGEST}.", "Shorten it.")
    return value


def _role(role: Any) -> Any:
    text(role, "The role")
    if isinstance(role, str) and not role.startswith("arn:"):
        raise BadInput(f"The role is {role!r}, which is no ARN.", "Give arn:aws:iam::ACCOUNT:role/NAME.")
    return role


def environment_variables(given: Mapping[str, Any], *, named: bool = False) -> dict[str, Any]:
    """The variables of a job, if SageMaker takes them and everybody may read them.

    Args:
        given: They, by name.
        named: Whether they only name secrets, which are kept elsewhere.

    Raises:
        BadInput: It does not, or a secret stands in one.
    """
    if len(given) > _MOST_VARIABLES:
        raise BadInput(f"There are {len(given)} environment variables, and SageMaker takes {_MOST_VARIABLES}.")
    for name, value in given.items():
        what = f"The environment variable {name}"
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,255}", name):
            raise BadInput(f"{what!r} has a name that SageMaker refuses.", "Use letters, digits and underscores.")
        text(value, what)
        if not named and _is_secret(name) and value and not is_variable(value):
            raise BadInput(
                f"{what} would stand in the definition of the pipeline, which everybody who may look at it can read.",
                "Keep it in AWS Secrets Manager, and give its ARN under `secrets`.",
            )
        without_secrets(value, what)
    return dict(given)


def _secrets(given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that tell the step which secrets to fetch."""
    for name, arn in given.items():
        text(arn, f"The secret for {name}")
        if isinstance(arn, str) and not re.match(r"arn:aws[a-z-]*:secretsmanager:", arn):
            raise BadInput(f"The secret for {name} is no ARN of a secret.", "Give arn:aws:secretsmanager:....")
    return environment_variables({f"{KEPT_ELSEWHERE}{name}": arn for name, arn in given.items()}, named=True)


def _is_secret(name: str) -> bool:
    words = name.upper().split("_")
    if words[-1] in _PLACES:
        return False
    return not _SECRET_WORDS.isdisjoint(words) or name.upper().endswith(_SECRET_KEYS)
