"""The drift baselines of a model package group's latest approved version, whoever registered it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarify_ops.documents import digest_bytes
from clarify_ops.errors import Refused
from clarify_ops.registry.sagemaker_calls import Clients, asking, is_absent, refusal
from clarify_ops.registry.sagemaker_package import APPROVED

# Where DriftCheckBaselines names the constraints of a section of analysis.json.
_PLACES: Mapping[str, tuple[str, str]] = {
    "pre_training_bias_metrics": ("Bias", "PreTrainingConstraints"),
    "post_training_bias_metrics": ("Bias", "PostTrainingConstraints"),
    "explanations": ("Explainability", "Constraints"),
}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ApprovedVersion:
    """A version that people deploy.

    Attributes:
        arn: Its name.
        baselines: Its `DriftCheckBaselines`.
    """

    arn: str
    baselines: Mapping[str, Any]

    def source(self, section: str) -> Mapping[str, Any] | None:
        """The file that later analyses of a section are compared with: S3Uri, and perhaps ContentDigest."""
        part, key = _PLACES[section]
        found: Mapping[str, Any] | None = self.baselines.get(part, {}).get(key)
        return found


def latest_approved(clients: Clients, group: str) -> ApprovedVersion | None:
    """The version with the highest number of those that are approved; None where there is none, or no such group.

    Raises:
        Outside: AWS refused, failed or did not answer.
    """
    with asking(group):
        listed = _listed(clients.sagemaker, group)
        if not listed:
            return None
        newest = max(listed, key=lambda one: int(one["ModelPackageVersion"]))
        found = clients.sagemaker.describe_model_package(ModelPackageName=newest["ModelPackageArn"])
    return ApprovedVersion(str(found["ModelPackageArn"]), found.get("DriftCheckBaselines", {}))


def content(clients: Clients, version: ApprovedVersion, section: str) -> tuple[str, bytes] | None:
    """Address and bytes of a baseline; None where the version has none for that section.

    Raises:
        Refused: The file is not there, or not what was registered.
        Outside: AWS failed.
    """
    source = version.source(section)
    if source is None:
        return None
    uri = str(source["S3Uri"])
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with asking(version.arn):
        try:
            found: bytes = clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except refusal() as error:
            if not is_absent(error):
                raise
            raise Refused(
                f"The baseline {uri} of {version.arn} is not there.", "Register a version with a new baseline."
            ) from error
    registered = str(source.get("ContentDigest") or "")
    # Other digests are other people's own; this form is what this registry writes.
    if _DIGEST.fullmatch(registered) and registered != digest_bytes(found):
        raise Refused(f"The baseline {uri} of {version.arn} was changed after it was registered.")
    return uri, found


def _listed(client: Any, group: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus=APPROVED
    )
    try:
        return [one for page in pages for one in page["ModelPackageSummaryList"]]
    except refusal() as error:
        if not is_absent(error):
            raise
        return []
