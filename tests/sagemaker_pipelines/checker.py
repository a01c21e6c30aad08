"""What SageMaker would refuse in the definition of a pipeline, by its documentation and by botocore's service model.

moto takes any text for a definition, so the tests have this.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.registry.sagemaker.shapes import faults, service

from .expressions import EXECUTION, FUNCTIONS, got, is_expression, resolved, walk

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
TYPES = {"String": str, "Integer": int, "Boolean": bool, "Float": float}
DESCRIBED = {"Processing": "DescribeProcessingJobResponse", "Training": "DescribeTrainingJobResponse"}
CREATED = {"Processing": "CreateProcessingJob", "Training": "CreateTrainingJob"}
COMPARISONS = {"Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}
RETRIED = {
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
}
DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?", re.IGNORECASE)
ON_JOBS = {"CacheConfig", "RetryPolicies", "PropertyFiles"}
ON_STEPS = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}


def wrong(definition: dict[str, Any]) -> list[str]:
    """Sentences; none where SageMaker would take the definition."""
    return list(Checker(definition).all())


class Checker:
    """One definition."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.definition = definition
        self.parameters = {one.get("Name"): one for one in definition["Parameters"]}
        self.steps = {one["Name"]: one for one in walk(definition["Steps"])}
        self.top = {one["Name"] for one in definition["Steps"]}

    def all(self) -> Iterator[str]:
        """Everything that is wrong."""
        if self.definition["Version"] != "2020-12-01":
            yield "the version is another"
        if len(json.dumps(self.definition)) > 1024 * 100:
            yield "longer than what goes without a bucket"
        yield from self._names()
        for parameter in self.definition["Parameters"]:
            yield from self._parameter(parameter)
        for step in self.steps.values():
            yield from (f"{step['Name']}: {one}" for one in self._step(step))
        yield from self._circles()

    def _names(self) -> Iterator[str]:
        for kind, names in (
            ("parameter", [one.get("Name") for one in self.definition["Parameters"]]),
            ("step", [one["Name"] for one in walk(self.definition["Steps"])]),
        ):
            for name, times in Counter(names).items():
                if times > 1:
                    yield f"{times} of {kind} {name}"
                if not NAME.fullmatch(str(name)):
                    yield f"the {kind} name {name!r}"

    def _parameter(self, parameter: dict[str, Any]) -> Iterator[str]:
        if parameter.keys() - {"Name", "Type", "DefaultValue", "EnumValues"}:
            yield f"unknown keys in {parameter}"
        wanted = TYPES.get(parameter["Type"])
        if wanted is None or ("DefaultValue" in parameter and type(parameter["DefaultValue"]) is not wanted):
            yield f"type and default of {parameter}"

    def _step(self, step: dict[str, Any]) -> Iterator[str]:
        kind = step["Type"]
        allowed = ON_STEPS | ON_JOBS if kind in DESCRIBED else ON_STEPS
        if step.keys() - allowed:
            yield f"unknown keys {step.keys() - allowed}"
        if len(step.get("DisplayName", "")) > 256 or len(step.get("Description", "")) > 3072:
            yield "too much is said of it"
        yield from self._waits(step)
        yield from self._retries(step.get("RetryPolicies", []))
        cache = step.get("CacheConfig", {"Enabled": False})
        if cache["Enabled"] and not DURATION.fullmatch(cache.get("ExpireAfter", "")):
            yield f"the cache {cache}"
        arguments = step["Arguments"]
        if missing := list(self._expressions(step)):
            yield from missing
            return
        if kind in CREATED:
            request = resolved(arguments, self._sample, lambda *_: "true")
            yield from faults(CREATED[kind], {f"{kind}JobName": "job", **request})
        if kind == "Processing":
            yield from self._processing(step)
        elif kind == "Condition":
            yield from self._condition(arguments)
        elif kind == "Fail":
            if arguments.keys() != {"ErrorMessage"}:
                yield "a Fail step says why, and nothing else"
        elif kind not in DESCRIBED:
            yield f"the type {kind}"

    def _processing(self, step: dict[str, Any]) -> Iterator[str]:
        request = resolved(step["Arguments"], self._sample, lambda *_: "true")
        names = [one["InputName"] for one in request.get("ProcessingInputs", [])]
        if len(set(names)) < len(names):
            yield f"inputs of one name: {names}"
        places = [one["S3Input"]["LocalPath"] for one in request.get("ProcessingInputs", [])]
        if len(set(places)) < len(places) or not all(one.startswith("/opt/ml/processing/") for one in places):
            yield f"the places {places}"
        outputs = {one["OutputName"] for one in request["ProcessingOutputConfig"]["Outputs"]}
        for file in step.get("PropertyFiles", []):
            if file.keys() != {"PropertyFileName", "OutputName", "FilePath"} or file["OutputName"] not in outputs:
                yield f"the property file {file}"

    def _condition(self, arguments: dict[str, Any]) -> Iterator[str]:
        if arguments.keys() != {"Conditions", "IfSteps", "ElseSteps"} or not arguments["Conditions"]:
            yield "a condition has conditions and two branches"
        for one in arguments["Conditions"]:
            if one.keys() != {"Type", "LeftValue", "RightValue"} or one["Type"] not in COMPARISONS:
                yield f"the condition {one}"

    def _expressions(self, step: dict[str, Any]) -> Iterator[str]:
        own = {key: value for key, value in step["Arguments"].items() if key not in {"IfSteps", "ElseSteps"}}
        for one in expressions(own):
            if len(one) != 1 or one.keys() - FUNCTIONS:
                yield f"the expression {one}"
        for path in got(own):
            try:
                self._sample(path)
            except LookupError:
                yield f"there is no {path}"

    def _sample(self, path: str) -> Any:
        """A value such as a path will have; LookupError where there is none."""
        root, _, rest = path.partition(".")
        if root == "Parameters":
            parameter = self.parameters[rest]
            return parameter.get(
                "DefaultValue", {"Integer": 1, "Boolean": True, "Float": 1.0}.get(parameter["Type"], "s3://b/x")
            )
        if root == "Execution":
            if rest not in EXECUTION:
                raise LookupError(rest)
            return "1a2b3c"
        name, _, rest = rest.partition(".")
        step = self.steps[name]
        if rest.startswith("PropertyFiles."):
            if rest.partition(".")[2] not in {one["PropertyFileName"] for one in step.get("PropertyFiles", [])}:
                raise LookupError(rest)
            return "true"
        shape = service().shape_for(DESCRIBED[step["Type"]])
        for part in re.findall(r"\['([^']+)'\]|([A-Za-z0-9]+)", rest):
            if part[0]:
                if part[0] not in {one["OutputName"] for one in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]}:
                    raise LookupError(rest)
                shape = shape.member
            else:
                shape = shape.members[part[1]]
        return {"string": "s3://bucket/prefix", "integer": 1}[shape.type_name]

    def _waits(self, step: dict[str, Any]) -> Iterator[str]:
        for one in step.get("DependsOn", []):
            name = one if isinstance(one, str) else one.get("Step")
            if not isinstance(one, str) and (
                one.keys() != {"Step", "Trigger"} or one["Trigger"] not in {"Failed", "Stopped", "Any"}
            ):
                yield f"it waits for {one}"
            # What stands in a branch may never run, so nothing outside may wait for it.
            if name not in self.steps or name == step["Name"] or (step["Name"] in self.top and name not in self.top):
                yield f"it waits for {name}"

    def _retries(self, policies: list[dict[str, Any]]) -> Iterator[str]:
        seen: list[str] = []
        for one in policies:
            ends = one.keys() & {"MaxAttempts", "ExpireAfterMin"}
            if one.keys() - ends != {"ExceptionType", "IntervalSeconds", "BackoffRate"} or len(ends) != 1:
                yield f"the retry policy {one}"
            if not 1 <= one.get("MaxAttempts", 1) <= 20 or not 1 <= one.get("ExpireAfterMin", 1) <= 14400:
                yield f"the end of {one}"
            seen += one["ExceptionType"]
        if set(seen) - RETRIED or len(set(seen)) < len(seen):
            yield f"the exceptions {seen}"

    def _circles(self) -> Iterator[str]:
        left = {name: needs(step) for name, step in self.steps.items()}
        while ready := [name for name, others in left.items() if not others & left.keys()]:
            for name in ready:
                del left[name]
        if left:
            yield f"these wait for each other: {sorted(left)}"


def expressions(value: Any) -> Iterator[dict[str, Any]]:
    """All expressions within a value."""
    if is_expression(value):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from expressions(one)
    elif isinstance(value, list):
        for one in value:
            yield from expressions(one)


def needs(step: dict[str, Any]) -> set[str]:
    """The steps that a step waits for, because it reads what they write or says so."""
    own = {key: value for key, value in step["Arguments"].items() if key not in {"IfSteps", "ElseSteps"}}
    read = {path.split(".")[1] for path in got(own) if path.startswith("Steps.")}
    return read | {one if isinstance(one, str) else one["Step"] for one in step.get("DependsOn", [])}
