"""Closed documents: a key that nobody reads is refused, with its path and the nearest key that exists."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from clarify_ops.documents import digest, read_document
from clarify_ops.errors import BadDocument, nearest


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a document.

    Attributes:
        path: Keys and places in lists that lead to it.
        error: The sentence.
    """

    path: tuple[int | str, ...]
    error: BadDocument


class Closed(BaseModel):
    """Base of every document a user writes: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, document: Any, what: str) -> Self:
        """Validates parsed JSON or YAML.

        Args:
            document: The parsed document.
            what: How an error names it: "The policy policy.yaml".

        Raises:
            BadDocument: With the path of the offending key.
        """
        if not isinstance(document, Mapping):
            raise BadDocument(f"{what} must be a mapping of keys to values, not {_kind(document)}.")
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise _first_fault(cls, error, what) from error

    @classmethod
    def faults(cls, document: Any, what: str) -> tuple[Fault, ...]:
        """All that is wrong with a parsed document, where `parse` names one fault.

        Args:
            document: The parsed document.
            what: How a sentence names it.
        """
        try:
            cls.parse(document, what)
        except BadDocument as error:
            found = error.__cause__
            if not isinstance(found, ValidationError):
                return (Fault((), error),)
            return tuple(Fault(tuple(one["loc"]), _sentence(cls, one, what)) for one in found.errors(include_url=False))
        return ()

    @classmethod
    def load(cls, path: str | Path, what: str) -> Self:
        """Reads and validates a JSON or YAML file."""
        return cls.parse(read_document(path, what), f"The {what} {path}")

    @property
    def digest(self) -> str:
        """Digest of the document as it was understood: comments, order of keys and spelled-out defaults do not count."""
        return digest(self.model_dump(mode="json", by_alias=True))


def _first_fault(model: type[BaseModel], error: ValidationError, what: str) -> BadDocument:
    # Branches of a union each report; the fault that lies deepest belongs to the branch the writer meant.
    faults = error.errors(include_url=False)
    return _sentence(model, max(faults, key=lambda one: (one["type"] == "extra_forbidden", len(one["loc"]))), what)


def _sentence(model: type[BaseModel], fault: ErrorDetails, what: str) -> BadDocument:
    location, known = _follow(model, fault["loc"], unknown=fault["type"] == "extra_forbidden")
    path = _path(location)
    if fault["type"] == "extra_forbidden":
        return BadDocument(f"{what} has the unknown key {path}.", nearest(str(location[-1]), known))
    if fault["type"] == "missing":
        return BadDocument(f"{what} lacks the key {path}.")
    message = fault["msg"].removeprefix("Value error, ")
    message = (message[0].lower() + message[1:]).rstrip(".")
    key = f", key {path}" if path else ""
    # A check of ours names what it found itself; pydantic's name the expectation alone.
    found = "" if fault["type"] == "value_error" else f", got {_short(fault['input'])}"
    return BadDocument(f"{what}{key}: {message}{found}.")


def _follow(
    model: type[BaseModel], location: tuple[int | str, ...], *, unknown: bool
) -> tuple[list[int | str], list[str]]:
    """The location without what pydantic adds to it, and the keys that are allowed where it ends.

    For a union pydantic puts the branch it tried into the location ("str", a class, a discriminator's value): a part that
    is no key of the models at hand, where the field is not a mapping with free keys, is such a branch; or it is the last and
    the very key that is unknown.
    """
    kept: list[int | str] = []
    here: list[type[BaseModel]] = [model]
    free = False
    for position, part in enumerate(location):
        if isinstance(part, int):
            kept.append(part)
            continue
        fields = [field for one in here for name, field in one.model_fields.items() if part in {name, field.alias}]
        last = position == len(location) - 1
        if fields:
            kept.append(part)
            free = any(_is_mapping(field.annotation) for field in fields)
            inner = [found for field in fields for found in _models_in(field.annotation)]
            here = inner or ([] if not last else here)
        elif (unknown and last and here) or (free and "[" not in part):
            kept.append(part)
    return kept, [field.alias or name for one in here for name, field in one.model_fields.items()]


def _path(location: list[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _is_mapping(annotation: Any) -> bool:
    return typing.get_origin(annotation) is dict or any(_is_mapping(one) for one in typing.get_args(annotation))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _short(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
