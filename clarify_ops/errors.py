"""Everything that can go wrong on purpose, one tree.

    ClarifyOpsError                 exit status
    ├── BadInput                    2   a document, file or argument is wrong by itself
    │   ├── BadDocument             2   ... a configuration, policy or result document
    │   ├── BadData                 2   ... a dataset: a column, a row, a value
    │   ├── BadModel                2   ... a model that cannot be read or does not fit the data
    │   ├── NotSupported            2   ... valid, but nothing here does it: refused, never ignored
    │   └── MissingExtra            2   ... an optional world is not installed
    ├── Refused                     3   the gate says FAIL, or evidence does not belong to what it is shown with
    ├── Undecided                   4   the gate is INCONCLUSIVE and the policy blocks
    └── Outside                     5   a registry, endpoint or storage failed: trying again may help

Every error states one fact in one sentence and, where something can be done about it, a hint. The command line prints
both without a traceback and exits with `exit_status`; a library user catches the class.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class ClarifyOpsError(Exception):
    """The root. `message` is the fact, `hint` what to do about it (may be empty)."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(ClarifyOpsError):
    """A document, file or argument is wrong by itself."""

    exit_status = 2


class BadDocument(BadInput):
    """A configuration, policy or result document is malformed or breaks its schema."""


class BadData(BadInput):
    """A dataset cannot be read, or lacks what the configuration names."""

    @classmethod
    def unknown_column(cls, column: str, available: Iterable[str], where: str) -> BadData:
        """A column is named that the dataset does not have.

        Args:
            column: The name that was asked for.
            available: The names that exist.
            where: Which document or argument asked for it, as its reader would find it.
        """
        names = [str(name) for name in available]
        return cls(f"{where} names the column {column!r}, which the data do not have.", nearest(column, names))


class BadModel(BadInput):
    """A model cannot be read, or does not fit the data."""


class NotSupported(BadInput):
    """A valid setting that nothing here implements: refused, because a setting that is read and ignored is a lie."""


class MissingExtra(BadInput):
    """An optional dependency is absent."""

    @classmethod
    def of(cls, extra: str, package: str) -> MissingExtra:
        """Names the extra that brings `package`."""
        return cls(f"{package} is not installed.", f"Install it with: pip install 'clarify-ops[{extra}]'")


class Refused(ClarifyOpsError):
    """The gate says FAIL, or a piece of evidence does not belong to what it is shown with."""

    exit_status = 3


class Undecided(ClarifyOpsError):
    """The gate is INCONCLUSIVE and the policy blocks on that."""

    exit_status = 4


class Outside(ClarifyOpsError):
    """Something beyond this process failed; trying again may help."""

    exit_status = 5


def nearest(name: str, known: Iterable[str], limit: int = 12) -> str:
    """A hint for a misspelt name: the nearest known one, or the list of all.

    >>> nearest("lable", ["label", "facet"])
    'Did you mean "label"?'
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    if not names:
        return "There are none to choose from."
    shown = ", ".join(names[:limit])
    return f"Known: {shown}{', ...' if len(names) > limit else ''}."
