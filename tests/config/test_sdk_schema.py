"""What SageMaker's own schema accepts is accepted, and what it refuses is refused."""

from __future__ import annotations

import copy
import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.errors import BadDocument

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sagemaker.core.clarify import ANALYSIS_CONFIG_SCHEMA_V1_0 as SCHEMA
from schema import SchemaError

TEXT = st.sampled_from(["a", "b c", "", "s3://b/k", "1.0"])
COLUMN = st.one_of(TEXT, st.integers(-1, 3))
NUMBER = st.one_of(st.integers(0, 5), st.floats(0, 1))
VALUE = st.one_of(TEXT, st.integers(-1, 2), st.floats(0, 1))
BASELINE = st.one_of(
    TEXT,
    st.lists(st.lists(VALUE, max_size=2), max_size=2),
    st.lists(st.dictionaries(TEXT, VALUE, max_size=2), max_size=2),
    st.dictionaries(TEXT, VALUE, max_size=2),
)


def cased(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*words, *(word.upper() for word in words)])


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def all_of(
    needed: dict[str, st.SearchStrategy[Any]], **keys: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional=keys)


METRICS = all_of({"methods": st.one_of(st.just("all"), st.lists(TEXT, max_size=2), TEXT)})
METHODS = some(
    shap=some(
        baseline=BASELINE,
        num_clusters=st.integers(0, 3),
        use_logit=st.booleans(),
        num_samples=st.integers(-1, 3),
        agg_method=cased("mean_abs", "median", "mean_sq"),
        save_local_shap_values=st.booleans(),
        text_config=all_of(
            {"granularity": cased("token", "sentence", "paragraph"), "language": cased("english", "en", "x")},
            max_top_tokens=st.integers(0, 3),
        ),
        image_config=some(
            num_segments=st.integers(0, 3),
            segment_compactness=NUMBER,
            feature_extraction_method=TEXT,
            model_type=TEXT,
            max_objects=st.integers(0, 3),
            iou_threshold=NUMBER,
            context=NUMBER,
            debug=some(
                image_names=st.lists(TEXT, max_size=2),
                class_ids=st.lists(st.integers(0, 2), max_size=2),
                sample_from=st.integers(0, 2),
                sample_to=st.integers(0, 2),
            ),
        ),
        seed=st.integers(-1, 3),
        features_to_explain=st.lists(COLUMN, max_size=2),
    ),
    pre_training_bias=METRICS,
    post_training_bias=METRICS,
    pdp=all_of(
        {"grid_resolution": st.integers(-1, 3)},
        features=st.lists(COLUMN, max_size=2),
        top_k_features=st.integers(-1, 3),
    ),
    report=all_of({"name": TEXT}, title=TEXT),
    asymmetric_shapley_value=all_of(
        {
            "direction": cased("chronological", "anti_chronological", "bidirectional"),
            "granularity": cased("timewise", "fine_grained"),
        },
        num_samples=st.integers(0, 2),
        baseline=st.one_of(
            TEXT,
            some(
                target_time_series=cased("zero", "mean"),
                related_time_series=cased("zero", "mean"),
                static_covariates=st.dictionaries(TEXT, st.lists(VALUE, max_size=2), max_size=2),
            ),
        ),
    ),
)
TYPES = cased("text/csv", "application/jsonlines", "application/json", "image/jpeg", "image/png", "application/x-npy")
PREDICTOR = some(
    endpoint_name=TEXT,
    endpoint_name_prefix=st.sampled_from(["ab", "a", "-a", ""]),
    model_name=TEXT,
    target_model=TEXT,
    instance_type=TEXT,
    initial_instance_count=st.integers(0, 2),
    accelerator_type=TEXT,
    content_type=TYPES,
    accept_type=TYPES,
    label=COLUMN,
    probability=COLUMN,
    label_headers=st.lists(COLUMN, max_size=2),
    content_template=st.one_of(TEXT, st.dictionaries(TEXT, TEXT, max_size=1)),
    record_template=TEXT,
    custom_attributes=TEXT,
    time_series_predictor_config=all_of({"forecast": TEXT}),
)
DOCUMENTS = all_of(
    {
        "dataset_type": cased(
            "text/csv",
            "application/jsonlines",
            "application/json",
            "application/sagemakercapturejson",
            "application/x-parquet",
            "application/x-image",
            "text/tsv",
        ),
        "methods": METHODS,
    },
    version=TEXT,
    dataset_uri=TEXT,
    headers=st.lists(TEXT, max_size=2),
    label=COLUMN,
    predicted_label=COLUMN,
    features=TEXT,
    label_values_or_threshold=st.lists(VALUE, max_size=2),
    probability_threshold=NUMBER,
    segment_config=st.lists(
        all_of(
            {"name_or_index": COLUMN, "segments": st.lists(st.lists(COLUMN, max_size=2), max_size=2)},
            config_name=TEXT,
            display_aliases=st.lists(TEXT, max_size=2),
        ),
        max_size=2,
    ),
    facet=st.lists(all_of({"name_or_index": COLUMN}, value_or_threshold=st.lists(VALUE, max_size=2)), max_size=2),
    facet_dataset_uri=TEXT,
    facet_headers=st.lists(TEXT, max_size=2),
    predicted_label_dataset_uri=TEXT,
    predicted_label_headers=st.lists(TEXT, max_size=2),
    excluded_columns=st.lists(COLUMN, max_size=2),
    joinsource_name_or_index=COLUMN,
    group_variable=COLUMN,
    time_series_data_config=all_of(
        {"target_time_series": COLUMN, "item_id": COLUMN, "timestamp": COLUMN},
        related_time_series=st.lists(COLUMN, max_size=2),
        static_covariates=st.lists(COLUMN, max_size=2),
        dataset_format=cased("columns", "item_records", "timestamp_records"),
    ),
    predictor=PREDICTOR,
)
ODD = st.sampled_from([None, True, False, 0, 1, 1.5, "x", [], [1], ["x"], [["x"]], [None], {}, {"x": 1}, [1.5], [True]])


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a document."""
    found = [path] if path else []
    if isinstance(document, dict):
        for key, value in document.items():
            found += places(value, (*path, key))
    if isinstance(document, list):
        for place, value in enumerate(document):
            found += places(value, (*path, place))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A document that is nearly valid: of a few places, one is changed, taken out or given an unknown key."""
    document = copy.deepcopy(draw(DOCUMENTS))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(places(document)))
        parent = document
        for part in path[:-1]:
            parent = parent[part]
        what = draw(st.sampled_from(["change", "remove", "add"]))
        if what == "change":
            parent[path[-1]] = copy.deepcopy(draw(ODD))
        elif what == "remove":
            del parent[path[-1]]
            if not document:
                break
        elif isinstance(parent, dict):
            parent["unknown"] = 1
        if not places(document):
            break
    return json.loads(json.dumps(document))


