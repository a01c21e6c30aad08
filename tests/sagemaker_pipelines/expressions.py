"""The expressions of a definition: `{"Get": ...}`, `{"Std:Join": ...}` and `{"Std:JsonGet": ...}`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

FUNCTIONS = {"Get", "Std:Join", "Std:JsonGet"}
EXECUTION = {
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
}


def is_expression(value: object) -> bool:
    return isinstance(value, dict) and not FUNCTIONS.isdisjoint(value)


def got(value: Any) -> Iterator[str]:
    """The paths of all Gets within a value; those of a JsonGet end in the property file."""
    if is_expression(value) and "Get" in value:
        yield value["Get"]
    elif isinstance(value, dict):
        for one in value.values():
            yield from got(one)
    elif isinstance(value, list):
        for one in value:
            yield from got(one)


def resolved(value: Any, get: Callable[[str], Any], read: Callable[[str, str], Any]) -> Any:
    """A value with what its expressions stand for.

    Args:
        value: Any part of a definition.
        get: The value of a path.
        read: The value in a property file, by the file's path and the key.
    """
    match value:
        case {"Get": str(path)}:
            return get(path)
        case {"Std:Join": {"On": separator, "Values": values}}:
            return separator.join(text(resolved(one, get, read)) for one in values)
        case {"Std:JsonGet": {"PropertyFile": {"Get": path}, "Path": key}}:
            return read(path, key)
        case dict():
            return {key: resolved(one, get, read) for key, one in value.items()}
        case list():
            return [resolved(one, get, read) for one in value]
        case _:
            return value


def text(value: object) -> str:
    """As SageMaker writes a value into a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All steps, those in branches too."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from walk(step["Arguments"].get(branch, []))
