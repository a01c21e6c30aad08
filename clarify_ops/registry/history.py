"""Who was called what, when and why: one tag an event, on the version that it happened to.

The key is `clarify_ops.<alias>.<time>`, the value the reason in words, whose first words tell what happened. A registry
writes the tag before it moves the alias: an event that came to nothing is harmless, a move that nobody recorded is not.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clarify_ops.registry.protocol import RegisteredVersion

REGISTERED, PROMOTED, ROLLED_BACK, DROPPED = "registered", "promoted", "rolled back", "dropped"
_TIME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Event:
    """An alias was given or taken.

    Attributes:
        at: When, in UTC.
        version: Whose it became, or was.
        words: What happened, by whom and why.
    """

    at: datetime.datetime
    version: str
    words: str


def record_of(alias: str, words: str) -> tuple[str, str]:
    """Key and value of the tag of an event that happens now."""
    return f"clarify_ops.{alias}.{datetime.datetime.now(datetime.UTC).strftime(_TIME)}", " ".join(words.split())


def events(versions: Iterable[RegisteredVersion], alias: str) -> tuple[Event, ...]:
    """What happened to an alias, oldest first.

    Args:
        versions: Of one model.
        alias: `champion`.
    """
    found = []
    prefix = f"clarify_ops.{alias}."
    for version in versions:
        for key, words in version.tags.items():
            at = _time(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if at is not None:
                found.append(Event(at, version.version, words))
    return tuple(sorted(found, key=lambda one: (one.at, int(one.version))))


def before(versions: Sequence[RegisteredVersion], alias: str) -> tuple[RegisteredVersion, ...]:
    """The versions that an alias can be rolled back to, the latest first.

    A version that was rolled back from, or from which the alias was taken, is none of them. Where the alias was moved by
    hand, its holder has no place in the history, and the last one known is the nearest.

    Args:
        versions: Of one model.
        alias: `champion`.
    """
    held: list[str] = []
    for event in events(versions, alias):
        if event.words.startswith(ROLLED_BACK) and event.version in held:
            del held[held.index(event.version) + 1 :]
        else:
            held = [one for one in held if one != event.version]
            if not event.words.startswith(DROPPED):
                held.append(event.version)
    holder = next((one.version for one in versions if alias in one.aliases), None)
    below = held[: held.index(holder)] if holder in held else held
    by_number = {one.version: one for one in versions}
    return tuple(by_number[one] for one in reversed(below))


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, _TIME).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
