"""The limits of SageMaker's model cards, and what becomes of that which is beyond them.

Texts of the user never are: `config/card.py` refuses them before anything is computed. What is made here is cut with a
note that names the file that has the whole, and what does not fit into the card as a whole goes from the end.

Source: Amazon SageMaker Developer Guide, "Model card JSON schema" and "Model package model card schema"; API reference,
`CreateModelCard` and `ModelPackageModelCard`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

# The whole, as JSON.
CONTENT = 100_000
# Text, in characters.
OBSERVATION, NOTES, DETAIL = 2096, 1024, 1024
GROUP_NAME, METRIC_NAME, AXIS_NAME, STRING_VALUE, PARAMETER_VALUE = 63, 255, 63, 63, 255
# An address is shorter than the service allows, for it is repeated.
ADDRESS = 256
# Lists, in entries.
PARAMETERS = 100


def content_text(card: Mapping[str, Any]) -> str:
    """The card as the JSON string that the service stores and counts; ASCII, so that nobody counts otherwise."""
    return json.dumps(card, allow_nan=False, ensure_ascii=True)


def cut(text: str, limit: int, whole: str) -> str:
    """A text within a limit.

    Args:
        text: What is to be said.
        limit: In characters.
        whole: The file that says all of it.

    >>> cut("a long story about a model", 24, "report.html")
    'a … (whole: report.html)'
    """
    if len(text) <= limit:
        return text
    note = f" … (whole: {whole})"
    # A name that is itself too long for a note leaves the text alone.
    note = note if len(note) < limit else " …"[:limit]
    return text[: limit - len(note)] + note


def unique(text: str, limit: int, taken: set[str]) -> str:
    """A name on one line that nothing else has, within a limit; `taken` learns it."""
    line = " ".join(text.split()) or "unnamed"
    name, again = (line if len(line) <= limit else line[: limit - 1] + "…"), 1
    while name in taken:
        again += 1
        mark = f" ({again})"
        name = line[: limit - len(mark)] + mark
    taken.add(name)
    return name


def fitted(card: dict[str, Any], whole: str) -> dict[str, Any]:
    """Takes metrics from the end of the evaluation details, then parameters, until the whole fits; says how many went.

    What is left then is within the limit: `config/card.py` holds the user's texts to half of it.

    Args:
        card: Content of a card with `evaluation_details` and `additional_information.custom_details`; changed in place.
        whole: The file that has every metric.
    """
    metrics = parameters = 0
    custom = card["additional_information"]["custom_details"]
    listed = card["training_details"]["training_job_details"]["user_provided_hyper_parameters"]
    while (excess := len(content_text(card)) - CONTENT) > 0:
        if group := _last_group(card["evaluation_details"]):
            metrics += _shorten(group, excess)
            custom["left out"] = f"{metrics} metrics did not fit into {CONTENT:,} characters; all are in {whole}."
        elif listed:
            parameters += _shorten(listed, excess)
            custom["parameters left out"] = f"{parameters} did not fit; all are in the pipeline's document."
        else:
            break
        for detail in card["evaluation_details"]:
            detail["metric_groups"] = [one for one in detail["metric_groups"] if one["metric_data"]]
    return card


def _shorten(entries: list[Any], excess: int) -> int:
    """Takes entries from the end until as many characters are gone; returns how many went."""
    before = len(entries)
    while entries and excess > 0:
        excess -= len(json.dumps(entries.pop())) + len(", ")
    return before - len(entries)


def _last_group(details: Iterable[dict[str, Any]]) -> list[Any]:
    groups = [one["metric_data"] for detail in details for one in detail["metric_groups"]]
    return groups[-1] if groups else []
