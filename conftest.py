"""What the examples in the docstrings may use without an import."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clarify_ops.bias.forms import PLAIN
from clarify_ops.data.counts import Counts


@pytest.fixture(autouse=True)
def _names_of_the_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["example"] = example
    doctest_namespace["PLAIN"] = PLAIN


def example() -> Counts:
    """150 rows, 100 advantaged and 50 disadvantaged, in one subgroup."""
    total = Counts.of(a=(45, 10, 15, 30), d=(10, 5, 5, 30)).total
    return Counts(total, by_group=np.asarray([total]))
