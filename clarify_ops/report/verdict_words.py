"""A verdict in words: what was asked, what was found, how sure that is, what would decide it, and what happens next.

Written for whoever must answer for the release. The terminal, the Markdown of a pull request, JUnit, SARIF and the report
say the same sentences; a text that is published gets a mask.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clarify_ops.gate.published import Mask, interval_words, number, registration
from clarify_ops.gate.verdict import Judgement, Verdict, WaiverUse
from clarify_ops.measures import Measure
from clarify_ops.report.notes import MetricNote

FULL = Mask(frozenset(), frozenset(), smallest=0)
EXIT_WORDS = {
    0: "the model may be released",
    3: "the gate says FAIL",
    4: "the gate cannot decide and the policy does not let that through",
}
STAGE_WORDS = {
    "data": "in the data",
    "pre_training": "on the labels, before training",
    "post_training": "on the predictions, after training",
    "quality": "on the predictions, as their quality",
    "explanations": "on the explanations",
    "champion": "against the champion, on the same rows",
}
# At a bound itself half of all samples lie beyond it.
_NO_SIGN = 0.5
# Joiners make letters of some scripts; every other invisible character can make a text say what it does not.
_JOINERS = frozenset("\u200c\u200d")


@dataclass(frozen=True)
class Account:
    """One judgement in words.

    Attributes:
        title: The rule and what it is about.
        outcome: `FAIL`, `INCONCLUSIVE, waived` and so on.
        parts: Pairs of a heading ("Asked", "Found", ...) and a sentence or two, in reading order.
    """

    title: str
    outcome: str
    parts: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The parts, one a line."""
        return "\n".join(f"{name}: {words}" for name, words in self.parts)


def visible(text: object) -> str:
    r"""Text from outside on one line, with characters that nobody sees, or that steer a terminal, written out.

    >>> visible("a\x1b[2Jb  c")
    'a\\x1b[2Jb c'
    """
    shown = " ".join(str(text).split())
    if shown.isprintable():
        return shown
    return "".join(_written_out(one) if _is_hidden(one) else one for one in shown)


def mask_among(verdict: Verdict, measures: Iterable[Measure] = ()) -> Mask:
    """The mask for a text about a verdict that is published.

    Args:
        verdict: Its judgements know the rows of their own groups.
        measures: All that were measured, where they are at hand: they know the groups beside.
    """
    return Mask.among({}, (*measures, *verdict.judgements))


def outcome_words(one: Judgement) -> str:
    """The outcome, with the waiver that lifts it."""
    return f"{one.outcome}, waived" if one.waived else one.outcome


def title(one: Judgement) -> str:
    """The rule, and what it is about."""
    return visible(f"{one.rule}: {one.metric} of {one.subject}")


