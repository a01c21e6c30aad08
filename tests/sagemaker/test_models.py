"""Which model a job that runs here asks: read in this process, at an address, or by the name that SageMaker knows."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import mlflow
import pytest
from sklearn.linear_model import LogisticRegression

from clarify_ops import sagemaker as clarify
from clarify_ops.analysis.analyze import analyze
from clarify_ops.errors import BadInput, BadModel, Outside
from clarify_ops.sagemaker.local import LocalJob
from tests.analysis.containers import CSV, close, container
from tests.analysis.jobs import people, score
from tests.models.faulty import serving

SHAP = clarify.SHAPConfig([[50.0, 3]], num_samples=10, seed=1)
NAMES = ["income", "debt"]


def data_config(folder: Path) -> clarify.DataConfig:
    people(80)[["income", "debt", "paid"]].to_csv(folder / "x.csv", index=False)
    return clarify.DataConfig(str(folder / "x.csv"), str(folder / "out"), label="paid")


def explained(folder: Path, model: clarify.ModelConfig, **settings: Any) -> dict[str, Any]:
    """`explanations` of a job that runs here."""
    processor = clarify.SageMakerClarifyProcessor(instance_type="local", **settings)
    processor.run_explainability(data_config(folder), model, SHAP, logs=False)
    job = processor.latest_job
    assert isinstance(job, LocalJob)
    found: dict[str, Any] = job.analysis.to_clarify()["explanations"]
    return found


def expected(model: Any) -> dict[str, Any]:
    document = {
        "dataset_type": "text/csv",
        "label": "paid",
        "methods": {"shap": SHAP.get_explainability_config()["shap"]},
    }
    found: dict[str, Any] = analyze(document, people(80)[["income", "debt", "paid"]], model=model).to_clarify()
    explanations: dict[str, Any] = found["explanations"]
    return explanations


def test_an_address_as_the_endpoints_name(tmp_path: Path) -> None:
    with serving(container(score, NAMES)) as server:
        model = clarify.ModelConfig(endpoint_name=server.url, content_type=CSV, accept_type=CSV)
        assert close(explained(tmp_path, model), expected(score))
        assert {one.path for one in server.got} == {"/invocations"}


def test_an_endpoint_that_sagemaker_knows_is_asked_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(container(score, NAMES)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", server.url)
        model = clarify.ModelConfig(endpoint_name="live", content_type=CSV, accept_type=CSV)
        assert close(explained(tmp_path, model), expected(score))
        assert {one.path for one in server.got} == {"/endpoints/live/invocations"}


MODELS = [clarify.ModelConfig(endpoint_name="live"), clarify.ModelConfig("churn", 1, "ml.m5.large")]


@pytest.mark.parametrize("model", MODELS, ids=["endpoint", "model"])
@pytest.mark.parametrize("missing", ["specify a region", "locate credentials"])
def test_without_an_account_it_is_one_sentence_at_once(
    model: clarify.ModelConfig, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = ["AWS_DEFAULT_REGION"] if "region" in missing else ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    for name in gone:
        monkeypatch.delenv(name)
    # It remembers the credentials of earlier tests.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    # Waiting for a state, or trying to delete what was not made, would begin with this.
    monkeypatch.setattr("clarify_ops.models.shadow.time.sleep", lambda _: pytest.fail("waits"))
    with pytest.raises(Outside, match=missing):
        explained(tmp_path, model)
    assert not (tmp_path / "out" / "analysis.json").exists()


@pytest.mark.parametrize("name", ["runs/modle", "modle_1", "./model", "-a", "a" * 64])
def test_what_is_neither_a_folder_nor_a_name_of_sagemakers(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"There is no model {name}"):
        explained(tmp_path, clarify.ModelConfig(name, 1, "ml.m5.large"))
    with pytest.raises(BadInput, match=f"There is no endpoint {name}"):
        explained(tmp_path, clarify.ModelConfig(endpoint_name=name))


def test_a_pickle_is_opened_by_a_word_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = people(80)
    fitted = LogisticRegression(max_iter=500).fit(frame[NAMES], frame["paid"])
    mlflow.sklearn.save_model(
        fitted,
        tmp_path / "model",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn", f"cloudpickle=={version('cloudpickle')}"],
    )
    model = clarify.ModelConfig(str(tmp_path / "model"), 1, "local")
    with pytest.raises(BadModel, match="CLARIFY_OPS_TRUST_MODEL=1"):
        explained(tmp_path, model)
    found = explained(tmp_path, model, env={"CLARIFY_OPS_TRUST_MODEL": "1"})
    assert found == expected(fitted)
    monkeypatch.setenv("CLARIFY_OPS_TRUST_MODEL", "1")
    assert explained(tmp_path, model) == found
    with pytest.raises(BadModel):
        explained(tmp_path, model, env={"CLARIFY_OPS_TRUST_MODEL": "0"})
    with pytest.raises(BadInput, match="CLARIFY_OPS_TRUST_MODEL=please"):
        explained(tmp_path, model, env={"CLARIFY_OPS_TRUST_MODEL": "please"})
