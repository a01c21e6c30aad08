"""An endpoint that behaves is asked as seldom as its limits allow; one that does not ends in one sentence."""

from __future__ import annotations

import datetime
import gzip
import json
import math
import socket
import subprocess
import sys
import time
from dataclasses import replace
from email.utils import format_datetime

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadDocument, BadModel, ClarifyOpsError, Outside
from clarify_ops.models.answer import Reading
from clarify_ops.models.endpoint import HttpEndpoint
from clarify_ops.models.model import Model
from clarify_ops.models.payload import CSV, JSON, JSON_LINES, ContentType, Encoding
from clarify_ops.models.remote import Limits
from clarify_ops.models.wire import Backoff
from tests.models.faulty import Answer, Behaviour, Request, serving, sums

QUICK = Backoff(attempts=4, first=0.001, longest=0.01)
TEMPLATES = {
    CSV: Encoding(CSV),
    JSON_LINES: Encoding(JSON_LINES, '{"features": $features}'),
    JSON: Encoding(JSON, '{"instances": $records}', "$features"),
}


def table(rows: int, columns: int = 3, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    return pd.DataFrame(values, columns=[f"f{at}" for at in range(columns)])


def first_times(count: int, answer: Answer) -> Behaviour:
    return lambda number, _: answer if number <= count else None


@pytest.mark.parametrize("kind", [CSV, JSON_LINES, JSON])
@pytest.mark.parametrize("accept", [CSV, JSON_LINES, JSON])
def test_every_type_of_request_and_answer(kind: ContentType, accept: ContentType) -> None:
    features = table(57)
    with serving() as server:
        with HttpEndpoint(server.url, TEMPLATES[kind], Reading(accept_type=accept)) as model:
            found = model.answer(features)
            assert isinstance(model, Model)
            assert model.alive()
        assert server.got[0].headers["content-type"] == kind
    # Bit for bit: what is sent is what is meant.
    assert found.iloc[:, 0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


@pytest.mark.parametrize("rows", [1, 99, 100, 101, 1_234])
@pytest.mark.parametrize("parallel", [1, 4])
def test_calls_are_as_few_as_the_payload_allows(rows: int, parallel: int) -> None:
    features = pd.DataFrame({"a": np.full(rows, 0.25), "b": np.arange(rows) % 10})
    body = len("0.25,1\n") * 100 - 1
    with serving() as server:
        model = HttpEndpoint(server.url, limits=Limits(payload_bytes=body, parallel=parallel), backoff=QUICK)
        found = model.answer(features)
        assert all(len(one.body) <= body for one in server.got)
        assert model.calls == len(server.got) == math.ceil(rows / 100)
        assert server.most_at_once <= parallel
    assert found[0].tolist() == (0.25 + np.arange(rows) % 10).tolist()


def test_one_row_a_request() -> None:
    encoding = Encoding(JSON, '{"instances": [$record]}', "$features")
    with serving() as server:
        model = HttpEndpoint(server.url, encoding)
        assert len(model.answer(table(5))) == 5
        assert len(server.got) == 5


def test_requests_go_side_by_side_and_rows_stay_in_order() -> None:
    features = table(40)

    def behave(number: int, request: Request) -> Answer:
        return Answer(sums(request), seconds=0.05 * (number % 3))

    with serving(behave) as server:
        model = HttpEndpoint(server.url, limits=Limits(rows=4, parallel=3), backoff=QUICK)
        found = model.answer(features)
        assert server.most_at_once == 3
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


@pytest.mark.parametrize(
    "fault",
    [
        Answer(b"slow down", 429, {"Retry-After": "0"}),
        Answer(b"on fire", 500),
        Answer(b"starting", 503),
        Answer(b"", reset=True),
        Answer(b"1.0\n2.0\n", length=400),
        Answer(b"1.5\n2", framed=False),
    ],
    ids=["429", "500", "503", "reset", "half a body", "no length and no end"],
)
def test_what_passes_is_tried_again(fault: Answer) -> None:
    features = table(3)
    with serving(first_times(2, fault)) as server:
        found = HttpEndpoint(server.url, backoff=QUICK).answer(features)
        assert len(server.got) == 3
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (Answer(b'{"message": "no free worker"}', 503), Outside, "no free worker"),
        (Answer(b"quota of project 7", 429), Outside, "quota of project 7"),
        (Answer(b"come tomorrow", 429, {"Retry-After": "86400"}), Outside, "86400 s"),
        (Answer(b"unknown column f9", 400), BadModel, "unknown column f9"),
        (Answer(b"who are you", 403), Outside, "who are you"),
        (Answer(b"", 302, {"Location": "http://else.where/invocations"}), Outside, "else.where"),
        (Answer(b"", reset=True), Outside, "in vain"),
        (Answer(b"1.0\n2.0\n3.0\n", length=400), Outside, "broke off"),
        (Answer(b"1.0\n2.0\n"), BadModel, "2 rows for 3"),
        (Answer(b"1.0\n2.0\n3.0\n4.0\n"), BadModel, "4 rows for 3"),
        (Answer(b"1.0\n2.0,3.0\n4.0\n"), BadModel, "rows of 1 and of 2"),
        (Answer(b""), BadModel, "nothing"),
        (Answer(b'1.0\n"2.0\n3.0\n'), BadModel, "not valid CSV"),
        (Answer(b"\xff\xfe\n1\n2\n"), BadModel, "not UTF-8"),
    ],
)
def test_what_does_not_pass_is_said(fault: Answer, error: type[ClarifyOpsError], said: str) -> None:
    with serving(lambda _number, _request: fault) as server, pytest.raises(error) as caught:
        HttpEndpoint(server.url, backoff=QUICK).answer(table(3))
    assert said in str(caught.value)
    assert server.url in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"predictions": [1.0, 2.0', "not valid JSON"),
        (b'{"predictions": [1.0, 2.0]}', "2 rows for 3"),
        (b'{"predictions": 3.0}', "no list of 3 rows"),
        (b'{"outputs": [1, 2, 3], "id": 4}', "'outputs', 'id'"),
        (b'{"predictions": [[1], [2, 3], [4]]}', "rows of 1 and of 2"),
        (b'{"predictions": [[1, [2]], [1, [2]], [1, [2]]]}', "neither single values"),
        (b'[{"a": 1}, {"b": 1}, {"a": 2}]', "other keys"),
    ],
)
def test_json_that_is_no_answer(body: bytes, said: str) -> None:
    with serving(lambda _number, _request: Answer(body)) as server, pytest.raises(BadModel, match=said) as caught:
        HttpEndpoint(server.url, TEMPLATES[JSON], backoff=QUICK).answer(table(3))
    assert body.decode()[:20] in str(caught.value)


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(*, as_date: bool) -> None:
    start = time.time()
    # A date has whole seconds, so that of two at least one is left.
    soon = datetime.datetime.fromtimestamp(start + 2, tz=datetime.UTC)
    value = format_datetime(soon, usegmt=True) if as_date else "1"
    with serving(first_times(1, Answer(b"", 429, {"Retry-After": value}))) as server:
        HttpEndpoint(server.url, backoff=QUICK).answer(table(2))
    assert time.time() - start >= 0.99


