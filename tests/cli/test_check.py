"""The verb `check`: analyses compared, and what is left for whoever comes next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clarify_ops.analysis.analyze import analyze
from clarify_ops.cli import container
from clarify_ops.config.pieces import from_pieces, to_pieces
from clarify_ops.errors import BadDocument
from tests.analysis.jobs import configuration, people
from tests.bias.cases import Case, cases
from tests.monitor.test_drift import analysis, explained
from tests.project import Project

CHECK_KEYS = {
    *("version", "skipped", "compared", "left_out", "violations", "violated"),
    *("baseline", "hands_on", "digests"),
}
ROWS = [(False, False), (False, True), (True, False), (True, True)]
CONFIG = configuration(methods={"pre_training_bias": {"methods": ["CI", "DPL"]}})


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, two datasets, and the finished analyses of both; May's is the baseline."""
    folder = tmp_path_factory.mktemp("months")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    for name, seed in (("may", 0), ("june", 3)):
        people(300, seed).to_csv(folder / f"{name}.csv", index=False)
        analyze(CONFIG, folder / f"{name}.csv", output=folder / name)
    return folder


def put(folder: Path, name: str, document: dict[str, Any]) -> str:
    (folder / name).write_text(json.dumps(document))
    return name


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_two_finished_analyses(project: Project) -> None:
    before, now = (put(project.folder, f"{name}.json", analysis({"RD": rd})) for name, rd in (("b", 0.1), ("n", 0.2)))
    status, out, err = project.cli("check", "--current", now, "--baseline", before)
    assert status == 3
    assert "violation  sex = 0: RD: Metric value 0.2 doesn't meet the baseline constraint requirement 0.1" in out
    assert "error: Drift from the baseline b.json: 1 violations (RD)." in err
    status, out, _ = project.cli("check", "--current", before, "--baseline", now)
    assert (status, out) == (0, "None of 1 comparisons with the baseline n.json is a violation.\n")
    assert sorted(one.name for one in project.folder.glob("*.json")) == ["b.json", "n.json"]


@pytest.mark.parametrize("case", cases("smclarify_cases.json", "bias_drift"))
def test_the_violations_that_clarify_published(shared: Path, project: Project, case: Case) -> None:
    for name in ("baseline", "current"):
        put(project.folder, f"{name}.json", analysis(case["input"][name]))
    status, _, _ = project.cli(
        "check", "--current", "current.json", "--baseline-constraints", "baseline.json", "--output", "out"
    )
    assert status == 3
    found = read(project.folder / "out" / "constraint_violations.json")
    assert sorted(one["metric_name"] for one in found["violations"]) == sorted(case["expected_violations"])
    assert len(found["violations"]) == 9


def test_a_baseline_that_clarify_wrote(shared: Path, project: Project) -> None:
    """The same data are no drift, though two programs added the numbers up."""
    folder = shared / "data" / "clarify_linear_learner_adult"
    config = {
        "dataset_type": "text/csv",
        "label": "Target",
        "predicted_label": "predicted_label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
        "group_variable": "Age",
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}},
    }
    data, before = folder / "validation_with_predictions.csv", str(folder / "analysis_bias.json")
    rows = pd.read_csv(data)
    analyze(config, rows, output=project.folder / "same")
    rows.loc[rows["Sex"] == 0, "predicted_label"] = 0
    analyze({**config, "methods": {"post_training_bias": {"methods": ["DPPL", "RD"]}}}, rows, output="changed")
    for rule in ((), ("--strict",)):
        status, out, _ = project.cli("check", "--current", "same", "--baseline", before, *rule)
        assert (status, "None of 21 comparisons" in out) == (0, True), out
    status, out, _ = project.cli("check", "--current", "changed", "--baseline", before)
    assert (status, [line.split(": ")[1] for line in out.splitlines()[:2]]) == (3, ["DPPL", "RD"])
    assert "11 numbers of the baseline were not measured again" in out


def test_attributions_in_another_order(project: Project) -> None:
    put(project.folder, "b.json", explained({"a": 0.7, "b": 0.2, "c": 0.1}))
    put(project.folder, "n.json", explained({"a": 0.1, "b": 0.2, "c": 0.7}))
    status, out, _ = project.cli("check", "--current", "n.json", "--baseline", "b.json")
    assert status == 3, out
    assert "violation  label0: shap: Feature attribution drift 0." in out


