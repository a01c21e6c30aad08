"""What a metric means, in words that the metric tables below give to the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricNote:
    """How a metric is to be read.

    Attributes:
        title: Its full name.
        reading: One sentence: what it means and what its sign says.
        parity: The value of equal treatment, from which its bar is drawn: 0 for a difference, 1 for a ratio.
    """

    title: str
    reading: str = ""
    parity: float = 0.0

    def title_alone(self, metric: str) -> str:
        """The full name without the short one, which Clarify's titles end with."""
        return self.title.removesuffix(f" ({metric})")
