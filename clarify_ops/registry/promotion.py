"""Champion and challenger: an alias moves to a version whose evidence verifies, or stays where it is."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

from clarify_ops.errors import BadInput, Refused, nearest
from clarify_ops.registry.contents import problems
from clarify_ops.registry.history import PROMOTED, ROLLED_BACK, before
from clarify_ops.registry.protocol import RegisteredVersion, Registry

CHAMPION = "champion"


def promote(
    registry: Registry,
    model: str,
    version: str,
    *,
    alias: str = CHAMPION,
    reason: str,
    by: str,
    today: datetime.date,
) -> RegisteredVersion:
    """Gives the alias to a version whose documents, model files and verdict hold.

    Args:
        registry: Where the version is.
        model: Name of the registered model.
        version: Its number, or what it is called now (`challenger`).
        alias: What it shall be called.
        reason: Why; kept with the version.
        by: Who says so; kept with it.
        today: Waivers that ended before count for nothing.

    Returns:
        The version as it is now.

    Raises:
        BadInput: There is no such model or version.
        Refused: The evidence does not hold; nothing has changed.
        Outside: The registry failed.
    """
    known = versions_of(registry, model)
    chosen = _chosen(known, model, version)
    found = verified(registry, chosen, today)
    if found:
        raise Refused(
            f"Version {chosen.version} of {model} does not become {alias}: {found[0]}.",
            "Nothing was changed; clarify-ops audit lists all that is wrong.",
        )
    return registry.move_alias(chosen, alias, f"{PROMOTED} by {by}: {reason}")


def rollback(
    registry: Registry, model: str, *, alias: str = CHAMPION, reason: str, by: str, today: datetime.date
) -> RegisteredVersion:
    """Returns the alias to the version that had it before, or the one before that, if its evidence holds.

    Args:
        registry: Where the model is.
        model: Name of the registered model.
        alias: Which alias.
        reason: Why; kept with the version.
        by: Who says so; kept with it.
        today: Waivers that ended before count for nothing.

    Returns:
        The version as it is now.

    Raises:
        BadInput: There is no such model.
        Refused: No version had the alias before, or none of them verifies; nothing has changed.
        Outside: The registry failed.
    """
    passed_over = []
    for one in before(versions_of(registry, model), alias):
        found = verified(registry, one, today)
        if not found:
            return registry.move_alias(one, alias, f"{ROLLED_BACK} by {by}: {reason}")
        passed_over.append(f"version {one.version}: {found[0]}")
    raise Refused(
        f"There is no version of {model} that the alias {alias} can return to"
        + (f" ({'; '.join(passed_over)})." if passed_over else "."),
        "Promote another version: clarify-ops promote.",
    )


def verified(registry: Registry, version: RegisteredVersion, today: datetime.date) -> list[str]:
    """What speaks against a version, after a look at everything that was registered with it; empty where nothing does.

    Raises:
        Outside: The registry failed.
    """
    if version.evidence is None:
        return ["nothing tells how it came here (it has no evidence)"]
    if not version.complete:
        return ["its registration was never finished"]
    with tempfile.TemporaryDirectory() as place:
        registry.fetch(version, Path(place))
        return problems(Path(place), version, today)


def versions_of(registry: Registry, model: str) -> tuple[RegisteredVersion, ...]:
    """The versions of a model.

    Raises:
        BadInput: There is none.
        Outside: The registry failed.
    """
    known = registry.versions(model)
    if not known:
        raise BadInput(
            f"The registry has no version of {model!r}.", nearest(model, {one.model for one in registry.versions()})
        )
    return known


def _chosen(known: tuple[RegisteredVersion, ...], model: str, version: str) -> RegisteredVersion:
    for one in known:
        if version == one.version or version in one.aliases:
            return one
    names = [name for one in reversed(known) for name in (*one.aliases, one.version)]
    raise BadInput(f"The model {model} has no version {version!r}.", nearest(version, names))
