"""What the tests of reading share: a small table, and a configuration that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.errors import BadData, BadInput

Write = Callable[[str, str | bytes], str]
ROWS = [[30, "f", 1.5, 1], [41, "m", 2.0, 0], [25, "f", 0.5, 1]]
NAMES = ["age", "sex", "score", "approve"]
FRAME = pd.DataFrame(ROWS, columns=NAMES)


def config(**keys: Any) -> AnalysisConfig:
    return AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, **keys}, "The configuration")


def csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    return str(frame.to_csv(index=False, header=header))


def refused(words: str, data: str | pd.DataFrame | None, error: type[BadInput] = BadData, **keys: Any) -> BadInput:
    with pytest.raises(error, match=words) as caught:
        read_analysis_data(config(**keys), data)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    return caught.value
