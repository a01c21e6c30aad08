"""The card as SageMaker takes it: for a model package, and as a model card that stands alone.

The two schemas differ in `model_overview`, in `objective_function` and in `model_package_details`. A package's overview has
creator and artifacts alone, by the service's schema; what its SDK's class has besides is said in `custom_details`. Neither
has a field for an interval, a number of rows, a digest or a waiver: those stand in notes, in `metadata` and in `custom_details`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clarify_ops.card import limits
from clarify_ops.card.attached import EVIDENCE, METRICS, NOTHING, REPORT, VERDICT, Attached
from clarify_ops.card.content import QUESTIONS, CardContent, waiver_sentence
from clarify_ops.card.limits import NOTES, OBSERVATION, content_text, cut, fitted, unique
from clarify_ops.config.card import SHORT
from clarify_ops.gate.published import number
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Measure, Stage, json_number

_NAME_LIMIT = 63


def sagemaker_card(release: Release, attached: Attached = NOTHING) -> dict[str, Any]:
    """The card of a model package: the content of `ModelPackageModelCard.ModelCardContent`, at most 100,000 characters as JSON.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.
        attached: The files beside it, which are named with their digests; `place` says under which URI.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    words, model = content.words, release.model
    card = _shared(content, attached)
    overview = {"model_creator": words.creator} if words.creator else {}
    card["model_overview"] = {**overview, **_artifacts(attached)}
    told = {
        "model": model.name,
        "model description": words.description,
        "model owner": words.owner,
        "algorithm": cut(model.estimator, limits.DETAIL, METRICS),
        "problem type": words.problem_type,
    }
    information = card["additional_information"]
    # The owner's details of the same name stand.
    information["custom_details"] = {**_present(told), **information["custom_details"]}
    return fitted(_ordered(card), attached.named(METRICS))


