"""A model that was trained elsewhere: judged, kept, registered and replayed as one that was trained here."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from clarify_ops.components.documents import self_contained
from clarify_ops.config.pipeline import load_pipeline
from clarify_ops.errors import BadDocument, BadModel
from clarify_ops.models.quiet import quiet
from clarify_ops.registry.opening import registry_at
from clarify_ops.steps.replay import replay, replay_version
from clarify_ops.steps.run import run
from clarify_ops.steps.train import Predicted
from clarify_ops.steps.verifying import verify, version_of
from tests.foreign import FEATURES, WORDS, known, mlflow, packed, save, signed, write_foreign_documents
from tests.project import Project, registered

OWN_CLASS = """
from sklearn.linear_model import LogisticRegression

class Scorer(LogisticRegression):
    "Somebody's own class, which only a pickle holds, with its code beside it."
"""


def pickled(folder: Path, rows: pd.DataFrame) -> None:
    """A model of a class that nobody has installed: MLflow keeps its module in the model's folder, and imports it from there."""
    module = folder / "scoring_job.py"
    module.write_text(OWN_CLASS, encoding="utf-8")
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        mine = importlib.import_module("scoring_job").Scorer(max_iter=500).fit(rows[FEATURES], rows["good"])
        how: dict[str, Any] = {"serialization_format": "cloudpickle", "code_paths": [str(module)]}
        save(mine, folder / "pickle", signature=signed(FEATURES), **how)
    finally:
        sys.path[:] = before
        del sys.modules["scoring_job"]
        module.unlink()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models as other people's training leaves them."""
    xgboost = pytest.importorskip("xgboost")
    folder, rows = tmp_path_factory.mktemp("models"), known()
    x, y = rows[FEATURES], rows["good"]
    plain, signature = LogisticRegression(max_iter=500), signed(FEATURES)
    save(plain.fit(x, y), folder / "sklearn", signature=signature)
    save(xgboost.XGBClassifier(n_estimators=8, n_jobs=1).fit(x, y), folder / "xgboost", "xgboost")
    pickled(folder, rows)
    save(LinearSVC().fit(x, y), folder / "labels", signature=signature)
    more = rows[[*FEATURES, "g"]]
    save(LogisticRegression(max_iter=500).fit(more, y), folder / "facet", signature=signed([*FEATURES, "g"]))
    renamed = x.rename(columns={"income": "incomes"})
    save(LogisticRegression(max_iter=500).fit(renamed, y), folder / "renamed")
    packed(folder / "sklearn", folder / "output" / "model.tar.gz")
    return folder


