"""The main job on the mortgage example, as a user runs it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from sklearn.metrics import roc_auc_score

from clarify_ops.analysis.analyze import analyze
from clarify_ops.card import CARDS
from clarify_ops.data.files import read_file
from clarify_ops.documents import digest_file
from clarify_ops.models.mlflow_model import load_predictor
from clarify_ops.steps import register
from clarify_ops.steps import run as job
from clarify_ops.steps.judging import Parts
from clarify_ops.steps.register import Outcome
from clarify_ops.steps.table import BY_NAME, COMPONENTS, STEPS
from tests.project import Project
from tests.registry.sagemaker.server import local_aws

EXAMPLE = Path("examples", "mortgage")


@pytest.fixture(scope="module")
def released(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The example, run."""
    folder = tmp_path_factory.mktemp("mortgage")
    outcome = job.run(root / EXAMPLE / "pipeline.yaml", folder / "run", registry_uri=f"sqlite:///{folder}/mlflow.db")
    return folder, outcome


@pytest.fixture(scope="module")
def client(released: tuple[Path, Outcome]) -> MlflowClient:
    uri = f"sqlite:///{released[0]}/mlflow.db"
    return MlflowClient(uri, uri)


def read(folder: Path, *parts: str) -> Any:
    return json.loads(folder.joinpath("run", *parts).read_text(encoding="utf-8"))


def test_every_output_of_the_step_table_is_there(released: tuple[Path, Outcome]) -> None:
    """Nobody signed, and nobody is champion."""
    folder, _ = released
    absent = {"statement.dsse.json", "champion"}
    for name in COMPONENTS:
        step = BY_NAME[name]
        outputs = [output for output in step.outputs if output.path not in absent]
        assert all(output.always is False for output in step.outputs if output.path in absent)
        for output in outputs:
            assert (folder / "run" / step.folder / output.path).exists(), output.path
        known = {Path(output.path).parts[0] for output in outputs}
        assert {one.name for one in (folder / "run" / step.folder).iterdir()} == known


def test_the_honest_verdict_is_inconclusive_and_waived(released: tuple[Path, Outcome]) -> None:
    """197 rows cannot decide the four-fifths rule; the waiver is in force, shown, and about nothing else."""
    _, outcome = released
    open_questions = [one for one in outcome.verdict.judgements if one.outcome != "PASS"]
    assert [(one.rule, one.outcome, one.waived) for one in open_questions] == [
        ("four-fifths-black", "INCONCLUSIVE", True)
    ]
    assert open_questions[0].groups == {"a": 1792, "d": 197}
    assert outcome.verdict.outcome == "PASS"


def test_the_version_carries_tags_alias_card_and_evidence(released: tuple[Path, Outcome], client: MlflowClient) -> None:
    folder, outcome = released
    version = client.get_model_version_by_alias("mortgage-approval", "challenger")
    assert str(version.version) == outcome.registration.version == "1"
    evidence = read(folder, "release", "evidence.json")
    assert version.tags["clarify_ops.evidence"] == evidence["digest"]
    assert version.tags["clarify_ops.verdict"] == "PASS"
    assert version.tags["clarify_ops.waived"] == "1"
    for name in ("data", "model", "policy", "configuration"):
        assert version.tags[f"clarify_ops.digest.{name}"] == evidence["claims"][name]
    assert "four-fifths-black" in str(version.description)
    assert version.run_id == outcome.registration.run


