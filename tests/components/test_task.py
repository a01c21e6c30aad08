"""What happens around a step inside a task, without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clarify_ops.components.task import log_predictions, refuse_secrets, task
from clarify_ops.errors import BadInput
from clarify_ops.steps.train import PREDICTIONS, Predicted


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bot:planted-7731@db.example/mlflow",
        "data:\n  uri: https://bot:planted-7731@host/loans.csv\n",
        "https://host/loans.csv?X-Amz-Credential=me&X-Amz-Signature=planted-7731",
        "https://host/loans.csv?SIG=planted-7731",
    ],
)
def test_a_secret_is_refused_by_the_name_of_its_parameter(text: str) -> None:
    with pytest.raises(BadInput, match="The parameter data holds an address with a password") as refused:
        refuse_secrets(pipeline="name: small", data=text)
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://127.0.0.1:5000",
        "s3://bucket/loans.csv",
        "sqlite:////srv/mlflow.db",
        "https://bot@host:8443/loans.csv?version=7",
        "why: see https://wiki.example:8443/rules, or ask: risk@bank.example",
    ],
)
def test_an_address_without_a_secret_is_taken(text: str) -> None:
    refuse_secrets(pipeline=text, number=3)


def test_a_task_refuses_a_secret_before_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(SystemExit) as ended,
        task("registry: {uri: 'https://bot:planted-7731@mlflow.example'}", "", "", None),
    ):
        pytest.fail("it started")
    assert ended.value.code == BadInput.exit_status
    assert "planted" not in capsys.readouterr().err


@dataclass
class Shown:
    """Stands for the artifact, of which kfp has two kinds: one where a pipeline is written, one where a task runs."""

    matrix: list[list[int]] = field(default_factory=list)
    curve: list[tuple[float, float, float]] = field(default_factory=list)

    def log_confusion_matrix(self, _: list[str], matrix: list[list[int]]) -> None:
        self.matrix = matrix

    def log_roc_curve(self, *points: Any) -> None:
        self.curve = list(zip(*points, strict=True))


def shown(folder: Path, label: list[bool], score: list[float]) -> Shown:
    rows = np.arange(len(label))
    scores = np.array(score)
    Predicted(rows, rows * 0, np.array(label), scores, scores > 0.5).write(folder / PREDICTIONS)
    found = Shown()
    log_predictions(found, str(folder))
    return found


def test_a_curve_begins_and_ends_in_its_corners_though_scores_are_zero_and_one(tmp_path: Path) -> None:
    found = shown(tmp_path, [False, True, False, True], [0.0, 1.0, 0.75, 0.25])
    assert found.matrix == [[1, 1], [1, 1]]
    rates = [point[:2] for point in found.curve]
    assert (rates[0], rates[-1]) == ((0, 0), (1, 1))
    # Every threshold between them, by hand.
    assert dict.fromkeys(rates) == dict.fromkeys([(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)])


def test_labels_that_are_all_alike_have_no_curve(tmp_path: Path) -> None:
    found = shown(tmp_path, [True, True], [0.2, 0.9])
    assert found.matrix == [[0, 0], [1, 1]]
    assert found.curve == []
