"""Closed documents: a key that nobody reads is refused, with its path and the nearest key that exists."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from clarify_ops.documents import digest, read_document
from clarify_ops.errors import BadDocument, nearest


class Closed(BaseModel):
    """Base of every document a user writes: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True)

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
    fault = max(faults, key=lambda one: (one["type"] == "extra_forbidden", len(one["loc"])))
    location = tuple(part for part in fault["loc"] if not _is_union_tag(part))
    path = _path(location)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        return BadDocument(f"{what} has the unknown key {path}.", nearest(str(location[-1]), known))
    if fault["type"] == "missing":
        return BadDocument(f"{what} lacks the key {path}.")
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message[0].lower() + message[1:]
    if not path:
        return BadDocument(f"{what}: {message.rstrip('.')}.")
    return BadDocument(f"{what}, key {path}: {message.rstrip('.')}, got {_short(fault['input'])}.")


def _is_union_tag(part: int | str) -> bool:
    # pydantic puts the name of the tried branch into the location: "str", "list[str]", "function-after[...]", a class name.
    return isinstance(part, str) and (
        part in {"str", "int", "float", "bool"} or "[" in part or (part[:1].isupper() and part.isidentifier() and part not in {"CI", "DPL"})
    )


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the model allows at a place."""
    candidates: list[type[BaseModel]] = [model]
    for part in location:
        if isinstance(part, int):
            continue
        found: list[type[BaseModel]] = []
        for candidate in candidates:
            for name, field in candidate.model_fields.items():
                if part in {name, field.alias}:
                    found.extend(_models_in(field.annotation))
        candidates = found or candidates
    return [field.alias or name for candidate in candidates for name, field in candidate.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _short(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
