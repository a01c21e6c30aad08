"""The page of a run that was not judged: how it ended, as far as that is known."""

from __future__ import annotations

from clarify_ops.report import sections


def render_ended(state: str, message: str, reason: str, when: str) -> str:
    """The page as one HTML file, which fetches and runs nothing.

    Args:
        state: How the run ended, in the orchestrator's words; may be empty.
        message: Why; may be empty.
        reason: Why there is no report.
        when: Moment of writing, for people.
    """
    return sections.template("ended.html.j2").render(state=state, message=message, reason=reason, when=when)