def clipped(text: str, limit: int) -> str:
    """Text that is at most so long; where it is cut, it ends in an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


def accounts(verdict: Verdict, notes: Mapping[str, MetricNote] | None = None, mask: Mask = FULL) -> tuple[Account, ...]:
    """Every judgement in words, in the policy's order.

    Args:
        verdict: The verdict.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published; by default everything is told.
    """
    return tuple(
        Account(
            title(one),
            outcome_words(one),
            tuple((name, words) for name, words in _parts(one, (notes or {}).get(one.metric), mask) if words),
        )
        for one in verdict.judgements
    )


def opening(verdict: Verdict) -> str:
    """The verdict in one breath."""
    return visible(f"Verdict: {verdict.outcome}. {verdict.reason}")


def what_next(verdict: Verdict) -> tuple[str, ...]:
    """What follows from the verdict, sentence by sentence; the last one names the exit status."""
    found = [registration(verdict)]
    if any(one.outcome == "FAIL" and not one.waived for one in verdict.judgements):
        found.append(
            "A check that fails is decided: the data or the model must change, or two people sign a waiver that ends."
        )
    if any(one.outcome == "INCONCLUSIVE" and not one.waived for one in verdict.judgements):
        found.append("A check that is inconclusive is open: neither harm nor its absence was shown.")
    status = verdict.exit_status
    found.append(f"Exit status {status}: {EXIT_WORDS[status]}.")
    return tuple(found)


def waiver_words(one: Judgement) -> str:
    """The waiver of a judgement, whether it counts or not; empty where there is none."""
    return "" if one.waiver is None else _waiver(one.waiver)


def idle_waivers(verdict: Verdict) -> tuple[str, ...]:
    """The waivers of the policy that lift nothing, each in a sentence or two that begins with what it was written for."""
    return tuple(
        visible(f"{one.rule}{'' if one.facet_value is None else f' = {one.facet_value}'}: {_waiver(one.waiver)}")
        for one in verdict.idle_waivers
    )


def chance(one: Judgement, mask: Mask = FULL) -> str:
    """Both p-values in a few words; empty where there are none or they would tell of a masked group."""
    if one.p_value is None or mask.hides(one):
        return ""
    if one.adjusted_p is None or one.adjusted_p == one.p_value:
        return p_words(one.p_value)
    return f"{p_words(one.p_value)}, corrected {p_words(one.adjusted_p)}"


def needs_words(one: Judgement, mask: Mask = FULL) -> str:
    """What would decide it; empty where nothing is known or the rows would give a masked group away."""
    beside = (one.facet or "", one.facet_value or "") in mask.beside
    return "" if one.needs is None or beside or mask.hides(one) else visible(one.needs.note)


def rows_words(one: Judgement, mask: Mask = FULL) -> str:
    """Group sizes in words: `197 disadvantaged, 1,792 advantaged`."""
    return ", ".join(f"{rows} {visible(side)}" for side, rows in mask.groups(one).items())


def p_words(value: float) -> str:
    """A p-value.

    >>> p_words(0.0342), p_words(0.00001), p_words(1.0)
    ('p = 0.034', 'p < 0.001', 'p = 1')
    """
    return "p < 0.001" if value < 0.001 else f"p = {round(value, 3):g}"


def _waiver(one: WaiverUse) -> str:
    model = "" if one.model is None else f" for the model {one.model}"
    return visible(
        f"Waiver{model} up to {one.up_to:g}, granted {one.granted} by {one.approver} for {one.author}: {one.note}."
        f" {one.reason}"
    )


def _parts(one: Judgement, note: MetricNote | None, mask: Mask) -> Sequence[tuple[str, str]]:
    return (
        ("Asked", _asked(one, note)),
        ("Why this bound", visible(one.why)),
        ("Found", _found(one, mask)),
        ("Distance", _distance(one, mask)),
        ("Chance", _chance(one, mask)),
        ("Answer", visible(f"{one.outcome}. {mask.reason(one)}")),
        ("To decide it", needs_words(one, mask)),
        ("Waiver", waiver_words(one)),
    )


def _asked(one: Judgement, note: MetricNote | None) -> str:
    name = visible(one.metric) if note is None else f"{visible(one.metric)} ({note.title_alone(one.metric)})"
    where = STAGE_WORDS.get(one.stage, one.stage)
    point = " The value alone is compared: sampling error is not allowed for." if one.mode == "point" else ""
    reading = f" {note.reading}" if note is not None and note.reading else ""
    return f"{name} of {visible(one.subject)}, measured {where}, must be {one.bound}.{point}{reading}"


def _found(one: Judgement, mask: Mask) -> str:
    if mask.hides(one):
        return mask.hidden[:1].upper() + mask.hidden[1:] + "."
    rows = rows_words(one, mask)
    of_rows = f", from {rows}" if rows else ""
    if one.value is None:
        return f"No value{of_rows}."
    against = (one.min, one.max)
    if one.interval is None:
        return f"{number(one.value, against)}{of_rows}."
    weak = "" if one.interval.reliable else ", not reliable for so few rows"
    return (
        f"{number(one.value, against)}, with a {one.interval.level * 100:g} % interval of"
        f" {interval_words(one.interval, against)} ({visible(one.interval.method)}{weak}){of_rows}."
    )


def _distance(one: Judgement, mask: Mask) -> str:
    if one.value is None or not math.isfinite(one.value) or mask.hides(one):
        return ""
    nearest = min((bound for bound in (one.min, one.max) if bound is not None), key=lambda b: abs(b - (one.value or 0)))
    gap = abs(one.value - nearest)
    inside = (one.min is None or one.value >= one.min) and (one.max is None or one.value <= one.max)
    if gap == 0:
        return f"The value lies on the bound {nearest:g}, which is acceptable."
    side = "inside" if inside else "beyond"
    told = f"The value lies {number(gap)} {side} the bound {nearest:g}"
    if one.interval is None or one.mode == "point":
        return f"{told}."
    reaches = one.interval.low < nearest < one.interval.high
    if reaches:
        return f"{told}, but the interval reaches to both sides of it."
    return f"{told}, and so does the whole interval."


def _chance(one: Judgement, mask: Mask) -> str:
    if one.p_value is None or mask.hides(one):
        return ""
    if one.p_value >= _NO_SIGN:
        return f"Nothing speaks for a breach of the bound ({p_words(one.p_value)})."
    said = [
        (
            f"If the true value were exactly at the bound, a sample would look this bad or worse in {_share(one.p_value)}"
            f" of cases ({p_words(one.p_value)})."
        )
    ]
    if one.adjusted_p is not None and one.adjusted_p != one.p_value:
        said.append(
            f"Many checks make false alarms: corrected for all of the family {visible(one.family or one.rule)} (Holm),"
            f" {p_words(one.adjusted_p)}."
        )
    if one.plain is not None and one.plain != one.outcome:
        said.append(f"Were it the only check, it would be {one.plain}.")
    return " ".join(said)


def _share(p: float) -> str:
    percent = 100 * p
    if percent < 0.1:
        return "less than 0.1 %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in _JOINERS


def _written_out(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
