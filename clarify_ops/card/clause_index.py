"""The index of a release: which clauses its evidence supports, by file and digest, and which evidence is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from clarify_ops.card.attached import BOM, CARD, EVIDENCE, METRICS, NOTHING, PIPELINE, REPORT, SIGNED, VERDICT, Attached
from clarify_ops.card.clauses import CLAUSES, DATE, FRAMEWORKS, VERSION
from clarify_ops.card.content import CardContent
from clarify_ops.gate.marked import plain, table
from clarify_ops.gate.release import Release
from clarify_ops.measures import Stage

_PRE, _POST = "pretraining_bias/metrics.json", "posttraining_bias/metrics.json"
_EXPLAINED = "explanations/metrics.json"
STATEMENT = (
    "A clause stands here because the evidence named beside it supports a reader who looks at that clause. Nothing here says "
    "that a law or a standard is kept: that is for people to judge, who know the system, its use and its place."
)

Has = Callable[[CardContent, Attached], bool]


@dataclass(frozen=True)
class Kind:
    """A kind of evidence.

    Attributes:
        title: What it is.
        absent: Why it is not there, and where it would come from.
        has: Whether a release has it.
        files: Where it is; their paths in the run.
        digest: Name of the digest in the release that binds it, where a file's own is not known.
    """

    title: str
    absent: str
    has: Has = lambda _content, _attached: False
    files: tuple[str, ...] = ()
    digest: str = ""


def _measured(*stages: Stage) -> Has:
    return lambda content, _: any(content.release.of(stage) for stage in stages)


def _said(*keys: str) -> Has:
    return lambda content, _: all(getattr(content.words, key) for key in keys)


def _always(_: CardContent, __: Attached) -> bool:
    return True


_ELSEWHERE = "No step makes it: it comes from the organisation."
_CARD_TEXT = "The card section of the pipeline does not say it ({})."

KINDS: dict[str, Kind] = {
    "policy": Kind(
        "Policy",
        "The policy has no rules.",
        lambda content, _: bool(content.release.verdict.judgements),
        (PIPELINE, VERDICT),
        "policy",
    ),
    "decision": Kind("Decision of the gate", "", _always, (VERDICT, EVIDENCE), "evidence"),
    "waivers": Kind(
        "Waivers",
        "No waiver covers a judgement.",
        lambda content, _: any(one.waiver for one in content.release.verdict.judgements),
        (VERDICT,),
        "policy",
    ),
    "data_checks": Kind("Checks of the data", "No check of the data was measured.", _measured("data"), (_PRE,), "data"),
    "pretraining_bias": Kind(
        "Bias of the labels",
        "No group was compared before training.",
        _measured("pre_training"),
        (_PRE,),
        "data",
    ),
    "posttraining_bias": Kind(
        "Bias of the predictions",
        "No group was compared after training.",
        _measured("post_training"),
        (_POST,),
        "predictions",
    ),
    "performance": Kind(
        "Quality, by group",
        "Quality was not measured.",
        _measured("quality"),
        (_POST,),
        "predictions",
    ),
    "uncertainty": Kind(
        "Intervals, rows and denominators",
        "No number has an interval.",
        lambda content, _: any(one.interval for one in content.release.measures),
        (METRICS,),
        "evidence",
    ),
    "not_measured": Kind(
        "What could not be measured",
        "Every measure has a value.",
        lambda content, _: any(one.value is None for one in content.release.measures),
        (METRICS,),
        "evidence",
    ),
    "explanations": Kind(
        "Explanations",
        "The model was not explained.",
        lambda content, _: bool(content.release.explanations.global_values),
        (_EXPLAINED, REPORT),
        "explanations",
    ),
    "explanation_quality": Kind(
        "Quality of the explanations",
        "It was not measured.",
        _measured("explanations"),
        (_EXPLAINED,),
        "explanations",
    ),
    "lineage": Kind(
        "Lineage, by digests",
        "No digest was given.",
        lambda content, _: bool(content.release.digests),
        (EVIDENCE,),
        "evidence",
    ),
    "packages": Kind("Parts list", "", _always, (BOM,), "evidence"),
    "model_card": Kind("Model card", "", _always, (CARD,)),
    "masking": Kind("Small groups masked", "", _always, (CARD, REPORT)),
    "owner": Kind("Who answers for the model", _CARD_TEXT.format("owner"), _said("owner"), (CARD,)),
    "intended_use": Kind(
        "Purpose, use, and what it is not for",
        _CARD_TEXT.format("purpose, intended_uses and out_of_scope"),
        _said("purpose", "intended_uses", "out_of_scope"),
        (CARD,),
    ),
    "limitations": Kind("Limitations", _CARD_TEXT.format("caveats"), _said("caveats"), (CARD,)),
    "risk_rating": Kind(
        "Risk rating",
        _CARD_TEXT.format("risk_rating and risk_explanation"),
        _said("risk_rating", "risk_explanation"),
        (CARD,),
    ),
    "human_oversight": Kind(
        "Human oversight",
        _CARD_TEXT.format("human_oversight"),
        _said("human_oversight"),
        (CARD,),
    ),
    "environment": Kind(
        "Environmental impact",
        _CARD_TEXT.format("environmental_impact"),
        _said("environmental_impact"),
        (CARD,),
    ),
    "signature": Kind(
        "Signature of the evidence",
        "No key was given to register; clarify-ops verify says whether evidence is signed, and by which key.",
        lambda _, attached: attached.signed,
        (SIGNED,),
    ),
    "rollback": Kind(
        "Rollback or revocation", "It comes after a release: the registry keeps who went back to what, and why."
    ),
    "monitoring": Kind("Monitoring in use", "It comes after a release; this is about what was measured before."),
    "mitigation": Kind(
        "Mitigation, before and after", "No step mitigates; a mitigated model is a candidate of its own."
    ),
    "pseudonymisation": Kind("Log of pseudonymisation", _ELSEWHERE),
    "cybersecurity": Kind("Cybersecurity", _ELSEWHERE),
    "safety": Kind("Evaluation of safety", _ELSEWHERE),
    "incidents": Kind("Record of incidents", _ELSEWHERE),
    "integration": Kind("The product and the machines it runs on", _ELSEWHERE),
    "instructions": Kind("Instructions for use", _ELSEWHERE),
    "compute": Kind("Computing resources used", _ELSEWHERE),
    "datasheet": Kind("Provenance, labelling and cleaning of the data", _ELSEWHERE),
    "planned_changes": Kind("Changes determined beforehand", _ELSEWHERE),
    "risk_file": Kind("Risk management file", _ELSEWHERE),
    "standards": Kind("List of standards applied", _ELSEWHERE),
    "declaration": Kind("Declaration of conformity", _ELSEWHERE),
    "retention": Kind("Rule of retention", _ELSEWHERE),
}


def clause_index(release: Release, attached: Attached = NOTHING) -> dict[str, Any]:
    """The document of `clauses.json`.

    Args:
        release: What is known of the candidate.
        attached: The files beside it.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    there = {name: kind.has(content, attached) for name, kind in KINDS.items()}
    return {
        "version": VERSION,
        "date": DATE,
        "statement": STATEMENT,
        "release": {
            "pipeline": release.pipeline,
            "model": release.model.name,
            "judged_on": release.judged_on,
            "verdict": release.verdict.outcome,
            "evidence": release.digests.get("evidence"),
        },
        "evidence": {
            name: {"title": kind.title, "files": [_file(one, kind, release, attached) for one in kind.files]}
            for name, kind in KINDS.items()
            if there[name]
        },
        "not_there": {
            name: {"title": kind.title, "why": kind.absent} for name, kind in KINDS.items() if not there[name]
        },
        "frameworks": {
            name: {"short": short, "title": title, "note": note} for name, (short, title, note) in FRAMEWORKS.items()
        },
        "clauses": [
            {
                "framework": one.framework,
                "clause": one.id,
                "about": one.about,
                "supported_by": [kind for kind in one.kinds if there[kind]],
                "not_there": [kind for kind in one.kinds if not there[kind]],
                "note": one.note,
            }
            for one in CLAUSES
        ],
    }


