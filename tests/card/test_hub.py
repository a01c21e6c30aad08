"""The front matter: what model hubs read, as they read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import huggingface_hub
import pytest
import yaml

from clarify_ops.card import render_markdown
from clarify_ops.card.content import CardContent
from clarify_ops.card.hub import front_matter
from clarify_ops.gate.release import Release
from tests.card.attached import HOSTILE, TEXTS
from tests.factories import release

WORDS: dict[str, Any] = {
    "language": ["en", "de"],
    "tags": ["credit"],
    "licence": "Apache-2.0",
    "problem_type": "Binary",
}


def head(whole: Release) -> dict[str, Any]:
    """The front matter, parsed."""
    found: dict[str, Any] = yaml.safe_load(render_markdown(whole).split("---\n")[1])
    return found


def test_the_keys_are_those_that_hubs_know() -> None:
    found = head(release(card=WORDS))
    assert found["language"] == ["en", "de"]
    assert found["license"] == "apache-2.0"
    assert found["library_name"] == "sklearn"
    assert found["tags"] == ["clarify-ops", "gate-fail", "tabular", "credit"]
    assert found["datasets"] == ["loanapp"]
    assert found["metrics"][:2] == ["roc_auc", "accuracy"]
    assert found["pipeline_tag"] == "tabular-classification"


def test_a_licence_that_hubs_do_not_know_has_a_name() -> None:
    found = head(release(card={"licence": "Internal use\nonly"}))
    assert (found["license"], found["license_name"]) == ("other", "Internal use only")
    assert "license" not in head(release())


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://bucket/loans/2026.parquet", "2026"),
        ("/srv/data/loans.csv.gz", "loans"),
        ("https://x.example/", "dataset"),
        (".csv", ".csv"),
    ],
)
def test_the_dataset_has_a_short_name(address: str, name: str) -> None:
    known = release()
    assert head(replace(known, data=replace(known.data, name=address)))["datasets"] == [name]


def test_results_are_slices_with_intervals_and_reasons() -> None:
    index = head(release(card=WORDS))["model-index"]
    assert [one["name"] for one in index] == ["mortgage-approval"]
    results = {one["dataset"]["config"]: one for one in index[0]["results"]}
    black = {one["type"]: one for one in results["post_training: black = 1"]["metrics"]}
    assert black["di"]["value"] == pytest.approx(0.7341)
    assert black["di"]["name"] == "DI (0.666 to 0.801 (95 % log ratio); 197 disadvantaged, 1,792 advantaged)"
    assert black["drr"]["value"].startswith("undefined: 0 of the disadvantaged")
    elderly = results["quality: age_band = (75, 99]"]["metrics"]
    assert elderly[0]["value"].startswith("not published")
    assert results["quality: all rows"]["task"] == {"type": "tabular-classification", "name": "Binary"}


def test_texts_do_not_end_it() -> None:
    text = front_matter_of(release(card=dict.fromkeys(TEXTS, HOSTILE)))
    assert text.count("\n---") == 1
    assert yaml.safe_load(text.strip("-\n"))["license_name"].startswith("a | b <script>")


def front_matter_of(whole: Release) -> str:
    return front_matter(CardContent.of(whole))


@pytest.mark.parametrize("card", [WORDS, {}, dict.fromkeys(TEXTS, HOSTILE)], ids=["words", "none", "hostile"])
def test_the_hub_s_own_parser_reads_every_result(card: dict[str, Any]) -> None:
    whole = release(card=card)
    parsed: Any = huggingface_hub.ModelCard(render_markdown(whole)).data
    results = head(whole)["model-index"][0]["results"]
    read = {(one.dataset_config, one.metric_type): one.metric_value for one in parsed.eval_results}
    assert read == {
        (one["dataset"]["config"], metric["type"]): metric["value"] for one in results for metric in one["metrics"]
    }
    # Written by the hub's own code, nothing is lost.
    again = yaml.safe_load(parsed.to_yaml())
    assert again["model-index"] == [{"name": "mortgage-approval", "results": results}]
