"""ClarifyCheckStep: what the definition says, made without a network; the jobs are run in test_sagemaker_check_runs."""

from __future__ import annotations

import inspect
import json
import random
import socket
from typing import Any

import pytest
from sagemaker.core import clarify as sdk
from sagemaker.core.network import NetworkConfig
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import Properties
from sagemaker.mlops.workflow import CacheConfig, Pipeline, clarify_check_step
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig

from clarify_ops import sagemaker as own_clarify
from clarify_ops.components import sagemaker
from clarify_ops.components.image import VARIABLE
from clarify_ops.components.sagemaker import ClarifyCheckStep
from clarify_ops.config.pieces import from_pieces
from clarify_ops.errors import BadDocument, BadInput, NotSupported
from tests.sagemaker_pipelines.checker import wrong

ROLE = "arn:aws:iam::123456789012:role/release"
OUTPUT = Join(on="/", values=["s3://bucket", ExecutionVariables.PIPELINE_EXECUTION_ID, "bias"])


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may ask anybody."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv(VARIABLE, "registry.example/clarify-ops:1")


def data(room: Any = sdk, **changes: Any) -> Any:
    given = {"s3_data_input_path": "s3://bucket/loans.csv", "s3_output_path": "s3://bucket/checks", "label": "paid"}
    return room.DataConfig(**{**given, **changes})


def data_bias(room: Any = sdk, configs: Any = clarify_check_step, **changes: Any) -> Any:
    return configs.DataBiasCheckConfig(data(room, **changes), room.BiasConfig([1], "sex", ["female"]))


def model_bias(room: Any = sdk, configs: Any = clarify_check_step, name: Any = "credit", **changes: Any) -> Any:
    return configs.ModelBiasCheckConfig(
        data(room, **changes),
        room.BiasConfig([1], "sex", ["female"]),
        room.ModelConfig(name, 1, "ml.m5.large", content_type="text/csv"),
        room.ModelPredictedLabelConfig(probability_threshold=0.6),
    )


def explainability(room: Any = sdk, configs: Any = clarify_check_step, **settings: Any) -> Any:
    shap = room.SHAPConfig(**{"baseline": [[1, 2]], "num_samples": 20, "agg_method": "mean_abs", **settings})
    return configs.ModelExplainabilityCheckConfig(data(room), room.ModelConfig("credit", 1, "ml.m5.large"), shap, 0)


def job(**changes: Any) -> CheckJobConfig:
    return CheckJobConfig(**{"role": ROLE, "sagemaker_session": PipelineSession(), **changes})


def step(config: Any = None, job_config: Any = None, **options: Any) -> ClarifyCheckStep:
    return ClarifyCheckStep("Bias", config or data_bias(), job_config or job(), **options)


