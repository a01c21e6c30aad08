"""Every key of the schema is followed or refused by name."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel

from clarify_ops.analysis.supported import REFUSALS
from clarify_ops.config.analysis import AnalysisConfig


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for inner in models_in(field.annotation):
            yield from paths(inner, f"{prefix}{name}.")


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in typing.get_args(annotation):
        yield from models_in(one)


def test_what_is_refused_exists() -> None:
    known = set(paths(AnalysisConfig))
    assert [one.key for one in REFUSALS if one.key not in known] == []
    assert len({one.key for one in REFUSALS}) == len(REFUSALS)