def test_the_registered_model_is_the_judged_one_and_predicts(
    released: tuple[Path, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    folder, _ = released
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    local = mlflow.artifacts.download_artifacts("models:/mortgage-approval@challenger", dst_path=str(folder / "down"))
    trained = folder / "run" / "training" / "model"
    assert digest_file(Path(local, "model.skops")) == digest_file(trained / "model.skops")
    model = mlflow.pyfunc.load_model("models:/mortgage-approval@challenger")
    assert model.metadata.signature is not None
    example = model.input_example
    assert model.predict(example).shape == (len(example), 2)


def test_the_example_of_explanations_reads_the_trees_of_the_model(released: tuple[Path, Outcome], root: Path) -> None:
    folder, _ = released
    model = folder / "run" / "training" / "model"
    found = analyze(root / EXAMPLE / "explain_config.json", model=model)
    facts = found.metrics["explanations"]
    assert (facts["explainer"], facts["unit"], facts["warnings"]) == ("tree_shap", "log-odds", [])
    assert facts["exact_rows"] == facts["rows"] == 1989
    assert facts["additivity_gap"] < 1e-9
    # The same model, read from the same file, as scikit-learn has it.
    assert found.explanation is not None
    uri = json.loads((root / EXAMPLE / "explain_config.json").read_text(encoding="utf-8"))["dataset_uri"]
    rows = pd.read_csv(io.BytesIO(read_file(uri)), compression="bz2")
    scores = load_predictor(model)(rows[list(found.explanation.features)])
    sums = found.explanation.predictions[:, 0]
    np.testing.assert_allclose(1 / (1 + np.exp(-sums)), scores, atol=1e-9)
    assert {"black", "hispan", "mi"}.isdisjoint(found.explanation.features)
    assert [one["name"] for one in found.metrics["cohorts"]["cohorts"]][1:] == ["wrongly refused", "wrongly approved"]
    assert "gdlin" in found.metrics["surrogate"]["rules"].splitlines()[0]


def test_the_run_holds_parameters_metrics_plots_and_data(released: tuple[Path, Outcome], client: MlflowClient) -> None:
    _, outcome = released
    run = client.get_run(outcome.registration.run)
    assert run.data.params["train.estimator"] == "sklearn.ensemble.HistGradientBoostingClassifier"
    assert run.data.params["train.parameters.max_iter"] == "120"
    assert run.data.params["split.folds"] == "5"
    metrics = run.data.metrics
    for name in (
        "quality/auc",
        "post_training/black/1/DI",
        "post_training/black/1/DI/low",
        "pre_training/hispan/1/DPL",
    ):
        assert name in metrics
    assert run.inputs is not None
    (data,) = run.inputs.dataset_inputs
    assert json.loads(str(data.dataset.profile))["num_rows"] == 1989
    assert {tag.value for tag in data.tags} >= {run.data.tags["clarify_ops.digest.data"]}
    kept = {
        one.path
        for folder in ("", "plots", "training", "explanations")
        for one in client.list_artifacts(run.info.run_id, folder)
    }
    assert {"report.html", "evidence.json", "verdict.json", "training/metrics.json", *CARDS} <= kept
    assert {"plots/beeswarm.png", "plots/bias.png", "plots/global_importance.png"} <= kept
    assert run.info.status == "FINISHED"


def test_every_row_is_predicted_by_a_model_that_did_not_see_it(released: tuple[Path, Outcome]) -> None:
    folder, _ = released
    predictions = pd.read_parquet(folder / "run" / "training" / "predictions.parquet")
    assert predictions["row"].tolist() == list(range(1989))
    assert predictions["fold"].value_counts().between(397, 399).all()
    claimed = read(folder, "training", "step.json")["claims"]["rows"]
    assert sorted(claimed) == [f"fold {number}" for number in range(5)]
    auc = next(m for m in read(folder, "posttraining_bias", "metrics.json")["measures"] if m["metric"] == "auc")
    assert auc["value"] == pytest.approx(roc_auc_score(predictions["label"], predictions["score"]), abs=1e-12)
    assert 0.85 < auc["value"] < 0.93


def test_sensitive_columns_and_copies_of_the_label_stay_out(released: tuple[Path, Outcome]) -> None:
    folder, _ = released
    model = read(folder, "training", "metrics.json")["model"]
    hidden = {"approve", "reject", "action", "white", "black", "hispan", "mi", "typur", "inson"}
    assert not hidden & set(model["features"])
    excluded = read(folder, "pretraining_bias", "metrics.json")["data"]["excluded"]
    assert hidden <= set(excluded)
    assert excluded["reject"].startswith("a copy of the label")


def test_local_explanations_add_up_for_every_row(released: tuple[Path, Outcome]) -> None:
    from clarify_ops.models.mlflow_model import load_predictor

    folder, _ = released
    local = pd.read_csv(folder / "run" / "explanations" / "explanations_shap" / "out.csv")
    baseline = pd.read_csv(folder / "run" / "explanations" / "explanations_shap" / "baseline.csv")
    analysis = read(folder, "explanations", "analysis.json")["explanations"]
    features = list(analysis["kernel_shap"]["label0"]["global_shap_values"])
    assert list(local.columns) == [f"{name}_label0" for name in features]
    assert (len(local), len(baseline)) == (1989, 1)
    expected = analysis["kernel_shap"]["label0"]["expected_value"]
    predict = load_predictor(folder / "run" / "training" / "model")
    assert predict(baseline)[0] == pytest.approx(expected)
    assert len(analysis["pdp"]) == 6
    assert np.abs(local).mean().to_numpy() == pytest.approx(
        list(analysis["kernel_shap"]["label0"]["global_shap_values"].values())
    )


def test_analysis_json_has_clarifys_sections_in_its_order(released: tuple[Path, Outcome]) -> None:
    folder, _ = released
    document = read(folder, "release", "analysis.json")
    assert list(document) == ["version", "post_training_bias_metrics", "pre_training_bias_metrics", "explanations"]
    facets = document["post_training_bias_metrics"]["facets"]
    assert list(facets) == ["black", "hispan"]
    assert [one["name"] for one in facets["black"][0]["metrics"]][:3] == ["AD", "CDDPL", "DAR"]


def test_the_same_work_has_the_same_digests(released: tuple[Path, Outcome], root: Path, tmp_path: Path) -> None:
    """Every step again, elsewhere and from a copy of the documents: equal claims, whatever the clock says."""
    folder, _ = released
    shutil.copytree(root / EXAMPLE, tmp_path / "copy")
    again = tmp_path / "run"
    job.run(tmp_path / "copy" / "pipeline.yaml", again, registry_uri=f"sqlite:///{tmp_path}/other.db")
    for name in COMPONENTS:
        path = (BY_NAME[name].folder, "step.json")
        first, second = read(folder, *path), json.loads(again.joinpath(*path).read_text(encoding="utf-8"))
        assert first["claims"] == second["claims"], name
        assert first["digest"] == second["digest"]
    evidence = json.loads((again / "release" / "evidence.json").read_text(encoding="utf-8"))
    assert evidence["digest"] == read(folder, "release", "evidence.json")["digest"]
    for name in ("model_card.md", "model_card.json", "sagemaker_model_card.json"):
        assert (again / "release" / name).read_bytes() == (folder / "run" / "release" / name).read_bytes(), name
    # MLflow writes a time and an id into a model's description, so that the digest of that one file is another.
    parts = [
        read(folder, "release", "bom.cdx.json"),
        json.loads((again / "release" / "bom.cdx.json").read_text("utf-8")),
    ]
    for one in parts:
        described = next(file for file in one["metadata"]["component"]["components"] if file["name"] == "model/MLmodel")
        described["hashes"] = []
    assert parts[0] == parts[1]


def test_the_strict_policy_refuses(root: Path, project: Project) -> None:
    """Exit status 3, every violated bound with value, interval, bound and group sizes, and no name in the registry."""
    example = root / EXAMPLE
    arguments = (str(example / "pipeline.yaml"), "--policy", str(example / "strict-policy.yaml"), "--output", "run")
    status, out, _ = project.cli("run", *arguments, "--registry-uri", "sqlite:///strict.db")
    assert status == 3
    for rule in ("parity-black", "equal-specificity-black", "ranks-very-well"):
        assert f"FAIL {rule}" in out
    assert "DPPL for black = 1: value 0.2258, interval [0.165, 0.294], bound -0.05 to 0.05, rows 197 vs 1792." in out
    assert "Registered  nothing" in out
    client = MlflowClient("sqlite:///strict.db", "sqlite:///strict.db")
    assert client.search_registered_models() == []
    for name in ("report.html", "verdict.json", *CARDS):
        assert (project.folder / "run" / "release" / name).is_file()


def test_a_naive_model_is_caught(root: Path, project: Project) -> None:
    """With the copies of the label left in, AUC is 1.000, and the gate names the columns' kind and refuses."""
    document = yaml.safe_load((root / EXAMPLE / "pipeline.yaml").read_text(encoding="utf-8"))
    for name in ("reject", "action", "white"):
        del document["data"]["exclude"][name]
    document["analysis"]["methods"] = {key: {"methods": "all"} for key in ("pre_training_bias", "post_training_bias")}
    document["policy"] = str(root / EXAMPLE / "policy.yaml")
    (project.folder / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    status, out, _ = project.run("--registry-uri", "sqlite:///naive.db")
    assert status == 3
    assert "FAIL no-label-leak: label_leaks for all rows: value 2" in out
    assert "FAIL no-facet-proxy: facet_proxies for all rows: value 1" in out
    facts = json.loads((project.folder / "run" / "pretraining_bias" / "metrics.json").read_text(encoding="utf-8"))[
        "data"
    ]
    for words in ("reject alone tells the label", "action alone tells the label", "white alone tells membership"):
        assert any(words in warning for warning in facts["warnings"])
    auc = json.loads((project.folder / "run" / "posttraining_bias" / "metrics.json").read_text(encoding="utf-8"))
    assert next(m["value"] for m in auc["measures"] if m["metric"] == "auc") == pytest.approx(1.0, abs=5e-4)


def test_the_steps_alone_are_the_run(released: tuple[Path, Outcome], project: Project) -> None:
    """`run` is the five steps in order and nothing more: on the small project, by the command line, the digests agree."""
    assert project.run()[0] == 0
    digests = {}
    for name in COMPONENTS:
        file = project.folder / "run" / BY_NAME[name].folder / "step.json"
        digests[name] = json.loads(file.read_text(encoding="utf-8"))["digest"]
    shutil.rmtree(project.folder / "run")
    for name in COMPONENTS:
        status, out, err = project.step(name)
        assert status == 0, err
        assert name == "register" or digests[name] in out
        file = project.folder / "run" / BY_NAME[name].folder / "step.json"
        assert json.loads(file.read_text(encoding="utf-8"))["digest"] == digests[name]


# Forms in which an answer is shown; an orchestrator takes the files. And a key, which an orchestrator would carry about as a
# parameter: the environment names it.
FOR_PEOPLE = ("explain", "junit", "markdown", "sarif", "annotations", "as_json", "signing_key")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_the_command_line_is_the_step_table(project: Project, step: Any) -> None:
    """Every input and parameter is an option with the same words, and nothing else is."""
    import typer.main

    from clarify_ops.cli.app import app

    command = typer.main.get_command(app).commands[step.name]  # type: ignore[attr-defined]
    options = {option.name: option for option in command.params if option.name not in {"help", "output", *FOR_PEOPLE}}
    ports = {port.name: port for port in (*step.inputs, *step.parameters)}
    assert options.keys() == ports.keys()
    for name, port in ports.items():
        assert port.option in options[name].opts
        assert options[name].required == port.required
        assert options[name].help == port.description


def test_a_facet_means_the_same_before_and_after_training(project: Project) -> None:
    """Clarify's kind of a column depends on the number of its rows, of which a hold-out has fewer."""
    project.edit_data(lambda d: d.assign(age=20 + d.index % 18))
    project.edit(lambda d: d.update(split={"method": "holdout"}))
    project.edit(lambda d: d["analysis"].update(facet=[{"name_or_index": "age", "value_or_threshold": [30]}]))
    project.edit(lambda d: d["rules"][1].update(facet="age"), "policy.yaml")
    project.run()
    for step, metric in (("pretraining_bias", "DPL"), ("posttraining_bias", "DPPL")):
        document = json.loads((project.folder / "run" / step / "metrics.json").read_text(encoding="utf-8"))
        (one,) = [found for found in document["measures"] if found["metric"] == metric]
        assert one["facet_value"] == "30"
        assert one["groups"]["d"] < one["groups"]["a"] / 10


def test_secrets_of_addresses_are_not_kept(project: Project) -> None:
    """A signed address of the data is in no file of a run, nor among what the registry keeps."""
    address = f"file-of://me:hunter2@host{project.folder}/data.csv?signature=hunter2"
    fsspec.register_implementation("file-of", LocalCopy, clobber=True)
    status, out, err = project.run("--data", address)
    assert status == 0, err
    assert "hunter2" not in out + err
    kept = [file for name in ("run", "registry") for file in (project.folder / name).rglob("*") if file.is_file()]
    assert [file for file in kept if b"hunter2" in file.read_bytes()] == []


class LocalCopy(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A store whose addresses carry secrets, over local files."""

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        return Path(path.split("host", 1)[1].split("?", maxsplit=1)[0]).open(mode)


def test_the_example_goes_to_sagemaker(released: tuple[Path, Outcome], root: Path, tmp_path: Path) -> None:
    """The same run with another registry: the gate's answer is the same, and the files are those of the release."""
    folder, outcome = released
    shutil.copytree(root / EXAMPLE, tmp_path / "copy")
    document = yaml.safe_load((tmp_path / "copy" / "pipeline.yaml").read_text("utf-8"))
    parts = Parts(*(folder / "run" / BY_NAME[name].folder for name in COMPONENTS[:4]))
    with local_aws() as aws:
        boto3.client("s3", endpoint_url=aws.url).create_bucket(Bucket="models")
        document["registry"] = {
            "kind": "sagemaker",
            "uri": "s3://models/mortgage",
            "model": "mortgage-approval",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1",
            "endpoint_url": aws.url,
            "approval": {"passed": "Approved"},
        }
        (tmp_path / "copy" / "pipeline.yaml").write_text(yaml.safe_dump(document), "utf-8")
        again = register.run(tmp_path / "copy" / "pipeline.yaml", tmp_path / "release", parts=parts)
        assert aws.wrong == [], "the service would take every request"
        (request,) = aws.asked("CreateModelPackage")
    assert again.verdict == outcome.verdict
    assert (again.registration.version, again.registration.alias) == ("1", "champion")
    assert again.registration.tags["clarify_ops.evidence"] == outcome.registration.tags["clarify_ops.evidence"]
    assert json.loads(request["ModelCard"]["ModelCardContent"]) == read(folder, "release", "model_card.json")
    before = request["DriftCheckBaselines"]["Bias"]["PreTrainingConstraints"]["ContentDigest"]
    assert before == digest_file(folder / "run" / "pretraining_bias" / "analysis.json")
