"""Whatever is wrong with what a user hands in, they get one sentence with the place and a hint, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.project import Project

Change = Callable[[Project], object]


def document(**changes: Any) -> Change:
    """Sets keys of the pipeline, `a__b` for a nested one."""

    def change(project: Project) -> None:
        def edit(pipeline: dict[str, Any]) -> None:
            for path, value in changes.items():
                *parents, last = path.split("__")
                place = pipeline
                for one in parents:
                    place = place.setdefault(one, {})
                place[last] = value

        project.edit(edit)

    return change


def data(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """Changes the dataset."""
    return lambda project: project.edit_data(change)


def text(name: str, content: str) -> Change:
    """Replaces a file."""
    return lambda project: (project.folder / name).write_text(content, encoding="utf-8")


def facet(**changes: Any) -> Change:
    """Replaces the facet."""
    return document(analysis__facet=[{"name_or_index": "g", **changes}])


def folder(name: str) -> Change:
    """Makes a folder."""
    return lambda project: (project.folder / name).mkdir()


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(project: Project) -> None:
        for one in changes:
            one(project)

    return change


CASES: dict[str, tuple[Change, tuple[str, ...]]] = {
    # What is wrong: how it is made wrong, and the words that must be in the message.
    "no such data file": (document(data__uri="dta.csv"), ("dta.csv", "does not exist", 'Did you mean "data.csv"?')),
    "a folder for data": (
        both(folder("d.csv"), document(data__uri="d.csv")),
        ("d.csv", "is a folder"),
    ),
    "data of no known format": (document(data__uri="data.xlsx"), ("data.xlsx", "data.format")),
    "an empty data file": (text("data.csv", ""), ("data.csv", "is empty")),
    "a header and no rows": (text("data.csv", "income,debt,town,g,area,good\n"), ("data.csv", "has no rows")),
    "a row too long": (text("data.csv", "income,g,good\n1,0,1\n2,0,1,9,9\n"), ("data.csv", "line 3")),
    "data that are not text": (
        lambda p: (p.folder / "data.csv").write_bytes(b"a,b\n\xff\xfe,1\n"),
        ("data.csv", "UTF-8"),
    ),
    "a package that is not there": (document(data__uri="package://nowhere/a.csv"), ("nowhere", "not installed")),
    "an unknown label": (document(data__label="god"), ("data.label", "'god'", 'Did you mean "good"?')),
    "an unknown feature": (document(data__features=["incme"]), ("data.features", "'incme'", 'Did you mean "income"?')),
    "an unknown excluded column": (document(data__exclude=["twn"]), ("data.exclude", "'twn'", 'Did you mean "town"?')),
    "an unknown facet": (
        document(analysis__facet=[{"name_or_index": "gg", "value_or_threshold": [1]}]),
        ("analysis.facet", "'gg'"),
    ),
    "a facet column that is not there": (
        document(analysis__facet=[{"name_or_index": 17, "value_or_threshold": [1]}]),
        ("column 17", "6 columns"),
    ),
    "an unknown group variable": (document(analysis__group_variable="aera"), ("'aera'", 'Did you mean "area"?')),
    "a label value nobody has": (document(analysis__label_values_or_threshold=[7]), ("never 7", "0", "1")),
    "no label value": (document(analysis__label_values_or_threshold=None), ("label_values_or_threshold",)),
    "missing labels": (
        data(lambda d: d.assign(good=d["good"].where(d.index != 4))),
        ("'good'", "missing in 1 rows", "row 5"),
    ),
    "one outcome only": (data(lambda d: d.assign(good=1)), ("All labels are positive",)),
    "a facet without rows": (facet(value_or_threshold=[9]), ("g = 9", "No row has")),
    "a facet with all rows": (facet(value_or_threshold=[0, 1]), ("g = 0,1", "Every row")),
    "a continuous facet without a threshold": (
        both(
            document(analysis__facet=[{"name_or_index": "income"}], data__features=["debt", "town"]),
            lambda p: p.edit(lambda d: d["rules"].pop(), "policy.yaml"),
        ),
        ("'income'", "threshold"),
    ),
    "text among numbers": (
        data(lambda d: d.assign(debt=d["debt"].astype(object).where(d.index != 9, "n/k"))),
        ("'debt'", "row 10", "'n/k'", "data.missing_values"),
    ),
    "an unknown key": (document(sed=4), ("unknown key sed", 'Did you mean "seed"?')),
    "a card text over its limit": (document(card={"owner": "x" * 1025}), ("card.owner", "at most 1024 characters")),
    "card texts over the limit of all": (
        document(card={"custom": {f"k{place}": "x" * 1000 for place in range(60)}}),
        ("key card", "more than the 50,000"),
    ),
    "an unknown nested key": (document(train__estimatr="x"), ("train.estimatr", 'Did you mean "estimator"?')),
    "an unknown key of Clarify's": (
        document(analysis__methods={"shap": {"num_sample": 5}}),
        ("analysis.methods.shap.num_sample", 'Did you mean "num_samples"?'),
    ),
    "a key of Clarify's that pipelines lack": (
        document(analysis__excluded_columns=["town"]),
        ("excluded_columns", "not supported"),
    ),
    "an unknown metric": (
        document(analysis__methods={"pre_training_bias": {"methods": ["DPLL"]}}),
        ("'DPLL'", 'Did you mean "DPL"?'),
    ),
    "a number that is none": (document(seed="three"), ("key seed", "'three'")),
    "a missing key": (lambda p: p.edit(lambda d: d.pop("train")), ("lacks the key train",)),
    "a policy that is not there": (document(policy="polcy.yaml"), ("polcy.yaml", "not a file")),
    "an empty policy file": (text("policy.yaml", "\n"), ("policy.yaml", "is empty")),
    "a policy that is not YAML": (text("policy.yaml", "rules: [\n  a: b\n"), ("policy.yaml", "line")),
    "a policy of another shape": (text("policy.yaml", "- a\n"), ("policy.yaml", "mapping")),
    "an unknown key in the policy": (
        lambda p: p.edit(lambda d: d["rules"][0].update(mni=1), "policy.yaml"),
        ("policy.yaml", "rules[0].mni", 'Did you mean "min"?'),
    ),
    "a rule about an unknown metric": (
        lambda p: p.edit(lambda d: d["rules"][0].update(metric="acu"), "policy.yaml"),
        ("'ranks'", "'acu'", 'Did you mean "auc"?'),
    ),
    "a rule about an unknown facet": (
        lambda p: p.edit(lambda d: d["rules"][1].update(facet="gg"), "policy.yaml"),
        ("'recall'", "'gg'", 'Did you mean "g"?'),
    ),
    "a bound that nothing keeps": (
        lambda p: p.edit(lambda d: d["rules"][0].update(min=1.5), "policy.yaml"),
        ("'ranks'", "can never pass: auc is 0 to 1"),
    ),
    "rules that contradict each other": (
        lambda p: p.edit(
            lambda d: d["rules"].append({**d["rules"][0], "id": "no", "min": None, "max": 0.5}), "policy.yaml"
        ),
        ("'ranks'", "'no'", "contradicts"),
    ),
    "a rule without a bound": (
        lambda p: p.edit(lambda d: d["rules"][0].pop("min"), "policy.yaml"),
        ("'ranks'", "neither min nor max"),
    ),
    "a waiver by one person": (
        lambda p: p.edit(
            lambda d: d.update(
                waivers=[
                    {
                        "rule": "ranks",
                        "up_to": 0.5,
                        "reason": "r",
                        "author": "Ann",
                        "approver": "ann",
                        "granted": "2026-01-01",
                        "expires": "2026-12-31",
                    }
                ]
            ),
            "policy.yaml",
        ),
        ("'ranks'", "one person"),
    ),
    "an estimator that is not installed": (document(train__estimator="nolib.Model"), ("nolib", "not installed")),
    "an unknown estimator": (
        document(train__estimator="sklearn.linear_model.LogisticRegresion"),
        ("LogisticRegresion", 'Did you mean "LogisticRegression"?'),
    ),
    "an estimator without probabilities": (
        document(train__estimator="sklearn.linear_model.LinearRegression"),
        ("LinearRegression", "predict_proba"),
    ),
    "an unknown parameter": (document(train__parameters={"max_itr": 5}), ("'max_itr'", 'Did you mean "max_iter"?')),
    "a parameter out of range": (document(train__parameters={"C": -1.0}), ("cannot be fitted", "C")),
    "more folds than rows of a kind": (data(lambda d: d.assign(good=(d.index < 2).astype(int))), ("3 rows", "has 2")),
    "a baseline of another width": (
        document(analysis__methods={"shap": {"baseline": [[1.0, 2.0]]}}),
        ("baseline", "Row 1"),
    ),
    "a facet beyond the columns": (facet(name_or_index=99), ("column 99", "6 columns")),
    "a group variable beyond the columns": (document(analysis__group_variable=99), ("column 99", "6 columns")),
    "a threshold that is no number": (
        document(analysis__probability_threshold=float("nan")),
        ("probability_threshold", "finite"),
    ),
    "a missing value that is none": (
        document(data__missing_values={"income": [float("nan")]}),
        ("data.missing_values.income", "finite"),
    ),
    "a parameter that cannot be kept": (
        document(train__parameters={"C": float("inf")}),
        ("train.parameters", "finite numbers"),
    ),
    "a bound beyond all numbers": (
        lambda p: p.edit(lambda d: d["rules"][0].update(min=-1e308), "policy.yaml"),
        ("rules[0].min", "-1e+308"),
    ),
    "a confidence of nearly one": (
        lambda p: p.edit(lambda d: d.update(confidence=0.9999999999999999), "policy.yaml"),
        ("confidence",),
    ),
    "a label as a fraction": (
        data(lambda d: d.assign(good=d["good"].astype(float))),
        ("never 1 (continuous)", "clarify_ops.kinds"),
    ),
    "a baseline in a file": (
        document(analysis__methods={"shap": {"baseline": "base.csv"}}),
        ("analysis.methods.shap.baseline", "not supported"),
    ),
    "a threshold that nothing is above": (
        document(analysis__probability_threshold=2.0),
        ("probability_threshold is 2", "from 0 to below 1"),
    ),
    "a label that is a facet": (
        document(analysis__facet=[{"name_or_index": "good", "value_or_threshold": [1]}]),
        ("'good'", "also a facet"),
    ),
    "a feature that is sensitive": (
        document(data__features=["income", "g"]),
        ("'g'", "a facet", "data.sensitive_features"),
    ),
}


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_is_one_sentence_and_leaves_nothing(project: Project, fault: str) -> None:
    change, words = CASES[fault]
    change(project)
    status, out, err = project.run()
    assert status == 2, err
    message = err[err.index("error: ") :]
    for word in words:
        assert word in message
    assert "Traceback" not in err
    assert len(message.strip().splitlines()) <= 2
    assert out == ""
    assert not (project.folder / "run" / "release").exists()
    assert not (project.folder / "registry").exists()
    assert not list(project.folder.rglob(".partial"))
    for step in (project.folder / "run").glob("*"):
        assert (step / "step.json").is_file()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("run",), ("pipeline",)),
        (("run", "nowhere.yaml"), ("nowhere.yaml", "not a file")),
        (("train", "--pipeline", "pipeline.yaml"), ("--output",)),
        (("run", "pipeline.yaml", "--polcy", "x"), ("--polcy",)),
        (("schema", "policies"), ('Did you mean "policy"?',)),
    ],
)
def test_wrong_arguments(project: Project, missing: tuple[str, ...], words: tuple[str, ...]) -> None:
    status, _, err = project.cli(*missing)
    assert status == 2
    for word in words:
        assert word in err


def test_a_folder_of_somebody_else_is_not_overwritten(project: Project) -> None:
    (project.folder / "run" / "pretraining_bias").mkdir(parents=True)
    (project.folder / "run" / "pretraining_bias" / "thesis.txt").write_text("years of work", encoding="utf-8")
    status, _, err = project.run()
    assert status == 2
    assert "thesis.txt, which no step has written" in err
    assert (project.folder / "run" / "pretraining_bias" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_the_wrong_folder_for_a_step(project: Project, finished: Path) -> None:
    project.take_over(finished)
    arguments = ("--pipeline", "pipeline.yaml", "--output", "out")
    status, _, err = project.cli("explain", "--training", "run/explanations", *arguments)
    assert status == 2
    assert "is the output of the step explain, not of train" in err
    status, _, err = project.cli("explain", "--training", "run", *arguments)
    assert status == 2
    assert "Run clarify-ops train first." in err
