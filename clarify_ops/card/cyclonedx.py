"""The release as a CycloneDX 1.7 parts list: the model with its card, its data, its files, the packages, and what is claimed.

Nothing in it depends on when or where it was made: the serial number comes from the evidence digest, and every time is one
of the release (the day of the judgement, the days of a waiver).

Source: CycloneDX 1.7 (ECMA-424), JSON schema `bom-1.7`: `modelCard`, `declarations`, `definitions.standards`.
"""

from __future__ import annotations

import math
import re
import uuid
from typing import Any
from urllib.parse import quote

from clarify_ops.card.attached import CARD, NOTHING, Attached
from clarify_ops.card.content import NOT_STATED, CardContent, Section, waiver_sentence
from clarify_ops.card.cyclonedx_claims import MODEL, declarations, standard
from clarify_ops.documents import digest
from clarify_ops.gate.published import interval_words
from clarify_ops.gate.release import Release
from clarify_ops.measures import STAGES, Measure, Stage, json_number

_DATA = "data"
_STAGE_WORDS: dict[Stage, str] = {
    "data": "data",
    "pre_training": "labels, before training",
    "post_training": "predictions, after training",
    "quality": "quality",
    "explanations": "explanations",
    "champion": "difference from the champion",
}


def ml_bom(release: Release, attached: Attached = NOTHING) -> dict[str, Any]:
    """The document of `bom.cdx.json`.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.
        attached: The files beside it, the model's files and the installed packages.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    packages = _packages(attached)
    fitted_with = {_normal(name) for name in release.model.libraries}
    needed = [one["bom-ref"] for one in packages if _normal(one["name"]) in fitted_with]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{_serial(release)}",
        "version": 1,
        "metadata": {
            "timestamp": f"{release.judged_on}T00:00:00Z",
            "tools": {"components": [_tool(attached)]},
            "component": _model(content, attached),
        },
        "components": [_dataset(content), *packages],
        "dependencies": [
            {"ref": MODEL, "dependsOn": [_DATA, *needed]},
            *({"ref": one["bom-ref"]} for one in packages),
        ],
        # The packages are those that were installed; which of them needs which is not said.
        "compositions": [{"aggregate": "incomplete", "dependencies": [MODEL]}],
        "definitions": {"standards": [standard(content)]},
        "declarations": declarations(content, attached),
    }


def _serial(release: Release) -> uuid.UUID:
    evidence = release.digests.get("evidence") or digest(dict(release.digests))
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://clarify-ops/evidence/{evidence}")


def _hashes(value: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": value.removeprefix("sha256:")}]


def _properties(found: dict[str, object]) -> list[dict[str, str]]:
    return [{"name": f"clarify_ops:{name}", "value": str(value)} for name, value in found.items()]


def _tool(attached: Attached) -> dict[str, Any]:
    known = {"type": "application", "name": "clarify_ops", "bom-ref": "clarify_ops"}
    return {
        **known,
        **({"version": attached.code["clarify_ops"]} if "clarify_ops" in attached.code else {}),
        **({"properties": _properties({"code": attached.code["digest"]})} if "digest" in attached.code else {}),
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages(attached: Attached) -> list[dict[str, Any]]:
    found = {
        f"pkg:pypi/{quote(_normal(name))}@{quote(version)}": (name, version)
        for name, version in attached.packages.items()
    }
    return [
        {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        for purl, (name, version) in sorted(found.items())
    ]


def _file(name: str, value: str) -> dict[str, Any]:
    return {"type": "file", "bom-ref": f"model/{name}", "name": f"model/{name}", "hashes": _hashes(value)}


def _dataset(content: CardContent) -> dict[str, Any]:
    facts = content.release.data
    rows = {
        f"rows:{facet}={value}": shown
        for facet, values in facts.facets.items()
        for value, shown in content.mask.facet_rows(facet, values).items()
    }
    said = (
        f"{facts.rows:,} rows, {facts.columns} columns; label {facts.label}, favourable where it is {facts.positive} "
        f"({facts.positives:,} rows); {facts.missing_labels:,} rows without a label."
    )
    sensitive = [f"{facet} ({facts.kinds.get(facet, 'facet')})" for facet in facts.facets]
    return {
        "type": "data",
        "bom-ref": _DATA,
        "name": content.dataset,
        "hashes": _hashes(facts.digest),
        "data": [
            {
                "type": "dataset",
                "name": content.dataset,
                "description": " ".join([said, *facts.warnings]),
                "contents": {
                    "url": quote(content.dataset, safe=":/?#[]@!$&'()*+,;=%~"),
                    "properties": _properties({**rows, **{f"excluded:{k}": v for k, v in facts.excluded.items()}}),
                },
                **({"sensitiveData": sensitive} if sensitive else {}),
            }
        ],
    }


def _model(content: CardContent, attached: Attached) -> dict[str, Any]:
    release, words = content.release, content.words
    facts = release.model
    owner = {"name": words.owner, **({"contact": [{"name": words.contact}]} if words.contact else {})}
    files = [_file(name, value) for name, value in sorted(attached.model_files.items())]
    about: dict[str, object] = {f"digest:{name}": value for name, value in release.digests.items()}
    about |= {f"parameter:{name}": value for name, value in facts.parameters.items()}
    about |= {
        "seed": facts.seed,
        "evaluation": facts.evaluation,
        **({"origin": facts.origin} if facts.elsewhere else {"rows": facts.rows}),
        "verdict": release.verdict.outcome,
    }
    about |= {f"custom:{name}": value for name, value in words.custom.items()}
    references = [
        {
            "type": "model-card" if name == CARD else "evidence",
            "url": quote(attached.uri(name), safe=":/?#[]@!$&'()*+,;=%~"),
            "hashes": _hashes(value),
        }
        for name, value in sorted(attached.files.items())
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": facts.name,
        # The version in a registry comes later; the content is what this is about.
        "version": facts.digest,
        **({"description": words.description} if words.description else {}),
        **({"supplier": owner} if words.owner else {}),
        **({"authors": [{"name": words.creator}]} if words.creator else {}),
        **({"licenses": [{"license": {"name": words.licence}}]} if words.licence else {}),
        **({"components": files} if files else {}),
        **({"externalReferences": references} if references else {}),
        "properties": _properties(about),
        "modelCard": _model_card(content),
    }


def _model_card(content: CardContent) -> dict[str, Any]:
    model = content.release.model
    measured = [one for stage in STAGES for section in content.sections(stage) for one in section.measures]
    return {
        "bom-ref": "model-card",
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": content.words.problem_type or "binary classification",
            "modelArchitecture": model.estimator,
            "datasets": [{"ref": _DATA}],
            "inputs": [{"format": f"{name}: {kind}"} for name, kind in model.features.items()],
            "outputs": [{"format": f"score from 0 to 1; favourable above {model.threshold:g}"}],
        },
        "quantitativeAnalysis": {"performanceMetrics": [_metric(content, one) for one in measured]},
        "considerations": _considerations(content),
        "properties": _properties({f"measure:{_slice(one)}: {one.metric}": _beside(content, one) for one in measured}),
    }


def _slice(one: Measure) -> str:
    return f"{one.subject} ({_STAGE_WORDS[one.stage]})"


def _metric(content: CardContent, one: Measure) -> dict[str, Any]:
    if one.value is None or content.mask.hides(one):
        return {"type": one.metric, "slice": _slice(one), "value": content.value(one)}
    found: dict[str, Any] = {"type": one.metric, "slice": _slice(one), "value": _digits(one.value)}
    if one.interval is not None:
        found["confidenceInterval"] = {
            "lowerBound": _digits(one.interval.low),
            "upperBound": _digits(one.interval.high),
        }
    return found


def _digits(value: float) -> str:
    # As many as are the same on every machine; infinities as JSON documents of ours write them.
    return str(json_number(value)) if math.isinf(value) else f"{value:.12g}"


def _beside(content: CardContent, one: Measure) -> str:
    """What a performance metric has no field for: the interval's level and method, the rows, the denominators."""
    divided = content.divided(one)
    said = [content.interval(one) or "no interval", content.rows(one), f"divided by {divided}" if divided else ""]
    return "; ".join(part for part in said if part)


