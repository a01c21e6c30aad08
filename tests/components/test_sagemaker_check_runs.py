"""ClarifyCheckStep run from its definition on German credit data: a first baseline, a month like it, and one that drifts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sagemaker.core.clarify import BiasConfig, DataConfig, ModelConfig, SHAPConfig
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow import Pipeline
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.clarify_check_step import DataBiasCheckConfig, ModelExplainabilityCheckConfig
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clarify_ops.components.sagemaker import ClarifyCheckStep, ModelBiasCheckConfig
from clarify_ops.registry.sagemaker_storage import pack
from clarify_ops.training.saving import save_model
from tests.components.processing_jobs import Account
from tests.project import Project
from tests.registry.sagemaker.server import Aws, local_aws

BUCKET = "credit"
NUMBERS = ["duration", "amount", "rate", "age", "existing"]
# Purposes of credit: approvals of men and women differ by 7 points in all, by none for television sets, by 15 for cars.
ALL, TELEVISION, CAR = None, ("A43",), ("A40", "A41")


@pytest.fixture(scope="module")
def german(shared: Path) -> pd.DataFrame:
    raw = pd.read_csv(shared / "data" / "german" / "german.data", sep=" ", header=None)
    frame = raw[[1, 4, 7, 12, 15, 3]].set_axis([*NUMBERS, "purpose"], axis=1)
    frame["sex"] = raw[8].isin(["A92", "A95"]).map({True: "female", False: "male"})
    return frame.assign(good=(raw[20] == 1).astype(int))


@pytest.fixture(scope="module")
def local() -> Iterator[Aws]:
    with local_aws() as found:
        yield found


@pytest.fixture
def account(local: Aws, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A bucket; every request must be one that the service takes."""
    found = Account(local, project, monkeypatch)
    found.client("s3").create_bucket(Bucket=BUCKET)
    local.again()
    yield found
    assert local.wrong == []


def put(account: Account, german: pd.DataFrame, purposes: tuple[str, ...] | None) -> None:
    """The month's decisions, at the same place every month."""
    chosen = german if purposes is None else german[german["purpose"].isin(purposes)]
    csv = chosen.drop(columns="purpose").to_csv(index=False)
    account.client("s3").put_object(Bucket=BUCKET, Key="month/loans.csv", Body=csv.encode())


def job() -> CheckJobConfig:
    return CheckJobConfig("arn:aws:iam::123456789012:role/release", sagemaker_session=PipelineSession())


def data(**more: Any) -> DataConfig:
    return DataConfig(f"s3://{BUCKET}/month/loans.csv", f"s3://{BUCKET}/results", label="good", **more)


def bias_step(**flags: Any) -> ClarifyCheckStep:
    config = DataBiasCheckConfig(data(), BiasConfig([1], "sex", ["female"]), ["DPL"])
    return ClarifyCheckStep("DataBias", config, job(), **flags)


def defined(step: ClarifyCheckStep, *parameters: Any) -> dict[str, Any]:
    pipeline = Pipeline("checks", parameters=list(parameters), steps=[step], sagemaker_session=PipelineSession())
    (found,) = json.loads(pipeline.definition())["Steps"]
    return dict(found)


def register(account: Account, group: str, step: ClarifyCheckStep, execution: str) -> None:
    """What the SDK's registration sends, of the step's properties."""
    calculated, used = (
        MetricsSource(content_type="application/json", s3_uri=uri)
        for uri in (
            step.properties.CalculatedBaselineConstraints,
            step.properties.BaselineUsedForDriftCheckConstraints,
        )
    )
    request = {
        "ModelMetrics": ModelMetrics(bias_pre_training=calculated)._to_request_dict(),
        "DriftCheckBaselines": DriftCheckBaselines(bias_pre_training_constraints=used)._to_request_dict(),
    }
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        **account.value(json.loads(json.dumps(request, default=lambda one: one.expr)), {}, execution),
    )


