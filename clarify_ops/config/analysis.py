"""`analysis_config.json`: SageMaker Clarify's schema 1.0 with our own settings under one extra key, `clarify_ops`.

Every key of the schema is known here, so that a typing error is told from a setting. A known key that nothing implements
yet is refused by `refuse_unsupported`: none is read and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from clarify_ops.config.closed import Closed
from clarify_ops.config.cohorts import Cohorts
from clarify_ops.config.explaining import Curves, FeatureImportance, Stability, SurrogateModel
from clarify_ops.config.languages import LANGUAGES
from clarify_ops.errors import NotSupported


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _float(value: object) -> object:
    # A strict float of pydantic takes integers; SageMaker's schema does not.
    if isinstance(value, int):
        raise ValueError(f"{value} is a whole number; write {value:d}.0")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} is no language that Clarify splits text of")
    return value


def _not_empty(value: object) -> object:
    if isinstance(value, dict) and not value:
        raise ValueError("an empty object says nothing; leave the key out")
    return value


Column = StrictStr | StrictInt
Value = StrictInt | StrictFloat | StrictStr
Object = Annotated[dict[str, Any], BeforeValidator(_not_empty)]
Float = Annotated[StrictFloat, BeforeValidator(_float)]
DatasetType = Annotated[
    Literal[
        "text/csv",
        "application/jsonlines",
        "application/json",
        "application/sagemakercapturejson",
        "application/x-parquet",
        "application/x-image",
    ],
    BeforeValidator(_lower),
]
Kind = Literal["categorical", "continuous"]


class Clarified(Closed):
    """A part of SageMaker Clarify's schema: a key that has nothing to say is left out there, and never null."""

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, document: Any) -> Any:
        if isinstance(document, Mapping):
            for key, value in document.items():
                if value is None and key in cls.model_fields:
                    raise ValueError(f"{key} is null; leave the key out")
        return document


class Facet(Clarified):
    """A sensitive attribute. Rows that match `value_or_threshold` are the disadvantaged group d, as Clarify's code reads it.

    Attributes:
        name_or_index: The column.
        value_or_threshold: Values (categorical) or thresholds (continuous); absent: every value against the rest.
    """

    name_or_index: Column
    value_or_threshold: tuple[Value, ...] | None = None


class Segment(Clarified):
    """A column to report by segment."""

    name_or_index: Column
    segments: tuple[tuple[StrictStr | StrictInt, ...], ...]
    config_name: StrictStr | None = None
    display_aliases: tuple[StrictStr, ...] | None = None


class TimeSeriesData(Clarified):
    """Where the parts of a time series dataset stand."""

    target_time_series: Column
    item_id: Column
    timestamp: Column
    related_time_series: tuple[StrictStr, ...] | tuple[StrictInt, ...] | None = None
    static_covariates: tuple[StrictStr, ...] | tuple[StrictInt, ...] | None = None
    dataset_format: (
        Annotated[Literal["columns", "item_records", "timestamp_records"], BeforeValidator(_lower)] | None
    ) = None


class TextSettings(Clarified):
    """How SHAP splits free text."""

    granularity: Annotated[Literal["token", "sentence", "paragraph"], BeforeValidator(_lower)]
    language: Annotated[StrictStr, BeforeValidator(_lower), AfterValidator(_language)]
    max_top_tokens: StrictInt | None = None


class ImageDebug(Clarified):
    """Which images to explain."""

    image_names: tuple[StrictStr, ...] | None = None
    class_ids: tuple[StrictInt, ...] | None = None
    sample_from: StrictInt | None = None
    sample_to: StrictInt | None = None


class ImageSettings(Clarified):
    """How SHAP segments images."""

    num_segments: StrictInt | None = None
    segment_compactness: StrictInt | None = None
    feature_extraction_method: StrictStr | None = None
    model_type: StrictStr | None = None
    max_objects: StrictInt | None = None
    iou_threshold: Float | None = None
    context: Float | None = None
    debug: ImageDebug | None = None


