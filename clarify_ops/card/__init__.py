"""The card of a release, for everybody who asks for one: people, model hubs, SageMaker, parts lists, auditors."""

from __future__ import annotations

import json
from dataclasses import replace

from clarify_ops.card.attached import (
    BOM,
    CARD,
    CLAUSES_JSON,
    CLAUSES_MARKDOWN,
    NOTHING,
    PACKAGE_CARD,
    STANDALONE_CARD,
    Attached,
)
from clarify_ops.card.clause_index import clause_index, render_clauses
from clarify_ops.card.cyclonedx import ml_bom
from clarify_ops.card.limits import content_text
from clarify_ops.card.markdown import render_markdown
from clarify_ops.card.sagemaker import model_card_request, sagemaker_card, standalone_card
from clarify_ops.documents import digest_bytes
from clarify_ops.gate.release import Release

__all__ = [
    "CARD",
    "CARDS",
    "Attached",
    "cards",
    "clause_index",
    "content_text",
    "ml_bom",
    "model_card_request",
    "render_clauses",
    "render_markdown",
    "sagemaker_card",
    "standalone_card",
]

CARDS = (CARD, PACKAGE_CARD, STANDALONE_CARD, BOM, CLAUSES_JSON, CLAUSES_MARKDOWN)


def cards(release: Release, attached: Attached = NOTHING) -> dict[str, str]:
    """Every form of the card, by file name; the same release and files give the same bytes.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.
        attached: The files that were written before.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    made = {CARD: render_markdown(release, attached)}
    known = _with(attached, made)
    made[PACKAGE_CARD] = content_text(sagemaker_card(release, known))
    made[STANDALONE_CARD] = content_text(standalone_card(release, known))
    made[BOM] = json.dumps(ml_bom(release, known), indent=2, allow_nan=False) + "\n"
    index = clause_index(release, _with(attached, made))
    return {**made, CLAUSES_JSON: json.dumps(index, indent=2) + "\n", CLAUSES_MARKDOWN: render_clauses(index)}


def _with(attached: Attached, made: dict[str, str]) -> Attached:
    digests = {name: digest_bytes(text.encode()) for name, text in made.items()}
    return replace(attached, files={**attached.files, **digests})