@pytest.mark.parametrize("by", ["constants", "variables"])
def test_three_months(account: Account, german: pd.DataFrame, by: str) -> None:
    skip, new = (ParameterBoolean(name) for name in ("SkipCheck", "RegisterNewBaseline"))
    supplied = ParameterString("Supplied", default_value="")
    group = f"german-{by}"
    account.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    varied = bias_step(
        skip_check=skip,
        register_new_baseline=new,
        supplied_baseline_constraints=supplied,
        model_package_group_name=group,
    )

    def run(execution: str, *, first: bool) -> tuple[int, ClarifyCheckStep]:
        if by == "constants":
            step = bias_step(skip_check=first, register_new_baseline=first, model_package_group_name=group)
            return account.run(defined(step), {}, execution), step
        values = {"SkipCheck": first, "RegisterNewBaseline": first, "Supplied": ""}
        return account.run(defined(varied, skip, new, supplied), values, execution), varied

    put(account, german, ALL)
    status, _ = run("none", first=False)
    assert (status, "has no approved version" in account.told) == (3, True)
    status, step = run("first", first=True)
    assert status == 0, account.told
    register(account, group, step, "first")
    put(account, german, TELEVISION)
    status, step = run("second", first=False)
    assert status == 0, account.told
    register(account, group, step, "second")
    put(account, german, CAR)
    status, step = run("third", first=False)
    assert (status, "1 violations (DPL)" in account.told) == (3, True)
    # The second month handed the first one's baseline on, though its own results replaced those in the bucket.
    baseline = f"s3://{BUCKET}/results/checks/second/DataBias/used_for_drift_check/analysis.json"
    assert baseline in account.told
    first = account.read(f"s3://{BUCKET}/results/checks/first/DataBias/calculated/analysis.json")
    assert account.read(baseline) == first
    record = account.names(f"s3://{BUCKET}/results/checks/third/DataBias")
    assert {"constraint_violations.json", "check.json", "calculated/analysis.json"} <= record
    results = account.names(f"s3://{BUCKET}/results")
    assert {"analysis.json", "report.pdf", "analysis_config.json", "constraint_violations.json"} <= results
    used = account.value(step.properties.BaselineUsedForDriftCheckConstraints.expr, {}, "third")
    assert account.read(used) == first


def test_violations_that_do_not_fail_can_be_branched_on(account: Account, german: pd.DataFrame) -> None:
    put(account, german, TELEVISION)
    assert account.run(defined(bias_step(skip_check=True, register_new_baseline=True)), {}, "first") == 0
    supplied = f"s3://{BUCKET}/results/checks/first/DataBias/calculated/analysis.json"
    put(account, german, CAR)
    step = bias_step(fail_on_violation=False, supplied_baseline_constraints=supplied)
    assert account.run(defined(step), {}, "second") == 0, account.told
    found = json.loads(account.read(f"s3://{BUCKET}/results/checks/second/DataBias/check.json"))
    assert (found["violated"], found["violations"], found["baseline"]["address"]) == (True, 1, supplied)
    violations = json.loads(account.read(f"s3://{BUCKET}/results/constraint_violations.json"))["violations"]
    assert [one["metric_name"] for one in violations] == ["DPL"]


def test_a_model_of_mlflows_without_an_endpoint(account: Account, german: pd.DataFrame, tmp_path: Path) -> None:
    """Predictions and attributions: the job asks the model itself, whatever endpoint the configuration would have."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(german[NUMBERS], german["good"])
    save_model(model, tmp_path / "model", german[NUMBERS].head(3))
    pack(tmp_path / "model", tmp_path / "model.tar.gz")
    account.client("s3").upload_file(str(tmp_path / "model.tar.gz"), BUCKET, "training/output/model.tar.gz")
    put(account, german.head(60), ALL)
    asked = ModelConfig("german", 1, "ml.m5.large")
    dataset = data(excluded_columns=["sex"])
    baseline = [german[NUMBERS].mean().tolist()]
    explained = ModelExplainabilityCheckConfig(dataset, asked, SHAPConfig(baseline, 10, "mean_abs", seed=1))
    biased = ModelBiasCheckConfig(dataset, BiasConfig([1], "sex", ["female"]), methods=["DPPL", "RD"])
    # Where a training job leaves it.
    found = ""
    model_uri = f"s3://{BUCKET}/training/output/model.tar.gz"
    for name, config, key in (
        ("ModelBias", biased, "post_training_bias_metrics"),
        ("Explain", explained, "explanations"),
    ):
        step = ClarifyCheckStep(name, config, job(), skip_check=True, register_new_baseline=True, model=model_uri)
        assert account.run(defined(step), {}, "first") == 0, account.told
        found = account.value(step.properties.CalculatedBaselineConstraints.expr, {}, "first")
        assert key in json.loads(account.read(found))
    again = ClarifyCheckStep("Explain", explained, job(), model=model_uri, supplied_baseline_constraints=found)
    assert account.run(defined(again), {}, "second") == 0, account.told
    assert f"None of 1 comparisons with the baseline {found} is a violation." in account.told
