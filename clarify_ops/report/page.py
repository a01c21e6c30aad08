"""The report: a release turned into what the template prints, section by section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from clarify_ops.data.source import address
from clarify_ops.gate.published import Mask, interval_words, number, registration
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement
from clarify_ops.report import sections
from clarify_ops.report.forest import forest
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import judgement_picture
from clarify_ops.report.verdict_words import Account, accounts

# What is said of a check beside its table row: the rest is in the row.
_MORE = ("Distance", "Chance", "To decide it")
OUTCOME_WORDS = {"PASS": "Passed", "FAIL": "Failed", "INCONCLUSIVE": "Inconclusive"}


def render_report(release: Release, about: Mapping[str, MetricNote] | None = None) -> str:
    """The whole report as one HTML file: it fetches nothing, runs nothing, and is the same for the same release.

    Args:
        release: What is known of the candidate.
        about: How each metric is to be read, by the metric's name; a metric without a note is shown by its name alone.
    """
    notes = about or {}
    mask = Mask.of(release)
    return sections.template("report.html.j2").render(
        release=release,
        verdict=_verdict(release, mask, notes),
        bias=sections.by_facet(release.measures, ("pre_training", "post_training"), mask, notes),
        overall=sections.table([one for one in release.of("quality") if one.facet is None], mask, notes, spread=False),
        quality=sections.by_facet(release.measures, ("quality",), mask, notes),
        champion=_champion(release, mask, notes),
        checks=sections.table(release.of("data"), mask, notes, drawn=False),
        explained={
            **sections.explanations(release.explanations, release.model.features),
            "measures": sections.table(release.of("explanations"), mask, notes, drawn=False),
        },
        data=sections.data(release.data, mask),
        masked=mask.masks_anything,
        fewer=mask.fewer,
        smallest=mask.smallest,
        address=address,
    )


def _champion(release: Release, mask: Mask, notes: Mapping[str, MetricNote]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Tables of the differences from the champion, by subject; differences lie around 0, so that no bar is drawn."""
    those = release.of("champion")
    whole = [one for one in those if one.facet is None]
    groups = sections.by_facet(those, ("champion",), mask, notes, drawn=False)
    return [
        *([("All rows", sections.table(whole, mask, notes, drawn=False))] if whole else []),
        *((entry["subject"], rows) for entry in groups for _, rows in entry["tables"]),
    ]


def _verdict(release: Release, mask: Mask, notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    verdict = release.verdict
    tally = Counter(f"{one.outcome}, waived" if one.waived else one.outcome for one in verdict.judgements)
    order = ("FAIL", "INCONCLUSIVE", "FAIL, waived", "INCONCLUSIVE, waived", "PASS")
    return {
        "word": OUTCOME_WORDS[verdict.outcome],
        "registration": registration(verdict),
        "tally": [(name, tally[name]) for name in order if tally[name]],
        "waivers": [(one, number(one.waiver.up_to)) for one in verdict.judgements if one.waiver is not None],
        "idle": [(one, number(one.waiver.up_to)) for one in verdict.idle_waivers],
        "forest": forest(verdict, notes, mask),
        "judgements": [
            _judgement(one, mask, notes, account)
            for one, account in zip(verdict.judgements, accounts(verdict, notes, mask), strict=True)
        ],
    }


def _judgement(one: Judgement, mask: Mask, notes: Mapping[str, MetricNote], account: Account) -> dict[str, Any]:
    bounds = (one.min, one.max)
    hidden = mask.hides(one)
    shown = one.interval is not None and not hidden
    return {
        "one": one,
        "note": notes.get(one.metric),
        "stage": one.stage.replace("_", "-"),
        "value": mask.hidden if hidden else "undefined" if one.value is None else number(one.value, bounds),
        "interval": interval_words(one.interval, bounds) if shown and one.interval else "",
        "method": sections.method(one) if shown else "",
        "picture": "" if hidden else judgement_picture(one),
        "groups": mask.groups(one),
        "denominators": mask.denominators(one),
        "reason": mask.reason(one),
        "family": one.family if one.family not in {"", one.rule} else "",
        "more": [part for part in account.parts if part[0] in _MORE],
    }
