"""The card for people."""

from __future__ import annotations

import re

import pytest
import yaml

from clarify_ops.card import render_markdown
from clarify_ops.errors import BadDocument
from clarify_ops.gate.published import interval_words, number
from tests.factories import DIGEST, release, waved_through


def test_front_matter_is_yaml_and_the_sections_are_in_order() -> None:
    card = render_markdown(release())
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["model_name"] == "mortgage-approval"
    assert head["tags"] == ["clarify-ops", "gate-fail", "tabular"]
    sections = [
        "Verdict: FAIL",
        "Model Details",
        "Uses",
        "Bias, Risks, and Limitations",
        "Training Details",
        "Evaluation",
        "Model Examination",
        "Environmental Impact",
        "Technical Specifications",
        "Evidence",
    ]
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == sections
    assert DIGEST in card


def test_every_judgement_and_waiver_is_on_it() -> None:
    card = render_markdown(release())
    for one in release().verdict.judgements:
        row = next(line for line in card.splitlines() if f"| {one.rule} |" in line)
        assert one.bound in row
        assert one.outcome in row
        if one.facet == "age_band":
            assert "fewer than 10" in row
            continue
        assert ("undefined" if one.value is None else number(one.value)) in row
        assert one.interval is None or interval_words(one.interval) in row
        assert all(f"{rows:,}" in row for rows in one.groups.values())
    assert "approved by Tomás Okafor (model risk), granted 2026-10-01, expires 2027-03-31" in card
    assert "Waived" in render_markdown(waved_through())


def test_small_groups_secrets_and_nan_are_not_on_it() -> None:
    card = render_markdown(release())
    assert not re.search(r"\bnan\b|hunter2|X-Amz|1,982|0\.857|0\.306|0\.305", card, re.IGNORECASE)


def test_what_nobody_wrote_is_listed() -> None:
    card = render_markdown(release())
    gaps = card.split("### Gaps in this card")[1].split("##")[0]
    assert "- Terms of use: Not stated." in gaps
    assert "Who answers for the model" not in gaps
    assert "- **Who answers for the model:** Retail credit" in card


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(BadDocument, match="unknown key ownr") as caught:
        render_markdown(release(card={"ownr": "Ada"}))
    assert "owner" in caught.value.hint


def test_the_card_is_deterministic() -> None:
    assert render_markdown(release()) == render_markdown(release())