def definition(*steps: Any, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """The steps of a definition that SageMaker would take."""
    session = PipelineSession()
    pipeline = Pipeline(name="checks", parameters=list(parameters), steps=list(steps), sagemaker_session=session)
    found = json.loads(pipeline.definition())
    assert wrong(found) == []
    return list(found["Steps"])


def document(made: ClarifyCheckStep) -> Any:
    told = made.arguments["AppSpecification"]["ContainerArguments"]
    pieces = [one.removeprefix("--config-text=") for one in told if one.startswith("--config-text=")]
    return from_pieces(pieces, "The configuration")


def options(made: ClarifyCheckStep) -> set[str]:
    told = made.arguments["AppSpecification"]["ContainerArguments"]
    return {one for one in told if one.startswith("--") and not one.startswith("--config-text")}


def test_arguments_are_the_sdks_and_two_more() -> None:
    theirs = inspect.signature(clarify_check_step.ClarifyCheckStep).parameters
    ours = inspect.signature(ClarifyCheckStep).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, one in theirs.items():
        assert (ours[name].default, ours[name].kind) == (one.default, one.kind), name
    assert list(ours)[len(theirs) :] == ["retry_policies", "strict", "model"]


@pytest.mark.parametrize(
    "name", ["DataBiasCheckConfig", "ModelBiasCheckConfig", "ModelExplainabilityCheckConfig", "CheckJobConfig"]
)
def test_our_configurations_take_what_the_sdks_take(name: str) -> None:
    theirs = CheckJobConfig if name == "CheckJobConfig" else getattr(clarify_check_step, name)
    wanted = [one for one in inspect.signature(theirs).parameters if one != "monitoring_analysis_config_uri"]
    ours = [one for one in inspect.signature(getattr(sagemaker, name)).parameters if one != "image_uri"]
    assert sorted(ours) == sorted(wanted)
    positional = [one for one in wanted if one != "kms_key"]
    assert [one for one in ours if one != "kms_key"] == positional


@pytest.mark.parametrize("make", [data_bias, model_bias, explainability])
def test_the_sdks_objects_and_ours_make_one_request(make: Any) -> None:
    own = sagemaker.CheckJobConfig(role=ROLE)
    assert step(make()).arguments == step(make(own_clarify, sagemaker), own).arguments


def test_the_configuration_is_that_of_clarifys_step() -> None:
    methods: dict[str, Any] = {"report": {"name": "report", "title": "Analysis Report"}}
    bias: dict[str, Any] = {
        "dataset_type": "text/csv",
        "label": "paid",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["female"]}],
    }
    assert document(step()) == {**bias, "methods": {**methods, "pre_training_bias": {"methods": "all"}}}
    predictor = {"model_name": "credit", "instance_type": "ml.m5.large", "initial_instance_count": 1}
    assert document(step(model_bias())) == {
        **bias,
        "methods": {**methods, "post_training_bias": {"methods": "all"}},
        "predictor": {**predictor, "content_type": "text/csv"},
        "probability_threshold": 0.6,
    }
    found = document(step(explainability()))
    assert found["predictor"] == {**predictor, "label": 0}
    assert found["methods"].keys() == {"report", "shap"}


