"""Runs a definition here: folders stand for S3 and for the containers' disks, and the command line for the image."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project

from .checker import needs
from .expressions import resolved, text, walk

BUCKET = "s3://bucket"
EXECUTION_ID = "x1"


@dataclass
class Run:
    """One execution of a pipeline.

    Attributes:
        definition: Of the pipeline.
        project: Whose command line is the container, and whose folder `s3` the bucket.
        given: Values of parameters, in place of their defaults.
        broken: Jobs that end with an error of the service, by the name of the step.
        made: Of steps that are not ours, what they made: S3 URIs by the paths of their properties. Name them in `states`.
        states: How each step ended that was begun.
        reason: Of the failure, from a Fail step or from standard error.
    """

    definition: dict[str, Any]
    project: Project
    given: dict[str, Any] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    made: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def bucket(self) -> Path:
        return self.project.folder / "s3"

    def start(self) -> str:
        """Runs all that can run; returns the status of the execution."""
        self._run(self.definition["Steps"])
        failed = {name for name, state in self.states.items() if state == "Failed"}
        if not failed:
            return "Succeeded"
        answered = {one["Step"] for step in self._begun() for one in step.get("DependsOn", []) if isinstance(one, dict)}
        return "CompletedWithFailures" if failed <= answered else "Failed"

    def again(self, *steps: str) -> str:
        """What RetryPipelineExecution does: what failed is begun anew, and so are the steps that are named."""
        for step in walk(self.definition["Steps"]):
            name = step["Name"]
            if self.states.get(name) == "Failed" or step["Type"] == "Condition" or name in steps:
                self.states.pop(name, None)
        return self.start()

    def _begun(self) -> list[dict[str, Any]]:
        return [step for step in self.definition["Steps"] if step["Name"] in self.states]

    def _run(self, steps: list[dict[str, Any]]) -> None:
        left = [step for step in steps if step["Name"] not in self.states]
        while ready := [step for step in left if self._may_begin(step)]:
            for step in ready:
                left.remove(step)
                self.states[step["Name"]] = self._one(step)

    def _may_begin(self, step: dict[str, Any]) -> bool:
        triggers = {one["Step"]: one["Trigger"] for one in step.get("DependsOn", []) if isinstance(one, dict)}
        return all(self.states.get(name) == triggers.get(name, "Succeeded") for name in needs(step))

    def _one(self, step: dict[str, Any]) -> str:
        if step["Type"] == "Condition":
            (condition,) = self._value(step["Arguments"]["Conditions"])
            holds = condition["LeftValue"] == condition["RightValue"]
            self._run(step["Arguments"]["IfSteps" if holds else "ElseSteps"])
            return "Succeeded"
        if step["Type"] == "Fail":
            self.reason = self._value(step["Arguments"]["ErrorMessage"])
            return "Failed"
        return self._process(step)

    def _process(self, step: dict[str, Any]) -> str:
        """One job: its inputs are copied to a disk of its own, its outputs from there."""
        disk = Path(tempfile.mkdtemp(prefix=step["Name"], dir=self.project.folder))
        arguments = self._value(step["Arguments"])
        for one in arguments.get("ProcessingInputs", []):
            self._bring(one["S3Input"]["S3Uri"], disk / one["S3Input"]["LocalPath"].lstrip("/"))
        (output,) = arguments["ProcessingOutputConfig"]["Outputs"]
        written = disk / output["S3Output"]["LocalPath"].lstrip("/")
        written.mkdir(parents=True)
        told = [
            self._here(one).replace("/opt/ml", f"{disk}/opt/ml")
            for one in arguments["AppSpecification"]["ContainerArguments"]
        ]
        if step["Name"] in self.broken:
            return "Failed"
        with pytest.MonkeyPatch.context() as patch:
            for name, one in arguments.get("Environment", {}).items():
                patch.setenv(name, one)
            status, _, error = self.project.cli(*told)
        if any(written.iterdir()):
            shutil.copytree(written, self._here(output["S3Output"]["S3Uri"]), dirs_exist_ok=True)
        if status:
            self.reason = error
        return "Failed" if status else "Succeeded"

    def _bring(self, uri: str, target: Path) -> None:
        """All objects whose keys begin alike, as SageMaker names them; no object at all fails the job."""
        prefix = uri.removeprefix(f"{BUCKET}/")
        found = 0
        for file in self.bucket.rglob("*"):
            key = file.relative_to(self.bucket).as_posix()
            if file.is_file() and key.startswith(prefix):
                found += 1
                rest = key[len(prefix) :]
                name = (
                    rest.lstrip("/")
                    if prefix.endswith("/") or rest.startswith("/")
                    else prefix.rsplit("/", 1)[-1] + rest
                )
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target / name)
        assert found, f"No S3 objects found under S3 URL {uri!r}"

    def _here(self, uri: str) -> str:
        return text(uri).replace(BUCKET, str(self.bucket))

    def _value(self, expression: Any) -> Any:
        return resolved(expression, self._get, self._read)

    def _get(self, path: str) -> Any:
        root, _, rest = path.partition(".")
        if root == "Parameters":
            (parameter,) = (one for one in self.definition["Parameters"] if one["Name"] == rest)
            return self.given.get(rest, parameter.get("DefaultValue"))
        if path == "Execution.PipelineExecutionId":
            return EXECUTION_ID
        return self.made.get(path) or self._output(rest.split(".")[0])

    def _output(self, name: str) -> str:
        """S3 URI of the one output of a step."""
        (step,) = (one for one in self.definition["Steps"] if one["Name"] == name)
        (output,) = step["Arguments"]["ProcessingOutputConfig"]["Outputs"]
        found: str = self._value(output["S3Output"]["S3Uri"])
        return found

    def _read(self, path: str, key: str) -> Any:
        document = Path(self._here(self._output(path.split(".")[1])), "verdict.json")
        return json.loads(document.read_text(encoding="utf-8"))[key]