@pytest.mark.parametrize("by", ["options", "variables"])
@pytest.mark.parametrize(("skip", "register"), ROWS)
def test_every_row_of_the_lifecycle(
    project: Project, months: Path, monkeypatch: pytest.MonkeyPatch, *, skip: bool, register: bool, by: str
) -> None:
    told = []
    for flag, value in (("skip-check", skip), ("register-new-baseline", register)):
        if by == "options":
            told.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            # As SageMaker renders a pipeline's variables; an empty one says nothing.
            monkeypatch.setenv(f"CLARIFY_OPS_{flag.upper().replace('-', '_')}", str(value).lower())
            monkeypatch.setenv("CLARIFY_OPS_MODEL_PACKAGE_GROUP", "")
    current = ("check", "--current", str(months / "june"), "--output", "out", "--record", "record", *told)
    needs = not (skip and register)
    status, _, err = project.cli(*current)
    assert status == (3 if needs else 0)
    assert ("There is no previous baseline: none is named." in err) is needs
    assert (project.folder / "out").exists() is not needs
    status, _, err = project.cli(*current, "--baseline", str(months / "may" / "analysis.json"))
    assert status == (0 if skip else 3), err
    out, record = project.folder / "out", project.folder / "record"
    may, june = ((months / month / "analysis.json").read_bytes() for month in ("may", "june"))
    handed_on = june if register else may
    assert (out / "baseline_used_for_drift_check" / "analysis.json").read_bytes() == handed_on
    assert (record / "used_for_drift_check" / "analysis.json").read_bytes() == handed_on
    assert (record / "calculated" / "analysis.json").read_bytes() == june
    for folder in (out, record):
        assert (folder / "constraint_violations.json").exists() is not skip
        told_of = read(folder / "check.json")
        assert set(told_of) == CHECK_KEYS
        assert (told_of["skipped"], told_of["violated"]) == (skip, not skip)
        assert told_of["hands_on"] == ("calculated" if register else "previous")