def theirs(document: Any) -> bool:
    try:
        SCHEMA.validate(copy.deepcopy(document))
    except SchemaError:
        return False
    return True


def ours(document: Any) -> bool:
    try:
        AnalysisConfig.parse(document, "It")
    except BadDocument:
        return False
    return True


BASE: dict[str, Any] = {"dataset_type": "text/csv", "methods": {}}


@given(mutated())
@example({**BASE, "probability_threshold": 1})
@example({**BASE, "version": "2.0"})
@example({**BASE, "facet": [{"name_or_index": True}]})
@example({**BASE, "label": True})
@example({**BASE, "headers": None})
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_accept_or_both_refuse(document: Any) -> None:
    assert ours(document) == theirs(document), json.dumps(document)


def test_every_recorded_configuration_is_accepted(shared: Path) -> None:
    recorded = json.loads((shared / "conformance" / "notebook_configs.json").read_text(encoding="utf-8"))
    checked = [one["config"] for one in recorded if "analysis_config via" in one["what"]]
    assert len(checked) > 10
    assert [one for one in checked if not (ours(one) and theirs(one))] == []


def test_our_own_key_is_the_only_difference() -> None:
    own = {**BASE, "clarify_ops": {"kinds": {"age": "continuous"}}}
    assert ours(own)
    assert not theirs(own)


@pytest.mark.skipif(not os.environ.get("CLARIFY_OPS_LONG"), reason="long: set CLARIFY_OPS_LONG")
@given(mutated())
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_at_length(document: Any) -> None:
    assert ours(document) == theirs(document), json.dumps(document)