def test_the_definition_is_one_that_the_service_takes() -> None:
    network = NetworkConfig(enable_network_isolation=False, subnets=["subnet-1"], security_group_ids=["sg-1"])
    made = step(
        model_bias(),
        job(
            instance_type="ml.m5.2xlarge",
            volume_kms_key="disk",
            output_kms_key="results",
            max_runtime_in_seconds=600,
            env={"MLFLOW_TRACKING_URI": "https://mlflow.example"},
            tags={"team": "risk"},
            network_config=network,
        ),
        model_package_group_name="credit",
        supplied_baseline_constraints="s3://bucket/before/analysis.json",
        skip_check=True,
        fail_on_violation=False,
        register_new_baseline=True,
        strict=True,
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
        display_name="Bias of the model",
        description="Against the approved one",
        depends_on=["Before"],
    )
    _, found = definition(ClarifyCheckStep("Before", data_bias(), job()), made)
    assert (found["Type"], found["DependsOn"], found["DisplayName"]) == ("Processing", ["Before"], "Bias of the model")
    assert found["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P1D"}
    request = found["Arguments"]
    assert request["AppSpecification"]["ImageUri"] == "registry.example/clarify-ops:1"
    assert request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == "disk"
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == "results"
    assert request["NetworkConfig"]["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert request["Tags"] == [{"Key": "team", "Value": "risk"}]
    assert request["Environment"] == {"MLFLOW_TRACKING_URI": "https://mlflow.example"}
    assert {
        "--skip-check",
        "--no-fail-on-violation",
        "--register-new-baseline",
        "--strict",
        "--model-package-group=credit",
        "--baseline-constraints=s3://bucket/before/analysis.json",
    } <= options(made)


def test_variables_may_stand_for_all_that_is_not_needed_before_the_run() -> None:
    text, flag, number = ParameterString("Text"), ParameterBoolean("Flag"), ParameterInteger("Number")
    role, machine = ParameterString("Role", default_value=ROLE), ParameterString("Machine", default_value="ml.m5.large")
    before = ClarifyCheckStep("Before", data_bias(), job())
    made = step(
        model_bias(name=text, s3_data_input_path=text, s3_output_path=OUTPUT),
        job(
            role=role,
            instance_count=number,
            instance_type=machine,
            volume_size_in_gb=number,
            volume_kms_key=text,
            output_kms_key=text,
            max_runtime_in_seconds=number,
            env={"MLFLOW_TRACKING_URI": text},
        ),
        skip_check=flag,
        fail_on_violation=flag,
        register_new_baseline=flag,
        model_package_group_name=text,
        supplied_baseline_constraints=before.properties.CalculatedBaselineConstraints,
        strict=flag,
        model=text,
    )
    _, found = definition(before, made, parameters=(text, flag, number, role, machine))
    environment = found["Arguments"]["Environment"]
    told = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Flag"}]}}
    assert environment == {
        "MLFLOW_TRACKING_URI": {"Get": "Parameters.Text"},
        "CLARIFY_OPS_SKIP_CHECK": told,
        "CLARIFY_OPS_FAIL_ON_VIOLATION": told,
        "CLARIFY_OPS_REGISTER_NEW_BASELINE": told,
        "CLARIFY_OPS_STRICT": told,
        "CLARIFY_OPS_MODEL_PACKAGE_GROUP": {"Get": "Parameters.Text"},
        "CLARIFY_OPS_BASELINE_CONSTRAINTS": before.properties.CalculatedBaselineConstraints.expr,
        "CLARIFY_OPS_MODEL_NAME": {"Get": "Parameters.Text"},
    }
    assert options(made) == {"--data", "--output", "--record", "--model"}


def test_the_name_of_a_model_that_another_step_makes() -> None:
    made = step(model_bias(name=Properties("CreateModel", "ModelName")))
    told = made.arguments["Environment"]["CLARIFY_OPS_MODEL_NAME"].expr
    assert told == {"Std:Join": {"On": "", "Values": [{"Get": "Steps.CreateModel.ModelName"}]}}
    assert "model_name" not in document(made)["predictor"]


def test_properties_are_outputs_of_this_execution() -> None:
    made = step()
    place = {"Get": "Steps.Bias.ProcessingOutputConfig.Outputs['check'].S3Output.S3Uri"}
    for name, folder in (
        ("CalculatedBaselineConstraints", "calculated"),
        ("BaselineUsedForDriftCheckConstraints", "used_for_drift_check"),
    ):
        found = getattr(made.properties, name).expr
        assert found == {"Std:Join": {"On": "/", "Values": [place, folder, "analysis.json"]}}
    result, record = made.arguments["ProcessingOutputConfig"]["Outputs"]
    assert result["S3Output"]["S3Uri"] == "s3://bucket/checks"
    below = {"Get": "Execution.PipelineExecutionId"}
    expected = {"Std:Join": {"On": "/", "Values": ["s3://bucket/checks", "checks", below, "Bias"]}}
    assert record["S3Output"]["S3Uri"].expr == expected
    assert made.properties.ProcessingJobArn.expr == {"Get": "Steps.Bias.ProcessingJobArn"}


def test_a_step_that_uses_the_properties_waits_for_the_check() -> None:
    made = step()
    supplied = made.properties.BaselineUsedForDriftCheckConstraints
    other = ClarifyCheckStep("Again", data_bias(), job(), supplied_baseline_constraints=supplied)
    first, second = definition(made, other)
    told = second["Arguments"]["Environment"]["CLARIFY_OPS_BASELINE_CONSTRAINTS"]
    assert "Steps.Bias.ProcessingOutputConfig" in json.dumps(told)
    pipeline = Pipeline(name="p", steps=[made, other], sagemaker_session=PipelineSession())
    assert first["Name"] == "Bias"
    assert other._find_step_dependencies({one.name: one for one in pipeline.steps}) == ["Bias"]


def test_a_condition_on_the_outcome() -> None:
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.mlops.workflow import ConditionStep, FailStep

    made = step(fail_on_violation=False)
    branch = ConditionStep(
        name="Drifted",
        conditions=[ConditionEquals(left=made.violated, right=True)],
        if_steps=[FailStep(name="Stop", error_message="drift")],
    )
    check, condition = definition(made, branch)
    left = condition["Arguments"]["Conditions"][0]["LeftValue"]["Std:JsonGet"]
    assert left == {"PropertyFile": {"Get": "Steps.Bias.PropertyFiles.Check"}, "Path": "violated"}
    assert check["PropertyFiles"] == [{"PropertyFileName": "Check", "OutputName": "check", "FilePath": "check.json"}]


def test_a_model_without_an_endpoint() -> None:
    given = sagemaker.ModelExplainabilityCheckConfig(data(), None, sdk.SHAPConfig([[1, 2]], 20, "mean_abs"))
    made = step(given, model="s3://bucket/model")
    assert "--model" in options(made)
    assert "predictor" not in document(made)
    assert [one["InputName"] for one in made.arguments["ProcessingInputs"]] == ["dataset", "model"]


def test_a_long_configuration_is_compressed_and_a_longer_one_refused() -> None:
    rows = [[number * 0.1 % 1, number] for number in range(2_000)]
    made = step(explainability(baseline=rows))
    told = made.arguments["AppSpecification"]["ContainerArguments"]
    assert len(told) <= 100
    assert max(map(len, told)) <= 256
    assert document(made)["methods"]["shap"]["baseline"] == rows
    chance = random.Random(0)
    noise = [[chance.random(), number] for number in range(2_000)]
    with pytest.raises(NotSupported, match=r"too long .* baseline of SHAP by its S3 URI"):
        step(explainability(baseline=noise))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: step(skip_check="no"), BadInput, "skip_check is 'no', neither True nor False"),
        (lambda: step(register_new_baseline=1), BadInput, "register_new_baseline is 1"),
        (lambda: step(strict="yes"), BadInput, "strict is 'yes'"),
        (lambda: step(model_package_group_name=7), BadInput, "model_package_group_name is a int"),
        (lambda: step(skip_check=ParameterString("Skip")), BadInput, "the String parameter 'Skip', where Boolean is"),
        (lambda: step(model_package_group_name=ParameterBoolean("G")), BadInput, "the Boolean parameter 'G'"),
        (lambda: step(job_config=job(env={"DB_PASSWORD": "x"})), BadInput, "DB_PASSWORD would stand in the definition"),
        (lambda: step(supplied_baseline_constraints="s3://b/" + "x" * 256), BadInput, "SageMaker takes 256"),
        (lambda: step(job_config=job(instance_count=2)), NotSupported, "on 2 instances"),
        (lambda: step(data_bias(s3_data_input_path="loans.csv")), BadInput, "dataset is 'loans.csv'"),
        (lambda: step(data_bias(s3_output_path="out")), BadInput, "s3_output_path is 'out'"),
        (lambda: step(model="model"), BadInput, "model is 'model'"),
        (lambda: step(data()), BadInput, "cannot be a DataConfig"),
        (lambda: step(data_bias(label=ParameterString("Label"))), BadInput, "The key label .* is a pipeline variable"),
        (lambda: step(data_bias(label=None)), BadDocument, "needs the key label"),
        (lambda: step(job_config=sagemaker.CheckJobConfig("release")), BadInput, "The role 'release' is no ARN"),
    ],
)
def test_what_is_wrong_shows_before_the_run(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_what_is_not_followed_shows_before_the_run() -> None:
    text = sdk.TextConfig("token", "english")
    with pytest.raises(NotSupported, match="text_config"):
        step(explainability(text_config=text))