class Shap(Clarified):
    """Kernel SHAP.

    Attributes:
        baseline: Rows that stand for an absent feature, or a URI of them; absent: made from the data.
        num_samples: Coalitions per explained row; absent: 2 M + 2048 for M features, or all where that is fewer.
        agg_method: How local values become global ones.
        use_logit: Explain log-odds instead of probabilities.
        seed: Of the coalition sampler; absent: the pipeline's.
        features_to_explain: The others keep their own value.
    """

    baseline: StrictStr | tuple[tuple[Value | None, ...] | Object, ...] | Object | None = None
    num_clusters: StrictInt | None = None
    use_logit: StrictBool = False
    num_samples: StrictInt | None = None
    agg_method: Annotated[Literal["mean_abs", "median", "mean_sq"], BeforeValidator(_lower)] = "mean_abs"
    save_local_shap_values: StrictBool = True
    text_config: TextSettings | None = None
    image_config: ImageSettings | None = None
    seed: StrictInt | None = None
    features_to_explain: tuple[Column, ...] | None = None


class BiasMethods(Clarified):
    """Which metrics of a stage: `all`, or a list of names."""

    methods: StrictStr | tuple[StrictStr, ...]


class PartialDependence(Clarified):
    """Partial dependence plots.

    Attributes:
        grid_resolution: Buckets of a numerical feature.
        features: Which; absent: the `top_k_features` by SHAP.
    """

    grid_resolution: StrictInt
    features: tuple[Column, ...] | None = None
    top_k_features: StrictInt = 10


class ReportNames(Clarified):
    """Name of the report files, and their title."""

    name: StrictStr
    title: StrictStr | None = None


class AsymmetricBaseline(Clarified):
    """What stands for absent time steps."""

    target_time_series: Annotated[Literal["zero", "mean"], BeforeValidator(_lower)] = "zero"
    related_time_series: Annotated[Literal["zero", "mean"], BeforeValidator(_lower)] | None = None
    static_covariates: Annotated[dict[StrictStr | StrictInt, tuple[Value, ...]], BeforeValidator(_not_empty)] | None = (
        None
    )


class AsymmetricShapley(Clarified):
    """Asymmetric Shapley values of a forecasting model."""

    direction: Annotated[Literal["chronological", "anti_chronological", "bidirectional"], BeforeValidator(_lower)]
    granularity: Annotated[Literal["timewise", "fine_grained"], BeforeValidator(_lower)]
    num_samples: StrictInt | None = None
    baseline: StrictStr | AsymmetricBaseline | None = None


class Methods(Clarified):
    """What to compute; a method that is absent is not run."""

    shap: Shap | None = None
    pre_training_bias: BiasMethods | None = None
    post_training_bias: BiasMethods | None = None
    pdp: PartialDependence | None = None
    report: ReportNames | None = None
    asymmetric_shapley_value: AsymmetricShapley | None = None


class Forecast(Clarified):
    """Where a forecasting model's answer stands."""

    forecast: StrictStr


class Predictor(Clarified):
    """The model to ask."""

    endpoint_name: StrictStr | None = None
    endpoint_name_prefix: Annotated[StrictStr, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])")] | None = None
    model_name: StrictStr | None = None
    target_model: StrictStr | None = None
    instance_type: StrictStr | None = None
    initial_instance_count: StrictInt | None = None
    accelerator_type: StrictStr | None = None
    content_type: (
        Annotated[
            Literal[
                "text/csv", "application/jsonlines", "application/json", "image/jpeg", "image/png", "application/x-npy"
            ],
            BeforeValidator(_lower),
        ]
        | None
    ) = None
    accept_type: (
        Annotated[Literal["text/csv", "application/jsonlines", "application/json"], BeforeValidator(_lower)] | None
    ) = None
    label: Column | None = None
    probability: Column | None = None
    label_headers: tuple[Column, ...] | None = None
    content_template: StrictStr | Annotated[dict[StrictStr, StrictStr], BeforeValidator(_not_empty)] | None = None
    record_template: StrictStr | None = None
    custom_attributes: StrictStr | None = None
    time_series_predictor_config: Forecast | None = None


