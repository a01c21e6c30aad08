"""Many groups and metrics make false alarms: within a family, p-values are corrected by Holm's procedure."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values of one family, which hold under any dependence between its members.

    Args:
        p_values: One a member. None, where nothing is known, counts as 1 and stays None.

    Source: Holm, 1979, Scandinavian Journal of Statistics 6, 65-70.

    >>> [None if p is None else round(p, 3) for p in holm([0.01, None, 0.02])]
    [0.03, None, 0.04]
    """
    known = [1.0 if p is None else p for p in p_values]
    adjusted: list[float | None] = [None] * len(known)
    worst = 0.0
    for rank, place in enumerate(sorted(range(len(known)), key=known.__getitem__)):
        worst = max(worst, min(1.0, (len(known) - rank) * known[place]))
        adjusted[place] = None if p_values[place] is None else worst
    return adjusted