def standalone_card(
    release: Release, attached: Attached = NOTHING, package: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A model card that stands alone: the `Content` of `CreateModelCard`, at most 100,000 characters as JSON.

    Args:
        release: What is known of the candidate.
        attached: The files beside it.
        package: `model_package_details` of the package it is about (`model_package_arn`, `model_approval_status`, ...), where
            there is one.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    words, model = content.words, release.model
    card = _shared(content, attached)
    card["model_overview"] = {
        **_present(
            {
                "model_name": cut(model.name, SHORT, METRICS),
                "model_description": words.description,
                "problem_type": words.problem_type,
                "algorithm_type": cut(model.estimator, SHORT, METRICS),
                "model_creator": words.creator,
                "model_owner": words.owner,
            }
        ),
        **_artifacts(attached),
    }
    if package:
        card["model_package_details"] = dict(package)
    return fitted(_ordered(card), attached.named(METRICS))


def model_card_request(
    release: Release, attached: Attached = NOTHING, package: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arguments of `CreateModelCard`: a draft, for a person has yet to read it."""
    return {
        "ModelCardName": card_name(release.model.name),
        "Content": content_text(standalone_card(release, attached, package)),
        "ModelCardStatus": "Draft",
    }


def card_name(name: str) -> str:
    """A model's name as the service takes it for a card: letters, digits and single hyphens within, at most 63.

    >>> card_name("mortgage_approval v2")
    'mortgage-approval-v2'
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_NAME_LIMIT].strip("-")
    return plain or "model"


def _shared(content: CardContent, attached: Attached) -> dict[str, Any]:
    words = content.words
    return {
        "intended_uses": {
            "purpose_of_model": content.said("purpose"),
            "intended_uses": content.said("intended_uses"),
            "factors_affecting_model_efficiency": content.said("factors"),
            "risk_rating": words.risk_rating or "Unknown",
            "explanations_for_risk_rating": content.said("risk_explanation"),
        },
        "business_details": _present(
            {
                "business_problem": words.business_problem,
                "business_stakeholders": words.business_stakeholders,
                "line_of_business": words.line_of_business,
            }
        ),
        "training_details": _training(content),
        "evaluation_details": _evaluations(content, attached),
        "additional_information": {
            "ethical_considerations": content.said("ethical_considerations"),
            "caveats_and_recommendations": content.said("caveats"),
            "custom_details": _custom(content, attached),
        },
    }


_ORDER = (
    "model_overview",
    "model_package_details",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
)


def _ordered(card: Mapping[str, Any]) -> dict[str, Any]:
    return {key: card[key] for key in _ORDER if card.get(key)}


def _present(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value is not None}


def _artifacts(attached: Attached) -> dict[str, list[str]]:
    # Without a place the name is relative, and a relative name is no location of an artifact.
    return {"model_artifact": [cut(attached.uri("model"), SHORT, EVIDENCE)]} if attached.place else {}


def _training(content: CardContent) -> dict[str, Any]:
    model = content.release.model
    taken: set[str] = set()
    parameters = [
        {
            "name": unique(str(name), limits.METRIC_NAME, taken),
            # Empty text is no value to the service.
            "value": cut(" ".join(str(value).split()) or "(empty)", limits.PARAMETER_VALUE, EVIDENCE),
        }
        for name, value in list(model.parameters.items())[: limits.PARAMETERS]
    ]
    observed = (
        f"{model.origin[0].upper()}{model.origin[1:]}; evaluated {model.evaluation}; "
        f"favourable above {model.threshold:g}."
    )
    # Of a model that was trained elsewhere nobody here knows the training data.
    known = {} if model.elsewhere else {"training_datasets": [cut(content.dataset, limits.ADDRESS, EVIDENCE)]}
    left = len(model.parameters) - len(parameters)
    more = f" {left} more parameters are not listed here, but in the pipeline's document." if left else ""
    return {
        "training_observations": cut(observed + more, SHORT, REPORT),
        "training_job_details": {
            **known,
            "user_provided_hyper_parameters": parameters,
        },
    }


def _evaluations(content: CardContent, attached: Attached) -> list[dict[str, Any]]:
    """The gate first and the explanations last: what must go for want of room goes from the end."""
    found = [_gate(content, attached)]
    for title, prefix, stages in _SUBJECTS:
        groups = []
        for section in content.sections(*stages):
            stage = f" {section.stage}" if prefix == "fairness" else ""
            # The stage tells two groups of one facet value apart, so that a long facet is cut and not the stage.
            room = limits.GROUP_NAME - len(prefix) - len(stage) - 1
            subject = section.subject.replace(" = ", "=")
            subject = subject if len(subject) <= room else subject[: room - 1] + "…"
            groups.append((f"{prefix} {subject}{stage}", [_measure(content, one) for one in section.measures]))
        if groups:
            said = (
                f"Values with intervals, rows and denominators in the notes; the whole is in {attached.named(METRICS)}."
            )
            found.append(_evaluation(content, title, said, groups))
    facts = content.release.explanations
    own = [("explanations", [_measure(content, one) for one in content.release.of("explanations")])]
    groups = [group for group in [*_charts(content), *own] if group[1]]
    return [*found, _evaluation(content, "explanations", facts.method, groups)] if groups else found


_SUBJECTS: tuple[tuple[str, str, tuple[Stage, ...]], ...] = (
    ("bias", "fairness", ("pre_training", "post_training")),
    ("quality", "quality", ("quality",)),
    ("against the champion", "champion", ("champion",)),
    ("data checks", "data", ("data",)),
)


def _gate(content: CardContent, attached: Attached) -> dict[str, Any]:
    verdict = content.release.verdict
    said = (
        f"{verdict.outcome}: {verdict.reason} {content.registration} Waivers in force: {len(verdict.waived)}. "
        f"The whole verdict is in {attached.named(VERDICT)}."
    )
    gate = _evaluation(
        content, "release gate", said, [("judgements", [_judgement(content, one) for one in verdict.judgements])]
    )
    metadata = {
        "verdict": verdict.outcome,
        "policy": verdict.policy,
        "policy_digest": verdict.policy_digest,
        "confidence": f"{verdict.confidence:g}",
        "judged_on": content.release.judged_on,
    }
    return {**gate, "metadata": {key: cut(value, limits.DETAIL, VERDICT) for key, value in metadata.items()}}


def _charts(content: CardContent) -> list[tuple[str, list[dict[str, Any]]]]:
    facts = content.release.explanations
    return [
        (
            f"global importance {label}",
            [
                {
                    "name": f"global importance {label}",
                    "type": "bar_chart",
                    "value": [value for _, value in values],
                    "x_axis_name": [cut(name, limits.AXIS_NAME, REPORT) for name, _ in values],
                    "y_axis_name": cut(facts.aggregation, limits.AXIS_NAME, REPORT),
                    "notes": cut(facts.method, NOTES, REPORT),
                }
            ],
        )
        for label, values in content.importance
        # The service takes no chart without bars, and none with a number that JSON does not have.
        if values and all(math.isfinite(value) for _, value in values)
    ]


def _evaluation(
    content: CardContent, name: str, observation: str, groups: Iterable[tuple[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    names: set[str] = set()
    made = []
    for title, metrics in groups:
        taken: set[str] = set()
        data = [{**metric, "name": unique(metric["name"], limits.METRIC_NAME, taken)} for metric in metrics]
        made.append({"name": unique(title, limits.GROUP_NAME, names), "metric_data": data})
    return {
        "name": name,
        "evaluation_observation": cut(observation, OBSERVATION, REPORT),
        "datasets": [cut(content.dataset, limits.ADDRESS, EVIDENCE)],
        "metric_groups": made,
    }


def _judgement(content: CardContent, one: Judgement) -> dict[str, Any]:
    divided = content.divided(one)
    said = [
        f"value {content.value(one)}",
        f"interval {content.interval(one) or 'none'}",
        f"acceptable {one.bound}",
        content.rows(one),
        f"divided by {divided}" if divided else "",
        content.mask.reason(one),
        # Before the reasons, which are long: who waived what, and until when, is not to be cut.
        waiver_sentence(one),
        content.statistics(one),
        f"Why this bound: {one.why}",
    ]
    name = f"{one.rule}: {one.metric} of {one.subject}"
    return _simple(name, "string", content.outcome(one), said, VERDICT)


def _measure(content: CardContent, one: Measure) -> dict[str, Any]:
    said = [f"interval {content.interval(one) or 'none'}", content.rows(one)]
    if divided := content.divided(one):
        said.append(f"divided by {divided}")
    if one.value is None or content.mask.hides(one):
        value = content.value(one)
        return _simple(one.metric, "string", cut(value, limits.STRING_VALUE, "notes"), [value, *said], METRICS)
    if math.isinf(one.value):
        return _simple(one.metric, "string", json_number(one.value), [number(one.value), *said], METRICS)
    return _simple(one.metric, "number", one.value, said, METRICS)


def _simple(name: str, kind: str, value: Any, said: Sequence[str], whole: str) -> dict[str, Any]:
    notes = cut("; ".join(part for part in said if part), NOTES, whole)
    return {"name": name, "type": kind, "value": value, "notes": notes}


def _custom(content: CardContent, attached: Attached) -> dict[str, str]:
    words = content.words
    own = ("licence", "contact", "downstream_uses", "out_of_scope", "users", "human_oversight", "environmental_impact")
    found = {**words.custom, **_present({key.replace("_", " "): getattr(words, key) for key in own})}
    if content.gaps:
        found["not stated"] = cut("; ".join(QUESTIONS[key] for key in content.gaps), limits.DETAIL, "the model card")
    # Ours come last: a user's key must not replace a digest.
    found |= {f"digest {name}": digest for name, digest in content.release.digests.items()}
    found |= {f"file {name}": attached.named(name) for name in (REPORT, METRICS, VERDICT) if name in attached.files}
    found["gate verdict"] = content.release.verdict.outcome
    return {key: cut(value, limits.DETAIL, EVIDENCE) for key, value in found.items()}
