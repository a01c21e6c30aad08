"""Small inline pictures of one number: plain SVG, coloured by the page's style, with their content as a label.

Every picture is drawn in its own units (`viewBox`), so that the page decides how wide it is. A number outside the drawn
range, or an infinite one, ends in an arrow at the edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from clarify_ops.gate.published import interval_words, number
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Interval, Measure

WIDTH = 280.0
_EDGE = 10.0
_ROUND_REACHES = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Scale:
    """Maps numbers to horizontal positions."""

    low: float
    high: float
    width: float = WIDTH

    def __call__(self, value: float) -> float:
        """Position of a value, at the edge where it lies beyond it."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_EDGE + share * (self.width - 2 * _EDGE), 2)

    def clips(self, value: float) -> bool:
        """Whether the value lies outside of what is drawn."""
        return not self.low <= value <= self.high

    @classmethod
    def around(
        cls, values: Iterable[float], *, open_low: bool = False, open_high: bool = False, width: float = WIDTH
    ) -> Scale:
        """A scale with all finite values in it and air at both ends, more of it on an open side."""
        finite = [value for value in values if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        span = high - low or max(abs(high) * 0.5, 0.1)
        return cls(low - span * (0.4 if open_low else 0.18), high + span * (0.4 if open_high else 0.18), width)


def judgement_picture(one: Judgement) -> Markup:
    """The interval against the bound: the bound as a band, the interval as a bar, the value as a dot."""
    ends = (one.interval.low, one.interval.high) if one.interval is not None else ()
    drawn = [value for value in (one.min, one.max, one.value, *ends) if value is not None]
    scale = Scale.around(drawn, open_low=one.min is None, open_high=one.max is None)
    left = 0.0 if one.min is None else scale(one.min)
    right = scale.width if one.max is None else scale(one.max)
    parts = [f'<rect class="band" x="{left}" y="4" width="{round(right - left, 2)}" height="30"/>']
    parts += [
        f'<line class="edge" x1="{scale(bound)}" x2="{scale(bound)}" y1="4" y2="38"/>'
        for bound in (one.min, one.max)
        if bound is not None
    ]
    parts += _bound_labels(scale, one.min, one.max)
    if one.interval is not None:
        parts += _whisker(scale, one.interval, middle=19.0)
    if one.value is None:
        parts.append(f'<text class="none" x="{scale.width / 2}" y="23" text-anchor="middle">undefined</text>')
    else:
        parts += _dot(scale, one.value, middle=19.0)
    return _svg(parts, 52, _judgement_label(one))


def bar_picture(one: Measure, *, start: float, reach: tuple[float, float]) -> Markup:
    """A value as a bar from where nothing is amiss, its interval as a line over the bar.

    Args:
        one: A measure with a value.
        start: Where the bar begins: parity of a bias metric, 0 of a quality metric.
        reach: The drawn range, relative to `start`.
    """
    if one.value is None:
        raise ValueError(f"{one.metric} of {one.subject} is undefined: it has no bar")
    scale = Scale(start + reach[0], start + reach[1])
    origin, end = scale(start), scale(one.value)
    parts = [
        f'<line class="axis" x1="{_EDGE}" x2="{scale.width - _EDGE}" y1="24" y2="24"/>',
        f'<rect class="bar" x="{min(origin, end)}" y="5" width="{round(abs(end - origin), 2)}" height="14"/>',
        f'<line class="origin" x1="{origin}" x2="{origin}" y1="1" y2="28"/>',
    ]
    if one.interval is not None:
        parts += _whisker(scale, one.interval, middle=12.0, thick=3.0)
    if scale.clips(one.value):
        parts.append(_arrow(scale, right=one.value > scale.high, middle=12.0))
    for value in sorted({scale.low, start, scale.high}):
        anchor = "start" if value == scale.low else "end" if value == scale.high else "middle"
        at = 2 if anchor == "start" else scale.width - 2 if anchor == "end" else scale(value)
        parts.append(f'<text x="{at}" y="38" text-anchor="{anchor}">{value:g}</text>')
    spread = "" if one.interval is None else f", interval {interval_words(one.interval)}"
    return _svg(parts, 42, f"{one.metric} of {one.subject}: {number(one.value)}{spread}; the bar begins at {start:g}")


def share_picture(value: float, largest: float, label: str) -> Markup:
    """A bar from the left, as long as its share of the largest."""
    long = 0.0 if largest == 0 else round(WIDTH * abs(value) / largest, 2)
    return _svg([f'<rect class="bar" x="0" y="3" width="{long}" height="14"/>'], 20, label, stretched=True)


def round_reach(measures: Iterable[Measure], parities: Iterable[float]) -> float:
    """How far the bars of a table must reach to both sides of parity: a round number, at most 1."""
    far = [0.0]
    for one, parity in zip(measures, parities, strict=True):
        ends = (one.interval.low, one.interval.high) if one.interval is not None else ()
        far += [abs(value - parity) for value in (one.value, *ends) if value is not None and math.isfinite(value)]
    return next((reach for reach in _ROUND_REACHES if max(far) <= reach), _ROUND_REACHES[-1])


def framed(parts: list[str], width: float, height: int, label: str, *, stretched: bool = False) -> Markup:
    """A picture of parts that are made of numbers and our own names alone; its label may say anything."""
    # The label is the only text from outside; every other part is made of numbers and our own names.
    body = Markup("".join(parts))  # noqa: S704
    fit = "none" if stretched else "xMinYMid"
    frame = Markup(
        '<svg class="picture" viewBox="0 0 {:g} {}" preserveAspectRatio="{}" role="img" aria-label="{}">{}</svg>'
    )
    return frame.format(width, height, fit, label, body)


def _svg(parts: list[str], height: int, label: str, *, stretched: bool = False) -> Markup:
    return framed(parts, WIDTH, height, label, stretched=stretched)


def _whisker(scale: Scale, interval: Interval, *, middle: float, thick: float = 7.0) -> list[str]:
    low, high = scale(interval.low), scale(interval.high)
    weak = "" if interval.reliable else " weak"
    box = f'x="{low}" y="{middle - thick / 2}" width="{max(round(high - low, 2), 1)}" height="{thick}"'
    return [f'<rect class="interval{weak}" {box} rx="1.5"/>', *arrows(scale, (interval.low, interval.high), middle)]


def arrows(scale: Scale, ends: tuple[float, float], middle: float) -> list[str]:
    """An arrow at the edge for each end that lies beyond it."""
    return [_arrow(scale, right=right, middle=middle) for right in (False, True) if scale.clips(ends[right])]


def _arrow(scale: Scale, *, right: bool, middle: float) -> str:
    tip, base = (scale.width, scale.width - 9) if right else (0.0, 9.0)
    return f'<polygon class="arrow" points="{tip},{middle} {base},{middle - 6} {base},{middle + 6}"/>'


def _dot(scale: Scale, value: float, *, middle: float) -> list[str]:
    if scale.clips(value):
        return [_arrow(scale, right=value > 0, middle=middle)]
    return [f'<circle class="dot" cx="{scale(value)}" cy="{middle}" r="5.5"/>']


def _bound_labels(scale: Scale, low: float | None, high: float | None) -> list[str]:
    both = low is not None and high is not None
    parts = []
    for bound, anchor in ((low, "end"), (high, "start")):
        if bound is None:
            continue
        at = scale(bound)
        side = anchor if both and abs(scale(low or 0.0) - scale(high or 0.0)) < 60 else "middle"
        parts.append(f'<text x="{at}" y="49" text-anchor="{side}">{bound:g}</text>')
    return parts


def _judgement_label(one: Judgement) -> str:
    bounds = (one.min, one.max)
    value = "undefined" if one.value is None else number(one.value, bounds)
    spread = "" if one.interval is None else f", interval {interval_words(one.interval, bounds)}"
    return f"{one.metric} of {one.subject}: {value}{spread}; acceptable is {one.bound}"
