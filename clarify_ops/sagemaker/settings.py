"""What all configuration classes share: settings that were given, in the order in which the SDK writes them."""

from __future__ import annotations

from typing import Any


def given(**settings: Any) -> dict[str, Any]:
    """The settings that are not None; 0 and False mean something.

    >>> given(label=0, headers=None)
    {'label': 0}
    """
    return {name: value for name, value in settings.items() if value is not None}


def require(condition: object, sentence: str) -> None:
    """Raises ValueError, as the SDK does, where an argument is wrong."""
    if not condition:
        raise ValueError(sentence)


def one_of(value: object, choices: tuple[str, ...], name: str) -> None:
    """Raises ValueError where a value is none of the choices."""
    require(value in choices, f"Invalid {name} {value}. Please choose among {', '.join(choices)}.")
