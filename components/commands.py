"""The command line of a step, from the step table: what an orchestrator starts in a process or a container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clarify_ops.errors import BadInput, nearest
from clarify_ops.steps.table import BY_NAME, Port


def ports(step: str) -> tuple[Port, ...]:
    """Inputs and parameters of a step, in the table's order."""
    return (*BY_NAME[step].inputs, *BY_NAME[step].parameters)


def arguments(step: str, values: Mapping[str, Any], output: Any) -> list[Any]:
    """The verb and its options.

    Args:
        step: Name in the step table.
        values: By the name of the port. None, "" and False leave an option out, for a template that rendered to nothing
            means that nothing was given. A value that is no text (a variable of an orchestrator) is passed on as it is.
        output: Folder to write.

    Raises:
        BadInput: A required value is missing, or the step has no such port.

    >>> arguments("train", {"pipeline": "pipeline.yaml", "policy": None}, "out")
    ['train', '--pipeline', 'pipeline.yaml', '--output', 'out']
    """
    known = {port.name: port for port in ports(step)}
    for name in values:
        if name not in known:
            raise BadInput(f"The step {step} takes no {name!r}.", nearest(name, known))
    found: list[Any] = [step]
    for name, port in known.items():
        value = values.get(name)
        if _absent(value):
            if port.required:
                raise BadInput(f"The step {step} needs {name!r}: {port.description}")
        elif port.kind == "flag":
            found.append(port.option)
        else:
            found.extend((port.option, value))
    return [*found, "--output", output]


def said(lines: Sequence[str]) -> str:
    """The sentence of an error, with its hint, out of what a step said on standard error; "" where it said none.

    >>> said(["train: reading", "error: The data file x.csv is empty.", "hint: Check the path."])
    'The data file x.csv is empty. Check the path.'
    """
    found = [line.split(": ", 1)[1].strip() for line in lines if line.startswith(("error: ", "hint: "))]
    return " ".join(found)


def _absent(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str) and not value)
