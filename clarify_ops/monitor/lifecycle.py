"""The life of a baseline: whether a check compares with the previous one, and which one it hands on.

| skip_check | register_new_baseline | compares | needs a previous baseline | hands on |
|---|---|---|---|---|
| false | false | yes | yes | the previous one |
| false | true | yes | yes | the new one |
| true | false | no | yes | the previous one |
| true | true | no | no | the new one: a first run |

The new baseline is calculated in every row. Source: Amazon SageMaker API Reference, ClarifyCheckStepMetadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lifecycle:
    """One row.

    Attributes:
        compares: Whether drift from the previous baseline is looked for.
        needs_previous: Whether there has to be one.
        hands_on: Which baseline later checks are to compare with: what SageMaker calls the one that was used.
    """

    compares: bool
    needs_previous: bool
    hands_on: Literal["previous", "calculated"]


def lifecycle(*, skip_check: bool, register_new_baseline: bool) -> Lifecycle:
    """The row of two flags.

    >>> lifecycle(skip_check=True, register_new_baseline=True)
    Lifecycle(compares=False, needs_previous=False, hands_on='calculated')
    """
    return Lifecycle(
        compares=not skip_check,
        needs_previous=not (skip_check and register_new_baseline),
        hands_on="calculated" if register_new_baseline else "previous",
    )
