"""A mortgage release with every outcome, a waiver, an undefined measure, an infinite end and a tiny group."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from clarify_ops.gate.release import DataFacts, ExplanationFacts, ModelFacts, Release
from clarify_ops.gate.verdict import Judgement, Outcome, Verdict, WaiverUse
from clarify_ops.measures import Interval, Measure, Stage

BLACK = {"a": 1792, "d": 197}
MARRIED = {"a": 1308, "d": 678}
ELDERLY = {"a": 1982, "d": 7}
DIGEST = "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"[:64]
WAIVER = WaiverUse(
    counts=True,
    note="counts until 2027-03-31",
    up_to=0.3,
    reason="The gap comes from the 2026 labels; the relabelled data arrive in the first quarter.",
    author="Ada Lindqvist (model owner)",
    approver="Tomás Okafor (model risk)",
    granted="2026-10-01",
    expires="2027-03-31",
)
SPENT_WAIVER = replace(WAIVER, counts=False, note="expired on 2026-09-30", expires="2026-09-30", up_to=0.7)


def interval(low: float, high: float, method: str = "Newcombe score", *, reliable: bool = True) -> Interval:
    return Interval(low=low, high=high, level=0.95, method=method, reliable=reliable)


def measure(stage: Stage, metric: str, value: float | None, **known: Any) -> Measure:
    facet, facet_value = known.pop("subject", (None, None))
    return Measure(stage=stage, metric=metric, value=value, facet=facet, facet_value=facet_value, **known)


def judgement(of: Measure, rule: str, outcome: Outcome, reason: str, **bound: Any) -> Judgement:
    return Judgement(
        rule=rule,
        stage=of.stage,
        metric=of.metric,
        facet=of.facet,
        facet_value=of.facet_value,
        min=bound.get("min"),
        max=bound.get("max"),
        why=bound.get("why", "Internal fair lending standard 4.2."),
        outcome=outcome,
        reason=reason,
        value=of.value,
        interval=of.interval,
        groups=of.groups,
        denominators=of.denominators,
        waiver=bound.get("waiver"),
    )


def measures() -> tuple[Measure, ...]:
    black, married, elderly = ("black", "1"), ("married", "0"), ("age_band", "(75, 99]")
    divided = {"favourable a": 1622, "favourable d": 131}
    return (
        measure("data", "duplicate_rows", 0.0, groups={"all": 1989}),
        measure("pre_training", "CI", 0.80191, subject=black, groups=BLACK, denominators={"rows": 1989}),
        measure("pre_training", "DPL", 0.24194, subject=black, groups=BLACK, interval=interval(0.1785, 0.3098)),
        measure(
            "pre_training", "KL", 0.1531, subject=black, groups=BLACK, interval=interval(0.081, 0.247, "bootstrap")
        ),
        measure("pre_training", "CDDL", None, reason="No group variable was given.", subject=black, groups=BLACK),
        measure("pre_training", "DPL", 0.0412, subject=married, groups=MARRIED, interval=interval(0.009, 0.074)),
        measure("pre_training", "CI", 0.99296, subject=elderly, groups=ELDERLY),
        measure(
            "pre_training",
            "DPL",
            0.3055,
            subject=elderly,
            groups=ELDERLY,
            interval=interval(-0.01, 0.62, reliable=False),
        ),
        measure("post_training", "DPPL", 0.2513, subject=black, groups=BLACK, interval=interval(0.19, 0.318)),
        measure(
            "post_training", "DI", 0.7341, subject=black, groups=BLACK, interval=interval(0.6665, 0.8012, "log ratio")
        ),
        measure(
            "post_training",
            "TE",
            1.8,
            subject=black,
            groups=BLACK,
            denominators={"false positives a": 31, "false positives d": 4},
            interval=interval(0.42, math.inf, "Fieller"),
        ),
        measure(
            "post_training",
            "DAR",
            0.031,
            subject=black,
            groups=BLACK,
            denominators=divided,
            interval=interval(-0.018, 0.099),
        ),
        measure(
            "post_training",
            "DRR",
            None,
            reason="0 of the disadvantaged group were predicted negative, so that the rate has no denominator.",
            subject=black,
            groups=BLACK,
        ),
        measure("post_training", "DPPL", 0.0301, subject=married, groups=MARRIED, interval=interval(0.004, 0.058)),
        measure("quality", "auc", 0.8127, groups={"all": 1989}, interval=interval(0.786, 0.8394, "DeLong")),
        measure("quality", "accuracy", 0.8912, groups={"all": 1989}, interval=interval(0.8767, 0.9041, "Wilson score")),
        measure("quality", "log_loss", 0.2931, groups={"all": 1989}),
        measure("quality", "accuracy", 0.7919, subject=black, groups={"all": 197}, interval=interval(0.7299, 0.8427)),
        measure("quality", "accuracy", 0.8571, subject=elderly, groups={"all": 7}, interval=interval(0.42, 0.99)),
        measure("explanations", "additivity_error", 3.2e-9, groups={"all": 240}),
    )


def _judgements(known: tuple[Measure, ...]) -> tuple[Judgement, ...]:
    by_name = {(one.stage, one.metric, one.facet_value): one for one in known}
    take = by_name.__getitem__
    return (
        judgement(
            take(("pre_training", "DPL", "1")),
            "label-gap",
            "FAIL",
            "The whole interval lies above the bound.",
            min=-0.1,
            max=0.1,
            waiver=WAIVER,
        ),
        judgement(
            take(("post_training", "DI", "1")),
            "four-fifths",
            "INCONCLUSIVE",
            "The interval straddles the bound 0.8.",
            min=0.8,
            why="The four-fifths rule of the EEOC guidelines, 29 CFR 1607.4(D).",
        ),
        judgement(
            take(("post_training", "DPPL", "1")),
            "approval-gap",
            "FAIL",
            "The whole interval lies above the bound.",
            max=0.15,
            waiver=SPENT_WAIVER,
        ),
        judgement(
            take(("post_training", "TE", "1")),
            "error-balance",
            "INCONCLUSIVE",
            "The interval straddles the bound.",
            min=-1,
            max=1,
        ),
        judgement(
            take(("post_training", "DRR", "1")),
            "refusal-rate",
            "FAIL",
            "The metric is undefined: undefined is never parity.",
            max=0.1,
        ),
        judgement(
            take(("pre_training", "DPL", "(75, 99]")),
            "age-label-gap",
            "INCONCLUSIVE",
            "With 7 rows in the group the interval is not reliable.",
            max=0.1,
        ),
        judgement(
            take(("quality", "auc", None)),
            "ranking",
            "PASS",
            "The whole interval lies above the bound.",
            min=0.75,
            why="Challenger floor.",
        ),
        judgement(
            take(("post_training", "DPPL", "0")),
            "approval-gap-married",
            "PASS",
            "The whole interval lies within the bound.",
            max=0.15,
        ),
    )


def verdict(judgements: tuple[Judgement, ...], outcome: Outcome = "FAIL", *, inconclusive: str = "block") -> Verdict:
    reasons = {
        "PASS": "Every rule holds.",
        "FAIL": "2 of 8 rules fail without a waiver: approval-gap, refusal-rate.",
        "INCONCLUSIVE": "The data cannot decide 3 of 8 rules.",
    }
    return Verdict(
        outcome=outcome,
        reason=reasons[outcome],
        policy="mortgage-approval",
        policy_digest=DIGEST,
        confidence=0.95,
        inconclusive=inconclusive,
        judgements=judgements,
    )


FEATURES = {
    "loan_to_value": "numeric",
    "obligation_ratio": "numeric",
    "loanamt": "numeric",
    "appinc": "numeric",
    "term": "categorical",
    "chist": "categorical",
    "pubrec": "categorical",
    "unemployment": "numeric",
}


def explanations(rows: int = 240, seed: int = 7) -> ExplanationFacts:
    random = np.random.default_rng(seed)
    local: dict[str, tuple[float, ...]] = {}
    values: dict[str, tuple[Any, ...]] = {}
    for place, (name, kind) in enumerate(FEATURES.items()):
        strength = 0.16 / (1 + place)
        if kind == "numeric":
            column = random.normal(size=rows)
            values[name] = tuple(float(one) for one in column)
        else:
            column = random.integers(0, 3, size=rows).astype(float)
            values[name] = tuple("abc"[int(one)] for one in column)
        effect = strength * (np.tanh(column) + 0.25 * random.normal(size=rows))
        local[f"{name}_label0"] = tuple(float(one) for one in effect)
    importance = {name: float(np.mean(np.abs(local[f"{name}_label0"]))) for name in FEATURES}
    grid = np.linspace(20, 120, 12)
    curve = 0.95 - 0.5 / (1 + np.exp(-(grid - 95) / 8))
    heights = np.exp(-(((grid - 78) / 18) ** 2))
    return ExplanationFacts(
        global_values={"label0": importance},
        expected_value={"label0": 0.8812},
        aggregation="mean_abs",
        local_values=local,
        feature_values=values,
        partial_dependence=(
            {
                "feature_name": "loan_to_value",
                "data_type": "numerical",
                "feature_values": [float(one) for one in grid],
                "data_distribution": [float(one) for one in heights / heights.sum()],
                "model_predictions": [[float(one) for one in curve]],
                "label_headers": ["label0"],
            },
            {
                "feature_name": "chist",
                "data_type": "categorical",
                "feature_values": [1, 0],
                "data_distribution": [0.84, 0.16],
                "model_predictions": [[0.93, 0.61]],
                "label_headers": ["label0"],
            },
            {
                "feature_name": "pubrec",
                "data_type": "categorical",
                "feature_values": ["none", "one", "more"],
                "data_distribution": [0.93, 0.05, 0.02],
                "model_predictions": [[0.91, 0.55, 0.41]],
                "label_headers": ["label0"],
            },
            {"feature_name": "remarks", "data_type": "free_text", "error": "Free text has no partial dependence."},
        ),
        explained_rows=rows,
        exact_rows=rows - 40,
        method="Kernel SHAP over 20 baseline rows; exact where at most 11 features differ from the baseline",
        warnings=("40 rows were explained by sampling; their largest standard error is 0.002.",),
    )


def release(**changes: Any) -> Release:
    """The release; `changes` replace its attributes."""
    known = measures()
    whole = Release(
        pipeline="mortgage-approval",
        judged_on="2026-11-20",
        verdict=verdict(_judgements(known)),
        measures=known,
        data=DataFacts(
            name="https://reader:hunter2@data.example/loans/loanapp.csv?X-Amz-Signature=abc",
            digest=DIGEST,
            rows=1989,
            columns=59,
            label="approve",
            positive="1",
            positives=1744,
            missing_labels=2,
            facets={
                "black": {"1": 197, "rest": 1792},
                "married": {"0": 678, "1": 1308, "missing": 3},
                "age_band": {"(75, 99]": 7, "rest": 1982},
            },
            kinds={
                "black": "categorical",
                "married": "categorical",
                "age_band": "continuous",
                "approve": "categorical",
            },
            excluded={"reject": "It is the label turned round.", "occ": "Constant."},
            missing={"unemployment": 12, "term": 4},
            warnings=("4 rows of married have no value; they belong to no group.",),
        ),
        model=ModelFacts(
            name="mortgage-approval",
            estimator="sklearn.ensemble.HistGradientBoostingClassifier",
            parameters={"learning_rate": 0.06, "max_iter": 200, "early_stopping": False},
            features=FEATURES,
            rows=1989,
            evaluation="out-of-fold, 5 folds",
            threshold=0.5,
            digest=DIGEST,
            seed=17,
            libraries={"scikit-learn": "1.7.2", "numpy": "2.1.3"},
        ),
        explanations=explanations(),
        digests={"model": DIGEST, "data": DIGEST, "configuration": DIGEST, "policy": DIGEST, "evidence": DIGEST},
        card={
            "owner": "Retail credit",
            "purpose": "Ranks mortgage applications for a human underwriter.",
            "risk_rating": "High",
        },
    )
    return replace(whole, **changes)


def waved_through(**changes: Any) -> Release:
    """A release that passes, with one waiver."""
    whole = release()
    kept = tuple(one for one in whole.verdict.judgements if one.outcome == "PASS" or one.waived)
    return replace(whole, verdict=verdict(kept, "PASS"), **changes)
