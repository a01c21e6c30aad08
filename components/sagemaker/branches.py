"""What a pipeline does with a verdict: read it, branch on it, or end with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clarify_ops.components.sagemaker.processing import VERDICT_FILE
from clarify_ops.errors import BadInput, nearest

if TYPE_CHECKING:
    from sagemaker.mlops.workflow import ConditionStep, FailStep, ProcessingStep
    from sagemaker.mlops.workflow.steps import Step

ANSWERS = ("outcome", "may_register", "reason")


def answer(gate: ProcessingStep, key: str) -> Any:
    """A value of the verdict of a gate step, for conditions and messages: `outcome`, `may_register` or `reason`.

    Raises:
        BadInput: The step is no gate, or a verdict has no such value.
    """
    from sagemaker.core.workflow.functions import JsonGet

    if key not in ANSWERS:
        raise BadInput(f"A verdict has no {key!r}.", nearest(key, ANSWERS))
    if VERDICT_FILE not in {file.name for file in getattr(gate, "property_files", ())}:
        raise BadInput(f"The step {getattr(gate, 'name', gate)!r} gives no verdict.", "Give the step of the gate.")
    return JsonGet(step_name=gate.name, property_file=VERDICT_FILE, json_path=key)


def may_register(
    gate: ProcessingStep,
    *,
    if_steps: Sequence[Step],
    else_steps: Sequence[Step] | None = None,
    name: str = "MayRegister",
    depends_on: Sequence[str | Step] = (),
) -> ConditionStep:
    """Branches on the verdict.

    Args:
        gate: The step of the gate.
        if_steps: What happens where the gate lets the model through.
        else_steps: What happens otherwise; absent: the run fails with the gate's reason, see `refused`.
        name: Of the step.
        depends_on: Steps to wait for besides the gate.
    """
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.mlops.workflow import ConditionStep

    return ConditionStep(
        name=name,
        display_name="May register",
        conditions=[ConditionEquals(left=answer(gate, "may_register"), right=True)],
        if_steps=list(if_steps),
        else_steps=[refused(gate)] if else_steps is None else list(else_steps),
        depends_on=list(depends_on) or None,
    )


def refused(gate: ProcessingStep, *, name: str = "Refused") -> FailStep:
    """Ends the run as failed, with the gate's outcome and reason as the reason of the failure."""
    from sagemaker.core.workflow.functions import Join
    from sagemaker.mlops.workflow import FailStep

    values = ["The gate says ", answer(gate, "outcome"), ": ", answer(gate, "reason"), " Nothing was registered."]
    return FailStep(name=name, display_name="Refused", error_message=Join(on="", values=values))
