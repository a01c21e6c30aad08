"""`analysis.json` of a whole run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# The order in which Clarify writes the sections.
_SECTIONS = ("post_training_bias_metrics", "pre_training_bias_metrics", "explanations")


def merged_analysis(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sections of several `analysis.json` documents in one, in Clarify's order.

    >>> list(merged_analysis([{"version": "1.0", "explanations": {}}, {"pre_training_bias_metrics": {}}]))
    ['version', 'pre_training_bias_metrics', 'explanations']
    """
    found: dict[str, Any] = {}
    for part in parts:
        found.update(part)
    return {"version": "1.0", **{name: found[name] for name in _SECTIONS if name in found}}
