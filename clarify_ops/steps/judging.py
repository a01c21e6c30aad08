"""Judging: the parts of a run are checked to belong together, measured again, and held against the policy."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clarify_ops.analysis.documents import merged_analysis
from clarify_ops.analysis.explaining import explanation_facts
from clarify_ops.bias.references import against_reference
from clarify_ops.bias.report import BiasReport, requested_metrics
from clarify_ops.documents import canonical, digest, read_document
from clarify_ops.errors import Refused
from clarify_ops.gate.evidence import Evidence, code, envelope, require_same
from clarify_ops.gate.judge import judge
from clarify_ops.gate.release import DataFacts, ExplanationFacts, ModelFacts, Release
from clarify_ops.gate.verdict import Verdict
from clarify_ops.measures import Measure
from clarify_ops.steps import explain, posttraining_bias, pretraining_bias, train
from clarify_ops.steps.champion import Comparison, compare
from clarify_ops.steps.folder import StepResult, read_step
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.training.saving import model_digest


@dataclass(frozen=True)
class Parts:
    """The folders of the steps before the gate."""

    pretraining_bias: Path
    training: Path
    posttraining_bias: Path
    explanations: Path


@dataclass(frozen=True)
class Judged:
    """A judged candidate.

    Attributes:
        inputs: Pipeline and data.
        results: What the steps left, by the step's name.
        release: What is known, with the verdict.
        evidence: The claims that bind it together.
        analysis: The document of `analysis.json`.
        comparison: With the champion, where the policy asks for it.
    """

    inputs: Inputs
    results: dict[str, StepResult]
    release: Release
    evidence: Evidence
    analysis: dict[str, Any]
    comparison: Comparison


def judge_parts(
    pipeline: str | Path,
    parts: Parts,
    *,
    data: str | None,
    policy: str | Path | None,
    today: datetime.date | None = None,
    champion: str | None = None,
    registry_uri: str | None = None,
    progress: Progress = silent,
) -> Judged:
    """Checks, measures again, judges.

    Args:
        pipeline: Path of the pipeline document.
        parts: Folders of the steps before.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's.
        today: The day on which waivers are looked at; the calendar's where it is not given.
        champion: What rules of stage `champion` compare with (see `champion.compare`).
        registry_uri: Registry where the champion is looked for, in place of the pipeline's.
        progress: Told what is being done.

    Raises:
        Refused: A part is about another dataset, model or configuration, was changed, or tells other numbers than its
            rows do.
        BadInput: A part is missing or unreadable.
    """
    started = datetime.datetime.now(datetime.UTC)
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    progress("checking that the evidence belongs together")
    results = _read(inputs, parts)
    progress("measuring again")
    measured, analysis = _measured_again(inputs, results)
    predictions = posttraining_bias.read_predictions(results[train.NAME])
    comparison = compare(inputs, predictions, champion, registry_uri, progress)
    measures = (*measured, *comparison.measures)
    today = today or datetime.datetime.now().astimezone().date()
    verdict = judge(
        measures,
        inputs.pipeline.policy,
        today,
        age=_age(results.values(), started),
        model=inputs.pipeline.registry.model,
        no_champion=comparison.missing,
    )
    claims = _claims(inputs, results, measures, verdict)
    if comparison.champion is not None:
        claims["champion"] = comparison.champion.claims()
    places = {**inputs.places(), "pipeline": str(pipeline)}
    around = {**envelope(started, places), "judged_on": today.isoformat(), "expires": _expiry(inputs, started)}
    evidence = Evidence(claims, around)
    release = _release(inputs, results, measures, verdict, evidence, today)
    return Judged(inputs, results, release, evidence, analysis, comparison)


def _expiry(inputs: Inputs, started: datetime.datetime) -> str | None:
    """Until when the policy takes what is judged now."""
    days = inputs.pipeline.policy.max_age_days
    return None if days is None else (started + datetime.timedelta(days=days)).isoformat(timespec="seconds")


def _age(results: Iterable[StepResult], now: datetime.datetime) -> datetime.timedelta | None:
    """Of the oldest step; None where one does not say when it ended."""
    ends = [one.finished for one in results]
    known = [end for end in ends if end is not None]
    return now - min(known) if known and len(known) == len(ends) else None


def _read(inputs: Inputs, parts: Parts) -> dict[str, StepResult]:
    trained = posttraining_bias.read_trained(inputs, parts.training)
    results = {
        pretraining_bias.NAME: read_step(parts.pretraining_bias, pretraining_bias.NAME),
        train.NAME: trained,
        posttraining_bias.NAME: read_step(parts.posttraining_bias, posttraining_bias.NAME),
        explain.NAME: read_step(parts.explanations, explain.NAME),
    }
    require_same(trained.claims.get("model"), model_digest(trained.folder / train.MODEL), "model", train.NAME)
    for name, result in results.items():
        require_same(result.claims.get("data"), inputs.dataset.digest, "dataset", name)
        require_same(result.claims.get("configuration"), inputs.pipeline.configuration_digest, "configuration", name)
        require_same(_code_digest(result), code()["digest"], "version of clarify_ops", name)
        if name in {posttraining_bias.NAME, explain.NAME}:
            require_same(result.claims.get("model"), trained.claims["model"], "model", name)
    facts = read_document(parts.explanations / explain.EXPLANATIONS, "explanations")
    require_same(results[explain.NAME].claims.get("explanations"), digest(facts), "set of explanations", explain.NAME)
    # After the digests, which say more precisely what it is that does not belong.
    for result in results.values():
        result.require_untouched()
    return results


def _code_digest(result: StepResult) -> str | None:
    claimed = result.claims.get("code")
    return claimed.get("digest") if isinstance(claimed, dict) else None


def _measured_again(inputs: Inputs, results: dict[str, StepResult]) -> tuple[tuple[Measure, ...], dict[str, Any]]:
    """The measures of every stage and Clarify's document, recomputed where that takes no model; they must be those claimed."""
    trained, explained = results[train.NAME], results[explain.NAME]
    predictions = posttraining_bias.read_predictions(trained)
    train.require_predicted(inputs, trained, predictions)
    report = pretraining_bias.pretraining_report(inputs)
    leaks = pretraining_bias.find_data_leaks(inputs)
    before = (*pretraining_bias.data_measures(inputs, leaks), *report.measures)
    after_report, after = posttraining_bias.posttraining_report(inputs, predictions)
    about_explanations = explain.measures_of(read_document(explained.folder / explain.EXPLANATIONS, "explanations"))
    _require_equal(results[pretraining_bias.NAME], before)
    _require_equal(results[posttraining_bias.NAME], after)
    _require_equal(explained, about_explanations)
    compared = tuple(one for each in (report, after_report) for one in _against_references(inputs, each))
    analysis = merged_analysis(
        [
            {"pre_training_bias_metrics": report.clarify},
            {"post_training_bias_metrics": after_report.clarify},
            {"explanations": explained.metrics["explained"]},
        ]
    )
    return (*before, *after, *about_explanations, *compared), analysis