def test_violations_that_do_not_fail(project: Project, months: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("check", "--current", str(months / "june"), "--baseline", str(months / "may" / "analysis.json"))
    status, out, _ = project.cli(*told, "--no-fail-on-violation")
    assert (status, "Drift from the baseline" in out) == (0, True)
    monkeypatch.setenv("CLARIFY_OPS_FAIL_ON_VIOLATION", "false")
    assert project.cli(*told)[0] == 0
    monkeypatch.setenv("CLARIFY_OPS_FAIL_ON_VIOLATION", "True")
    assert project.cli(*told)[0] == 3


def test_an_analysis_and_a_check_at_once(project: Project, months: Path) -> None:
    first = ("check", "--config", str(months / "config.json"), "--output", "out")
    data = ("--data", str(months / "may.csv"))
    assert project.cli(*first, *data)[0] == 3
    # Nothing to compare with shows before the work, not after it.
    assert not (project.folder / "out").exists()
    status, out, err = project.cli(*first, *data, "--skip-check", "--register-new-baseline")
    assert status == 0, err
    assert "out/analysis.json" in out
    assert (project.folder / "out" / "analysis.json").read_bytes() == (months / "may" / "analysis.json").read_bytes()
    shutil.copytree(project.folder / "out", project.folder / "baseline")
    again = (*first, "--baseline", "baseline/baseline_used_for_drift_check/analysis.json")
    assert project.cli(*again, *data)[0] == 0
    assert read(project.folder / "out" / "constraint_violations.json") == {"version": "1.0", "violations": []}
    assert project.cli(*again, "--data", str(months / "june.csv"))[0] == 3
    # A reader of the folder sees nothing of an earlier check.
    assert project.cli(*first, *data, "--skip-check", "--register-new-baseline")[0] == 0
    assert not (project.folder / "out" / "constraint_violations.json").exists()


def test_the_stricter_rule(project: Project, months: Path) -> None:
    told = ("check", "--current", str(months / "june"), "--baseline", str(months / "may" / "analysis.json"))
    status, out, _ = project.cli(*told, "--strict")
    # The two samples differ by chance, which Clarify's rule takes for drift.
    assert (status, project.cli(*told)[0]) == (0, 3), out
    put(project.folder, "n.json", analysis({"RD": 0.1}))
    status, _, err = project.cli("check", "--current", "n.json", "--baseline", "n.json", "--strict")
    assert (status, "The metrics metrics.json is not a file." in err) == (2, True)


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        (("--current", "n.json", "--baseline", "absent.json"), 2, "The baseline absent.json does not exist."),
        (("--current", "absent.json", "--baseline", "n.json"), 2, "The analysis absent.json is not a file."),
        (("--current", "n.json", "--baseline", "list.json"), 2, "The baseline list.json is no analysis.json."),
        (("--current", "n.json", "--baseline", "broken.json"), 2, "is not valid JSON: line 1"),
        (("--current", "list.json", "--baseline", "n.json"), 2, "has neither bias metrics nor explanations"),
        (("--current", "empty.json", "--baseline", "n.json"), 2, "has neither bias metrics nor explanations"),
        (("--current", "n.json", "--baseline", "odd.json"), 2, "has the value 'high'"),
        (("--current", "n.json", "--baseline", "other.json"), 3, "have no number of post_training_bias_metrics"),
        (("--current", "pdp.json", "--baseline", "pdp.json"), 3, "have no number of explanations in common"),
        (("--current", "n.json", "--baseline", "n.json", "--data", "x.csv"), 2, "--data is for an analysis"),
        (("--current", "n.json", "--skip-check"), 3, "There is no previous baseline"),
        (("--config", "n.json", "--config-text", "{}"), 2, "There are two configurations."),
        (("--config-text", "{"), 2, "The analysis configuration is not valid JSON"),
        (("--config-text", "e30"), 2, "is neither JSON nor compressed JSON"),
        ((), 2, "where a processing container has its analysis configuration"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(project: Project, told: tuple[str, ...], status: int, words: str) -> None:
    put(project.folder, "n.json", analysis({"RD": 0.2}))
    put(project.folder, "other.json", analysis({"RD": None, "CI": 0.1}))
    put(project.folder, "odd.json", analysis({"RD": "high"}))
    put(project.folder, "pdp.json", {"explanations": {"pdp": []}})
    put(project.folder, "empty.json", {"version": "1.0"})
    (project.folder / "list.json").write_text("[]")
    (project.folder / "broken.json").write_text("{")
    found, out, err = project.cli("check", *told)
    assert (found, out) == (status, "")
    assert words in err
    assert "Traceback" not in err


def test_the_configuration_in_pieces(project: Project, months: Path) -> None:
    pieces = to_pieces(CONFIG, length=40, most=50)
    assert pieces is not None
    told = [f"--config-text={one}" for one in pieces]
    data = ("--data", str(months / "may.csv"), "--output", "out", "--skip-check", "--register-new-baseline")
    assert project.cli("check", *told, *data)[0] == 0
    assert read(project.folder / "out" / "analysis_config.json") == CONFIG


def test_pieces_are_readable_where_they_fit_and_compressed_where_not() -> None:
    document = {"predictor": {"content_template": '{"instances":$records}'}, "rows": [[0.25, "é"]] * 400}
    for most, readable in ((100, True), (20, False)):
        pieces = to_pieces(document, length=100, most=most)
        assert pieces is not None
        assert pieces[0].startswith("{") is readable
        assert not any("$" in one for one in pieces)
        assert max(map(len, pieces)) <= 100
        assert from_pieces(pieces, "It") == document
        with pytest.raises(BadDocument, match="It is"):
            from_pieces(pieces[:-1], "It")
    assert to_pieces(document, length=10, most=3) is None


def test_a_model_of_sagemakers_by_its_name(project: Project, months: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Known when a pipeline runs only, and so not in the configuration.
    config = configuration(
        predicted_label=None,
        methods={"post_training_bias": {"methods": ["DPPL"]}},
        predictor={"instance_type": "ml.m5.xlarge", "initial_instance_count": 1},
    )
    put(project.folder, "c.json", config)
    monkeypatch.setenv("CLARIFY_OPS_MODEL_NAME", "credit-7")
    told = ("--data", str(months / "may.csv"), "--output", "out", "--skip-check", "--register-new-baseline")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    status, _, err = project.cli("check", "--config", "c.json", *told)
    assert status == 5, err
    assert "waiting for a temporary endpoint of credit-7" in err


def test_a_processing_job_tells_what_came_of_it(
    project: Project, months: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = project.folder / "message"
    monkeypatch.setattr(container, "_ROOT", project.folder)
    monkeypatch.setattr(container, "_MESSAGE", message)
    told = ("check", "--current", str(months / "june"), "--baseline", str(months / "may" / "analysis.json"))
    assert project.cli(*told)[0] == 3
    assert message.read_text().startswith("Drift from the baseline")
    assert project.cli(*told, "--skip-check")[0] == 0
    assert message.read_text() == "Drift was not looked for."
