"""The cards for SageMaker: valid by the service's schemas and the SDK's classes, however much there is to say."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import botocore.session
import botocore.validate
import jsonschema
import pytest

from clarify_ops.card import content_text, model_card_request, sagemaker_card, standalone_card
from clarify_ops.card.limits import CONTENT
from clarify_ops.card.sagemaker import card_name
from clarify_ops.config.card import LONG, SHORT
from clarify_ops.errors import BadDocument
from clarify_ops.gate.release import Release
from clarify_ops.measures import Measure
from tests.card.attached import BESIDE, HOSTILE, PLACE, TEXTS
from tests.card.sagemaker_schemas import PACKAGE, STANDALONE
from tests.factories import DIGEST, release

STORED = replace(BESIDE, place=PLACE)


def packaged(whole: Release) -> dict[str, Any]:
    """The card of a package, once the service's schema and the SDK's class have taken it, with nothing that they do not know."""
    from sagemaker.core.shapes.model_card_shapes import ModelCardContent

    card = sagemaker_card(whole, STORED)
    jsonschema.Draft202012Validator(PACKAGE).validate(card)
    taken = ModelCardContent.model_validate(card).model_dump(mode="json", exclude_unset=True)
    assert json.loads(content_text(card)) == taken
    assert len(content_text(card)) <= CONTENT
    return card


def alone(whole: Release) -> dict[str, Any]:
    """The card that stands alone, once the service's schema has taken it."""
    card = standalone_card(whole, STORED)
    jsonschema.Draft202012Validator(STANDALONE).validate(card)
    assert json.loads(content_text(card)) == card
    assert len(content_text(card)) <= CONTENT
    return card


