"""A model served by a real `mlflow models serve` answers as it does in process, and outlives nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clarify_ops.errors import BadModel, Outside
from clarify_ops.models.answer import Reading
from clarify_ops.models.endpoint import HttpEndpoint
from clarify_ops.models.local_shadow import LocalShadow
from clarify_ops.models.payload import CSV, Encoding
from clarify_ops.models.remote import Limits


def people(rows: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "income": random.lognormal(10, 1, rows),
            "years": random.integers(0, 40, rows),
            "town": random.choice(['Ulm, "old"', "Bonn", "Gotha"], rows),
        }
    )


@pytest.fixture(scope="module")
def fitted() -> Pipeline:
    data = people()
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    label = (np.log(data["income"]) + data["years"] / 10 > 12).astype(int)
    return make_pipeline(columns, LogisticRegression(max_iter=5_000)).fit(data, label)


@pytest.fixture(scope="module")
def folder(fitted: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "fitted"
    mlflow.sklearn.save_model(
        fitted,
        place,
        serialization_format="skops",
        pyfunc_predict_fn="predict_proba",
        pip_requirements=["scikit-learn"],
    )
    return place


@pytest.fixture(scope="module")
def shadow(folder: Path) -> Iterator[LocalShadow]:
    # A proxy that does not exist must not be asked for the loopback.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with LocalShadow(folder, trust=True, limits=Limits(payload_bytes=5_000)) as model:
            yield model


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_answers_as_in_process(shadow: LocalShadow, fitted: Pipeline) -> None:
    data = people()
    found = shadow.answer(data)
    assert shadow.calls > 1
    np.testing.assert_array_equal(found.to_numpy(), fitted.predict_proba(data))


def test_csv_with_a_header_is_read_as_well(shadow: LocalShadow, fitted: Pipeline) -> None:
    data = people(20)
    with HttpEndpoint(
        shadow.address,
        Encoding(CSV, flavour="mlflow"),
        Reading(probability="predictions[*][1]", accept_type="application/json"),
        proxies=False,
    ) as model:
        found = model.answer(data)
    # Its reader of CSV may miss a number by its last bit.
    np.testing.assert_allclose(found["probability"], fitted.predict_proba(data)[:, 1], rtol=1e-12)


def test_what_the_model_says_of_rows_that_it_cannot_take(shadow: LocalShadow) -> None:
    with pytest.raises(BadModel, match=r"contains NaN|missing values"):
        shadow.answer(people(5).assign(income=np.nan))
    with pytest.raises(BadModel, match="columns are missing"):
        shadow.answer(people(5).drop(columns="town"))


def test_a_model_that_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"cannot be served: .*nowhere"):
        LocalShadow(tmp_path / "nowhere", trust=True)


def test_a_model_that_is_not_trusted_is_not_served(folder: Path) -> None:
    with pytest.raises(BadModel, match="trust=True"):
        LocalShadow(folder)


def test_a_server_that_takes_too_long_is_ended(folder: Path) -> None:
    with pytest.raises(Outside, match=r"not served after 0\.5 s"):
        LocalShadow(folder, trust=True, start_timeout=0.5)


def test_closed_twice_it_is_gone(folder: Path) -> None:
    model = LocalShadow(folder, trust=True)
    port = int(model.address.rpartition(":")[2])
    assert listens(port)
    model.close()
    model.close()
    assert model.pid is None
    assert not listens(port)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_owner_however_that_ends(folder: Path, sign: signal.Signals) -> None:
    program = (
        "import sys, time\n"
        "from clarify_ops.models.local_shadow import LocalShadow\n"
        "model = LocalShadow(sys.argv[1], trust=True)\n"
        "print(model.pid, model.address, flush=True)\n"
        "time.sleep(600)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert owner.stdout is not None
    keeper, address = owner.stdout.readline().split()
    port = int(address.rpartition(":")[2])
    assert listens(port)
    owner.send_signal(sign)
    owner.wait(60)
    owner.stdout.close()
    until = time.monotonic() + 30
    while (listens(port) or Path(f"/proc/{keeper}").exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not listens(port)
    with pytest.raises(ProcessLookupError):
        os.kill(int(keeper), 0)