def test_waits_double_spread_and_repeat() -> None:
    backoff = Backoff(first=1.0, longest=6.0, seed=3)
    waits = [backoff.wait(0, attempt, None) for attempt in range(1, 6)]
    assert all(full / 2 <= one <= full for one, full in zip(waits, [1, 2, 4, 6, 6], strict=True))
    assert waits == [backoff.wait(0, attempt, None) for attempt in range(1, 6)]
    assert backoff.wait(0, 1, None) != backoff.wait(100, 1, None)
    assert backoff.wait(0, 1, 30.0) == 30.0


def test_a_request_that_is_too_large_is_halved_and_the_next_are_smaller() -> None:
    features = table(256)
    most = 2_000

    def behave(_number: int, request: Request) -> Answer | None:
        return Answer(b"too much", 413) if len(request.body) > most else None

    with serving(behave) as server:
        model = HttpEndpoint(server.url, limits=Limits(parallel=1), backoff=QUICK)
        assert model.answer(features)[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]
        before = len(server.got)
        model.answer(features)
        assert all(len(one.body) <= most for one in server.got[before:])


def test_a_row_that_is_too_large_by_itself() -> None:
    with (
        serving(lambda _number, _request: Answer(b"too much", 413)) as server,
        pytest.raises(BadModel, match="one row"),
    ):
        HttpEndpoint(server.url, backoff=QUICK).answer(table(4))


def test_a_slow_endpoint_is_asked_for_less() -> None:
    def behave(_number: int, request: Request) -> Answer | None:
        return Answer(sums(request), seconds=0.6) if len(request.rows) > 2 else None

    features = table(4)
    with serving(behave) as server:
        found = HttpEndpoint(server.url, backoff=QUICK, timeout=0.3).answer(features)
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


