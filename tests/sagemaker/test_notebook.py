"""The explainability cells of Clarify's sample notebooks, with the import line changed, on real census data and a real model.

Nothing stands in for SageMaker but a mock of its control plane: the model is XGBoost behind an HTTP server that speaks the
runtime's protocol, and the job makes and deletes its temporary endpoint as Clarify's does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
import xgboost
from moto import mock_aws

from clarify_ops.analysis.analyze import analyze
from tests.analysis.containers import close, container
from tests.models.faulty import Server, serving

NAMES = [
    "Age",
    "Workclass",
    "fnlwgt",
    "Education",
    "Education-Num",
    "Marital Status",
    "Occupation",
    "Relationship",
    "Ethnic group",
    "Sex",
    "Capital Gain",
    "Capital Loss",
    "Hours per week",
    "Country",
]
ROLE = "arn:aws:iam::123456789012:role/made-up"

SETUP = """
from clarify_ops import sagemaker as clarify

clarify_processor = clarify.SageMakerClarifyProcessor(
    role=role, instance_count=1, instance_type="ml.m5.xlarge", sagemaker_session=session
)
model_config = clarify.ModelConfig(
    model_name="xgboost-census", instance_type="ml.m5.xlarge", instance_count=1, accept_type="text/csv", content_type="text/csv"
)
"""

EXPLAIN = """
shap_config = clarify.SHAPConfig(
    baseline=[test_features.iloc[0].values.tolist()],
    num_samples=15,
    agg_method="mean_abs",
    save_local_shap_values=True,
)
explainability_data_config = clarify.DataConfig(
    s3_data_input_path=train_uri,
    s3_output_path=output_path,
    label="Target",
    headers=training_data.columns.to_list(),
    dataset_type="text/csv",
)
clarify_processor.run_explainability(
    data_config=explainability_data_config, model_config=model_config, explainability_config=shap_config
)
"""

READ = """
local_explanations_out = pd.read_csv(output_path + "/explanations_shap/out.csv")
feature_names = [c.replace("_label0", "") for c in local_explanations_out.columns]
local_explanations_out.columns = feature_names
with open(output_path + "/analysis.json") as file:
    global_shap_values = json.load(file)["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
"""

PARTIAL_DEPENDENCE = """
pdp_config = clarify.PDPConfig(top_k_features=5, grid_resolution=25)
clarify_processor.run_explainability(
    data_config=explainability_data_config,
    model_config=model_config,
    explainability_config=[pdp_config, shap_config],
    logs=False,
)
"""


def census(file: Path) -> pd.DataFrame:
    """Rows without gaps, texts as the places of their sorted values, the label first."""
    raw = pd.read_csv(file, header=None, names=[*NAMES, "Target"], skipinitialspace=True, na_values="?").dropna()
    coded = {
        name: raw[name] if pd.api.types.is_numeric_dtype(raw[name]) else pd.factorize(raw[name], sort=True)[0]
        for name in ("Target", *NAMES)
    }
    return pd.DataFrame(coded, index=raw.index).reset_index(drop=True)


@pytest.fixture(scope="module")
def training_data(shared: Path) -> pd.DataFrame:
    return census(shared / "data/adult/adult.data")


@pytest.fixture(scope="module")
def model(training_data: pd.DataFrame) -> xgboost.Booster:
    data = xgboost.DMatrix(training_data[NAMES], training_data["Target"])
    settings = {"objective": "binary:logistic", "max_depth": 5, "eta": 0.2, "gamma": 4, "nthread": 1}
    return xgboost.train(settings, data, num_boost_round=30)


@pytest.fixture
def server(model: xgboost.Booster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """SageMaker's runtime with the model behind it, beside a mock of the control plane that knows its name."""

    def score(rows: pd.DataFrame) -> Any:
        return predicted(model, rows)

    with mock_aws(), serving(container(score, NAMES)) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", found.url)
        client = boto3.client("sagemaker")
        client.create_model(ModelName="xgboost-census", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x"})
        yield found
        assert client.list_endpoints()["Endpoints"] == []
        assert client.list_endpoint_configs()["EndpointConfigs"] == []


def predicted(model: xgboost.Booster, rows: pd.DataFrame) -> Any:
    return model.predict(xgboost.DMatrix(rows[NAMES].astype(float))).astype(np.float64)


def test_the_cells_run_with_the_import_line_changed(
    training_data: pd.DataFrame,
    model: xgboost.Booster,
    server: Server,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLARIFY_OPS_MODE", "local")
    rows = training_data.iloc[:1_500]
    rows.to_csv(tmp_path / "train_data.csv", index=False, header=False)
    notebook: dict[str, Any] = {
        "json": json,
        "pd": pd,
        "role": "any-role",
        "session": None,
        "training_data": training_data,
        "test_features": census(shared / "data/adult/adult.test")[NAMES],
        "train_uri": str(tmp_path / "train_data.csv"),
        "output_path": str(tmp_path / "clarify-explainability"),
    }
    for cell in (SETUP, EXPLAIN, READ):
        exec(cell, notebook)  # noqa: S102 - as a notebook does
    local, whole = notebook["local_explanations_out"], notebook["global_shap_values"]
    assert list(local.columns) == list(whole) == NAMES
    assert len(local) == len(rows)
    np.testing.assert_allclose(local.abs().mean(), list(whole.values()), rtol=1e-9)
    # What each row's attributions add up to is what the model says of it.
    analysis = json.loads((tmp_path / "clarify-explainability" / "analysis.json").read_text())
    expected_value = analysis["explanations"]["kernel_shap"]["label0"]["expected_value"]
    np.testing.assert_allclose(local.sum(axis=1) + expected_value, predicted(model, rows), rtol=0, atol=1e-9)
    for name in ("report.html", "report.ipynb", "report.pdf", "explanations_shap/baseline.csv"):
        assert (tmp_path / "clarify-explainability" / name).is_file()
    assert {one.path.split("/")[1] for one in server.got} == {"endpoints"}

    exec(PARTIAL_DEPENDENCE, notebook)  # noqa: S102
    found = json.loads((tmp_path / "clarify-explainability" / "analysis.json").read_text())
    assert found["explanations"]["kernel_shap"] == analysis["explanations"]["kernel_shap"]
    strongest = sorted(whole, key=lambda name: -whole[name])[:5]
    assert [one["feature_name"] for one in found["explanations"]["pdp"]] == strongest
    # In this process the same model has the same to say.
    document = notebook["clarify_processor"].latest_job.analysis_config
    here = analyze(document, tmp_path / "train_data.csv", model=lambda rows: predicted(model, rows)).to_clarify()
    assert close(found["explanations"], here["explanations"])