def _against_references(inputs: Inputs, report: BiasReport) -> tuple[Measure, ...]:
    """The comparisons with single facet values that rules of the policy ask for."""
    asked = {
        (rule.facet, rule.reference): None
        for rule in inputs.pipeline.policy.rules
        if rule.stage == report.stage and rule.facet is not None and rule.reference is not None
    }
    metrics = requested_metrics(inputs.analysis, report.stage)
    level, seed = inputs.level, inputs.pipeline.seed
    return tuple(
        one
        for facet, reference in asked
        for one in against_reference(report.table, metrics, str(facet), str(reference), level=level, seed=seed)
    )


def _require_equal(result: StepResult, again: Sequence[Measure]) -> None:
    def told(measures: Sequence[Measure]) -> dict[tuple[str, ...], bytes]:
        # The level of the intervals is the policy's and may have changed since; the numbers may not.
        return {
            (one.stage, one.metric, str(one.facet), str(one.facet_value)): canonical(
                [one.value, one.reason, dict(one.groups)]
            )
            for one in measures
        }

    claimed, found = told(result.measures), told(again)
    if claimed != found:
        different = min(key for key in claimed.keys() | found.keys() if claimed.get(key) != found.get(key))
        raise Refused(
            f"The step {result.claims['step']} claims another {different[1]} ({different[2]} = {different[3]}) than its rows give.",
            "Run the step again.",
        )


def _claims(
    inputs: Inputs, results: dict[str, StepResult], measures: Sequence[Measure], verdict: Verdict
) -> dict[str, Any]:
    trained = results[train.NAME].claims
    return {
        "pipeline": inputs.pipeline.name,
        "seed": inputs.pipeline.seed,
        "data": inputs.dataset.digest,
        "rows": trained["rows"],
        "configuration": inputs.pipeline.configuration_digest,
        "policy": inputs.pipeline.policy.digest,
        "code": code(),
        "model": trained["model"],
        "predictions": trained["predictions"],
        "explanations": results[explain.NAME].claims["explanations"],
        "steps": {name: result.digest for name, result in results.items()},
        "measures": [one.to_json() for one in measures],
        "verdict": verdict.to_json(),
    }


def _release(
    inputs: Inputs,
    results: dict[str, StepResult],
    measures: tuple[Measure, ...],
    verdict: Verdict,
    evidence: Evidence,
    today: datetime.date,
) -> Release:
    names = ("data", "configuration", "policy", "model", "predictions", "explanations")
    return Release(
        pipeline=inputs.pipeline.name,
        judged_on=today.isoformat(),
        verdict=verdict,
        measures=measures,
        data=DataFacts.from_json(results[pretraining_bias.NAME].metrics["data"]),
        model=ModelFacts.from_json(results[train.NAME].metrics["model"]),
        explanations=_explanation_facts(inputs, results),
        digests={**{name: evidence.claims[name] for name in names}, "evidence": evidence.digest},
        card=inputs.pipeline.card.model_dump(mode="json", exclude_none=True),
    )


def _explanation_facts(inputs: Inputs, results: dict[str, StepResult]) -> ExplanationFacts:
    result = results[explain.NAME]
    facts = read_document(result.folder / explain.EXPLANATIONS, "explanations")
    shap = facts["shap"] or {}
    kernel = result.metrics["explained"].get("kernel_shap", {})
    local_file = result.folder / explain.LOCAL
    local = pd.read_csv(local_file) if local_file.is_file() else pd.DataFrame()
    rows = posttraining_bias.read_predictions(results[train.NAME]).row
    features = inputs.features[train.seen(inputs, results[train.NAME])].iloc[rows]
    return explanation_facts(
        shap,
        kernel,
        local_values={str(name): tuple(local[name].tolist()) for name in local.columns},
        feature_values={str(name): tuple(features[name].tolist()) for name in features.columns} if len(local) else {},
        partial_dependence=facts["pdp"],
    )