@cache
def service_model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def metrics(card: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for detail in card["evaluation_details"]:
        for group in detail["metric_groups"]:
            for metric in group["metric_data"]:
                yield group["name"], metric


def whole_of(**parts: Any) -> Release:
    """The release with some parts of its model replaced."""
    known = release()
    return replace(known, model=replace(known.model, **parts))


@pytest.mark.parametrize("taken", [packaged, alone])
def test_the_release_is_valid_and_names_its_groups(taken: Any) -> None:
    card = taken(release())
    found = {(group, metric["name"]): metric for group, metric in metrics(card)}
    assert found["fairness black=1 pre_training", "DPL"]["value"] == pytest.approx(0.24194)
    assert "0.178 to 0.310" in found["fairness black=1 pre_training", "DPL"]["notes"]
    assert "197 disadvantaged" in found["fairness black=1 pre_training", "DPL"]["notes"]
    undefined = found["fairness black=1 pre_training", "CDDL"]
    assert (undefined["type"], undefined["value"]) == ("string", "undefined: No group variable was given.")
    assert card["evaluation_details"][0]["metadata"]["verdict"] == "FAIL"
    assert card["intended_uses"]["risk_rating"] == "High"
    assert any(group == "judgements" and metric["value"] == "FAIL, waived" for group, metric in metrics(card))


def test_the_two_schemas_differ_where_they_do() -> None:
    whole = release(card={"description": "Scores.", "creator": "Team", "owner": "Bank"})
    package, single = packaged(whole), alone(whole)
    assert set(package["model_overview"]) == {"model_creator", "model_artifact"}
    assert package["additional_information"]["custom_details"]["model description"] == "Scores."
    assert single["model_overview"]["model_description"] == "Scores."
    assert single["model_overview"]["model_name"] == "mortgage-approval"
    details = {
        "model_package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/m/1",
        "model_approval_status": "Approved",
    }
    linked = standalone_card(whole, STORED, details)
    jsonschema.Draft202012Validator(STANDALONE).validate(linked)
    assert linked["model_package_details"] == details


def test_what_has_no_room_is_named_with_its_digest() -> None:
    custom = packaged(release())["additional_information"]["custom_details"]
    assert custom["file report.html"] == f"{PLACE}report.html ({DIGEST})"
    many = tuple(
        Measure("quality", f"metric {place}", 0.5, facet="f", facet_value=str(place % 40), groups={"all": 100})
        for place in range(3000)
    )
    left = packaged(release(measures=(*release().measures, *many)))["additional_information"]["custom_details"][
        "left out"
    ]
    assert left.endswith(f"metrics did not fit into 100,000 characters; all are in {PLACE}metrics.json ({DIGEST}).")


def test_the_request_is_one_that_the_service_knows() -> None:
    request = model_card_request(release(), STORED)
    shape = service_model().operation_model("CreateModelCard").input_shape
    report = botocore.validate.ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    assert len(request["Content"]) <= shape.members["Content"].metadata["max"] == CONTENT
    package = service_model().shape_for("ModelPackageModelCard").members["ModelCardContent"]
    assert package.metadata["max"] == CONTENT
    assert request["ModelCardStatus"] in shape.members["ModelCardStatus"].enum


@pytest.mark.parametrize("name", ["mortgage_approval v2", "--a--", "x" * 80, "変", "a" * 62 + "_b"])
def test_a_name_of_a_card_is_one_that_the_service_takes(name: str) -> None:
    shape = service_model().operation_model("CreateModelCard").input_shape.members["ModelCardName"]
    made = card_name(name)
    assert re.fullmatch(shape.metadata["pattern"], made)
    assert len(made) <= shape.metadata["max"]


@pytest.mark.parametrize("taken", [packaged, alone])
def test_an_infinite_value_is_a_string_and_a_small_group_is_masked(taken: Any) -> None:
    one = Measure("post_training", "TE", math.inf, facet="black", facet_value="1", groups={"a": 100, "d": 50})
    card = taken(release(measures=(*release().measures, one)))
    assert any(metric["value"] == "Infinity" and metric["type"] == "string" for _, metric in metrics(card))
    text = content_text(taken(release()))
    assert "0.857" not in text
    assert "1,982" not in text


@pytest.mark.parametrize("taken", [packaged, alone])
def test_texts_at_their_limits_are_kept_whole(taken: Any) -> None:
    long = dict.fromkeys(
        ("purpose", "intended_uses", "factors", "risk_explanation", "caveats", "ethical_considerations"), "w" * LONG
    )
    short = dict.fromkeys(
        ("owner", "creator", "description", "users", "out_of_scope", "licence", "contact"), "s" * SHORT
    )
    text = content_text(taken(release(card={**long, **short})))
    assert text.count("w" * LONG) == len(long)
    assert text.count("s" * SHORT) == len(short)


@pytest.mark.parametrize("taken", [packaged, alone])
def test_any_text_is_taken(taken: Any) -> None:
    taken(release(card={**dict.fromkeys(TEXTS, HOSTILE), "custom": {HOSTILE: HOSTILE}}))


@pytest.mark.parametrize("taken", [packaged, alone])
def test_long_names_are_cut_and_stay_apart(taken: Any) -> None:
    facet = "f" * 80
    ones = tuple(
        Measure(stage, "m" * 300, 0.1, facet=facet + tail, facet_value="1", groups={"a": 100, "d": 50})
        for tail in ("x", "y")
        for stage in ("pre_training", "post_training")
    )
    card = taken(release(measures=(*ones, *ones)))
    names = [group["name"] for detail in card["evaluation_details"] for group in detail["metric_groups"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("taken", [packaged, alone])
def test_too_much_is_shortened_from_the_end_and_said(taken: Any) -> None:
    many = tuple(
        Measure("quality", f"metric {place}", 0.5, facet="f", facet_value=str(place % 40), groups={"all": 100})
        for place in range(3000)
    )
    card = taken(
        replace(
            whole_of(parameters={f"p{place}": "x" * 300 for place in range(150)}), measures=(*release().measures, *many)
        )
    )
    assert "metrics did not fit" in card["additional_information"]["custom_details"]["left out"]
    kept = {group for group, _ in metrics(card)}
    assert {"judgements", "fairness black=1 pre_training", "fairness black=1 post_training"} <= kept
    parameters = card["training_details"]["training_job_details"]["user_provided_hyper_parameters"]
    assert len(parameters) == 100
    assert parameters[0]["value"].endswith("(whole: evidence.json)")
    assert "50 more parameters" in card["training_details"]["training_observations"]


@pytest.mark.parametrize("taken", [packaged, alone])
def test_parameters_go_after_the_last_metric(taken: Any) -> None:
    whole = whole_of(parameters={f"{place} {'變' * 240}": "變" * 250 for place in range(100)})
    custom = taken(replace(whole, card={"custom": {f"k{place}": "x" * 400 for place in range(100)}}))[
        "additional_information"
    ]["custom_details"]
    assert "did not fit" in custom["parameters left out"]
    assert len([key for key in custom if key.startswith("k")]) == 100


def test_a_risk_rating_outside_the_set_is_refused() -> None:
    with pytest.raises(BadDocument, match="risk_rating"):
        sagemaker_card(release(card={"risk_rating": "Terrible"}))
    assert sagemaker_card(release(card={"risk_rating": "low"}))["intended_uses"]["risk_rating"] == "Low"