def _file(name: str, kind: Kind, release: Release, attached: Attached) -> dict[str, str]:
    found = {"file": attached.uri(name)}
    if name in attached.files:
        return {**found, "digest": attached.files[name], "of": "its bytes"}
    if name == EVIDENCE and "evidence" in release.digests:
        return {**found, "digest": release.digests["evidence"], "of": "its claims"}
    bound = release.digests.get(kind.digest)
    return found if bound is None else {**found, "digest": bound, "of": f"the {kind.digest} it is about"}


def render_clauses(index: dict[str, Any]) -> str:
    """The document of `clauses.md`, from that of `clauses.json`."""
    about = index["release"]
    parts = [
        f"# Evidence and clauses: {plain(about['model'])}",
        plain(index["statement"]),
        (
            f"Table version {index['version']} of {index['date']}. Release of the pipeline {plain(about['pipeline'])}, judged on "
            f"{about['judged_on']}: {about['verdict']}. Evidence `{about['evidence'] or 'without a digest'}`."
        ),
        "## Evidence of this release",
        table(("Evidence", "File", "Digest"), _evidence_rows(index["evidence"])),
        "## Not there",
        table(("Evidence", "Why", "Clauses"), _absent_rows(index)),
    ]
    titles = {name: one["title"] for part in ("evidence", "not_there") for name, one in index[part].items()}
    for key, framework in index["frameworks"].items():
        rows = [
            (
                one["clause"],
                one["about"] + (f" ({one['note']})" if one["note"] else ""),
                "; ".join(titles[kind] for kind in one["supported_by"]) or "nothing of this release",
                "; ".join(titles[kind] for kind in one["not_there"]) or "none that this table knows",
            )
            for one in index["clauses"]
            if one["framework"] == key
        ]
        parts += [
            f"## {plain(framework['title'])}",
            plain(framework["note"]),
            table(("Clause", "What the clause is about", "Evidence that supports it", "Not there"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def _evidence_rows(evidence: dict[str, Any]) -> list[Sequence[object]]:
    return [
        (
            one["title"],
            file["file"],
            f"{file['digest']} (of {file['of']})" if "digest" in file else _undigested(file["file"]),
        )
        for one in evidence.values()
        for file in one["files"]
    ]


def _undigested(file: str) -> str:
    return "made after this index" if file.endswith(SIGNED) else "not given"


def _absent_rows(index: dict[str, Any]) -> list[Sequence[object]]:
    def asking(kind: str) -> str:
        those = [one for one in index["clauses"] if kind in one["not_there"]]
        return ", ".join(f"{index['frameworks'][one['framework']]['short']} {one['clause']}" for one in those)

    return [(one["title"], one["why"], asking(name)) for name, one in index["not_there"].items()]
