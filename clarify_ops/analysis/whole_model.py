"""What a configuration asks of a model beyond Clarify's explanations: importances, effects, a surrogate, and how far
explanations are to be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.attributing import Attributed, Attribution
from clarify_ops.analysis.explaining import Subject, feature_named
from clarify_ops.analysis.job import Job
from clarify_ops.analysis.trust import stability_of, surrogate_of
from clarify_ops.data.kinds import match
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.row_batches import RowBatches
from clarify_ops.errors import BadDocument
from clarify_ops.measures import Measure
from clarify_ops.quality.leakage import find_leaks

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.explain.partial_dependence import FeatureKind

_MOST_VALUES = 20
"""Values of a facet that stand-ins are looked for, where the configuration names none."""


@dataclass
class Further:
    """Sections of metrics.json and measures, as they are found.

    Attributes:
        sections: By name, JSON types only.
        measures: What a policy can bound.
        notes: Sentences.
    """

    sections: dict[str, Any] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, more: Further) -> None:
        """Takes what others found."""
        self.sections.update(more.sections)
        self.measures += more.measures
        self.notes += more.notes


@dataclass(frozen=True)
class WholeModel:
    """A model to be described.

    Attributes:
        job: What is asked for.
        subject: The model and rows of the dataset.
        frame: The same rows with all columns.
        batches: The dataset.
        asked: The model, for its labels.
    """

    job: Job
    subject: Subject
    frame: pd.DataFrame
    batches: RowBatches
    asked: AskedModel

    def check(self) -> None:
        """Looks at the settings before anything is explained.

        Raises:
            BadInput: A feature is unknown, or there is no observed label where one is needed.
        """
        own, pdp = self.job.config.clarify_ops, self.job.config.methods.pdp
        for named in (pdp, own.accumulated_effects, own.individual_curves):
            self._kinds((named.features if named is not None else None) or ())
        if own.feature_importance is not None:
            self._label()

    def _label(self) -> str:
        label = self.batches.data.label
        if label is None:
            raise BadDocument("clarify_ops.feature_importance needs the observed label.", "Set label.")
        return label

    def described(self) -> Further:
        """Runs what the configuration's own settings ask for.

        Raises:
            BadInput: A setting does not fit the data.
            BadModel: The model's answers cannot be used.
            MissingExtra: A surrogate needs a library that is not installed.
        """
        own, found = self.job.config.clarify_ops, Further()
        tasks: dict[str, tuple[object, Callable[[Further], Any]]] = {
            "feature_importance": (own.feature_importance, self._importance),
            "accumulated_effects": (own.accumulated_effects, self._effects),
            "individual_curves": (own.individual_curves, self._curves),
            "surrogate": (own.surrogate, self._surrogate),
        }
        for name, (wanted, work) in tasks.items():
            if wanted is not None:
                self.subject.progress(f"working out {name.replace('_', ' ')}")
                found.sections[name] = work(found)
        if found.sections and len(self.frame) < self.batches.rows:
            names = ", ".join(one.replace("_", " ") for one in found.sections)
            found.notes.append(
                f"About {len(self.frame):,} of the {self.batches.rows:,} rows, evenly spaced, are: {names}."
            )
        return found

    def _importance(self, found: Further) -> dict[str, Any]:  # noqa: ARG002 - tasks have one form
        from clarify_ops.explain.feature_importance import permutation_importance

        own, label = self.job.config.clarify_ops, self._label()
        settings = own.feature_importance
        if settings is None:
            return {}
        labels: Any = self.frame[label].to_numpy()
        if settings.metric in {"auc", "accuracy", "log_loss"} and self.job.config.label_values_or_threshold:
            labels = read_outcomes(self.frame, self.job.config, label, None).observed.astype(int)
        return permutation_importance(
            self.subject.predict,
            self.subject.rows,
            labels,
            metric=settings.metric,
            repeats=settings.repeats,
            seed=own.seed,
            progress=lambda done, total: self.subject.progress(f"permuted {done:,} of {total:,} times"),
        ).to_json()

    def _effects(self, found: Further) -> list[dict[str, Any]]:  # noqa: ARG002 - tasks have one form
        from clarify_ops.explain.accumulated_effects import accumulated_effects

        wanted = self.job.config.clarify_ops.accumulated_effects
        names = [feature_named(self.subject.names, one) for one in (() if wanted is None else wanted.features)]
        kinds = {name: self._ordered(name) for name in names}
        effects = accumulated_effects(self.subject.predict, self.subject.rows, kinds, labels=self.subject.outputs)
        return [one.to_json() for one in effects]

    def _curves(self, found: Further) -> list[dict[str, Any]]:  # noqa: ARG002 - tasks have one form
        from clarify_ops.explain.individual_curves import individual_curves

        own = self.job.config.clarify_ops
        kinds = self._kinds(() if own.individual_curves is None else own.individual_curves.features)
        curves = individual_curves(
            self.subject.predict, self.subject.rows, kinds, seed=own.seed, labels=self.subject.outputs
        )
        # Curves of single rows are the rows themselves; quantiles of them are told.
        return [one.to_json(curves=False) for one in curves]

    def _surrogate(self, found: Further) -> dict[str, Any]:
        own = self.job.config.clarify_ops
        if own.surrogate is None:
            return {}
        made = surrogate_of(
            self.subject,
            own.surrogate,
            categorical=[name for name in self.subject.names if self._ordered(name) == "categorical"],
            smallest_group=own.smallest_group,
            seed=own.seed,
        )
        found.measures += made.measures(own.confidence)
        found.notes += [f"Surrogate: {words}" for words in made.warnings]
        return made.to_json()

    def _ordered(self, name: str) -> FeatureKind:
        """Numbers in their order, however few of them there are: Clarify's inference would take an age for a code."""
        numbers = pd.api.types.is_numeric_dtype(self.subject.rows[name]) and not pd.api.types.is_bool_dtype(
            self.subject.rows[name]
        )
        told = self.job.config.clarify_ops.kinds.get(name, "continuous" if numbers else "categorical")
        return "numerical" if told == "continuous" else "categorical"

    def _kinds(self, columns: Sequence[str | int]) -> dict[str, Any]:
        names = [feature_named(self.subject.names, one) for one in columns]
        return {name: self.subject.kinds[name] for name in names}


