"""Findings for the tests of reports: real analyses, and one whose names are as bad as they can be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops import analyze
from clarify_ops.analysis.counting import read_rows
from clarify_ops.analysis.job import Job
from clarify_ops.bias.distributions import class_distances
from clarify_ops.bias.performance import bias_basic_stats, everybody, model_performance_report
from clarify_ops.report.findings import Findings
from tests.analysis.jobs import configuration, people, score

EVIL = "<script>alert('x')</script>\"& 😀 中文 " + "long" * 60


@cache
def found() -> Findings:
    """Made-up people, everything that can be asked for."""
    shap = {"num_samples": 20, "seed": 1, "agg_method": "mean_abs"}
    document = configuration(
        facet=[{"name_or_index": "sex", "value_or_threshold": ["female"]}, {"name_or_index": "city"}],
        methods={
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": shap,
            "pdp": {"grid_resolution": 5, "features": ["income"]},
        },
        clarify_ops={
            "cohorts": [
                {"name": "women", "facet": {"name_or_index": "sex", "value_or_threshold": ["female"]}},
                {"name": "villagers", "where": "city == 'tiny'"},
                {"name": "townspeople", "where": "city != 'tiny'"},
                {"name": "in debt", "where": "debt > 4", "against": "women"},
            ],
            **described(["income", "city"]),
        },
    )
    frame = people(120)
    frame.loc[:3, "city"] = "tiny"
    rows = read_rows(Job.of(document, model="a model"), frame, None, lambda _: None)
    assert rows.coded is not None
    table = rows.coded.tally().table
    stats: dict[str, dict[str, object]] = {}
    for entry in table.entries:
        stats.setdefault(entry.facet, {})[entry.value] = bias_basic_stats(table, entry)
    analyzed = analyze(document, frame, model=score).findings
    return replace(
        analyzed,
        stats={"post_training": stats},
        performance=model_performance_report(
            everybody(table), "paid", {"0": {"0": 3.0, "1": 1.0}, "1": {"0": 0.0, "1": 5.0}}
        ),
        further={
            **analyzed.further,
            "classes": [
                {
                    "facet": "city",
                    "facet_value": "tiny",
                    "distances": [
                        one.to_json() for one in class_distances(rows_of(1, 2, 1), rows_of(40, 40, 36), 0.95)
                    ],
                }
            ],
        },
    )


def described(features: list[str]) -> dict[str, Any]:
    """Settings for everything that is said of a model as a whole."""
    return {
        "feature_importance": {"repeats": 3},
        "accumulated_effects": {"features": features},
        "individual_curves": {"features": features},
        "surrogate": {"kind": "decision_tree", "max_depth": 3},
        "stability": {"rows": 20, "seeds": 2, "baselines": 2},
    }


def rows_of(*rows: float) -> NDArray[np.float64]:
    return np.array(rows, dtype=float)


@cache
def evil() -> Findings:
    """A hundred facet values, and names made of markup, of letters no font has, and very long."""
    frame = people(600).rename(columns={"city": EVIL})
    frame[EVIL] = [f"{EVIL[:60]}{place % 100}" for place in range(600)]
    document = configuration(
        facet=[{"name_or_index": EVIL}],
        methods={
            "pre_training_bias": {"methods": ["CI", "DPL"]},
            "shap": {"num_samples": 10, "seed": 1, "num_clusters": 1},
            "pdp": {"grid_resolution": 5, "features": [EVIL]},
        },
        clarify_ops={
            "cohorts": [
                {"name": EVIL, "where": "debt > 4"},
                *({"name": f"{EVIL[:place]}{place}", "where": f"debt > {place}"} for place in range(8)),
            ],
            "smallest_group": 3,
            **described([EVIL]),
        },
    )
    found = analyze(document, frame, model=score).findings
    return replace(found, title=EVIL, notes=(EVIL,), smallest_group=3)
