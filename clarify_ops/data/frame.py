"""A table that a caller hands over, and the digest of rows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.parquet_table import flat
from clarify_ops.data.table import Table, column_names, refuse_twins
from clarify_ops.documents import digest_bytes
from clarify_ops.errors import BadData

_WHAT = "the data frame"


def of_frame(frame: pd.DataFrame, config: AnalysisConfig) -> Table:
    """Takes a data frame as it is: types and categories stay, the index becomes 0 .. rows - 1.

    Args:
        frame: (rows, columns); names are text, or 0 .. columns - 1 where it has none.
        config: Says the names, where the frame has none.

    Raises:
        BadData: No rows, two columns of one name, a column of lists, or other names than the configuration's headers.
    """
    if not len(frame.columns) or not len(frame):
        raise BadData("The data frame has no rows." if len(frame.columns) else "The data frame has no columns.")
    names = _names(frame, config.headers)
    refuse_twins(names, "The data frame")
    taken = frame.reset_index(drop=True)
    taken.columns = pd.Index(names)
    expected: dict[str, str | None] = {"label": None, "predicted_label": None}
    if config.features is not None:
        # JMESPath says nothing about a table: its columns stand in the order that headers have for such data.
        wanted = [key for key in expected if getattr(config, key) is not None]
        for key, name in zip(wanted, names[len(names) - len(wanted) :], strict=False):
            given = getattr(config, key)
            expected[key] = given if given in names else name
    return Table(flat(taken, _WHAT), (len(taken),), lambda row: f"row {row + 1} of {_WHAT}", (), **expected)


def row_digest(frame: pd.DataFrame) -> str:
    """`sha256:<hex>` of rows: their positions in the dataset and their content, in order."""
    hashes = pd.util.hash_pandas_object(frame, index=True).to_numpy()
    return digest_bytes(hashes.astype("<u8").tobytes())


def _names(frame: pd.DataFrame, headers: tuple[str, ...] | None) -> list[str]:
    given: list[Any] = list(frame.columns)
    if given == list(range(len(given))):
        given = list(column_names(len(given)) if headers is None or len(headers) != len(given) else headers)
    odd = next((name for name in given if not isinstance(name, str)), None)
    if odd is not None:
        raise BadData(f"The data frame has a column named {odd!r}, which is no text.", "Name its columns with text.")
    if headers is not None and len(headers) != len(given):
        raise BadData(f"headers names {len(headers)} columns, and the data frame has {len(given)}.")
    for position, (name, header) in enumerate(zip(given, headers or given, strict=True)):
        if name != header:
            raise BadData(
                f"headers differs from the columns of the data frame: column {position} is {name!r} there "
                f"and {header!r} in headers.",
                "Leave headers out.",
            )
    return given