@pytest.mark.parametrize("fault", [Answer(b"1.0\n", seconds=5.0), Answer(b"1.000000000000000\n", trickle=0.1)])
def test_an_endpoint_that_hangs_or_trickles_is_given_up(fault: Answer) -> None:
    backoff = Backoff(attempts=2, first=0.001)
    with serving(lambda _number, _request: fault) as server:
        start = time.monotonic()
        with pytest.raises(Outside, match=r"within 0\.3 s|whole after 0\.3 s|broke off"):
            HttpEndpoint(server.url, backoff=backoff, timeout=0.3).answer(table(1))
        assert time.monotonic() - start < 3


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def test_answers_in_chunks_and_compressed() -> None:
    """However it is framed, a whole answer is taken and half of one is asked for again."""
    chunked = {"Transfer-Encoding": "chunked"}
    half = Answer(chunks(b"1.5\n2"), headers=chunked, framed=False)
    whole = Answer(chunks(b"1.5\n2", b".5\n", b""), headers=chunked, framed=False)
    packed = Answer(gzip.compress(b"1.5\n2.5\n"), headers={"Content-Encoding": "gzip"})
    for fault, answer in ((half, whole), (replace(packed, body=packed.body[:-12], length=None), packed)):
        with serving(lambda number, _, fault=fault, answer=answer: fault if number == 1 else answer) as server:  # type: ignore[misc]
            assert HttpEndpoint(server.url, backoff=QUICK).answer(table(2))[0].tolist() == [1.5, 2.5]
            assert len(server.got) == 2


def test_one_failure_ends_all_of_it() -> None:
    """The requests that wait are not sent, and one that hangs is not waited for."""

    def behave(number: int, _request: Request) -> Answer | None:
        return Answer(b"no", 400) if number == 3 else Answer(b"1.0\n", seconds=0.5)

    with serving(behave) as server:
        start = time.monotonic()
        with pytest.raises(BadModel, match="HTTP 400"):
            HttpEndpoint(server.url, limits=Limits(rows=1, parallel=3), backoff=QUICK).answer(table(50))
        assert time.monotonic() - start < 0.4
        time.sleep(0.6)
        assert len(server.got) <= 5


def test_an_endpoint_that_is_down() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        model = HttpEndpoint(url, backoff=QUICK)
        assert not model.alive()
        with pytest.raises(Outside, match="refused") as caught:
            model.answer(table(2))
    assert model.calls == QUICK.attempts
    assert "object at" not in str(caught.value)


def test_credentials_are_sent_and_not_shown() -> None:
    with serving(lambda _number, _request: Answer(b"no", 401)) as server:
        url = server.url.replace("http://", "http://ann:secret@") + "/invocations?key=hidden"
        model = HttpEndpoint(url, headers={"X-Token": "cloaked"}, backoff=QUICK)
        with pytest.raises(Outside) as caught:
            model.answer(table(1))
    assert not any(word in f"{caught.value}{model.name}" for word in ("secret", "hidden", "cloaked"))


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", ""])
def test_no_address(url: str) -> None:
    with pytest.raises(BadDocument, match="no address"):
        HttpEndpoint(url)


def test_no_rows_need_no_request() -> None:
    assert len(HttpEndpoint("http://127.0.0.1:9").answer(table(0))) == 0


def test_label_and_probability_by_jmespath() -> None:
    lines = b'{"who": "cat", "scores": {"cat": 0.7, "dog": 0.3}}\n{"who": "dog", "scores": {"cat": 0.1, "dog": 0.9}}\n'
    reading = Reading(JSON_LINES, "who", "scores.[cat, dog]")
    with serving(lambda _number, _request: Answer(lines)) as server:
        found = HttpEndpoint(server.url, reading=reading).answer(table(2))
    assert json.loads(found.to_json(orient="records")) == [
        {"label": "cat", "probability0": 0.7, "probability1": 0.3},
        {"label": "dog", "probability0": 0.1, "probability1": 0.9},
    ]


@pytest.mark.parametrize("width", [1, 3])
def test_one_line_for_all_rows_is_told_from_one_row(width: int) -> None:
    """Old containers write all scores on one line; three scores of a first row look the same."""

    def behave(_number: int, request: Request) -> Answer:
        values = [sum(row) for row in request.rows] if width == 1 else [0.25, 0.25, 0.5]
        return Answer(",".join(map(repr, values)).encode())

    features = table(9)
    with serving(behave) as server:
        model = HttpEndpoint(server.url, reading=Reading(probability=0), limits=Limits(rows=3), backoff=QUICK)
        if width == 1:
            assert model.answer(features)["probability"].tolist() == [sum(row) for row in features.to_numpy().tolist()]
            assert model.calls == 3 + 1
        else:
            with pytest.raises(BadModel, match="1 rows for 3"):
                model.answer(features)


def test_ctrl_c_does_not_wait_for_a_request_that_hangs() -> None:
    program = (
        "import sys, pandas as pd\n"
        "from clarify_ops.models.endpoint import HttpEndpoint\n"
        "from clarify_ops.models.remote import Limits\n"
        "HttpEndpoint(sys.argv[1], limits=Limits(rows=1)).answer(pd.DataFrame({'a': [1.0, 2.0, 3.0]}))\n"
    )
    with serving(lambda _number, _request: Answer(b"1.0\n", seconds=30.0)) as server:
        child = subprocess.Popen([sys.executable, "-c", program, server.url], stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while not server.got and time.monotonic() < until:
            time.sleep(0.02)
        assert server.got
        child.send_signal(2)
        _, said = child.communicate(timeout=20)
    assert b"KeyboardInterrupt" in said
