"""Every row of the baseline's lifecycle."""

from __future__ import annotations

import pytest

from clarify_ops.monitor.lifecycle import Lifecycle, lifecycle


@pytest.mark.parametrize(
    ("skip", "register", "row"),
    [
        (False, False, Lifecycle(compares=True, needs_previous=True, hands_on="previous")),
        (False, True, Lifecycle(compares=True, needs_previous=True, hands_on="calculated")),
        (True, False, Lifecycle(compares=False, needs_previous=True, hands_on="previous")),
        (True, True, Lifecycle(compares=False, needs_previous=False, hands_on="calculated")),
    ],
)
def test_rows(*, skip: bool, register: bool, row: Lifecycle) -> None:
    assert lifecycle(skip_check=skip, register_new_baseline=register) == row
