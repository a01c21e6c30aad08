"""A verdict as workflow commands of GitHub Actions: each check that does not pass is shown at its rule in the policy."""

from __future__ import annotations

from collections.abc import Mapping

from clarify_ops.config.lines import PolicySource
from clarify_ops.gate.published import Mask
from clarify_ops.gate.verdict import Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.verdict_sarif import level, relative
from clarify_ops.report.verdict_words import FULL, accounts, title, visible

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def render_annotations(
    verdict: Verdict, source: PolicySource, notes: Mapping[str, MetricNote] | None = None, mask: Mask = FULL
) -> str:
    """One line a check that does not pass; a waived one is a notice.

    Args:
        verdict: The verdict.
        source: Where the rules of the policy stand.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published.

    Source: GitHub Docs, "Workflow commands for GitHub Actions".
    """
    lines = []
    for one, account in zip(verdict.judgements, accounts(verdict, notes, mask), strict=True):
        if one.outcome != "PASS":
            name = f"{account.outcome} {title(one)}"
            lines.append(command(_LEVELS[level(verdict, one)], source, source.line(one.rule), name, account.text))
    if not verdict.judgements:
        lines.append(command("error", source, source.first, "FAIL", visible(verdict.reason)))
    return "".join(f"{line}\n" for line in lines)


def command(kind: str, source: PolicySource, line: int, name: str, message: str) -> str:
    """One workflow command.

    Args:
        kind: `error`, `warning` or `notice`.
        source: The policy.
        line: Line in it, from 1.
        name: Title of the annotation.
        message: Its text; may have several lines.
    """
    return f"::{kind} file={_property(relative(source.file))},line={line},title={_property(name)}::{escaped(message)}"


def escaped(text: str) -> str:
    """The message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
