"""Names of jobs."""

from __future__ import annotations

import datetime

# SageMaker's limit on a job's name.
_LONGEST = 63


def name_from_prefix(prefix: str, now: datetime.datetime | None = None) -> str:
    """The prefix and the time to the millisecond, within SageMaker's 63 characters.

    >>> name_from_prefix("Clarify-Bias", datetime.datetime(2026, 1, 2, 3, 4, 5, 678000))
    'Clarify-Bias-2026-01-02-03-04-05-678'
    """
    moment = now or datetime.datetime.now(datetime.UTC)
    stamp = f"{moment:%Y-%m-%d-%H-%M-%S}-{moment.microsecond // 1000:03d}"
    return f"{prefix[: _LONGEST - len(stamp) - 1]}-{stamp}"