class OwnSettings(Closed):
    """Ours, beside Clarify's.

    Attributes:
        kinds: Sets a column's kind by hand where Clarify's inference would surprise.
        intersections: Facets of several columns each: every combination of their values is reported like a facet value.
        confidence: Level of the intervals in metrics.json.
        seed: Of everything random.
        smallest_group: Groups with fewer rows are shown as too small.
        explainer: What fills `explanations.kernel_shap`; `auto` reads the values off the model where these are the same ones.
        cohorts: Groups of rows whose explanations are compared.
        feature_importance: How much worse a metric gets without a feature.
        accumulated_effects: Effects of features where these go together, beside partial dependence.
        individual_curves: How the output of single rows moves with features.
        surrogate: A simple model in the model's place, and how far it is to be believed.
        stability: How alike the rankings of features are in repeated explanations.
        max_standard_error: Sampling goes on until no attribution's standard error is above it, in the unit of the scores.
    """

    kinds: dict[str, Kind] = Field(default_factory=dict)
    intersections: tuple[Annotated[tuple[Column, ...], Field(min_length=2)], ...] = ()
    confidence: StrictFloat = Field(default=0.95, gt=0.5, lt=1)
    seed: StrictInt = Field(default=0, ge=0)
    smallest_group: StrictInt = Field(default=10, ge=1)
    explainer: Literal["auto", "kernel_shap", "exact", "permutation_shap", "linear_shap", "tree_shap"] = "auto"
    max_standard_error: StrictFloat | None = Field(default=None, gt=0)
    cohorts: Cohorts = ()
    feature_importance: FeatureImportance | None = None
    accumulated_effects: Curves | None = None
    individual_curves: Curves | None = None
    surrogate: SurrogateModel | None = None
    stability: Stability | None = None


class AnalysisConfig(Clarified):
    """The whole configuration; field for field Clarify's, plus `clarify_ops`."""

    version: StrictStr | None = None
    dataset_type: DatasetType
    dataset_uri: StrictStr | None = None
    headers: tuple[StrictStr, ...] | None = None
    label: Column | None = None
    predicted_label: Column | None = None
    features: StrictStr | None = None
    label_values_or_threshold: tuple[Value, ...] | None = None
    probability_threshold: Float = 0.5
    segment_config: tuple[Segment, ...] | None = None
    facet: tuple[Facet, ...] | None = None
    facet_dataset_uri: StrictStr | None = None
    facet_headers: tuple[StrictStr, ...] | None = None
    predicted_label_dataset_uri: StrictStr | None = None
    predicted_label_headers: tuple[StrictStr, ...] | None = None
    excluded_columns: tuple[Column, ...] | None = None
    joinsource_name_or_index: Column | None = None
    group_variable: Column | None = None
    time_series_data_config: TimeSeriesData | None = None
    methods: Methods
    predictor: Predictor | None = None
    clarify_ops: OwnSettings = OwnSettings()


# What the pipeline's steps implement. The dataset itself is described by the pipeline's `data` section, and the model is
# the one that the pipeline trains, so that Clarify's keys for both have nothing to say there.
SUPPORTED_IN_PIPELINES = frozenset(
    {
        "version",
        "dataset_type",
        "label",
        "label_values_or_threshold",
        "probability_threshold",
        "facet",
        "group_variable",
        "methods.pre_training_bias.methods",
        "methods.post_training_bias.methods",
        "methods.shap.baseline",
        "methods.shap.use_logit",
        "methods.shap.num_samples",
        "methods.shap.agg_method",
        "methods.shap.save_local_shap_values",
        "methods.shap.seed",
        "methods.shap.features_to_explain",
        "methods.pdp.grid_resolution",
        "methods.pdp.features",
        "methods.pdp.top_k_features",
        "methods.report.name",
        "methods.report.title",
        "clarify_ops.kinds",
        "clarify_ops.stability.baselines",
        "clarify_ops.stability.rows",
        "clarify_ops.stability.seeds",
        "clarify_ops.surrogate.kind",
        "clarify_ops.surrogate.max_depth",
        "clarify_ops.surrogate.target",
    }
)


def refuse_unsupported(config: AnalysisConfig, where: str) -> None:
    """Stops at the first key that is valid in Clarify and implemented nowhere.

    Args:
        config: The parsed configuration.
        where: How an error names the document.

    Raises:
        NotSupported: Naming the key.
    """
    for key in keys_set(config):
        if key not in SUPPORTED_IN_PIPELINES:
            hint = "It is valid in SageMaker Clarify, but a pipeline does not use it; remove it."
            raise NotSupported(f"{where}: the key {key} is not supported here.", hint)


def keys_set(model: Closed, prefix: str = "") -> Iterator[str]:
    """The paths of the keys that a document sets, sorted; what stands in lists is not looked into."""
    for name in sorted(model.model_fields_set):
        value = getattr(model, name)
        if isinstance(value, Closed) and not isinstance(value, Facet):
            yield from keys_set(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}"
