"""The SageMaker Model Registry: versions in a model package group, files in S3.

There are no aliases in it, but an approval status, which is what people and pipelines deploy by. So an approved version is
the `champion`, and the newest of those that wait for approval the `challenger`. Giving a version the alias `champion`
approves it and rejects the one that had it: there is one approved version, or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clarify_ops.config.registry import Approval
from clarify_ops.errors import BadDocument, Outside, Refused
from clarify_ops.registry.contents import require_registrable, version_tags
from clarify_ops.registry.history import record_of
from clarify_ops.registry.protocol import Candidate, RegisteredVersion, Registration
from clarify_ops.registry.sagemaker_calls import Clients, asking
from clarify_ops.registry.sagemaker_package import APPROVED, PENDING, REJECTED, require_allowed
from clarify_ops.registry.sagemaker_registering import ARCHIVE_TAG, PLACE_TAG, Registering, Serving
from clarify_ops.registry.sagemaker_storage import Storage
from clarify_ops.registry.sagemaker_versions import CHALLENGER, CHAMPION, Packages

_STATUS: Mapping[str, str] = {CHAMPION: APPROVED, CHALLENGER: PENDING}


class SageMakerRegistry:
    """Writes files and versions.

    Attributes:
        uri: Where files go, `s3://bucket/prefix`.
        image: Container that serves the models, or None: versions are logged and cannot be deployed.
        kms_key: Encrypts what is stored, or None.
        approval: Which status a verdict becomes. A version that passes gets the status of its alias.
        group: Model package group of candidates that are recorded; None for the name that a model was trained under.
        clients: What it speaks through; made of the environment's credentials where it is not given.
    """

    def __init__(
        self,
        uri: str,
        *,
        image: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        kms_key: str | None = None,
        approval: Approval | None = None,
        group: str | None = None,
        clients: Clients | None = None,
    ) -> None:
        """Makes the clients.

        Raises:
            MissingExtra: boto3 is not installed.
            Outside: There is no region, or a profile that does not exist.
        """
        self.uri = uri.rstrip("/")
        self.image, self.kms_key = image, kms_key
        self.approval = approval or Approval()
        self.group = group
        self.clients = clients or Clients.made(region, endpoint_url)
        self._packages = Packages(self.clients.sagemaker)
        self._storage = Storage(self.clients.s3, self.uri, kms_key)

    def record(self, candidate: Candidate) -> Registration:
        """Keeps the documents of a candidate that the gate does not let in; there is no model among them.

        Where the policy asks for approval an INCONCLUSIVE candidate becomes a version that waits for it, model and all; and
        where refusals are to be recorded a refused one becomes a version that is rejected from the start.

        Raises:
            BadDocument: Of a version: SageMaker does not allow the name, or the card is too long.
            Outside: AWS failed.
        """
        verdict = candidate.release.verdict
        group = self.group or candidate.release.model.name
        waits = verdict.outcome == "INCONCLUSIVE" and verdict.inconclusive == "approval"
        with asking(self.uri):
            if waits:
                require_allowed(candidate, group)
                return self._registration(candidate, self._registering(candidate, group, PENDING).register())
            if self.approval.refused == REJECTED:
                require_allowed(candidate, group)
                version = self._registering(candidate, group, REJECTED).register()
                return Registration(self.uri, version.tags[PLACE_TAG], self._look(version), tags=version.tags)
            place, _ = self._registering(candidate, group, REJECTED).store(with_model=False)
            return Registration(self.uri, place, f"aws s3 ls --recursive {place}/")

    def register(self, candidate: Candidate, name: str, alias: str) -> Registration:
        """Keeps the files and makes a version of the model, once: evidence that is registered already gives its version.

        It is made as pending, and approved last: whoever deploys what is approved never sees half a registration.

        Args:
            candidate: Let in by its verdict.
            name: Of the model package group; it is created where there is none.
            alias: `champion` for an approved version, `challenger` for a pending one.

        Raises:
            BadDocument: SageMaker does not allow the name or the alias, or the card is too long.
            Refused: The verdict does not let the model in, or the evidence is not the candidate's.
            Outside: AWS failed; registering again goes on where this ended.
        """
        status = _status(alias)
        require_allowed(candidate, name)
        require_registrable(candidate)
        if candidate.release.verdict.outcome != "PASS":
            # Whatever the alias says: nobody has decided yet.
            status = PENDING
        with asking(self.uri):
            return self._registration(candidate, self._registering(candidate, name, status).register())

    def versions(self, model: str | None = None) -> tuple[RegisteredVersion, ...]:
        """Every version of one group, or of all, by group and number."""
        with asking(self.uri):
            groups = self._packages.groups() if model is None else (model,)
            return tuple(one for group in sorted(groups) for one in self._packages.versions(group))

    def fetch(self, version: RegisteredVersion, folder: Path) -> None:
        """Brings what was registered: `documents/` as in `Candidate.documents`, and the model's files in `model/`.

        What is missing there is missing here, and whoever looks at the evidence says so. An archive of another digest is
        not unpacked.

        Raises:
            Outside: AWS failed, or the version does not tell where its files are.
        """
        place = version.tags.get(PLACE_TAG, "")
        if not place.startswith("s3://"):
            raise Outside(f"Version {version.version} of {version.model} does not tell where its files are.")
        with asking(self.uri):
            self._storage.fetch(place, folder, version.tags.get(ARCHIVE_TAG))

    def move_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Approves a version (`champion`), or lets it wait for approval (`challenger`).

        Raises:
            BadDocument: There is no such alias.
            Refused: The registration of the version was never finished, or tells of no evidence.
            Outside: AWS failed; moving it again goes on where this ended.
        """
        status = _status(alias)
        with asking(self.uri):
            now = self._packages.version(version.model, version.version)
            if now.evidence is None or not now.complete:
                raise Refused(
                    f"Version {now.version} of {now.model} does not become {alias}: its registration was never finished,"
                    " or not by clarify_ops.",
                    "Register it again.",
                )
            return self._packages.give(now, status, alias, reason)

    def drop_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Rejects a version that has the alias, and keeps the reason.

        Raises:
            BadDocument: There is no such alias.
            Outside: AWS failed.
        """
        _status(alias)
        with asking(self.uri):
            now = self._packages.version(version.model, version.version)
            if alias not in now.aliases:
                return now
            key, words = record_of(alias, reason)
            return self._packages.update(now, REJECTED, reason, {key: words})

    def _registering(self, candidate: Candidate, group: str, status: str) -> Registering:
        serving = Serving(self.image, self.kms_key)
        return Registering(self.clients, self._storage, serving, candidate, group, status)

    def _registration(self, candidate: Candidate, version: RegisteredVersion) -> Registration:
        return Registration(
            self.uri,
            version.tags.get(PLACE_TAG, self.uri),
            self._look(version),
            version.model,
            version.version,
            next(iter(version.aliases), None),
            version_tags(candidate),
        )

    def _look(self, version: RegisteredVersion) -> str:
        return f"aws sagemaker describe-model-package --model-package-name {self._packages.arn(version)}"


def _status(alias: str) -> str:
    status = _STATUS.get(alias)
    if status is None:
        raise BadDocument(
            f"SageMaker's registry has an approval status in place of aliases, and none is called {alias!r}.",
            f"Use {CHAMPION} for the approved version or {CHALLENGER} for one that waits.",
        )
    return status
