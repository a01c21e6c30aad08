"""The card for SageMaker: valid by the SDK's own model, within the service's limits, however much there is to say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from clarify_ops.card import sagemaker_card
from clarify_ops.card.sagemaker import CONTENT_LIMIT, content_text
from clarify_ops.errors import BadDocument
from clarify_ops.measures import Measure
from tests.factories import release

LIMITS = {
    "notes": 1024,
    "evaluation_observation": 2096,
    "model_owner": 1024,
    "purpose_of_model": 2048,
    "training_observations": 1024,
}


def accepted(card: dict[str, Any]) -> dict[str, Any]:
    """The card, once the SDK's model has taken it, with nothing in it that the model does not know."""
    from sagemaker.core.shapes.model_card_shapes import ModelCardContent

    taken = ModelCardContent.model_validate(card).model_dump(mode="json", exclude_unset=True)
    assert json.loads(content_text(card)) == taken
    assert len(content_text(card)) <= CONTENT_LIMIT
    return card


def metrics(card: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for detail in card["evaluation_details"]:
        for group in detail["metric_groups"]:
            for metric in group["metric_data"]:
                yield group["name"], metric


def test_the_release_is_valid_and_names_its_groups() -> None:
    card = accepted(sagemaker_card(release()))
    found = {(group, metric["name"]): metric for group, metric in metrics(card)}
    assert found["fairness black=1 pre_training", "DPL"]["value"] == pytest.approx(0.24194)
    assert "0.178 to 0.310" in found["fairness black=1 pre_training", "DPL"]["notes"]
    assert "197 disadvantaged" in found["fairness black=1 pre_training", "DPL"]["notes"]
    undefined = found["fairness black=1 pre_training", "CDDL"]
    assert (undefined["type"], undefined["value"]) == ("string", "undefined: No group variable was given.")
    assert card["evaluation_details"][0]["metadata"]["verdict"] == "FAIL"
    assert card["intended_uses"]["risk_rating"] == "High"
    assert any(group == "judgements" and metric["value"] == "FAIL, waived" for group, metric in metrics(card))


def test_an_infinite_value_is_a_string_and_a_small_group_is_masked() -> None:
    one = Measure("post_training", "TE", math.inf, facet="black", facet_value="1", groups={"a": 100, "d": 50})
    card = accepted(sagemaker_card(release(measures=(*release().measures, one))))
    assert any(metric["value"] == "Infinity" and metric["type"] == "string" for _, metric in metrics(card))
    text = content_text(sagemaker_card(release()))
    assert "0.857" not in text
    assert "1,982" not in text
    assert "hunter2" not in text


def test_the_sdk_client_takes_the_content() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.shape_for("ModelPackageModelCard").members["ModelCardContent"]
    assert len(content_text(sagemaker_card(release()))) <= shape.metadata["max"] == CONTENT_LIMIT


def test_long_words_are_cut_where_the_service_would_refuse_them() -> None:
    long = "word " * 2000
    card = accepted(
        sagemaker_card(
            release(
                card=dict.fromkeys(("owner", "purpose", "intended_uses", "caveats", "description", "licence"), long)
            )
        )
    )
    assert len(card["model_overview"]["model_owner"]) == LIMITS["model_owner"]
    assert card["intended_uses"]["purpose_of_model"].endswith("… (cut)")


def test_long_names_are_cut_and_stay_apart() -> None:
    facet = "f" * 80
    ones = tuple(
        Measure(stage, "m" * 300, 0.1, facet=facet + tail, facet_value="1", groups={"a": 100, "d": 50})
        for tail in ("x", "y")
        for stage in ("pre_training", "post_training")
    )
    card = accepted(sagemaker_card(release(measures=(*ones, *ones))))
    names = [group["name"] for detail in card["evaluation_details"] for group in detail["metric_groups"]]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 63
    assert all(len(metric["name"]) <= 255 for _, metric in metrics(card))


def test_too_much_is_shortened_from_the_end_and_said() -> None:
    many = tuple(
        Measure("quality", f"metric {place}", 0.5, facet="f", facet_value=str(place % 40), groups={"all": 100})
        for place in range(3000)
    )
    whole = release(measures=(*release().measures, *many))
    whole = replace(whole, model=replace(whole.model, parameters={f"p{place}": "x" * 300 for place in range(150)}))
    card = accepted(sagemaker_card(whole))
    assert "metrics did not fit" in card["additional_information"]["custom_details"]["left out"]
    kept = {group for group, _ in metrics(card)}
    assert {"judgements", "fairness black=1 pre_training", "fairness black=1 post_training"} <= kept
    parameters = card["training_details"]["training_job_details"]["user_provided_hyper_parameters"]
    assert len(parameters) == 100
    assert "50 more parameters" in card["training_details"]["training_observations"]


def test_endless_custom_details_do_not_break_the_limit() -> None:
    accepted(sagemaker_card(release(card={"custom": {f"key {place}": "x" * 1500 for place in range(200)}})))


def test_a_risk_rating_outside_the_set_is_refused() -> None:
    with pytest.raises(BadDocument, match="risk_rating"):
        sagemaker_card(release(card={"risk_rating": "Terrible"}))
    assert sagemaker_card(release(card={"risk_rating": "low"}))["intended_uses"]["risk_rating"] == "Low"
