"""The chapters of a report that are about the model, in the order of reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clarify_ops.report.cohort_panel import cohort_panel
from clarify_ops.report.model_panels import (
    curves_panel,
    effects_panel,
    importance_panel,
    stability_panel,
    surrogate_panel,
)
from clarify_ops.report.panels import Panel, explainer_panel


@dataclass(frozen=True)
class Chapter:
    """Panels under one heading.

    Attributes:
        id: Where links lead.
        title: Its heading.
        panels: In order.
    """

    id: str
    title: str
    panels: tuple[Panel, ...]


DRAWN = (
    "explanations",
    "cohorts",
    "feature_importance",
    "accumulated_effects",
    "individual_curves",
    "surrogate",
    "stability",
)
"""Sections of metrics.json that are shown as figures, and not as tables of their records."""

TRUST = "trust"
"""The chapter that ends with the measures of the explanations."""


def header(further: Mapping[str, Any]) -> Panel | None:
    """How the explanations were made, where any were."""
    return explainer_panel(further["explanations"]) if further.get("explanations") else None


def chapters(further: Mapping[str, Any], smallest: int, *, measured: bool = False) -> list[Chapter]:
    """The chapters that have something to show.

    Args:
        further: Sections of metrics.json; each may be absent.
        smallest: Rows that a group needs to be shown.
        measured: Whether the last chapter, which also holds the measures of the explanations, is there without a panel.
    """
    known = {name: further[name] for name in DRAWN if further.get(name)}
    found = _drawn_once(json.dumps(known, default=str), smallest)
    return [one for one in found if one.panels or (measured and one.id == TRUST)]


@lru_cache(maxsize=2)
def _drawn_once(further: str, smallest: int) -> tuple[Chapter, ...]:
    """The page, the paper and the notebook of an analysis share their figures."""
    sections = json.loads(further)
    made: dict[str, Callable[[Any], Panel]] = {
        "cohorts": cohort_panel,
        "feature_importance": importance_panel,
        "accumulated_effects": lambda entries: effects_panel(entries, smallest),
        "individual_curves": lambda entries: curves_panel(entries, smallest),
        "surrogate": surrogate_panel,
        "stability": stability_panel,
    }
    parts = (
        ("cohorts", "Cohorts", ("cohorts",)),
        (
            "model",
            "The model as a whole",
            ("feature_importance", "accumulated_effects", "individual_curves", "surrogate"),
        ),
        (TRUST, "How far to trust the explanations", ("stability",)),
    )
    return tuple(
        Chapter(name, title, tuple(made[one](sections[one]) for one in wanted if one in sections))
        for name, title, wanted in parts
    )
