"""What a pipeline may say in place of a value: a pipeline variable, which gets its value when the pipeline runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from clarify_ops.errors import BadInput

if TYPE_CHECKING:
    from sagemaker.core.helper.pipeline_variable import PipelineVariable
    from sagemaker.mlops.workflow import ProcessingStep, TrainingStep

    Text: TypeAlias = str | PipelineVariable
    Flag: TypeAlias = bool | PipelineVariable
    Number: TypeAlias = int | PipelineVariable
    Document: TypeAlias = str | PipelineVariable | ProcessingStep
    Folder: TypeAlias = str | PipelineVariable | ProcessingStep | TrainingStep
    Data: TypeAlias = "str | PipelineVariable | ProcessingStep | InS3"

_WANTED = {"String": "ParameterString", "Integer": "ParameterInteger", "Boolean": "ParameterBoolean"}


@dataclass(frozen=True)
class InS3:
    """A dataset whose variable will name an object in S3, which is brought into the container.

    Where a dataset will lie cannot be seen in a parameter, so without this its value is passed on, and the step reads it from
    wherever it is: S3 as well, with the role of the job, but not through a network that is shut.

    Attributes:
        uri: The variable.
    """

    uri: Any


def is_variable(value: object) -> bool:
    """Whether a value is known only when the pipeline runs."""
    from sagemaker.core.helper.pipeline_variable import PipelineVariable

    return isinstance(value, PipelineVariable)


def is_output(value: object) -> bool:
    """Whether a value is a property of another step, such as where its job put something."""
    from sagemaker.core.workflow.properties import Properties

    return isinstance(value, Properties)


def text(value: Any, what: str) -> Any:
    """The value, if it is text or will be.

    Raises:
        BadInput: It is not.
    """
    _fits(value, what, "String")
    if not is_variable(value) and not isinstance(value, str):
        raise BadInput(f"{what} is a {type(value).__name__}, where text is needed.", "Give text or a ParameterString.")
    return value


def number(value: Any, what: str) -> Any:
    """The value, if it is a positive whole number or will be one.

    Raises:
        BadInput: It is not.
    """
    _fits(value, what, "Integer")
    whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if not is_variable(value) and not whole:
        raise BadInput(f"{what} is {value!r}, no positive whole number.", "Give one, or a ParameterInteger.")
    return value


def flag(value: Any, what: str) -> Any:
    """The value, if it is a truth value or will be one.

    Raises:
        BadInput: It is not.
    """
    _fits(value, what, "Boolean")
    if not is_variable(value) and not isinstance(value, bool):
        raise BadInput(f"{what} is {value!r}, neither True nor False.", "Give one of them, or a ParameterBoolean.")
    return value


def _fits(value: Any, what: str, wanted: str) -> None:
    """Refuses a parameter of another type; what other variables will be is known to SageMaker alone."""
    from sagemaker.core.workflow.parameters import Parameter

    if isinstance(value, Parameter) and value.parameter_type.value != wanted:
        found = value.parameter_type.value
        raise BadInput(
            f"{what} is the {found} parameter {value.name!r}, where {wanted} is needed.", f"Give a {_WANTED[wanted]}."
        )
