"""An analysis of a model behind an endpoint: the same numbers, few requests, one sentence where it fails."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from clarify_ops.analysis.analyze import analyze
from clarify_ops.cli import main
from clarify_ops.errors import BadInput, BadModel, Outside
from clarify_ops.models.remote import Limits
from clarify_ops.models.wire import Backoff
from tests.models.faulty import Answer, Behaviour, Request, serving

from .containers import PREDICTORS, close, container
from .jobs import METHODS, configuration, people, score

NAMES = ["sex", "city", "school", "income", "debt"]
BASELINE = ["female", "a", 1, 50.0, 3]
SHAP: dict[str, Any] = {"baseline": [BASELINE], "num_samples": 20, "seed": 3}
MODEL = container(score, NAMES)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (4, 0.001, 0.01, 120.0, 0))


def payload(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Requests hold no more bytes."""
    monkeypatch.setattr(Limits.__init__, "__defaults__", (size, None, 4))


def asked(**changes: Any) -> dict[str, Any]:
    return configuration(**{"methods": {"shap": SHAP}, "predicted_label": None, **changes})


@pytest.mark.parametrize("predictor", list(PREDICTORS))
def test_an_endpoint_is_explained_as_the_model_itself(
    predictor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload(monkeypatch, 20_000)
    methods = {**METHODS, "shap": SHAP, "pdp": {"grid_resolution": 4, "features": ["income", "city"]}}
    document = asked(methods=methods, predictor=PREDICTORS[predictor])
    document["excluded_columns"] = ["predicted"]
    here = analyze(document, people(150), model=score, output=tmp_path / "here")
    with serving(MODEL) as server:
        there = analyze(document, people(150), model=server.url, output=tmp_path / "there")
        kinds = {one.headers["content-type"] for one in server.got}
    assert kinds == {PREDICTORS[predictor]["content_type"]}
    assert close(there.to_clarify(), here.to_clarify())
    expected = pd.read_csv(tmp_path / "here" / "explanations_shap" / "out.csv")
    found = pd.read_csv(tmp_path / "there" / "explanations_shap" / "out.csv")
    assert list(found.columns) == [f"{name}_label0" for name in NAMES]
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000])
def test_requests_are_as_few_as_the_payload_allows(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    payload(monkeypatch, size)
    document = asked(excluded_columns=["predicted"])
    with serving(MODEL) as server:
        analyze(document, people(400), model=server.url)
        rows = sum(one.body.count(b"\n") + 1 for one in server.got)
        longest = max(len(line) + 1 for one in server.got for line in one.body.split(b"\n"))
    # Rows that share a value with the baseline have fewer coalitions.
    assert rows > 400 * 10
    assert len(server.got) <= math.ceil(rows / ((size + 1) // longest)) + 2


def test_throttling_costs_nothing_but_time() -> None:
    document = asked(excluded_columns=["predicted"])
    expected = analyze(document, people(60), model=score).to_clarify()

    def behave(number: int, request: Request) -> Answer | None:
        return Answer(b"slow down", 429, {"Retry-After": "0"}) if number % 2 else MODEL(number, request)

    with serving(behave) as server:
        assert close(analyze(document, people(60), model=server.url).to_clarify(), expected)
        assert len(server.got) >= 2


def test_an_answer_that_broke_off_is_asked_for_again() -> None:
    document = asked(excluded_columns=["predicted"])
    expected = analyze(document, people(60), model=score).to_clarify()

    def behave(number: int, request: Request) -> Answer | None:
        answer = MODEL(number, request)
        assert answer is not None
        return Answer(answer.body[: len(answer.body) // 2], length=len(answer.body)) if number == 1 else answer

    with serving(behave) as server:
        assert close(analyze(document, people(60), model=server.url).to_clarify(), expected)


def every_row(line: bytes, **more: Any) -> Behaviour:
    """The same line for each row that is asked."""
    return lambda _, request: Answer(line * (request.body.count(b"\n") + 1), **more)


FAULTS: list[tuple[Behaviour, type[Exception], str]] = [
    (lambda _, __: Answer(b'{"message": "no memory left"}', 500), Outside, "no memory left"),
    (lambda _, __: Answer(b"0.5\n", length=99), Outside, "in vain"),
    (lambda _, __: Answer(b"0.5\n0.5\n0.5\n"), BadModel, "has 3 rows for 1"),
    (lambda _, __: Answer(b"not here", 404), Outside, "not here"),
    (lambda _, __: Answer(b"bad column", 400), BadModel, "bad column"),
    (every_row(b"yes\n"), BadModel, "no score"),
    (every_row(b"nan\n"), BadModel, "(?i)finite"),
]


@pytest.mark.parametrize(("behave", "error", "words"), FAULTS, ids=[words for _, _, words in FAULTS])
def test_what_an_endpoint_does_wrong_is_one_sentence(
    behave: Behaviour, error: type[Exception], words: str, tmp_path: Path
) -> None:
    document = asked(excluded_columns=["predicted"])
    with serving(behave) as server, pytest.raises(error, match=words):
        analyze(document, people(60), model=server.url, output=tmp_path / "out")
    assert not (tmp_path / "out" / "analysis.json").exists()


def test_an_endpoint_that_is_down_ends_with_status_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "config.json").write_text(json.dumps(asked(excluded_columns=["predicted"])))
    people(60).to_csv(tmp_path / "x.csv", index=False)
    words = ["analyze", "--config", "config.json", "--data", "x.csv", "--output", "out", "--model", address]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["clarify-ops", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 5
    error = capsys.readouterr().err
    assert address in error
    assert "Traceback" not in error
    assert not list((tmp_path / "out").glob("*.json"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow model of two of the columns, which serves probabilities."""
    folder, frame = tmp_path_factory.mktemp("served") / "model", people(200)
    fitted = LogisticRegression(max_iter=500).fit(frame[["income", "debt"]], frame["paid"])
    mlflow.sklearn.save_model(
        fitted,
        folder,
        serialization_format="skops",
        pyfunc_predict_fn="predict_proba",
        pip_requirements=["scikit-learn"],
    )
    return folder


def of_two(folder: Path, **changes: Any) -> dict[str, Any]:
    shap = {"baseline": [[50.0, 3]], "seed": 3}
    document = asked(methods={"shap": shap}, predictor={"model_name": str(folder)}, facet=None, group_variable=None)
    return {**document, "excluded_columns": ["sex", "city", "school", "predicted"], **changes}


def test_a_model_by_name_is_served_here_when_it_is_trusted(served: Path) -> None:
    document = of_two(served)
    with pytest.raises(BadModel, match="trust"):
        analyze(document, people(60))
    there = analyze(document, people(60), trust_model=True).to_clarify()["explanations"]["kernel_shap"]
    here = analyze(document, people(60), model=str(served)).to_clarify()["explanations"]["kernel_shap"]
    # Served, it answers both classes; read here, it is asked for the positive one.
    assert list(there) == ["label0", "label1"]
    assert close(there["label1"], here["label0"])
    values = [np.array(list(there[one]["global_shap_values"].values())) for one in there]
    np.testing.assert_allclose(values[0], values[1], rtol=0, atol=1e-9)


def test_bad_data_start_no_server(served: Path) -> None:
    told: list[str] = []
    for changes in ({"label": "payd"}, {"methods": {"shap": {"baseline": [[1.0, 2.0, 3.0]]}}}):
        with pytest.raises(BadInput):
            analyze(of_two(served, **changes), people(60), progress=told.append, trust_model=True)
    assert told
    assert not [words for words in told if words.startswith("serving")]


def processes(words: str) -> list[int]:
    """Those whose command line has some words in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for in /proc")
def test_ctrl_c_leaves_no_server(served: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(of_two(served)))
    people(60).to_csv(tmp_path / "x.csv", index=False)
    words = ["--config", "config.json", "--data", "x.csv", "--output", "out", "--trust-model"]
    child = subprocess.Popen(
        [sys.executable, "-c", "from clarify_ops.cli import main; main()", "analyze", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    until = time.monotonic() + 60
    while not processes(str(served)) and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    error = child.communicate(timeout=60)[1]
    assert child.returncode == 130, error
    assert "Traceback" not in error
    until = time.monotonic() + 20
    while processes(str(served)) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes(str(served)) == []
    assert not (tmp_path / "out" / "analysis.json").exists()