@pytest.fixture(scope="module")
def judged(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pipeline has run with the first of them."""
    folder = tmp_path_factory.mktemp("judged")
    write_foreign_documents(folder)
    uri = f"sqlite:///{folder}/registry/mlflow.db"
    run(folder / "pipeline.yaml", folder / "run", model=models / "sklearn", registry_uri=uri)
    return folder


@pytest.fixture
def registry(judged: Path) -> str:
    """That of the project: making one takes longer than all that happens in it."""
    return f"sqlite:///{judged}/registry/mlflow.db"


@pytest.fixture
def foreign(project: Project) -> Project:
    """A project whose pipeline says that somebody else trains."""
    write_foreign_documents(project.folder)
    return project


def document(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def claims(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = document(folder / "step.json")["claims"]
    return found


def test_it_is_judged_registered_verified_and_replayed(judged: Path, registry: str) -> None:
    """The numbers are those of the model's own answers to every row."""
    assert document(judged / "run" / "release" / "registration.json")["version"] == "1"
    found = Predicted.read(judged / "run" / "training" / "predictions.parquet")
    rows = pd.read_csv(judged / "data.csv")
    expected = LogisticRegression(max_iter=500).fit(known()[FEATURES], known()["good"]).predict_proba(rows[FEATURES])
    np.testing.assert_allclose(found.score, expected[:, 1], rtol=1e-12)
    assert found.row.tolist() == list(range(len(rows)))
    assert verify(judged / "run").outcome == "PASS"
    again = replay(judged / "run")
    assert (again.differences, again.compared > 300) == ((), True)
    assert again.notes == (
        "The model was trained elsewhere and cannot be trained again here: the one that was kept was asked again.",
    )
    place = registry_at(registry)
    assert replay_version(place, version_of(place, "small-model", "1")).differences == ()


def test_report_and_card_say_who_trained_it_and_what_nobody_knows(judged: Path) -> None:
    release = judged / "run" / "release"
    for name in ("report.html", "model_card.md", "sagemaker_model_card.json", "bom.cdx.json"):
        text = (release / name).read_text(encoding="utf-8")
        assert f"rained elsewhere: {WORDS}" in text, name
        assert "which rows it saw cannot be known here" in text, name
    measures = {one["metric"]: one for one in document(release / "metrics.json")["measures"] if one["stage"] == "data"}
    assert measures["seen_share"]["value"] is None
    assert "which rows it saw is not known" in measures["seen_share"]["reason"]
    facts = document(judged / "run" / "training" / "metrics.json")
    assert facts["model"]["estimator"] == "sklearn.linear_model.LogisticRegression"
    assert facts["model"]["features"] == dict.fromkeys(["income", "debt"], "numeric")
    assert facts["model"]["libraries"] == {"mlflow": mlflow.__version__, "scikit-learn": "1.9.1"}
    assert facts["warnings"] == ["The model does not take town."]
    attributions = pd.read_csv(judged / "run" / "explanations" / "explanations_shap" / "out.csv")
    assert [name.rpartition("_")[0] for name in attributions.columns] == ["income", "debt"]


def test_where_it_lies_changes_no_claim(
    judged: Path, models: Path, foreign: Project, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, an archive, a folder with one, and a version of a registry: the same model, the same digest."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    archive = models / "output" / "model.tar.gz"
    for place in (models / "sklearn", archive, archive.parent, (models / "sklearn").as_uri(), "models:/small-model/1"):
        status, _, err = foreign.step("train", "--model", str(place))
        assert status == 0, err
        assert claims(foreign.folder / "run" / "training") == claims(judged / "run" / "training")


def test_the_command_line_runs_the_whole_chain_and_a_pipeline_as_text_does_too(
    foreign: Project, models: Path, registry: str
) -> None:
    """Of a booster without a signature, whose columns its own file names; data given by another address."""
    text = self_contained(foreign.folder / "pipeline.yaml")
    (foreign.folder / "else").mkdir()
    (foreign.folder / "else" / "pipeline.yaml").write_text(text, encoding="utf-8")
    there, here = (load_pipeline(foreign.folder / part / "pipeline.yaml") for part in ("else", "."))
    assert there.configuration_digest == here.configuration_digest
    shutil.copy(foreign.folder / "else" / "pipeline.yaml", foreign.folder / "pipeline.yaml")
    status, out, err = foreign.run("--model", str(models / "xgboost"), "--registry-uri", registry)
    assert status == 0, err
    assert "Registered  models:/small-model/" in out
    card = (foreign.folder / "run" / "release" / "model_card.md").read_text(encoding="utf-8")
    assert "xgboost.sklearn.XGBClassifier, trained elsewhere" in card
    assert "library_name: xgboost" in card


@pytest.mark.parametrize(
    ("model", "change", "words"),
    [
        ("labels", {}, "answers with labels alone"),
        ("facet", {}, "takes the column 'g', which the pipeline keeps from it: a facet"),
        ("renamed", {}, "names the column 'incomes', which the data do not have. "),
        ("pickle", {}, "is a pickle: reading it runs whatever is in it"),
        ("absent", {}, "There is no model absent."),
        ("sklearn", {"data": {"uri": "data.csv", "label": "good", "exclude": ["debt"]}}, "excluded by the pipeline"),
        ("sklearn", {"split": {"method": "holdout"}}, "nobody here knows which rows it saw"),
        ("sklearn", {"train": {"estimator": "sklearn.svm.SVC"}}, "fits sklearn.svm.SVC by itself, and the model "),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_sentence(
    model: str, change: dict[str, Any], words: str, foreign: Project, models: Path
) -> None:
    foreign.edit(lambda d: d.update(change))
    place = str(models / model) if (models / model).exists() else model
    status, out, err = foreign.step("train", "--model", place)
    assert (status, out) == (2, ""), err
    sentence = " ".join(line.split(": ", 1)[1] for line in err.splitlines() if line.startswith(("error:", "hint:")))
    assert words in sentence
    assert "Traceback" not in err
    assert ".partial" not in err
    assert not (foreign.folder / "run" / "training").exists()


def test_a_model_that_the_pipeline_needs_is_asked_for_before_any_work(foreign: Project) -> None:
    for arguments in (
        ("run", "pipeline.yaml", "--output", "run"),
        ("train", "--pipeline", "pipeline.yaml", "--output", "run"),
    ):
        status, _, err = foreign.cli(*arguments)
        assert (status, "no model is given" in err, "--model FOLDER" in err) == (2, True, True), err
    assert not (foreign.folder / "run").exists()


def test_a_pickle_is_opened_on_the_pipelines_word_and_replayed_on_the_readers(
    foreign: Project, models: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever replays a run has not written its pipeline, and a folder of somebody else's may hold anything."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    foreign.edit(lambda d: d["train"].update(trust=True))
    status, _, err = foreign.run("--model", str(models / "pickle"), "--registry-uri", registry)
    assert status == 0, err
    kept = foreign.folder / "run" / "training" / "model"
    assert [one.name for one in (kept / "code").rglob("*") if one.is_file()] == ["scoring_job.py"]
    with pytest.raises(BadModel, match="only whoever made the run has said"):
        replay("run", keep_model=True)
    assert replay("run", trust_model=True).differences == ()
    status, out, err = foreign.cli("replay", "run", "--trust-model")
    assert (status, "asked again" in out) == (0, True), err


@pytest.fixture
def copied(judged: Path, foreign: Project) -> Project:
    """A copy of the run to change."""
    foreign.take_over(judged)
    return foreign


def other_coefficients(training: Path, models: Path) -> None:
    shutil.copy(models / "facet" / "model.skops", training / "model" / "model.skops")


def other_scores(training: Path, _: Path) -> None:
    rows = pd.read_parquet(training / "predictions.parquet")
    rows.assign(score=rows["score"] / 2).to_parquet(training / "predictions.parquet", index=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [(other_coefficients, "another model"), (other_scores, "predictions.parquet was changed")],
)
def test_a_model_that_was_changed_after_it_was_asked_is_refused(
    change: Callable[[Path, Path], None], words: str, copied: Project, models: Path
) -> None:
    change(copied.folder / "run" / "training", models)
    status, out, err = copied.step("register")
    assert status == 3, err
    assert words in err + out
    assert registered(copied) == []
    assert copied.step("explain")[0] == 3


def test_a_run_without_its_model_cannot_be_replayed(judged: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(judged / "run" / "release", tmp_path / "release"))
    with pytest.raises(BadDocument, match=r"trained elsewhere .* cannot be trained again"):
        replay(release)


def test_the_next_one_is_compared_with_it(copied: Project, models: Path, registry: str) -> None:
    """A champion that was trained elsewhere answers as it did when it was judged."""
    rule = {"id": "as-good", "stage": "champion", "metric": "accuracy", "min": -0.5, "why": "No worse."}
    copied.edit(lambda policy: policy["rules"].append(rule), "policy.yaml")
    copied.edit(lambda d: d["registry"].update(uri=registry))
    for place in (str(models / "sklearn"), "models:/small-model/1"):
        status, _, err = copied.step("gate", "--champion", place)
        assert status == 0, err
        found = document(copied.folder / "run" / "gate" / "verdict.json")["judgements"]
        assert [(one["outcome"], one["value"]) for one in found if one["rule"] == "as-good"] == [("PASS", 0.0)]


def test_the_example_of_the_page_works(root: Path, project: Project) -> None:
    """The training job, the pipeline and the command, as they stand there, up to the step that is given the model."""
    page = (root / "docs" / "trained-elsewhere.md").read_text(encoding="utf-8")
    job, document, command = (page.split(f"```{kind}\n")[1].split("```")[0] for kind in ("python", "yaml", "bash"))
    with quiet():
        exec(compile(job, "job.py", "exec"), {})  # noqa: S102 - the page's own words
    (project.folder / "pipeline.yaml").write_text(document, encoding="utf-8")
    assert command.split()[:3] == ["clarify-ops", "run", "pipeline.yaml"]
    status, _, err = project.step("train", *command.split()[3:])
    assert status == 0, err
