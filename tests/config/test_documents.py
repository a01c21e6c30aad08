"""Documents a user writes: every key is known, every fault is told with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from clarify_ops.config.analysis import SUPPORTED_IN_PIPELINES, AnalysisConfig, refuse_unsupported
from clarify_ops.config.pipeline import Pipeline, inline, load_pipeline
from clarify_ops.config.policy import Policy
from clarify_ops.errors import BadDocument, NotSupported
from tests.project import PIPELINE, POLICY, Project


def pipeline(**changes: Any) -> dict[str, Any]:
    """A whole pipeline document, with some keys replaced."""
    analysis = {"dataset_type": "text/csv", "label": "good", **PIPELINE["analysis"]}
    return {**PIPELINE, "policy": POLICY, "analysis": analysis, **changes}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (pipeline(split={"method": "out_of_fold", "fold": 3}), 'unknown key split.fold. Did you mean "folds"?'),
        (pipeline(split={"method": "holdout", "test_fraction": 2}), "key split.test_fraction"),
        (pipeline(data={"uri": "a", "label": "y", "exclude": {"a": 3}}), "key data.exclude.a"),
        (pipeline(data={"uri": "a", "label": "y", "exclude": ["a"], "features": ["a"]}), "both a feature and excluded"),
        (pipeline(data={"uri": "a", "label": "y", "features": ["y"]}), "also a feature"),
        (pipeline(seed=-1), "key seed"),
        (pipeline(card={"risk_rating": "Huge"}), "key card.risk_rating"),
        (pipeline(registry={"model": "a b"}), "key registry.model"),
        (pipeline(train={"estimator": "Model"}), "key train.estimator"),
        (
            pipeline(train={"estimator": "a.B", "elsewhere": "x"}),
            "key train: the model is fitted here (estimator) or was",
        ),
        (pipeline(train={"estimator": "a.B", "trust": True}), "unknown key train.trust"),
        (pipeline(train={"elsewhere": ""}), "key train.elsewhere"),
        (pipeline(train={"elsewhere": "x", "trusted": True}), 'unknown key train.trusted. Did you mean "trust"?'),
        (pipeline(train={"trust": True}), "lacks the key train.elsewhere"),
        (pipeline(train="elsewhere"), "key train: input should be a valid dictionary"),
        (pipeline(train={"elsewhere": "x"}), "nobody here knows which rows it saw; leave out split"),
        (
            pipeline(split={"method": "unseen"}),
            "split.method is unseen, which is for a model that was trained elsewhere",
        ),
    ],
)
def test_a_fault_in_a_pipeline_is_told_with_its_key(document: dict[str, Any], words: str) -> None:
    with pytest.raises(BadDocument) as found:
        Pipeline.parse(document, "The pipeline p.yaml")
    assert words in str(found.value)
    assert str(found.value).startswith("The pipeline p.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rules": [{**POLICY["rules"][0], "max": 0.1}]}, "min 0.6 above max 0.1"),
        ({"rules": [POLICY["rules"][0]] * 2}, "'ranks' is used twice"),
        ({"rules": [{**POLICY["rules"][0], "values": ["1"]}]}, "lists facet values but no facet"),
        ({"rules": [{**POLICY["rules"][0], "min": float("nan")}]}, "rules[0].min"),
        ({"rules": [{**POLICY["rules"][0], "stage": "postraining"}]}, "rules[0].stage"),
        (
            {"rules": [{key: value for key, value in POLICY["rules"][0].items() if key != "why"}]},
            "lacks the key rules[0].why",
        ),
        ({"confidence": 1.5}, "key confidence"),
        ({"inconclusive": "pass"}, "key inconclusive"),
        ({"version": 2}, "key version"),
    ],
)
def test_a_fault_in_a_policy_is_told_with_its_key(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadDocument) as found:
        Policy.parse({**POLICY, **change}, "The policy p.yaml")
    assert words in str(found.value)


WAIVER = {"rule": "recall", "facet_value": "1", "up_to": 0.5, "reason": "r", "author": "Ann", "approver": "Bo"}
DATES = {"granted": "2026-01-01", "expires": "2026-12-31"}


@pytest.mark.parametrize(
    ("waiver", "words"),
    [
        ({**WAIVER, **DATES, "rule": "nope"}, "'nope', which the policy does not have"),
        ({**WAIVER, **DATES, "facet_value": None}, "must name the facet value"),
        ({**WAIVER, **DATES, "approver": " ANN "}, "one person"),
        ({**WAIVER, "granted": "2026-12-31", "expires": "2026-01-01"}, "expires before it is granted"),
        ({**WAIVER, "granted": "2026-01-01"}, "lacks the key waivers[0].expires"),
    ],
)
def test_a_waiver_has_a_rule_two_people_and_an_end(waiver: dict[str, Any], words: str) -> None:
    with pytest.raises(BadDocument) as found:
        Policy.parse({**POLICY, "waivers": [waiver]}, "The policy p.yaml")
    assert words in str(found.value)


def test_a_facet_value_is_text_however_it_is_written() -> None:
    rule = {**POLICY["rules"][1], "values": [1]}
    assert Policy.parse({**POLICY, "rules": [rule]}, "p").rules[0].values == ("1",)


def test_comments_and_order_do_not_change_a_digest() -> None:
    turned = dict(reversed(POLICY.items()))
    assert Policy.parse(POLICY, "p").digest == Policy.parse(turned, "p").digest
    changed = {**POLICY, "confidence": 0.9}
    assert Policy.parse(POLICY, "p").digest != Policy.parse(changed, "p").digest


def test_the_configuration_digest_is_about_what_decides_a_number() -> None:
    def digest(**changes: Any) -> str:
        return Pipeline.parse(pipeline(**changes), "p").configuration_digest

    elsewhere = {**PIPELINE["data"], "uri": "elsewhere.csv"}
    assert digest() == digest(registry={"model": "other"}) == digest(card={"owner": "me"}) == digest(data=elsewhere)
    assert digest() != digest(seed=4)
    assert digest() != digest(train={**PIPELINE["train"], "scale": False})


def test_every_row_is_judged_of_a_model_that_was_trained_elsewhere() -> None:
    """Whether the document says so or not: it is one configuration, and its schema knows both."""
    said = pipeline(train={"elsewhere": "the night's job"}, split={"method": "unseen"})
    unsaid = {key: value for key, value in said.items() if key != "split"}
    one, other = (Pipeline.parse(document, "p") for document in (said, unsaid))
    assert one.split.method == other.split.method == "unseen"
    assert one.configuration_digest == other.configuration_digest
    again = Pipeline.parse(other.model_dump(mode="json", by_alias=True, exclude_unset=True), "p")
    assert again.configuration_digest == one.configuration_digest
    schema = jsonschema.Draft202012Validator(Pipeline.model_json_schema())
    for document, valid in (
        (said, True),
        (unsaid, True),
        ({**said, "train": {"trust": True}}, False),
        (pipeline(), True),
    ):
        assert schema.is_valid(document) is valid


def test_every_shape_of_a_real_clarify_configuration_is_read(shared: Path) -> None:
    for file in sorted((shared / "data" / "clarify_samples").glob("*_config.json")):
        AnalysisConfig.load(file, "analysis configuration")


def test_a_key_that_pipelines_lack_is_refused_and_not_ignored() -> None:
    keys = {
        "predictor": {"endpoint_name": "e"},
        "segment_config": [{"name_or_index": "a", "segments": [["x"]]}],
        "joinsource_name_or_index": "id",
        "dataset_uri": "s3://bucket/data.csv",
    }
    for key, value in keys.items():
        config = AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, key: value}, "The analysis")
        with pytest.raises(NotSupported, match=key):
            refuse_unsupported(config, "The analysis")


def test_what_pipelines_support_are_keys_of_the_schema() -> None:
    schema = AnalysisConfig.model_json_schema()
    for path in SUPPORTED_IN_PIPELINES:
        place = schema
        for key in path.split("."):
            properties = place["properties"]
            assert key in properties, path
            found = properties[key]
            for option in (found, *found.get("anyOf", ())):
                if "$ref" in option:
                    place = schema["$defs"][option["$ref"].rsplit("/", 1)[1]]


@pytest.mark.parametrize("name", ["pipeline", "policy", "analysis"])
def test_the_printed_schema_accepts_the_example(root: Path, project: Project, name: str) -> None:
    status, out, _ = project.cli("schema", name)
    assert status == 0
    schema = json.loads(out)
    documents = {
        "pipeline": inline(root / "examples" / "mortgage" / "pipeline.yaml"),
        "policy": yaml.safe_load((root / "examples" / "mortgage" / "strict-policy.yaml").read_text(encoding="utf-8")),
        "analysis": pipeline()["analysis"],
    }
    jsonschema.validate(json.loads(json.dumps(documents[name], default=str)), schema)


def test_a_self_contained_pipeline_is_the_same_pipeline(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "one.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(yaml.safe_dump(inline("pipeline.yaml")), encoding="utf-8")
    first, second = load_pipeline("pipeline.yaml"), load_pipeline(elsewhere)
    assert first == second


def test_contradicting_labels(project: Project) -> None:
    project.edit(lambda d: d["analysis"].update(label="area"))
    with pytest.raises(BadDocument, match=r"analysis\.label is 'area', but data\.label is 'good'"):
        load_pipeline("pipeline.yaml")
