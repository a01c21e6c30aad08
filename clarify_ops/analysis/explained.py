"""The explanations that a job asks for, of the dataset's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.attributing import Attributed, Attribution
from clarify_ops.analysis.baselines import Background, background_of
from clarify_ops.analysis.cohorts import check_cohorts, cohort_section
from clarify_ops.analysis.explaining import Subject, dependence, explanation_facts, explanation_measures
from clarify_ops.analysis.job import Job
from clarify_ops.analysis.whole_model import Further, WholeModel, quality, stability
from clarify_ops.config.analysis import Shap
from clarify_ops.data.row_batches import Profile, RowBatches, profile
from clarify_ops.gate.release import ExplanationFacts
from clarify_ops.measures import Measure

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.explain.partial_dependence import FeatureKind

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where explanations go while they are made.

    Attributes:
        parts: Folder for what a later run goes on from; None for one that is gone afterwards.
        table: The file of all attributions; None to write none.
    """

    parts: Path | None = None
    table: Path | None = None


@dataclass(frozen=True)
class Explained:
    """What was found of the model; nothing where nothing was asked for.

    Attributes:
        document: The `explanations` of analysis.json.
        facts: For the report.
        measures: What a policy can bound.
        explanation: Attributions of every row, unless they are very many.
        baseline: The rows behind them.
        sections: More of metrics.json.
        notes: Sentences.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    facts: ExplanationFacts | None = None
    measures: tuple[Measure, ...] = ()
    explanation: Explanation | None = None
    baseline: pd.DataFrame | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def explained(
    job: Job, batches: RowBatches | None, asked: AskedModel | None, progress: Progress, places: Places
) -> Explained:
    """Runs `methods.shap` and `methods.pdp`.

    Args:
        job: What is asked for.
        batches: The dataset's rows.
        asked: The model.
        progress: Told what is being done.
        places: Where to write.

    Raises:
        BadInput: A baseline row or a feature's name does not fit the data.
        NotSupported: The explainer that is asked for cannot be used.
        BadModel: The model's answers are no scores.
    """
    if asked is None or batches is None or not job.explains:
        return Explained()
    progress("looking at the features")
    seen, methods = _by_hand(profile(batches), job), job.config.methods
    subject = _subject(batches, seen, asked, progress)
    whole_model = WholeModel(job, subject, _frame(batches, seen), batches, asked)
    whole_model.check()
    document: dict[str, Any] = {}
    made = shap = None
    further = Further()
    baseline = None
    if methods.shap is not None:
        names = list(batches.data.features)
        check_cohorts(job, batches, seen)
        background = background_of(job, methods.shap, batches, seen, progress)
        at_once = asked.rows_at_once(seen.sample[names])
        attribution = Attribution(job, methods.shap, asked, names, background, progress, at_once)
        made = attribution.run(batches, seen.sample.index.to_numpy(), places.parts, places.table)
        baseline, shap = background.rows, _facts(made, methods.shap, background)
        document["kernel_shap"] = made.overall.to_clarify()
        further.measures += explanation_measures(shap)
        _judge(further, job, attribution, made, batches, seen)
        if job.config.clarify_ops.cohorts:
            progress("comparing cohorts")
            further.sections["cohorts"] = cohort_section(job, batches, seen, made, asked)
        further.sections["explanations"] = shap
        further.notes += background.warnings
    if methods.pdp is not None:
        document["pdp"] = dependence(subject, methods.pdp, None if made is None else made.overall)
        if not batches.whole:
            further.notes.append(
                f"Partial dependence is averaged over {len(subject.rows):,} of the {batches.rows:,} rows, evenly spaced."
            )
    further.add(whole_model.described())
    return Explained(
        document,
        _shown(made, shap, document, seen.sample[list(batches.data.features)]),
        tuple(further.measures),
        None if made is None else made.whole,
        baseline,
        further.sections,
        tuple(further.notes),
    )


def _by_hand(seen: Profile, job: Job) -> Profile:
    """With the kinds that the configuration sets."""
    told = {name: kind for name, kind in job.config.clarify_ops.kinds.items() if name in seen.kinds}
    return replace(seen, kinds={**seen.kinds, **told})


def _judge(
    further: Further, job: Job, attribution: Attribution, made: Attributed, batches: RowBatches, seen: Profile
) -> None:
    """How far the attributions are to be trusted."""
    further.measures += quality(job, made, batches, seen.sample)
    further.add(stability(job, attribution, seen.sample[list(batches.data.features)]))


def _frame(batches: RowBatches, seen: Profile) -> pd.DataFrame:
    return batches.data.frame if batches.whole else seen.sample.reset_index(drop=True)


def _subject(batches: RowBatches, seen: Profile, asked: AskedModel, progress: Progress) -> Subject:
    rows = _frame(batches, seen)[list(batches.data.features)].reset_index(drop=True)
    kinds: dict[str, FeatureKind] = {
        name: "numerical" if kind == "continuous" else "categorical" for name, kind in seen.kinds.items()
    }
    return Subject(asked.scores, rows, kinds, progress, asked.outputs())


def _facts(made: Attributed, settings: Shap, background: Background) -> dict[str, Any]:
    return {
        **made.overall.facts,
        "aggregation": settings.agg_method,
        "baseline_rows": len(background.rows),
        "not_taken": dict(made.choice.considered),
    }


def _shown(
    made: Attributed | None, shap: Mapping[str, Any] | None, document: Mapping[str, Any], sample: pd.DataFrame
) -> ExplanationFacts:
    pdp = document.get("pdp", ())
    if made is None or shap is None:
        return explanation_facts({}, {}, local_values={}, feature_values={}, partial_dependence=pdp)
    overall = made.overall
    local = {
        f"{feature}_{output}": tuple(made.shown.values[:, row, column].tolist())
        for row, feature in enumerate(overall.features)
        for column, output in enumerate(overall.outputs)
    }
    return explanation_facts(
        shap,
        document["kernel_shap"],
        local_values=local,
        feature_values={str(name): tuple(sample[name].tolist()) for name in sample.columns},
        partial_dependence=pdp,
    )
