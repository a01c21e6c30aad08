"""The parts list: valid by CycloneDX's own schema, and every judgement in it with its evidence and its end."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7

from clarify_ops.card import Attached, ml_bom
from tests.card.attached import BESIDE, HOSTILE, TEXTS
from tests.factories import DIGEST, release, waved_through

FACTS = release(
    card={
        "owner": "Retail credit",
        "purpose": "Ranks applications.",
        "caveats": "Approval is no ability to pay.",
        "ethical_considerations": "Labels are decisions of people.",
        "human_oversight": "An underwriter decides.",
        "environmental_impact": "2 Wh.",
        "licence": "Internal",
        "risk_rating": "High",
        "contact": "credit@example.com",
        "creator": "Ada",
        "users": "Underwriters",
        "custom": {"ticket": "R-7"},
    }
)


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    """The official schema of version 1.7, as the project's Python library ships it."""
    folder = files("cyclonedx.schema") / "_res"

    def read(name: str) -> Any:
        return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))

    named = [
        (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", DRAFT7.create_resource(read(name)))
        for name in ("spdx", "cryptography-defs", "jsf-0.82")
    ]
    registry: Registry[Any] = Registry().with_resources(named)
    return jsonschema.Draft7Validator(
        read("bom-1.7"), registry=registry, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )


@pytest.mark.parametrize(
    ("whole", "beside"),
    [
        (release(), BESIDE),
        (release(), Attached()),
        (waved_through(), BESIDE),
        (FACTS, replace(BESIDE, place="s3://bucket/a folder/")),
        (release(card={**dict.fromkeys(TEXTS, HOSTILE), "custom": {HOSTILE: HOSTILE}}), BESIDE),
        (replace(release(), measures=(), digests={}, verdict=replace(release().verdict, judgements=())), BESIDE),
    ],
    ids=["whole", "nothing beside", "passes", "all texts", "hostile", "nothing measured"],
)
def test_it_is_valid(schema: jsonschema.Draft7Validator, whole: Any, beside: Attached) -> None:
    bom = ml_bom(whole, beside)
    assert [error.message for error in schema.iter_errors(bom)] == []
    assert json.loads(json.dumps(bom, allow_nan=False)) == bom


def test_the_schema_would_find_a_fault(schema: jsonschema.Draft7Validator) -> None:
    bom = ml_bom(release(), BESIDE)
    bom["declarations"]["claims"][0]["outcome"] = "FAIL"
    assert not schema.is_valid(bom)


def references(document: Any) -> tuple[list[str], list[str]]:
    """(names that are given, names that are used)."""
    given: list[str] = []
    used: list[str] = []
    using = {
        "ref",
        "dependsOn",
        "target",
        "evidence",
        "counterEvidence",
        "mitigationStrategies",
        "requirement",
        "claims",
    }

    def walk(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, one in value.items():
                walk(one, name)
        elif isinstance(value, list):
            for one in value:
                walk(one, key)
        elif key == "bom-ref":
            given.append(value)
        elif key in {*using, "assessor"}:
            used.append(value)

    walk(document)
    return given, used


@pytest.mark.parametrize("beside", [BESIDE, Attached()])
def test_every_reference_is_to_something_that_is_there_once(beside: Attached) -> None:
    given, used = references(ml_bom(release(), beside))
    assert len(set(given)) == len(given)
    assert set(used) <= set(given)
    assert len(used) > len(release().verdict.judgements)


def test_judgements_are_claims_with_evidence_for_and_against() -> None:
    declared = ml_bom(release(), BESIDE)["declarations"]
    claims = {one["bom-ref"].split(":")[-1]: one for one in declared["claims"]}
    assert len(claims) == len(release().verdict.judgements)
    assert claims["ranking"]["predicate"] == "auc (quality) of all rows is at least 0.75"
    assert claims["label-gap"]["predicate"] == "DPL (pre_training) of black = 1 is within -0.1 to 0.1"
    assert claims["ranking"]["evidence"] == ["metrics.json"]
    assert "counterEvidence" not in claims["ranking"]
    assert claims["approval-gap"]["counterEvidence"] == ["metrics.json"]
    assert "evidence" not in claims["approval-gap"]
    assert {"evidence", "counterEvidence"} <= claims["four-fifths"].keys()
    assert "0.666 to 0.801 (95 % log ratio)" in claims["four-fifths"]["reasoning"]
    assert "undefined" in claims["refusal-rate"]["reasoning"]
    rules = {rule["bom-ref"] for rule in ml_bom(release(), BESIDE)["definitions"]["standards"][0]["requirements"]}
    assert rules == {one["requirement"] for one in declared["attestations"][0]["map"]}


def test_waivers_have_an_end_an_author_and_a_reviewer() -> None:
    declared = ml_bom(release(), BESIDE)["declarations"]
    waivers = {one["bom-ref"]: one for one in declared["evidence"] if one["propertyName"] == "clarify_ops:waiver"}
    counts, spent = waivers["waiver:1:label-gap"], waivers["waiver:3:approval-gap"]
    assert (counts["created"], counts["expires"]) == ("2026-10-01T00:00:00Z", "2027-03-31T23:59:59Z")
    assert counts["author"] == {"name": "Ada Lindqvist (model owner)"}
    assert counts["reviewer"] == {"name": "Tomás Okafor (model risk)"}
    claims = {one["bom-ref"].split(":")[-1]: one for one in declared["claims"]}
    assert claims["label-gap"]["mitigationStrategies"] == ["waiver:1:label-gap"]
    # One that counts for nothing is shown and mitigates nothing.
    assert "without effect" in spent["description"]
    assert "mitigationStrategies" not in claims["approval-gap"]


def test_numbers_have_slices_intervals_and_what_stands_behind_them() -> None:
    card = ml_bom(FACTS, BESIDE)["metadata"]["component"]["modelCard"]
    metrics = {(one["type"], one["slice"]): one for one in card["quantitativeAnalysis"]["performanceMetrics"]}
    after = "black = 1 (predictions, after training)"
    assert metrics["TE", after] == {
        "type": "TE",
        "slice": after,
        "value": "1.8",
        "confidenceInterval": {"lowerBound": "0.42", "upperBound": "Infinity"},
    }
    assert metrics["DRR", after]["value"].startswith("undefined: 0 of the disadvantaged group")
    assert metrics["accuracy", "age_band = (75, 99] (quality)"]["value"].startswith("not published")
    beside = {one["name"]: one["value"] for one in card["properties"]}
    assert "divided by favourable a 1,622" in beside[f"clarify_ops:measure:{after}: DAR"]
    groups = {one["groupAtRisk"]: one for one in card["considerations"]["fairnessAssessments"]}
    assert "approval-gap: DPPL 0.251 (0.190 to 0.318), acceptable at most 0.15: FAIL" in groups["black = 1"]["harms"]
    assert "expires 2027-03-31" in groups["black = 1"]["mitigationStrategy"]
    assert card["modelParameters"]["datasets"] == [{"ref": "data"}]
    assert {"format": "term: categorical"} in card["modelParameters"]["inputs"]


def test_the_model_the_data_and_the_packages_are_parts() -> None:
    bom = ml_bom(release(), BESIDE)
    model = bom["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    bare = DIGEST.removeprefix("sha256:")
    assert {one["name"]: one["hashes"] for one in model["components"]} == {
        name: [{"alg": "SHA-256", "content": bare}] for name in ("model/MLmodel", "model/model.skops")
    }
    purls = [one["purl"] for one in bom["components"] if one["type"] == "library"]
    assert purls == [
        "pkg:pypi/numpy@2.1.3",
        "pkg:pypi/ruamel-yaml@0.18",
        "pkg:pypi/scikit-learn@1.7.2",
        "pkg:pypi/torch@2.13.0%2Bcpu",
    ]
    assert bom["dependencies"][0] == {
        "ref": "model",
        "dependsOn": ["data", "pkg:pypi/numpy@2.1.3", "pkg:pypi/scikit-learn@1.7.2"],
    }


def test_the_serial_number_is_that_of_the_evidence() -> None:
    serial = ml_bom(release(), BESIDE)["serialNumber"]
    assert uuid.UUID(serial.removeprefix("urn:uuid:")).version == 5
    assert ml_bom(waved_through(), Attached())["serialNumber"] == serial
    other = {**release().digests, "evidence": "sha256:" + "0" * 64}
    assert ml_bom(release(digests=other), BESIDE)["serialNumber"] != serial


def test_every_time_is_one_of_the_release() -> None:
    text = json.dumps(ml_bom(release(), BESIDE))
    known = {"2026-11-20", "2026-10-01", "2027-03-31", "2026-09-30"}
    assert set(re.findall(r"\b20\d\d-\d\d-\d\d", text)) == known
