"""SDK 2's own model card takes ours, the one that stands alone, and gives it back whole."""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sdk: Any = importlib.import_module("sagemaker.model_card.model_card")

GOLDEN = Path(__file__).parents[1] / "card" / "golden" / "sagemaker_model_card.json"


@pytest.mark.filterwarnings("ignore:.*path of deprecation")
def test_the_card_is_read_and_written_without_loss() -> None:
    content = json.loads(GOLDEN.read_text(encoding="utf-8"))
    card = sdk.ModelCard(name="card", status="Draft", sagemaker_session=object(), **content)
    overview = card.model_overview
    assert overview.model_name == content["model_overview"]["model_name"]
    groups = [one.metric_groups for one in card.evaluation_details]
    assert sum(map(len, groups)) == sum(len(one["metric_groups"]) for one in content["evaluation_details"])
    written = json.loads(card._create_request_args()["Content"])
    # It adds the lists that are empty.
    details = written["training_details"]["training_job_details"]
    written["training_details"]["training_job_details"] = {key: value for key, value in details.items() if value}
    assert written == content
