"""The card as the SageMaker Model Registry takes it: valid for a model package and for a stand-alone model card.

Only fields on which both schemas agree are written. Limits are those of the service: longer text ends in an ellipsis,
longer lists are cut and the cut is counted in `custom_details`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from clarify_ops.card.content import NOT_STATED, QUESTIONS, CardContent, waiver_sentence
from clarify_ops.gate.published import number
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Measure, json_number

CONTENT_LIMIT = 100_000
# The service's limits on text, in characters, and on lists, in entries.
SHORT, LONG, OBSERVATION, NOTES = 1024, 2048, 2096, 1024
GROUP_NAME, METRIC_NAME, STRING_VALUE, PARAMETER_VALUE = 63, 255, 63, 255
PARAMETERS, CUSTOM_VALUE = 100, 1024
_CUT = " … (cut)"


def sagemaker_card(release: Release) -> dict[str, Any]:
    """The content of `ModelCardContent`, at most 100,000 characters as JSON.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    words = content.words
    card: dict[str, Any] = {
        "model_overview": _present(
            model_description=_cut(words.description, SHORT),
            model_creator=_cut(words.creator, SHORT),
            algorithm_type=_cut(release.model.estimator, SHORT),
            problem_type=words.problem_type,
            model_owner=_cut(words.owner, SHORT),
        ),
        "intended_uses": _present(
            purpose_of_model=_cut(content.said("purpose"), LONG),
            intended_uses=_cut(_uses(content), LONG),
            factors_affecting_model_efficiency=_cut(content.said("factors"), LONG),
            risk_rating=words.risk_rating or "Unknown",
            explanations_for_risk_rating=_cut(content.said("risk_explanation"), LONG),
        ),
        "business_details": _present(
            business_problem=_cut(words.business_problem, LONG),
            business_stakeholders=_cut(words.business_stakeholders, LONG),
            line_of_business=_cut(words.line_of_business, LONG),
        ),
        "training_details": _training(content),
        "evaluation_details": _evaluations(content),
        "additional_information": {
            "ethical_considerations": _cut(content.said("ethical_considerations"), LONG),
            "caveats_and_recommendations": _cut(_caveats(content), LONG),
            "custom_details": _custom(content),
        },
    }
    return _within_limit({key: value for key, value in card.items() if value})


def content_text(card: dict[str, Any]) -> str:
    """The card as the JSON string that the service stores and counts."""
    return json.dumps(card, allow_nan=False, ensure_ascii=True)


def _cut(text: str | None, limit: int) -> str | None:
    if text is None or len(text) <= limit:
        return text
    return text[: limit - len(_CUT)] + _CUT


def _name(text: str, limit: int, taken: set[str]) -> str:
    """A name on one line that nothing else has, within a limit."""
    line = " ".join(text.split()) or "unnamed"
    name, again = (line if len(line) <= limit else line[: limit - 1] + "…"), 1
    while name in taken:
        again += 1
        mark = f" ({again})"
        name = line[: limit - len(mark)] + mark
    taken.add(name)
    return name


def _present(**fields: str | None) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value is not None}


def _uses(content: CardContent) -> str:
    return (
        f"{content.said('intended_uses')}\nOut of scope: {content.said('out_of_scope')}\nUsers: {content.said('users')}"
    )


def _caveats(content: CardContent) -> str:
    gaps = "; ".join(QUESTIONS[key] for key in content.gaps)
    return content.said("caveats") + (f"\n{NOT_STATED[:-1]}: {gaps}." if gaps else "")


def _training(content: CardContent) -> dict[str, Any]:
    model = content.release.model
    taken: set[str] = set()
    parameters = [
        {"name": _name(str(name), METRIC_NAME, taken), "value": _cut(" ".join(str(value).split()), PARAMETER_VALUE)}
        for name, value in list(model.parameters.items())[:PARAMETERS]
    ]
    observed = (
        f"Fitted on {model.rows:,} rows with seed {model.seed}; evaluated {model.evaluation}; "
        f"favourable above {model.threshold:g}."
    )
    left = len(model.parameters) - len(parameters)
    return {
        "training_observations": _cut(observed + (f" {left} more parameters are not listed." if left else ""), SHORT),
        "training_job_details": {
            "training_datasets": [_cut(content.dataset, SHORT)],
            "user_provided_hyper_parameters": parameters,
        },
    }


