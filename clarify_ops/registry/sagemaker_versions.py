"""What a model package group holds, as the registry's protocol has it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from clarify_ops.errors import Outside
from clarify_ops.registry.contents import COMPLETE_TAG, EVIDENCE_TAG, VERDICT_TAG
from clarify_ops.registry.history import record_of
from clarify_ops.registry.protocol import RegisteredVersion
from clarify_ops.registry.sagemaker_calls import is_absent, is_present, refusal
from clarify_ops.registry.sagemaker_package import (
    APPROVED,
    PENDING,
    REJECTED,
    approval_description,
    evidence_of,
    metadata_of,
)

CHAMPION, CHALLENGER = "champion", "challenger"
YES = "true"
BEFORE_TAG = "clarify_ops.before"


class Packages:
    """Model package groups and their versions.

    Args:
        client: boto3's client of SageMaker.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._arns: dict[tuple[str, str], str] = {}

    def ensure(self, group: str) -> None:
        """Makes the group where there is none."""
        try:
            self._client.describe_model_package_group(ModelPackageGroupName=group)
        except refusal() as error:
            if not is_absent(error):
                raise
        else:
            return
        try:
            self._client.create_model_package_group(
                ModelPackageGroupName=group,
                ModelPackageGroupDescription="Versions that came through the release gate of clarify_ops.",
            )
        except refusal() as error:
            if not is_present(error):
                raise

    def groups(self) -> tuple[str, ...]:
        """The names of all groups, in order."""
        pages = self._client.get_paginator("list_model_package_groups").paginate()
        return tuple(
            sorted(str(one["ModelPackageGroupName"]) for page in pages for one in page["ModelPackageGroupSummaryList"])
        )

    def versions(self, group: str) -> tuple[RegisteredVersion, ...]:
        """Every version of a group, by number, with what it is called."""
        found = sorted((self._described(one) for one in self._listed(group)), key=lambda one: int(one.version))
        pending = [one for one in found if one.status == PENDING and one.complete]
        newest = pending[-1].version if pending else None
        return tuple(replace(one, aliases=(CHALLENGER,)) if one.version == newest else one for one in found)

    def version(self, group: str, number: str) -> RegisteredVersion:
        """One version as it is now.

        Raises:
            Outside: There is none.
        """
        listed = {str(one["ModelPackageVersion"]): one for one in self._listed(group)}
        if number not in listed:
            raise Outside(f"SageMaker has no version {number} of {group} any more.")
        found = self._described(listed[number])
        if found.status != PENDING or not found.complete:
            return found
        later = (one for other, one in listed.items() if int(other) > int(number) and _status(one) == PENDING)
        return found if any(self._described(one).complete for one in later) else replace(found, aliases=(CHALLENGER,))

    def with_status(self, group: str, status: str) -> tuple[RegisteredVersion, ...]:
        """The versions of one approval status, by number; what they are called is not looked for."""
        found = (self._described(one) for one in list(self._listed(group)) if _status(one) == status)
        return tuple(sorted(found, key=lambda one: int(one.version)))

    def of_evidence(self, group: str, evidence: str) -> list[RegisteredVersion]:
        """The versions that were registered with this evidence, by number.

        What lists show is enough to find them: the description names the evidence.
        """
        listed = [one for one in self._listed(group) if evidence in str(one.get("ModelPackageDescription", ""))]
        found = (self._described(one) for one in listed)
        return sorted((one for one in found if one.evidence == evidence), key=lambda one: int(one.version))

    def give(
        self,
        version: RegisteredVersion,
        status: str,
        alias: str,
        reason: str,
        tags: Mapping[str, str] | None = None,
    ) -> RegisteredVersion:
        """Gives a version its status and then takes it from whichever had it: in between there are two, never none.

        Args:
            version: Which.
            status: That goes with the alias.
            alias: What the version is called by it.
            reason: Kept with the version, and with those that lose the alias.
            tags: To add.
        """
        holders = [
            one
            for one in self.with_status(version.model, status)
            if one.version != version.version
            and (status == APPROVED or (one.complete and int(one.version) > int(version.version)))
        ]
        key, words = record_of(alias, reason)
        before = {BEFORE_TAG: holders[-1].version} if holders else {}
        self.update(version, status, reason, {**(tags or {}), **before, key: words})
        for one in holders:
            self.update(one, REJECTED, f"Version {version.version} is the {alias} now: {reason}", {})
        return self.version(version.model, version.version)

    def update(
        self, version: RegisteredVersion, status: str, reason: str, tags: Mapping[str, str]
    ) -> RegisteredVersion:
        """Sets status and reason, and adds metadata; the version as it is then.

        Status and metadata are sent whole: what an update leaves out may be taken for empty.
        """
        metadata = metadata_of({**version.tags, **tags})
        gone = sorted(version.tags.keys() - metadata.keys())
        self._client.update_model_package(
            ModelPackageArn=self.arn(version),
            ModelApprovalStatus=status,
            ApprovalDescription=approval_description(reason),
            CustomerMetadataProperties=metadata,
            **({"CustomerMetadataPropertiesToRemove": gone} if gone else {}),
        )
        return self.version(version.model, version.version)

    def arn(self, version: RegisteredVersion) -> str:
        """The name by which AWS knows a version.

        Raises:
            Outside: There is no such version.
        """
        if (version.model, version.version) not in self._arns:
            self.version(version.model, version.version)
        return self._arns[version.model, version.version]

    def _listed(self, group: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Ascending"
        )
        try:
            for page in pages:
                yield from page["ModelPackageSummaryList"]
        except refusal() as error:
            # A group that does not exist has no versions.
            if not is_absent(error):
                raise

    def _described(self, listed: Mapping[str, Any]) -> RegisteredVersion:
        found = self._client.describe_model_package(ModelPackageName=listed["ModelPackageArn"])
        tags = {str(key): str(value) for key, value in found.get("CustomerMetadataProperties", {}).items()}
        status = found.get("ModelApprovalStatus")
        group, number = str(found["ModelPackageGroupName"]), str(found["ModelPackageVersion"])
        self._arns[group, number] = str(found["ModelPackageArn"])
        return RegisteredVersion(
            model=group,
            version=number,
            # Whatever it lacks: an approved version is what people deploy.
            aliases=(CHAMPION,) if status == APPROVED else (),
            status=status,
            evidence=evidence_of(str(found.get("ModelPackageDescription", "")), tags.get(EVIDENCE_TAG)),
            verdict=tags.get(VERDICT_TAG),
            complete=tags.get(COMPLETE_TAG) == YES,
            created=found["CreationTime"].astimezone(datetime.UTC).isoformat(timespec="seconds"),
            tags=tags,
        )


def _status(listed: Mapping[str, Any]) -> str | None:
    return listed.get("ModelApprovalStatus")
