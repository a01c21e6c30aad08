"""A first policy from what an analysis measured: its names are used, its values never."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from clarify_ops.analysis.notes import metric_notes
from clarify_ops.analysis.policy_power import rows_for_margin, rows_to_pass
from clarify_ops.errors import BadDocument
from clarify_ops.measures import Measure, Stage
from clarify_ops.report.verdict_words import STAGE_WORDS, visible

_LEVEL = 0.95
_MARGIN = 0.1
_COLUMN = 44
_CONVENTION = (
    "A convention of fairness toolkits (AI Fairness 360 calls -0.1 to 0.1 fair), not a law; replace it by what your"
    " organization has agreed."
)


@dataclass(frozen=True)
class Proposal:
    """A rule that is proposed wherever its metric was measured.

    Attributes:
        name: Of the rule; the facet is added to it.
        stage, metric: What it is about.
        key: `min`, `max` or `within`.
        bound: Fixed before anything was measured.
        origin: Where the bound comes from, for the comment beside it.
        why: The same for the reader of a report.
        per_facet: Whether there is one for each facet, or one about all rows.
        family: Rules of one name share one rate of false alarms.
    """

    name: str
    stage: Stage
    metric: str
    key: str
    bound: float
    origin: str
    why: str
    per_facet: bool = True
    family: str | None = None


PROPOSALS: tuple[Proposal, ...] = (
    Proposal(
        "enough-rows",
        "data",
        "rows",
        "min",
        rows_for_margin(_MARGIN, _LEVEL),
        f"With fewer, the {_LEVEL:.0%} interval of a rate near one half reaches more than {_MARGIN:g} to either side.",
        "With fewer rows no rate of the group is known to within ten points.",
    ),
    Proposal(
        "no-label-leak",
        "data",
        "label_leaks",
        "max",
        0,
        "One is too many: such a column is a copy of the label, or was written after the decision.",
        "A column that tells the label by itself gives the answer away.",
        per_facet=False,
    ),
    Proposal(
        "no-facet-stand-in",
        "data",
        "facet_proxies",
        "max",
        0,
        "One is too many: it brings the facet back into the model.",
        "A column that tells the facet by itself stands in for it.",
        per_facet=False,
    ),
    Proposal(
        "label-gap",
        "pre_training",
        "DPL",
        "within",
        _MARGIN,
        _CONVENTION,
        "Positive labels of the groups differ by less than ten points, by convention.",
        family="labels",
    ),
    Proposal(
        "four-fifths",
        "post_training",
        "DI",
        "within",
        0.8,
        "0.8 to 1.25: the four-fifths screen of 29 CFR 1607.4(D), a first look that complies with nothing by itself.",
        "The four-fifths screen of 29 CFR 1607.4(D).",
        family="predictions",
    ),
    Proposal(
        "equal-opportunity",
        "post_training",
        "RD",
        "within",
        _MARGIN,
        _CONVENTION,
        "Those who deserve a positive prediction are found alike in every group, to within ten points.",
        family="predictions",
    ),
    Proposal(
        "equal-specificity",
        "post_training",
        "SD",
        "within",
        _MARGIN,
        _CONVENTION,
        "Those who do not are told apart alike in every group, to within ten points.",
        family="predictions",
    ),
    Proposal(
        "equal-accuracy",
        "post_training",
        "AD",
        "within",
        _MARGIN,
        _CONVENTION,
        "Predictions are right alike in every group, to within ten points.",
        family="predictions",
    ),
    Proposal(
        "better-than-chance",
        "quality",
        "auc",
        "min",
        0.5,
        "0.5 is chance, the least that can be asked; raise it to what the use needs before you look at a result.",
        "A score that ranks no better than chance decides nothing.",
        per_facet=False,
    ),
    Proposal(
        "better-than-ignorance",
        "quality",
        "brier",
        "max",
        0.25,
        "0.25 is what a score of one half for everybody gets.",
        "A score that is farther off than one half for everybody is worse than none.",
        per_facet=False,
    ),
    Proposal(
        "explained-by-its-parts",
        "explanations",
        "relative_additivity_gap",
        "max",
        1e-6,
        "Arithmetic: attributions add up to the score but for rounding.",
        "Attributions that do not add up to the score are not attributions of it.",
        per_facet=False,
    ),
)


def first_policy(measures: Sequence[Measure], source: str, name: str = "first-policy") -> str:
    """The text of a policy, every line with a comment.

    The bounds come from conventions and arithmetic alone: which rules there are depends on what was measured, no number of
    them on what came out.

    Args:
        measures: Of an analysis or a run.
        source: Where they are from, for the first line.
        name: Of the policy.

    Raises:
        BadDocument: Nothing was measured that a rule is known for.
    """
    rules = list(_rules(measures))
    if not rules:
        raise BadDocument(
            f"Nothing in {source} is what a first policy has a rule for.",
            "Analyse bias, quality or explanations first.",
        )
    head = [
        f"# A first policy, from what {visible(source)} measured. Its bounds are conventions and arithmetic:",
        "# none was chosen after looking at a value. Change them before you look at a verdict, not after,",
        "# and check the file with: clarify-ops policy check FILE",
        _line('version: "1"', "The schema of this document."),
        _line(f"name: {name}", "Shown in verdicts and reports."),
        _line(f"confidence: {_LEVEL:g}", "A rule passes when the interval of this level lies within its bound."),
        _line(
            "alpha: 0.05", "A rule fails when its p-value, corrected within its family, is below this: a convention."
        ),
        _line("inconclusive: block", "What happens where the rows cannot decide: block, ask for approval, or warn."),
        _line("rules:", "One bound on one metric each."),
    ]
    return "\n".join([*head, *rules, _line("waivers: []", "Exceptions: two people, a reason, a last day.")]) + "\n"


def _rules(measures: Sequence[Measure]) -> Iterator[str]:
    measured = {(one.stage, one.metric, one.facet) for one in measures if one.reference is None}
    facets = list(dict.fromkeys(one.facet for one in measures if one.facet is not None and one.reference is None))
    taken: set[str] = set()
    for proposal in PROPOSALS:
        if not proposal.per_facet and (proposal.stage, proposal.metric, None) in measured:
            yield from _rule(proposal, None, _free(proposal.name, taken))
    for facet in facets:
        asked = [one for one in PROPOSALS if one.per_facet and (one.stage, one.metric, facet) in measured]
        if asked:
            yield from _small(facet, measures)
        for proposal in asked:
            yield from _rule(proposal, facet, _free(f"{proposal.name}-{_slug(facet)}", taken))


def _rule(proposal: Proposal, facet: str | None, name: str) -> Iterator[str]:
    note = metric_notes()[proposal.metric]
    yield _line(f"  - id: {name}", "What verdicts and waivers call it.")
    yield _line(f"    stage: {proposal.stage}", f"Measured {STAGE_WORDS[proposal.stage]}.")
    yield _line(f"    metric: {proposal.metric}", f"{note.title_alone(proposal.metric)}. {note.reading}".strip())
    if facet is not None:
        yield _line(f"    facet: {_quoted(facet)}", "For each of its values that the analysis compares.")
    yield _line(f"    {proposal.key}: {_plain(proposal.bound)}", proposal.origin)
    if proposal.family is not None:
        yield _line(f"    family: {proposal.family}", "Rules of one family share one rate of false alarms (Holm).")
    yield _line(f"    why: {_quoted(proposal.why)}", "What a report says about the bound.")


def _small(facet: str, measures: Sequence[Measure]) -> Iterator[str]:
    """Says which groups are too small for the rules that follow."""
    enough = rows_to_pass(_MARGIN, _LEVEL)
    rows = {one.facet_value: one.groups["d"] for one in measures if one.facet == facet and "d" in one.groups}
    for value, count in rows.items():
        if count < enough:
            yield f"  # {visible(facet)} = {visible(value)} has {count:,} rows. A fair model needs about {enough:,} to be shown within {_MARGIN:g}"
            yield "  # (rates near one half, many others to compare with, 8 samples of 10): expect INCONCLUSIVE with fewer."
            yield "  # A gate that compares values alone would often fail a fair model here, and pass an unfair one."


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(_COLUMN)}  # {visible(comment)}"


def _quoted(text: str) -> str:
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def _plain(bound: float) -> str:
    return f"{bound:.12f}".rstrip("0").rstrip(".")


def _slug(text: str) -> str:
    return re.sub("[^A-Za-z0-9]+", "-", text).strip("-").lower()[:30] or "facet"


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found)
    return found