def _evaluations(content: CardContent) -> list[dict[str, Any]]:
    """The gate first and the explanations last: what must go for want of room goes from the end."""
    verdict = content.release.verdict
    gate = _evaluation(
        content,
        "release gate",
        f"{verdict.outcome}: {verdict.reason} {content.registration} Waivers: {len(verdict.waived)}.",
        [("judgements", [_judgement(content, one) for one in verdict.judgements])],
    )
    gate["metadata"] = {
        "verdict": verdict.outcome,
        "policy": verdict.policy,
        "policy_digest": verdict.policy_digest,
        "confidence": f"{verdict.confidence:g}",
        "judged_on": content.release.judged_on,
    }
    titles = (("bias", "fairness"), ("quality", "quality"), ("data checks", "data"))
    stages: Sequence[Any] = (("pre_training", "post_training"), ("quality",), ("data",))
    found = [gate]
    for (title, prefix), those in zip(titles, stages, strict=True):
        groups = []
        for section in content.sections(*those):
            subject = f"{section.facet}={section.facet_value}" if section.facet is not None else "all rows"
            stage = f" {section.stage}" if prefix == "fairness" else ""
            # The stage tells two groups of one facet value apart, so that a long facet is cut and not the stage.
            groups.append(
                (
                    f"{prefix} {_cut_middle(subject, GROUP_NAME - len(prefix) - len(stage) - 1)}{stage}",
                    [_measure(content, one) for one in section.measures],
                )
            )
        if groups:
            found.append(_evaluation(content, title, "Values with intervals and group sizes in the notes.", groups))
    charts = [
        (
            f"global importance {label}",
            [
                {
                    "name": f"global importance {label}",
                    "type": "bar_chart",
                    "value": [value for _, value in values],
                    "x_axis_name": [_cut(name, GROUP_NAME) for name, _ in values],
                    "y_axis_name": content.release.explanations.aggregation,
                    "notes": _cut(content.release.explanations.method, NOTES),
                }
            ],
        )
        for label, values in content.importance
    ]
    own = [("explanations", [_measure(content, one) for one in content.release.of("explanations")])]
    groups = [group for group in [*charts, *own] if group[1]]
    if groups:
        found.append(_evaluation(content, "explanations", content.release.explanations.method, groups))
    return found


def _cut_middle(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _evaluation(
    content: CardContent, name: str, observation: str, groups: Iterable[tuple[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    names: set[str] = set()
    made = []
    for title, metrics in groups:
        taken: set[str] = set()
        data = [{**metric, "name": _name(metric["name"], METRIC_NAME, taken)} for metric in metrics]
        made.append({"name": _name(title, GROUP_NAME, names), "metric_data": data})
    return {
        "name": name,
        "evaluation_observation": _cut(observation, OBSERVATION),
        "datasets": [_cut(content.dataset, SHORT)],
        "metric_groups": made,
    }


def _judgement(content: CardContent, one: Judgement) -> dict[str, Any]:
    said = [
        f"value {content.value(one)}",
        f"interval {content.interval(one) or 'none'}",
        f"acceptable {one.bound}",
        content.rows(one),
        content.mask.reason(one),
        f"Why this bound: {one.why}",
        waiver_sentence(one),
    ]
    return {
        "name": f"{one.rule}: {one.metric} of {one.subject}",
        "type": "string",
        "value": content.outcome(one),
        "notes": _cut("; ".join(part for part in said if part), NOTES),
    }


def _measure(content: CardContent, one: Measure) -> dict[str, Any]:
    said = [f"interval {content.interval(one) or 'none'}", content.rows(one)]
    if divided := content.divided(one):
        said.append(f"divided by {divided}")
    if one.value is None or content.mask.hides(one):
        said.insert(0, content.value(one))
        return _simple(one.metric, "string", _cut(content.value(one), STRING_VALUE), said)
    if math.isinf(one.value):
        return _simple(one.metric, "string", json_number(one.value), [number(one.value), *said])
    return _simple(one.metric, "number", one.value, said)


def _simple(name: str, kind: str, value: Any, said: list[str]) -> dict[str, Any]:
    return {"name": name, "type": kind, "value": value, "notes": _cut("; ".join(said), NOTES)}


def _custom(content: CardContent) -> dict[str, str]:
    words = content.words
    found = {**words.custom, **_present(licence=words.licence, contact=words.contact)}
    # Ours come last: a user's key must not replace a digest.
    found |= {f"digest {name}": digest for name, digest in content.release.digests.items()}
    found["gate verdict"] = content.release.verdict.outcome
    return {str(_cut(key, METRIC_NAME)): str(_cut(value, CUSTOM_VALUE)) for key, value in found.items()}


def _within_limit(card: dict[str, Any]) -> dict[str, Any]:
    """Takes metrics from the end of the evaluation details until the whole fits, and says how many went."""
    left_out = 0
    custom = card["additional_information"]["custom_details"]
    while len(content_text(card)) > CONTENT_LIMIT:
        group = next(
            (
                one
                for detail in reversed(card["evaluation_details"])
                for one in reversed(detail["metric_groups"])
                if one["metric_data"]
            ),
            None,
        )
        if group is None:
            _drop_longest(custom)
            continue
        # A tenth at a time: thousands of metrics must not be serialised thousands of times.
        going = max(1, len(group["metric_data"]) // 10)
        del group["metric_data"][-going:]
        left_out += going
        for detail in card["evaluation_details"]:
            detail["metric_groups"] = [one for one in detail["metric_groups"] if one["metric_data"]]
        custom["left out"] = (
            f"{left_out} metrics did not fit into {CONTENT_LIMIT:,} characters; the whole is in the run's metrics.json."
        )
    return card


def _drop_longest(custom: dict[str, str]) -> None:
    user = [
        key
        for key in custom
        if not key.startswith("digest ") and key not in {"gate verdict", "left out", "custom left out"}
    ]
    del custom[max(user, key=lambda key: len(custom[key]))]
    custom["custom left out"] = "Some custom details did not fit."
