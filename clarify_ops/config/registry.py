"""`registry:` of a pipeline: where a model that passes goes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator

from clarify_ops.config.closed import Closed
from clarify_ops.config.policy import Name

# Short enough that the folder of a version, with two digests in its name, is still a value that SageMaker's metadata take.
_LONGEST_PLACE = 100
Status = Literal["Approved", "PendingManualApproval"]


class MlflowSection(Closed):
    """The MLflow Model Registry.

    Attributes:
        kind: `mlflow`.
        uri: Tracking URI; absent: MLFLOW_TRACKING_URI, or else the SQLite file runs/mlflow.db.
        model: Name of the registered model.
        experiment: Name of the experiment; absent: the pipeline's name.
        alias: What the new version is called.
    """

    kind: Literal["mlflow"] = "mlflow"
    uri: str | None = None
    model: Name
    experiment: Name | None = None
    alias: Name = "challenger"


class Approval(Closed):
    """Which approval status a verdict becomes.

    An INCONCLUSIVE one, where the policy says `warn` or `approval`, is always `PendingManualApproval`.

    Attributes:
        passed: Of a model that passes: `Approved`, which whatever deploys approved models may act on at once, or
            `PendingManualApproval`, which waits for `promote`.
        refused: Of one that the gate refuses: nothing, or a version without a model that is `Rejected` from the start.
    """

    passed: Status = "PendingManualApproval"
    refused: Literal["nothing", "Rejected"] = "nothing"


class SageMakerSection(Closed):
    """The SageMaker Model Registry, with files in S3.

    Attributes:
        kind: `sagemaker`.
        uri: Where files go: `s3://bucket` or `s3://bucket/prefix`. The bucket must exist.
        model: Name of the model package group; it is created where there is none.
        region: Of both services; absent: the environment's.
        image: The container that serves the model. Without one a version is only logged: it cannot be deployed.
        kms_key: Key that encrypts what is stored; absent: the bucket's own setting.
        endpoint_url: Of both services, in place of AWS's own: for a local server.
        approval: Which status a verdict becomes.
    """

    kind: Literal["sagemaker"]
    uri: Annotated[
        str,
        Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.:=+@-]+)*/?$", max_length=_LONGEST_PLACE),
    ]
    model: Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63)]
    region: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)+-\d+$")] | None = None
    image: Annotated[str, Field(pattern=r"^\S+$", max_length=255)] | None = None
    kms_key: Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]+$", max_length=2048)] | None = None
    endpoint_url: str | None = None
    approval: Approval = Approval()

    @field_validator("endpoint_url")
    @classmethod
    def _without_secrets(cls, value: str | None) -> str | None:
        # A pattern's complaint would quote what it complains of.
        if value is not None and not re.fullmatch(r"https?://[^\s@]+", value):
            raise ValueError("must be an http or https address, without user and password")
        return value

    @property
    def alias(self) -> str:
        """What a version that passes is called: an approved one is the champion, a pending one the challenger."""
        return "champion" if self.approval.passed == "Approved" else "challenger"

    def at(self, uri: str) -> Self:
        """The same with its files elsewhere.

        Raises:
            BadDocument: That is no place in S3.
        """
        return self.parse({**self.model_dump(), "uri": uri}, "The registry")


def _with_kind(value: Any) -> Any:
    # MLflow is what is meant where nothing is said.
    return {"kind": "mlflow", **value} if isinstance(value, dict) else value


RegistrySection = Annotated[
    Annotated[MlflowSection | SageMakerSection, Field(discriminator="kind")], BeforeValidator(_with_kind)
]
