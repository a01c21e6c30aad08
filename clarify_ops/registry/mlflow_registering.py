"""Registering in MLflow so that dying in between, trying again or being two at once ends with one whole version.

The order is what makes that so. Everything is uploaded before the version is made; the call that makes it carries its
tags; what was uploaded is read back and verified before the version is called complete; and the alias comes last. So a
version with evidence is whole, or its registration died and the next one finds it by its evidence and finishes it; and
whoever finds a lower version with the same evidence takes its own away.
"""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clarify_ops.errors import Outside, Refused
from clarify_ops.registry.contents import COMPLETE_TAG, EVIDENCE_TAG, problems, version_tags
from clarify_ops.registry.history import DROPPED, REGISTERED, events
from clarify_ops.registry.mlflow_run import description, log_run
from clarify_ops.registry.mlflow_versions import (
    already_there,
    as_registered,
    current,
    give_alias,
    holder_of,
    insist,
    not_there,
    quoted,
    search_versions,
)
from clarify_ops.registry.protocol import Candidate, RegisteredVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from clarify_ops.registry.mlflow_registry import MlflowRegistry

# Runs that were made to register carry it: a refused candidate's run is nobody's torso.
_FOR_TAG = "clarify_ops.registers"
_SUPERSEDED_TAG = "clarify_ops.superseded"


def register(registry: MlflowRegistry, candidate: Candidate, name: str, alias: str) -> tuple[RegisteredVersion, str]:
    """The one version with the evidence of a candidate, and its run; made where there is none.

    Args:
        registry: Spoken to already.
        candidate: Looked at already.
        name: Of the registered model.
        alias: For the version, unless a later one has it or it was taken away on purpose.

    Raises:
        Refused: There is a complete version with this evidence which does not verify.
        Outside: What was sent did not arrive.
    """
    from mlflow.exceptions import MlflowException

    work = _Registering(registry, registry.client(), candidate, name)
    standing = work.standing()
    if standing is None:
        try:
            work.make()
        except MlflowException:
            # Whoever was quicker clears away what others uploaded; then there is a version, and it is as good.
            if not work.rivals():
                raise
        standing = work.standing()
        if standing is None:
            raise Outside(f"The registry does not hold what was sent for {name}.", "Try again.")
    return work.finish(standing, alias)


@dataclass(frozen=True)
class _Registering:
    registry: MlflowRegistry
    client: MlflowClient
    candidate: Candidate
    name: str

    def standing(self) -> RegisteredVersion | None:
        """The lowest version with this evidence that holds; what is left of registrations that died is removed."""
        for version in self.rivals():
            wrong = self._problems(version)
            if not wrong:
                return version
            if version.complete:
                raise Refused(
                    f"Version {version.version} of {self.name} has this evidence, but does not verify: {wrong[0]}.",
                    "See clarify-ops audit; delete that version to register the model again.",
                )
            self._remove(version)
        return None

    def rivals(self) -> list[RegisteredVersion]:
        """All versions with this evidence, the lowest first; their aliases are left out."""
        return [
            as_registered(one, ()) for one in search_versions(self.client, self.name, self.candidate.evidence_digest)
        ]

    def make(self) -> None:
        """Uploads everything and then makes a version, unless somebody else did meanwhile."""
        tags = version_tags(self.candidate)
        experiment = self.registry.experiment_id(self.client)
        run = log_run(self.client, experiment, self.candidate, {**tags, _FOR_TAG: self.name})
        logged = self.client.create_logged_model(experiment, name=self.name, source_run_id=run, tags=tags)
        self.client.log_model_artifacts(logged.model_id, str(self.candidate.model))
        self.client.finalize_logged_model(logged.model_id, "READY")
        with already_there:
            self.client.create_registered_model(self.name)
        if self.rivals():
            return
        self.client.create_model_version(
            self.name,
            logged.model_uri,
            run,
            tags=tags,
            description=description(self.candidate),
            model_id=logged.model_id,
        )

    def finish(self, standing: RegisteredVersion, alias: str) -> tuple[RegisteredVersion, str]:
        """Calls the version complete, gives it its alias, and leaves no open run behind."""
        for version in self.rivals():
            if version.version != standing.version and not version.complete:
                # Ours, which came second, or that of somebody who came second and will find it gone.
                self._remove(version)
        if not standing.complete:
            insist(
                lambda: self.client.set_model_version_tag(self.name, standing.version, COMPLETE_TAG, "true"),
                lambda: current(self.client, self.name, standing.version).complete,
            )
        if self._shall_have(standing, alias):
            give_alias(self.client, standing, alias, REGISTERED)
        run = self._close_runs(standing)
        return current(self.client, self.name, standing.version), run

    def _remove(self, version: RegisteredVersion) -> None:
        with not_there:
            self.client.delete_model_version(self.name, version.version)

    def _problems(self, version: RegisteredVersion) -> list[str]:
        # As of the day of the judgement: that a waiver has ended since is no reason to make a second version.
        judged_on = datetime.date.fromisoformat(self.candidate.release.judged_on)
        with tempfile.TemporaryDirectory() as folder:
            self.registry.bring(self.client, version, Path(folder))
            return problems(Path(folder), version, judged_on)

    def _shall_have(self, version: RegisteredVersion, alias: str) -> bool:
        """Whether nobody has moved the alias since this version was to get it."""
        holder = holder_of(self.client, self.name, alias)
        if holder == version.version:
            return False
        known = [as_registered(one, ()) for one in search_versions(self.client, self.name)]
        happened = events(known, alias)
        if any(one.version == version.version for one in happened):
            return happened[-1].version == version.version and not happened[-1].words.startswith(DROPPED)
        return holder is None or int(holder) < int(version.version)

    def _close_runs(self, standing: RegisteredVersion) -> str:
        """Ends the version's run, and marks those of registrations that died or came second; the version's run."""
        kept = self.client.get_model_version(self.name, standing.version)
        run = str(kept.run_id)
        experiment = self.client.get_run(run).info.experiment_id
        evidence = f"tags.`{EVIDENCE_TAG}` = '{self.candidate.evidence_digest}'"
        for one in self.client.search_runs([experiment], f"{evidence} and tags.`{_FOR_TAG}` = {quoted(self.name)}"):
            known = one.data.tags
            mine = one.info.run_id == run
            if mine or _SUPERSEDED_TAG not in known:
                self._discard_models(experiment, one.info.run_id, keep=str(kept.source))
            if not mine and _SUPERSEDED_TAG not in known:
                self._mark(one.info.run_id, f"version {standing.version} of {self.name}")
            if one.info.status == "RUNNING":
                self.client.set_terminated(one.info.run_id, "FINISHED" if mine else "KILLED")
        return run

    def _mark(self, run: str, words: str) -> None:
        insist(
            lambda: self.client.set_tag(run, _SUPERSEDED_TAG, words),
            lambda: _SUPERSEDED_TAG in self.client.get_run(run).data.tags,
        )

    def _discard_models(self, experiment: str, run: str, keep: str) -> None:
        for one in self.client.search_logged_models([experiment], f"source_run_id = '{run}'"):
            if one.model_uri != keep:
                with not_there:
                    self.client.delete_logged_model(one.model_id)
