"""A verdict as Markdown for a pull request: a table, with what stands behind each check folded away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from clarify_ops.gate.marked import plain, table
from clarify_ops.gate.published import Mask, interval_words, number
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.verdict_words import (
    FULL,
    Account,
    accounts,
    chance,
    clipped,
    idle_waivers,
    outcome_words,
    rows_words,
    visible,
    waiver_words,
    what_next,
)

# GitHub refuses a longer comment; other forges take more.
LIMIT = 65_536
_HEADS = ("Outcome", "Check", "Metric", "Value", "Interval", "Acceptable", "Chance", "Rows")
_CELL, _SENTENCE, _REASON = 200, 2_000, 1_000
_ORDER = ("FAIL", "INCONCLUSIVE", "FAIL, waived", "INCONCLUSIVE, waived", "PASS")


def render_verdict_markdown(
    verdict: Verdict, notes: Mapping[str, MetricNote] | None = None, mask: Mask = FULL, limit: int = LIMIT
) -> str:
    """The verdict, its table with the worst first, its waivers, and an account of each check that is folded away.

    Args:
        verdict: The verdict.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published.
        limit: Most bytes of UTF-8; what does not fit is left out with a word about it, checks that pass first.
    """
    judged = sorted(
        zip(verdict.judgements, accounts(verdict, notes, mask), strict=True),
        key=lambda pair: _ORDER.index(outcome_words(pair[0])),
    )
    head = [
        f"## Gate: {verdict.outcome}",
        _text(clipped(verdict.reason, _REASON)),
        " ".join(what_next(verdict)),
    ]
    foot = f"Policy {_text(clipped(verdict.policy, _CELL))}, `{clipped(verdict.policy_digest, _CELL)}`."
    room = limit - _size([*head, foot]) - 200
    rows, room = _fitting((_row(one, mask) for one, _ in judged), room - _size([table(_HEADS, [])]))
    waived = [f"{one.rule}: {waiver_words(one)}" for one, _ in judged if one.waiver is not None]
    waivers, room = _fitting((_waiver(one) for one in (*waived, *idle_waivers(verdict))), room)
    details, room = _fitting((_details(account) for _, account in judged), room)
    left_out = len(judged) - min(len(rows), len(details))
    parts = [
        *head,
        "\n".join((table(_HEADS, []), *rows)) if judged else "",
        "\n".join(waivers),
        *details,
        f"{left_out} checks are cut short here; all of them are in verdict.json." if left_out else "",
        foot,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _fitting(parts: Iterable[str], room: int) -> tuple[list[str], int]:
    """The first parts that fit, and the room that they leave."""
    found: list[str] = []
    for part in parts:
        size = _size([part])
        if size > room:
            return found, 0
        found.append(part)
        room -= size
    return found, room


def _size(parts: Iterable[str]) -> int:
    return sum(len(part.encode()) + 2 for part in parts)


def _row(one: Judgement, mask: Mask) -> str:
    against = (one.min, one.max)
    hidden = mask.hides(one)
    value = mask.hidden if hidden else "none" if one.value is None else number(one.value, against)
    spread = "" if hidden or one.interval is None else interval_words(one.interval, against)
    cells = (
        outcome_words(one),
        one.rule,
        f"{one.metric} of {one.subject}",
        value,
        spread,
        one.bound,
        chance(one, mask),
        rows_words(one, mask),
    )
    return f"| {' | '.join(_text(clipped(cell, _CELL)) for cell in cells)} |"


def _waiver(words: str) -> str:
    return f"- {_text(clipped(words, _SENTENCE))}"


def _details(account: Account) -> str:
    # Within <summary> Markdown is not read, and HTML is.
    summary = escape(_quiet(clipped(f"{account.outcome}: {account.title}", _CELL)), quote=False)
    lines = "\n".join(f"- **{name}:** {_text(clipped(words, _SENTENCE))}" for name, words in account.parts)
    return f"<details><summary>{summary}</summary>\n\n{lines}\n\n</details>"


def _text(words: str) -> str:
    return plain(_quiet(visible(words)))


def _quiet(words: str) -> str:
    # A name after @ would call people to the pull request; the word joiner after the sign is not seen.
    return words.replace("@", "@\N{WORD JOINER}")