def _considerations(content: CardContent) -> dict[str, Any]:
    words = content.words
    limits = [
        words.caveats,
        f"Out of scope: {words.out_of_scope}" if words.out_of_scope else None,
        f"Works better or worse with: {words.factors}" if words.factors else None,
        *(f"Not on this card: {key.replace('_', ' ')}" for key in content.gaps),
    ]
    ethics = {"name": words.ethical_considerations or "", "mitigationStrategy": words.human_oversight or NOT_STATED}
    risk = {"name": f"Risk rating: {words.risk_rating}", "mitigationStrategy": words.risk_explanation or NOT_STATED}
    found: dict[str, Any] = {
        "users": [words.users] if words.users else [],
        "useCases": [one for one in (words.purpose, words.intended_uses, words.downstream_uses) if one],
        "technicalLimitations": [one for one in limits if one],
        "ethicalConsiderations": [
            *([ethics] if words.ethical_considerations else []),
            *([risk] if words.risk_rating else []),
        ],
        "fairnessAssessments": [_assessment(content, one) for one in _groups(content)],
    }
    if words.environmental_impact:
        found["environmentalConsiderations"] = {"properties": _properties({"impact": words.environmental_impact})}
    return {key: value for key, value in found.items() if value}


def _groups(content: CardContent) -> list[Section]:
    """One section a group that anything was measured of."""
    found: dict[str, Section] = {}
    for section in content.sections("pre_training", "post_training"):
        found.setdefault(section.subject, section)
    return list(found.values())


def _assessment(content: CardContent, group: Section) -> dict[str, str]:
    about = [one for one in content.release.verdict.judgements if one.subject == group.subject]
    harms = [
        f"{one.rule}: {one.metric} {content.value(one)}"
        f"{f' ({interval_words(one.interval)})' if one.interval and not content.mask.hides(one) else ''}, "
        f"acceptable {one.bound}: {content.outcome(one)}"
        for one in about
        if one.outcome != "PASS"
    ]
    waivers = [waiver_sentence(one) for one in about if one.waiver is not None]
    passed = sum(one.outcome == "PASS" for one in about)
    judged = f"{passed} of {len(about)} checks of this group pass" if about else "The policy asks nothing of this group"
    return {
        "groupAtRisk": group.subject,
        "harms": "; ".join([judged, *harms]) + ".",
        "mitigationStrategy": " ".join(waivers) or "None is recorded.",
    }
