"""What every model looks like to those who ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd


@runtime_checkable
class Model(Protocol):
    """Something that answers rows of features.

    Attributes:
        name: How it was given, for sentences about it.
        estimator: The fitted object behind it, for explainers that read it instead of asking; None where it cannot be seen.
    """

    name: str
    estimator: object | None

    def answer(self, features: pd.DataFrame) -> Any:
        """What it says of (rows, features): an array of (rows,) or (rows, outputs), or a DataFrame, a row a row.

        Raises:
            BadModel: It fails on them.
            Outside: What it needs cannot be reached.
        """
        ...

    def close(self) -> None:
        """Lets go of what asking needed: processes, connections, temporary endpoints. Twice is once."""
        ...
