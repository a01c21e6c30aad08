"""What all configuration classes share: settings that were given, in the order in which the SDK writes them."""

from __future__ import annotations

from typing import Any

from clarify_ops.config.composed import require

__all__ = ["given", "one_of", "require"]


def given(**settings: Any) -> dict[str, Any]:
    """The settings that are not None; 0 and False mean something.

    >>> given(label=0, headers=None)
    {'label': 0}
    """
    return {name: value for name, value in settings.items() if value is not None}


def one_of(value: object, choices: tuple[str, ...], name: str) -> None:
    """Raises ValueError where a value is none of the choices."""
    require(value in choices, f"Invalid {name} {value}. Please choose among {', '.join(choices)}.")
