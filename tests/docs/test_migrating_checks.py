"""The page about checks: its code runs with the SDK's step and with ours, and the pipelines differ as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from clarify_ops.components.image import VARIABLE
from clarify_ops.config.pieces import from_pieces
from tests.docs.test_readme import blocks
from tests.registry.sagemaker.server import Aws, local_aws


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "migrating-checks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def local() -> Iterator[Aws]:
    with local_aws() as found:
        yield found


def run(code: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(code, "migrating-checks.md", "exec"), found)  # noqa: S102 - what the page shows
    return found


def changed(page: str) -> tuple[str, str, list[str]]:
    """The code before, the code after, and the lines that change."""
    (before,), (diff,) = blocks(page, "python"), blocks(page, "diff")
    lines = diff.splitlines()
    after = before
    for old, new in zip(lines[::2], lines[1::2], strict=True):
        assert (old[0], new[0]) == ("-", "+")
        assert after.count(old[1:]) == 1
        after = after.replace(old[1:], new[1:])
    return before, after, lines


def test_one_import_changes(page: str, local: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, lines = changed(page)
    assert len(lines) // 2 == 1
    monkeypatch.setenv(VARIABLE, "registry.example/clarify-ops:1")
    ours = run(after)
    # The SDK's step uploads when it is made.
    monkeypatch.setenv("AWS_ENDPOINT_URL", local.url)
    store = boto3.client("s3")
    store.create_bucket(Bucket="credit")
    theirs = run(before)
    (check,) = json.loads(ours["pipeline"].definition())["Steps"]
    (clarify,) = json.loads(theirs["pipeline"].definition())["Steps"]
    assert (clarify["Type"], check["Type"]) == ("ClarifyCheck", "Processing")
    same = ("dataset", "analysis_result")
    for part, key in (("ProcessingInputs", "InputName"), ("Outputs", "OutputName")):
        found, expected = (
            {one[key]: next(value for name, value in one.items() if name != key) for one in listed(step, part)}
            for step in (check, clarify)
        )
        for name in found.keys() & expected.keys():
            assert name in same
            assert expected[name].items() <= found[name].items()
    uploaded = listed(clarify, "ProcessingInputs")[0]["S3Input"]["S3Uri"].removeprefix("s3://credit/")
    document = json.loads(store.get_object(Bucket="credit", Key=uploaded)["Body"].read())
    told = check["Arguments"]["AppSpecification"]["ContainerArguments"]
    pieces = [one.removeprefix("--config-text=") for one in told if one.startswith("--config-text=")]
    assert from_pieces(pieces, "The configuration") == document


def listed(step: dict[str, Any], part: str) -> list[dict[str, Any]]:
    arguments = step["Arguments"]
    found: list[dict[str, Any]] = arguments[part] if part in arguments else arguments["ProcessingOutputConfig"][part]
    return found


def test_the_properties_go_where_they_went(page: str) -> None:
    _, after, _ = changed(page)
    ours = run(after)
    sources = (
        (ours["metrics"]._to_request_dict()["Bias"]["PreTrainingReport"], "calculated"),
        (ours["baselines"]._to_request_dict()["Bias"]["PreTrainingConstraints"], "used_for_drift_check"),
    )
    place = {"Get": "Steps.DataBiasCheck.ProcessingOutputConfig.Outputs['check'].S3Output.S3Uri"}
    for source, folder in sources:
        assert source["S3Uri"].expr == {"Std:Join": {"On": "/", "Values": [place, folder, "analysis.json"]}}
