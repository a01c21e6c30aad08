"""Explanations as an analysis configuration asks for them: `methods.shap` and `methods.pdp`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Column, Methods, PartialDependence, Shap
from clarify_ops.errors import BadData, BadDocument, NotSupported
from clarify_ops.gate.release import ExplanationFacts
from clarify_ops.measures import Measure

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.explain.game import Predict
    from clarify_ops.explain.partial_dependence import FeatureKind


@dataclass(frozen=True)
class Subject:
    """A model and the rows that it is explained on.

    Attributes:
        predict: (rows, features) to (rows,) or (rows, outputs).
        rows: (rows, features) to be explained.
        kinds: Of each feature, for partial dependence: numerical or categorical.
        outputs: Names of the model's outputs, or None for label0, label1, ...
        progress: Told what is being done.
    """

    predict: Predict
    rows: pd.DataFrame
    kinds: Mapping[str, FeatureKind]
    progress: Callable[[str], None]
    outputs: tuple[str, ...] | None = None

    @property
    def names(self) -> list[str]:
        """Of the features."""
        return [str(name) for name in self.rows.columns]

    def feature(self, column: Column) -> str:
        """The name of a feature that a configuration gives by name or by place."""
        return feature_named(self.names, column)


def feature_named(names: Sequence[str], column: Column) -> str:
    """The name of a feature that a configuration gives by name or by place.

    Raises:
        BadData: There is none.
    """
    if isinstance(column, int):
        if not 0 <= column < len(names):
            raise BadData(f"The analysis names feature {column}, but there are {len(names)}, numbered from 0.")
        return names[column]
    if column not in names:
        raise BadData.unknown_column(column, names, "analysis.methods")
    return column


def check_settings(methods: Methods) -> None:
    """Looks at numbers that the schema leaves open.

    Raises:
        BadDocument: One that must be at least 1 is less.
    """
    shap, pdp = methods.shap, methods.pdp
    given = {
        "methods.shap.num_samples": None if shap is None else shap.num_samples,
        "methods.shap.num_clusters": None if shap is None else shap.num_clusters,
        "methods.pdp.grid_resolution": None if pdp is None else pdp.grid_resolution,
        "methods.pdp.top_k_features": None if pdp is None else pdp.top_k_features,
    }
    for key, value in given.items():
        if value is not None and value < 1:
            raise BadDocument(f"The key {key} is {value}, and must be at least 1.")
    if shap is not None and shap.num_clusters is not None and shap.baseline is not None:
        raise BadDocument(
            "methods.shap has both baseline and num_clusters.", "Give the rows, or have them made: leave one out."
        )


def background_rows(settings: Shap, features: pd.DataFrame, categorical: Collection[str]) -> pd.DataFrame:
    """The rows that stand for an absent feature: those given, or one typical row of the data.

    Raises:
        NotSupported: They are in a file.
        BadDocument: They do not fit the features.
    """
    from clarify_ops.explain.baseline import baseline_rows, typical_row

    if settings.baseline is None:
        return typical_row(features, categorical)
    if isinstance(settings.baseline, str):
        # The rows of a file elsewhere would decide every attribution, and no digest would be about them.
        raise NotSupported(
            "The key analysis.methods.shap.baseline names a file, which is not supported here.",
            "Give the rows themselves.",
        )
    given = settings.baseline
    return baseline_rows(given if isinstance(given, Mapping) else list(given), features)


def attribute(subject: Subject, settings: Shap, background: pd.DataFrame, seed: int) -> Explanation:
    """Kernel SHAP of the rows; `seed` holds where the settings have none."""
    from clarify_ops.explain.kernel import kernel_shap

    chosen = settings.features_to_explain
    return kernel_shap(
        subject.predict,
        subject.rows,
        background,
        num_samples=settings.num_samples,
        seed=seed if settings.seed is None else settings.seed,
        features_to_explain=None if chosen is None else [subject.feature(one) for one in chosen],
        use_logit=settings.use_logit,
        labels=subject.outputs,
        progress=lambda done, total: subject.progress(f"asked the model about {done:,} of {total:,} rows"),
    )


class Ranked(Protocol):
    """Attributions of all rows together: an `Explanation`'s, or those of batches."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names."""
        ...

    @property
    def sizes(self) -> NDArray[np.float64]:
        """(features, outputs) mean absolute attributions."""
        ...


