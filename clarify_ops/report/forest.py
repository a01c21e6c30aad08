"""All intervals against their bounds at a glance: one panel a bound, one strip a check, with the outcome in words beside it.

Outcomes differ by shape and by word as well as by colour, and the colours are ones that colour-blind people tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from clarify_ops.gate.published import Mask, interval_words, number
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import Scale, arrows, framed

WIDTH, HEIGHT = 560.0, 30
_MIDDLE = HEIGHT / 2
_RADIUS = 6.5
# Labels that are nearer than this share of the width would lie over each other on a telephone.
_APART = 14.0


@dataclass(frozen=True)
class Tick:
    """A number under a panel: where it is, in percent of the width, and which way its text runs from there."""

    at: float
    text: str
    side: str


@dataclass(frozen=True)
class Strip:
    """One check: who it is about, its picture, and what stands in the picture's place where there is none."""

    one: Judgement
    picture: Markup
    instead: str


@dataclass(frozen=True)
class Panel:
    """Checks that share a metric and a bound, and so a scale."""

    metric: str
    title: str
    stage: str
    bound: str
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]


def forest(verdict: Verdict, notes: Mapping[str, MetricNote], mask: Mask) -> tuple[Panel, ...]:
    """A panel for every metric and bound that is judged by intervals, in the policy's order.

    Args:
        verdict: The verdict.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published.
    """
    drawn = [one for one in verdict.judgements if one.interval is not None or one.mode == "point"]
    first = {_panel(one): place for place, one in reversed(list(enumerate(drawn)))}
    ordered = sorted(drawn, key=lambda one: first[_panel(one)])
    return tuple(_made(list(those), notes, mask) for _, those in groupby(ordered, key=_panel))


def _panel(one: Judgement) -> tuple[object, ...]:
    return one.stage, one.metric, one.min, one.max


def _made(those: Sequence[Judgement], notes: Mapping[str, MetricNote], mask: Mask) -> Panel:
    head = those[0]
    note = notes.get(head.metric)
    shown = [one for one in those if not mask.hides(one)]
    drawn = [one.value for one in shown if one.value is not None]
    drawn += [end for one in shown if one.interval is not None for end in (one.interval.low, one.interval.high)]
    bounds = [bound for bound in (head.min, head.max) if bound is not None]
    scale = Scale.around([*drawn, *bounds], open_low=head.min is None, open_high=head.max is None, width=WIDTH)
    return Panel(
        metric=head.metric,
        title="" if note is None else note.title,
        stage=head.stage.replace("_", "-"),
        bound=head.bound,
        strips=tuple(_strip(one, scale, mask) for one in those),
        ticks=_ticks(scale, bounds, 0.0 if note is None else note.parity) if drawn else (),
    )


def _strip(one: Judgement, scale: Scale, mask: Mask) -> Strip:
    if mask.hides(one):
        return Strip(one, Markup(), mask.hidden)
    if one.value is None:
        return Strip(one, Markup(), "undefined")
    left = 0.0 if one.min is None else scale(one.min)
    right = scale.width if one.max is None else scale(one.max)
    parts = [
        f'<line class="track" x1="0" x2="{WIDTH}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>',
        f'<rect class="band" x="{left}" y="0" width="{round(right - left, 2)}" height="{HEIGHT}"/>',
    ]
    parts += [
        f'<line class="edge" x1="{scale(bound)}" x2="{scale(bound)}" y1="0" y2="{HEIGHT}"/>'
        for bound in (one.min, one.max)
        if bound is not None
    ]
    against = (one.min, one.max)
    spread = ""
    if one.interval is not None:
        low, high = scale(one.interval.low), scale(one.interval.high)
        weak = "" if one.interval.reliable else " weak"
        parts.append(f'<line class="reach{weak}" x1="{low}" x2="{high}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>')
        parts += arrows(scale, (one.interval.low, one.interval.high), _MIDDLE)
        spread = f", interval {interval_words(one.interval, against)}"
    parts.append(_mark(one, scale(one.value)))
    label = (
        f"{one.metric} of {one.subject}: {number(one.value, against)}{spread}; acceptable is {one.bound}: {one.outcome}"
    )
    return Strip(one, framed(parts, WIDTH, HEIGHT, label), "")


def _mark(one: Judgement, at: float) -> str:
    """A full dot for PASS, a square on its corner for FAIL, a ring for INCONCLUSIVE."""
    if one.outcome == "FAIL":
        r = _RADIUS + 1
        points = f"{at},{_MIDDLE - r} {at + r},{_MIDDLE} {at},{_MIDDLE + r} {at - r},{_MIDDLE}"
        return f'<polygon class="mark" points="{points}"/>'
    kind = "mark" if one.outcome == "PASS" else "mark ring"
    return f'<circle class="{kind}" cx="{at}" cy="{_MIDDLE}" r="{_RADIUS}"/>'


def _ticks(scale: Scale, bounds: Sequence[float], parity: float) -> tuple[Tick, ...]:
    places = [(100 * scale(bound) / scale.width, bound) for bound in bounds]
    close = len(places) == 2 and places[1][0] - places[0][0] < _APART
    ticks = [
        Tick(at, f"{bound:g}", _side(at) if not close else "left" if place == 0 else "right")
        for place, (at, bound) in enumerate(places)
    ]
    middle = 100 * scale(parity) / scale.width
    if not scale.clips(parity) and all(abs(middle - at) >= _APART for at, _ in places):
        ticks.append(Tick(middle, f"{parity:g}", _side(middle)))
    return tuple(ticks)


def _side(at: float) -> str:
    return "right" if at < 5 else "left" if at > 95 else "middle"
