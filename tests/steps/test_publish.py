"""Publishing: whatever became of a run, people find a page about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.errors import BadInput, Outside
from clarify_ops.steps import gate, publish
from clarify_ops.steps.judging import Parts
from tests.project import STEPS
from tests.servers import moto_server


@pytest.fixture(scope="module")
def judged(finished: Path) -> Path:
    """Output folder of a gate."""
    folder = finished / "run" / "gate"
    gate.run(finished / "pipeline.yaml", folder, parts=Parts(*(finished / "run" / name for name in STEPS)))
    return folder


def told(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "run.json").read_text(encoding="utf-8"))
    return found


def test_the_papers_of_a_judgement_stand_at_the_place(judged: Path, tmp_path: Path) -> None:
    place = tmp_path / "reports" / "1"
    found = publish.run(tmp_path / "out", to=str(place), release=judged, state="SUCCEEDED")
    assert (place / "index.html").read_bytes() == (judged / "report.html").read_bytes()
    assert (place / "model_card.md").read_bytes() == (judged / "model_card.md").read_bytes()
    assert told(place)["outcome"] == found.outcome == "PASS"
    assert told(place)["state"] == "SUCCEEDED"
    there = {one.name for one in place.iterdir()}
    assert there == {"index.html", "model_card.md", "verdict.json", "run.json"}
    assert {one.name for one in (tmp_path / "out").iterdir()} == {*there, "step.json"}


def test_an_exit_handler_adds_how_the_run_ended_and_keeps_the_report(judged: Path, tmp_path: Path) -> None:
    place = tmp_path / "reports"
    publish.run(tmp_path / "out", to=str(place), release=judged)
    found = publish.run(
        tmp_path / "handler",
        to=str(place),
        state="FAILED",
        message="sqlite: cannot reach postgresql://me:s3cret@db.example/mlflow",
    )
    assert found.outcome == "PASS"
    assert (place / "index.html").read_bytes() == (judged / "report.html").read_bytes()
    assert (tmp_path / "handler" / "index.html").read_bytes() == (judged / "report.html").read_bytes()
    assert told(place)["state"] == "FAILED"
    assert told(place)["message"] == "sqlite: cannot reach postgresql://db.example/mlflow"


def test_a_run_that_was_not_judged_has_a_page_that_says_so(tmp_path: Path) -> None:
    place = tmp_path / "reports"
    found = publish.run(
        tmp_path / "out", to=str(place), release=tmp_path / "nothing", state="FAILED", message="<b>killed</b>"
    )
    assert found.outcome is None
    page = (place / "index.html").read_text(encoding="utf-8")
    assert "The run ended before it was judged: the gate left nothing. Nothing was registered by it." in page
    assert "&lt;b&gt;killed&lt;/b&gt;" in page
    assert told(place)["may_register"] is None


def test_a_report_takes_the_place_of_such_a_page(judged: Path, tmp_path: Path) -> None:
    place = tmp_path / "reports"
    publish.run(tmp_path / "first", to=str(place), state="RUNNING")
    publish.run(tmp_path / "second", to=str(place), release=judged)
    assert told(place)["outcome"] == "PASS"
    assert (place / "index.html").read_bytes() == (judged / "report.html").read_bytes()


def test_papers_that_were_changed_are_not_published(judged: Path, tmp_path: Path) -> None:
    shutil.copytree(judged, tmp_path / "gate")
    report = tmp_path / "gate" / "report.html"
    report.write_text(report.read_text(encoding="utf-8").replace("PASS", "pass"), encoding="utf-8")
    found = publish.run(tmp_path / "out", to=str(tmp_path / "reports"), release=tmp_path / "gate")
    assert found.outcome is None
    assert "report.html was changed after the step gate" in told(tmp_path / "reports")["reason"]


def test_a_folder_of_another_step_is_not_published(finished: Path, tmp_path: Path) -> None:
    publish.run(tmp_path / "out", to=str(tmp_path / "reports"), release=finished / "run" / "training")
    assert "the step train, which judges nothing" in told(tmp_path / "reports")["reason"]


def test_a_place_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BadInput, match=r"lies a run\.json that was not written here"):
        publish.run(tmp_path / "out", to=str(tmp_path))
    assert (tmp_path / "run.json").read_text(encoding="utf-8") == "[]"


def test_a_store_that_does_not_answer(judged: Path, tmp_path: Path) -> None:
    with pytest.raises(Outside, match=r"The store behind ftp://127\.0\.0\.1:9/reports failed"):
        publish.run(tmp_path / "out", to="ftp://me:secret@127.0.0.1:9/reports", release=judged)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket of an AWS on this machine."""
    import boto3

    with moto_server(tmp_path_factory.mktemp("moto")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        boto3.client("s3").create_bucket(Bucket="reports")
        yield address


def test_a_bucket(judged: Path, tmp_path: Path, bucket: str) -> None:
    import boto3

    publish.run(tmp_path / "out", to="s3://reports/7", release=judged)
    publish.run(tmp_path / "handler", to="s3://reports/7", state="Failed")
    client = boto3.client("s3")
    page = client.get_object(Bucket="reports", Key="7/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["Body"].read() == (judged / "report.html").read_bytes()
    assert json.load(client.get_object(Bucket="reports", Key="7/run.json")["Body"])["state"] == "Failed"
    with pytest.raises((BadInput, Outside)):
        publish.run(tmp_path / "typing-error", to="s3://rports/7", release=judged)
    assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["reports"]