def dependence(subject: Subject, settings: PartialDependence, explanation: Ranked | None) -> list[dict[str, Any]]:
    """Clarify's `pdp` entries: of the features named, or of those with the largest attributions."""
    from clarify_ops.explain.partial_dependence import partial_dependence

    if settings.features is not None:
        names = [subject.feature(one) for one in settings.features]
    elif explanation is not None:
        weights = explanation.sizes.sum(axis=1)
        strongest = np.argsort(-weights, kind="stable")[: settings.top_k_features]
        names = [explanation.features[one] for one in strongest]
    else:
        names = subject.names[: settings.top_k_features]
    found = partial_dependence(
        subject.predict,
        subject.rows,
        {name: subject.kinds[name] for name in names},
        grid_resolution=settings.grid_resolution,
        labels=subject.outputs,
        progress=lambda done, total: subject.progress(f"partial dependence of {done} of {total} features"),
    )
    return [one.to_clarify() for one in found]


def explanation_measures(facts: Mapping[str, Any]) -> tuple[Measure, ...]:
    """What a policy can bound of `Explanation.facts`."""
    rows = facts["rows"]
    values = {
        "explained_rows": float(rows),
        "exact_share": facts["exact_rows"] / rows if rows else 0.0,
        "additivity_gap": facts["additivity_gap"],
        "warnings": float(len(facts["warnings"])),
    }
    found = [
        Measure(stage="explanations", metric=name, value=value, groups={"all": rows}, exact=True)
        for name, value in values.items()
    ]
    unknown = facts["values_without_standard_error"]
    error = None if unknown else facts["largest_standard_error"]
    reason = "" if error is not None else f"{unknown:,} values have no standard error that is known."
    found.append(
        Measure(
            stage="explanations",
            metric="largest_standard_error",
            value=error,
            reason=reason,
            groups={"all": rows},
            exact=True,
        )
    )
    return (*found, *(Measure.from_json(one) for one in facts.get("quality", ())))


def explanation_facts(
    shap: Mapping[str, Any],
    kernel: Mapping[str, Any],
    *,
    local_values: Mapping[str, tuple[float, ...]],
    feature_values: Mapping[str, tuple[Any, ...]],
    partial_dependence: Sequence[Mapping[str, Any]],
) -> ExplanationFacts:
    """What a report shows of explanations.

    Args:
        shap: `Explanation.facts` with `aggregation` and `baseline_rows`; empty where there are none.
        kernel: The `kernel_shap` object of analysis.json.
        local_values: The columns of out.csv.
        feature_values: The explained rows, column by column.
        partial_dependence: Clarify's `pdp` entries.
    """
    return ExplanationFacts(
        global_values={label: values["global_shap_values"] for label, values in kernel.items()},
        expected_value={label: values["expected_value"] for label, values in kernel.items()},
        aggregation=shap.get("aggregation", "mean_abs"),
        local_values=local_values,
        feature_values=feature_values,
        partial_dependence=tuple(partial_dependence),
        explained_rows=shap.get("rows", 0),
        exact_rows=shap.get("exact_rows", 0),
        method=_method(shap),
        warnings=tuple(shap.get("warnings", ())),
    )


def _method(shap: Mapping[str, Any]) -> str:
    """Explainer, unit and background in a sentence."""
    from clarify_ops.explain.explanation import AS_GIVEN

    if not shap:
        return "SHAP values were not asked for"
    unit = "the model's output" if shap["unit"] == AS_GIVEN else f"the {shap['unit']}"
    count = shap["baseline_rows"]
    rows = f"{count} baseline row{'s' if count != 1 else ''}"
    how = f" ({shap['background']})" if shap.get("background") else ""
    return f"Shapley values by {shap['explainer']} of {unit}, against {rows}{how}"
