"""Versions and aliases as MLflow has them."""

from __future__ import annotations

import datetime
import os.path
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clarify_ops.errors import BadDocument
from clarify_ops.registry.contents import COMPLETE_TAG, EVIDENCE_TAG, VERDICT_TAG
from clarify_ops.registry.history import record_of
from clarify_ops.registry.protocol import RegisteredVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

_PAGE = 200
_LONGEST_NAME = 255


def require_allowed(name: str, alias: str) -> None:
    """Says of a name before anything is written what MLflow would say of it afterwards.

    Raises:
        BadDocument: MLflow does not allow the name of the model, or the alias.
    """
    unusual = (
        any(sign in name for sign in "/:")
        or {"'", '"'} <= set(name)
        or os.path.normpath(name) != name
        or name in {".", ".."}
    )
    if unusual or not name.strip() or len(name) > _LONGEST_NAME:
        raise BadDocument(
            f"MLflow does not allow the model name {name!r}.",
            f"Use no slash, no colon, not both quotation marks, and at most {_LONGEST_NAME} signs.",
        )
    word = alias.replace("-", "_")
    version = alias[:1] in "vV" and alias[1:].isdigit()
    if (not word.isidentifier() and not word.isalnum()) or version or alias.lower() == "latest":
        raise BadDocument(
            f"MLflow does not allow the alias {alias!r}.",
            "Use letters, digits, - and _, but neither latest nor v1, v2, ...",
        )


def search_versions(client: MlflowClient, model: str | None, evidence: str | None = None) -> list[ModelVersion]:
    """The versions of one model or of all, by number; `evidence` leaves those that were registered with it."""
    parts = [] if model is None else [f"name = {quoted(model)}"]
    if evidence is not None:
        parts.append(f"tags.`{EVIDENCE_TAG}` = '{evidence}'")
    found: list[ModelVersion] = []
    token: str | None = None
    while token is None or token:
        page = client.search_model_versions(" and ".join(parts), max_results=_PAGE, page_token=token)
        found.extend(page)
        token = page.token or ""
    return sorted(found, key=lambda one: int(one.version))


def aliases_of(client: MlflowClient, model: str | None) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """What versions are called, by model and number."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in _registered_models(client, model):
        for alias, version in sorted(one.aliases.items()):
            key = (one.name, str(version))
            found[key] = (*found.get(key, ()), alias)
    return found


def current(client: MlflowClient, model: str, version: str) -> RegisteredVersion:
    """A version as it is now."""
    found = client.get_model_version(model, version)
    return as_registered(found, found.aliases)


def as_registered(found: ModelVersion, aliases: Iterable[str]) -> RegisteredVersion:
    """A version in the words of every registry."""
    created = datetime.datetime.fromtimestamp(found.creation_timestamp / 1000, datetime.UTC)
    return RegisteredVersion(
        model=found.name,
        version=str(found.version),
        aliases=tuple(sorted(aliases)),
        evidence=found.tags.get(EVIDENCE_TAG),
        verdict=found.tags.get(VERDICT_TAG),
        complete=found.tags.get(COMPLETE_TAG) == "true",
        created=created.isoformat(timespec="seconds"),
        tags=dict(found.tags),
    )


def give_alias(client: MlflowClient, version: RegisteredVersion, alias: str, reason: str) -> None:
    """Moves an alias; that it moves, why, and who had it before is kept first."""
    holder = holder_of(client, version.model, alias)
    before = "" if holder in {None, version.version} else f" (before: version {holder})"
    key, words = record_of(alias, f"{reason}{before}")
    client.set_model_version_tag(version.model, version.version, key, words)
    insist(
        lambda: client.set_registered_model_alias(version.model, alias, version.version),
        lambda: holder_of(client, version.model, alias) == version.version,
    )


def holder_of(client: MlflowClient, model: str, alias: str) -> str | None:
    """The number of the version that has an alias."""
    for one in _registered_models(client, model):
        return None if alias not in one.aliases else str(one.aliases[alias])
    return None


def quoted(name: str) -> str:
    """A name within a filter; `require_allowed` lets none with both quotation marks in."""
    return f'"{name}"' if "'" in name else f"'{name}'"


@dataclass(frozen=True)
class Passing:
    """A block that goes on after an error with this code of MLflow's."""

    code: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        from mlflow.exceptions import MlflowException

        return isinstance(error, MlflowException) and error.error_code == self.code


# Somebody was quicker, or an answer was lost.
already_there = Passing("RESOURCE_ALREADY_EXISTS")
not_there = Passing("RESOURCE_DOES_NOT_EXIST")


def insist(act: Callable[[], object], holds: Callable[[], bool]) -> None:
    """Does something that another may be doing at the same moment: MLflow then fails one of the two.

    Args:
        act: What to do.
        holds: Whether it is done, whoever did it; asked where it failed.
    """
    from mlflow.exceptions import MlflowException

    try:
        act()
    except MlflowException:
        if not holds():
            raise


def _registered_models(client: MlflowClient, model: str | None) -> list[RegisteredModel]:
    if model is not None:
        with not_there:
            return [client.get_registered_model(model)]
        return []
    found: list[RegisteredModel] = []
    token: str | None = None
    while token is None or token:
        page = client.search_registered_models(max_results=_PAGE, page_token=token)
        found.extend(page)
        token = page.token or ""
    return found
