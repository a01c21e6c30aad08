"""Registering in SageMaker so that dying in between, trying again or being two at once ends with one whole version.

Everything is uploaded before the call that makes a version, which carries its metadata; a version is made as pending; what
was uploaded is brought back and verified before it is called complete; and the approval comes last.
"""

from __future__ import annotations

import datetime
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from clarify_ops.documents import write_json
from clarify_ops.errors import Outside, Refused
from clarify_ops.registry.contents import (
    COMPLETE_TAG,
    CONTENTS,
    CONTENTS_TAG,
    DOCUMENTS,
    contents,
    problems,
    version_tags,
)
from clarify_ops.registry.history import REGISTERED, record_of
from clarify_ops.registry.protocol import Candidate, RegisteredVersion
from clarify_ops.registry.sagemaker_baselines import baselines
from clarify_ops.registry.sagemaker_calls import Clients, is_present, refusal
from clarify_ops.registry.sagemaker_package import APPROVED, PENDING, REJECTED, metadata_of, package_request
from clarify_ops.registry.sagemaker_storage import ARCHIVE, Storage, Stored, pack
from clarify_ops.registry.sagemaker_versions import CHALLENGER, CHAMPION, YES, Packages

PLACE_TAG, ARCHIVE_TAG = "clarify_ops.place", "clarify_ops.archive"
DUPLICATE_TAG, TORSO_TAG = "clarify_ops.duplicate_of", "clarify_ops.torso"
# Lists may lag behind what was made.
_PAUSES = (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Serving:
    """What a version says of how it runs.

    Attributes:
        image: Container, or None.
        kms_key: Of the version, or None.
    """

    image: str | None = None
    kms_key: str | None = None


@dataclass(frozen=True)
class Registering:
    """One registration.

    Attributes:
        clients: What it speaks through.
        storage: Where files go.
        serving: What the version says of how it runs.
        candidate: Looked at already.
        group: Name of the model package group.
        status: What the version shall have in the end.
    """

    clients: Clients
    storage: Storage
    serving: Serving
    candidate: Candidate
    group: str
    status: str

    def register(self) -> RegisteredVersion:
        """The one version with this evidence: found, finished or made.

        Raises:
            Refused: There is a complete version with this evidence which does not verify.
            Outside: What was sent did not arrive.
        """
        packages = self._packages
        packages.ensure(self.group)
        standing = self._standing()
        if standing is None:
            self._make(attempt=len(self._known()))
            for pause in _PAUSES:
                time.sleep(pause)
                standing = self._standing()
                if standing is not None:
                    break
        if standing is None:
            raise Outside(f"SageMaker does not hold what was sent for a version of {self.group}.", "Try again.")
        for one in self._known():
            if not one.complete and int(one.version) > int(standing.version):
                tags = {DUPLICATE_TAG: standing.version, COMPLETE_TAG: YES}
                packages.update(one, REJECTED, f"The same evidence as version {standing.version}, which counts.", tags)
        if standing.complete:
            return packages.version(self.group, standing.version)
        return self._finish(standing)

    def store(self, *, with_model: bool) -> tuple[str, dict[str, Stored]]:
        """Writes the files of a version; the URI of their folder, and the files by their names in it."""
        candidate = self.candidate
        parts = (candidate.evidence_digest, version_tags(candidate)[CONTENTS_TAG][: len("sha256:") + 16])
        place = "/".join((self.storage.uri, self.group, *(one.removeprefix("sha256:") for one in parts)))
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            files = {f"{DOCUMENTS}/{name}": path for name, path in candidate.documents.items()}
            files |= baselines(candidate, folder)
            for name, content in candidate.plots.items():
                files[f"plots/{name}"] = folder / f"plot {len(files)}"
                files[f"plots/{name}"].write_bytes(content)
            if with_model:
                files[ARCHIVE] = folder / "model.tar.gz"
                pack(candidate.model, files[ARCHIVE])
            files[f"{DOCUMENTS}/{CONTENTS}"] = write_json(folder / CONTENTS, contents(candidate))
            return place, {name: self.storage.put(path, place, name) for name, path in files.items()}

    @property
    def _packages(self) -> Packages:
        return Packages(self.clients.sagemaker)

    def _known(self) -> list[RegisteredVersion]:
        """Versions of this evidence, the lowest first; recorded refusals and registrations apart."""
        return [
            one
            for one in self._packages.of_evidence(self.group, self.candidate.evidence_digest)
            if (ARCHIVE_TAG in one.tags) == (self.status != REJECTED)
        ]

    def _standing(self) -> RegisteredVersion | None:
        """The lowest version with this evidence that holds; of registrations that died with less, none will be approved."""
        for one in self._known():
            if TORSO_TAG in one.tags:
                continue
            wrong = self._problems(one)
            if not wrong:
                return one
            if one.complete:
                raise Refused(
                    f"Version {one.version} of {self.group} has this evidence, but does not verify: {wrong[0]}.",
                    "See clarify-ops audit; delete that version to register the model again.",
                )
            reason = f"Its registration died: {wrong[0]}. It can be deleted."
            self._packages.update(one, REJECTED, reason, {TORSO_TAG: YES})
        return None

    def _problems(self, version: RegisteredVersion) -> list[str]:
        if not self.candidate.release.verdict.may_register:
            # Kept for a person to decide about: nothing that was let in.
            return []
        # As of the day of the judgement: that a waiver has ended since is no reason to make a second version.
        judged_on = datetime.date.fromisoformat(self.candidate.release.judged_on)
        with tempfile.TemporaryDirectory() as folder:
            self.storage.fetch(version.tags.get(PLACE_TAG, ""), Path(folder), version.tags.get(ARCHIVE_TAG))
            return problems(Path(folder), version, judged_on)

    def _make(self, attempt: int) -> None:
        place, files = self.store(with_model=self.status != REJECTED)
        tags = {**version_tags(self.candidate), PLACE_TAG: place}
        if ARCHIVE in files:
            tags[ARCHIVE_TAG] = files[ARCHIVE].digest
        request = package_request(
            self.candidate,
            self.group,
            files,
            metadata_of(tags),
            status=REJECTED if self.status == REJECTED else PENDING,
            image=self.serving.image,
            kms_key=self.serving.kms_key,
            attempt=attempt,
        )
        try:
            self.clients.sagemaker.create_model_package(**request)
        except refusal() as error:
            # Another try with the same token was faster: its version is found by its evidence.
            if not is_present(error):
                raise

    def _finish(self, standing: RegisteredVersion) -> RegisteredVersion:
        """Calls the version complete and gives it its status, unless a later one is approved already."""
        packages, reason = self._packages, self.candidate.release.verdict.reason
        complete = {COMPLETE_TAG: YES}
        if self.status == REJECTED:
            return packages.update(standing, REJECTED, reason, complete)
        words = f"{REGISTERED}: {reason}"
        approved = packages.with_status(self.group, APPROVED)
        if self.status == APPROVED and not any(int(one.version) > int(standing.version) for one in approved):
            return packages.give(standing, APPROVED, CHAMPION, words, complete)
        key, value = record_of(CHALLENGER, words)
        return packages.update(standing, PENDING, words, {**complete, key: value})