def quality(job: Job, made: Attributed, batches: RowBatches, sample: pd.DataFrame) -> tuple[Measure, ...]:
    """How much of the attributions goes to facets and to what stands in for them; and the gap of the sums.

    Args:
        job: What is asked for.
        made: The attributions.
        batches: The dataset.
        sample: Rows of it with all columns, evenly spaced, whose attributions are `made.shown`.
    """
    from clarify_ops.explain.stability import attribution_shares, relative_additivity_gap

    explanation = made.shown if made.whole is None else made.whole
    facets = list(dict.fromkeys(batches.data.facets))
    gap = relative_additivity_gap(explanation)
    if not facets:
        return (gap,)
    proxies = _proxies(job, batches, sample, explanation)
    return (gap, *attribution_shares(explanation, facets, proxies))


def _proxies(job: Job, batches: RowBatches, sample: pd.DataFrame, explanation: Explanation) -> dict[str, list[str]]:
    """By facet, the explained features that tell it by themselves."""
    outcomes: dict[str, NDArray[np.bool_]] = {}
    facet_of: dict[str, str] = {}
    for name, facet in zip(batches.data.facets, job.config.facet or (), strict=True):
        column = sample[name]
        values = facet.value_or_threshold
        groups = [values] if values else [(one,) for one in column.dropna().unique()[:_MOST_VALUES].tolist()]
        for place, group in enumerate(groups):
            key = f"{name} {place}"
            kind = job.config.clarify_ops.kinds.get(name)
            outcomes[key], facet_of[key] = np.asarray(match(column, group, kind).matches, dtype=bool), name
    seen = [name for name in explanation.features if name in sample.columns]
    found: dict[str, list[str]] = {}
    for leak in find_leaks(sample[seen], outcomes):
        facet_name = facet_of[leak.outcome]
        members = found.setdefault(facet_name, [])
        if leak.feature != facet_name and leak.feature not in members:
            members.append(leak.feature)
    return found


def stability(job: Job, attribution: Attribution, features: pd.DataFrame) -> Further:
    """How alike rankings are when explanations are repeated with other seeds, and against other baselines.

    Args:
        job: What is asked for.
        attribution: How rows are explained.
        features: Rows of the dataset, evenly spaced.
    """
    settings, found = job.config.clarify_ops.stability, Further()
    if settings is None:
        return found
    attribution.progress("repeating explanations with other seeds and baselines")
    section, measures = stability_of(
        attribution.again, features, attribution.background.rows, settings, job.config.clarify_ops.seed
    )
    found.sections["stability"] = section
    found.measures += measures
    return found
