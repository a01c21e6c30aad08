"""Everything that is known about a candidate when the gate has spoken: what the report and the card are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from clarify_ops.gate.verdict import Verdict
from clarify_ops.measures import Measure, Stage


class Facts:
    """Facts travel from step to step as JSON."""

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in document.items()})


@dataclass(frozen=True)
class DataFacts(Facts):
    """What the pretraining step saw of the dataset.

    Attributes:
        name: The dataset as the user named it (its URI).
        digest: Of its bytes.
        rows, columns: Its size.
        label: Name of the label, `positive`: its positive values as text, `positives`: rows with one.
        missing_labels: Rows without a label; they count as negatives, as Clarify counts them.
        group_variable: The column that CDDL conditions on, if any.
        facets: Rows per facet and value, {"black": {"1": 197, "rest": 1792}}; rows with a missing facet are under "missing".
        kinds: Inferred kind of each column of interest, {"black": "categorical"}.
        excluded: Columns that are not features, with the reason why not.
        missing: Missing values per feature, for those that have any.
        warnings: Sentences.
    """

    name: str
    digest: str
    rows: int
    columns: int
    label: str
    positive: str
    positives: int
    missing_labels: int = 0
    group_variable: str | None = None
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFacts(Facts):
    """What the training step made.

    Attributes:
        name: Name in the registry.
        estimator: Import path, `parameters`: as given.
        features: {"loanamt": "numeric", "term": "categorical"}.
        rows: Rows the final model was fitted on; None where it was trained elsewhere.
        evaluation: How predictions were made: "out-of-fold, 5 folds" or "hold-out, 25 %".
        threshold: A score above it is a predicted positive.
        digest: Of the fitted estimator's files.
        seed: Of split and estimator.
        libraries: Versions of what fitted it.
        elsewhere: Who trained it, where it was not fitted by the pipeline.
    """

    name: str
    estimator: str
    parameters: Mapping[str, Any]
    features: Mapping[str, str]
    rows: int | None
    evaluation: str
    threshold: float
    digest: str
    seed: int
    libraries: Mapping[str, str] = field(default_factory=dict)
    elsewhere: str | None = None

    @property
    def origin(self) -> str:
        """How it came to be, for reports and cards."""
        if self.elsewhere is None:
            return f"fitted on {self.rows or 0:,} rows with seed {self.seed}"
        return f"trained elsewhere: {self.elsewhere.rstrip('. ')}; which rows it saw cannot be known here"


@dataclass(frozen=True)
class ExplanationFacts:
    """What the explain step found.

    Attributes:
        global_values: {label: {feature: value}} as aggregated by `aggregation`.
        expected_value: {label: mean output on the baseline}.
        aggregation: `mean_abs`, `mean_sq` or `median`.
        local_values: One row an explained row, columns `<feature>_<label>`; `explained_rows` of them.
        feature_values: The explained rows' features, same order, for plots; values are not printed in a report.
        partial_dependence: Clarify's `pdp` entries.
        exact_rows: How many rows were explained by exact enumeration.
        method: In words.
        warnings: Sentences.
    """

    global_values: Mapping[str, Mapping[str, float]]
    expected_value: Mapping[str, float]
    aggregation: str
    local_values: Mapping[str, tuple[float, ...]]
    feature_values: Mapping[str, tuple[Any, ...]]
    partial_dependence: tuple[Mapping[str, Any], ...]
    explained_rows: int
    exact_rows: int
    method: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """A candidate and its verdict.

    Attributes:
        pipeline: Name of the pipeline.
        judged_on: ISO date of the judgement.
        verdict: The gate's answer.
        measures: Every number of every stage.
        digests: What the evidence binds, by name ("model", "data", "configuration", "policy", "evidence", ...).
        card: The `card:` section as the user wrote it; a key that is absent was not written.
    """

    pipeline: str
    judged_on: str
    verdict: Verdict
    measures: tuple[Measure, ...]
    data: DataFacts
    model: ModelFacts
    explanations: ExplanationFacts
    digests: Mapping[str, str]
    card: Mapping[str, Any] = field(default_factory=dict)

    def of(self, stage: Stage) -> tuple[Measure, ...]:
        """The measures of one stage, in the order they were made."""
        return tuple(one for one in self.measures if one.stage == stage)
