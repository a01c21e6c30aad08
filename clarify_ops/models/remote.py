"""A model behind a wire: rows are packed into requests, sent side by side, tried again, and put together in order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadModel, Outside
from clarify_ops.models.answer import Answered, OneLine, Reading
from clarify_ops.models.payload import Encoding, Layout
from clarify_ops.models.wire import Backoff, Reply, TooLarge, TryAgain, Wire, opening

PAYLOAD_BYTES = 6_000_000
"""Of a request at most: below the 6 MiB that a SageMaker endpoint takes in real time."""

_ROWS_ENCODED_AT_ONCE = 20_000
_FULL_REQUESTS = 8


@dataclass(frozen=True)
class Limits:
    """What an endpoint is asked at most.

    Attributes:
        payload_bytes: In one request; a single row that is larger is sent all the same.
        rows: In one request; None for as many as the bytes hold.
        parallel: Requests at a time.
    """

    payload_bytes: int = PAYLOAD_BYTES
    rows: int | None = None
    parallel: int = 4


class RemoteModel:
    """Asks an endpoint; implements `clarify_ops.models.model.Model`.

    Requests are as full as the limits allow, so that rows which fit n to a request take ceil(rows / n) of them. A request
    that is too large for the endpoint, or too slow, is halved, and so are those after it.

    Args:
        wire: Carries a request.
        encoding: What a request looks like.
        reading: Where label and scores stand in an answer; its `content_type` is that of the encoding.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.

    Attributes:
        calls: Requests sent so far.
        labels: The labels that the scores belong to, where the first answer listed them.
    """

    estimator: object | None = None

    def __init__(
        self,
        wire: Wire,
        encoding: Encoding | None = None,
        reading: Reading | None = None,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = wire.name
        self.calls = 0
        self.labels: tuple[Any, ...] | None = None
        self._wire = wire
        self._encoding = encoding or Encoding()
        self._reading = reading or Reading(content_type=self._encoding.content_type)
        self._limits = limits or Limits()
        self._backoff = backoff or Backoff()
        self._payload_bytes = self._limits.payload_bytes
        self._lock, self._probing = threading.Lock(), threading.Lock()
        self._one_line = False

    def answer(self, features: pd.DataFrame) -> pd.DataFrame:
        """What the endpoint says of (rows, features), a row a row; see `Reading.joined` for the columns.

        Raises:
            BadData: A value that the request's format cannot say.
            BadDocument: A template does not fit the features.
            BadModel: It refuses the rows, or its answer is not one for each.
            Outside: It cannot be reached, or fails after every attempt.
        """
        if features.empty:
            return pd.DataFrame(index=range(len(features)))
        layout = self._encoding.layout([str(name) for name in features.columns])
        answers = self._all(_Requests(self, layout, features), layout)
        table, labels = self._reading.joined(answers, self.name)
        if labels is not None:
            if self.labels is not None and set(labels) != set(self.labels):
                raise BadModel(f"The answer of {self.name} lists other labels than earlier.")
            if self.labels is None:
                self.labels = labels
        return table

    def rows_at_once(self, features: pd.DataFrame) -> int:
        """Rows for one call of `answer` such that all requests but the last are full and as many go out as may.

        Each call ends with a request that is not full; so many rows keep these few, in some 100 MB of numbers.

        Args:
            features: Some of the rows, which the others are like.
        """
        if features.empty:
            return 1
        layout = self._encoding.layout([str(name) for name in features.columns])
        longest = max(map(len, layout.records(features.head(_ROWS_ENCODED_AT_ONCE)))) + len(layout.separator)
        most = 1 if layout.alone else self._limits.rows or self._payload_bytes
        fit = min(most, max(1, (self._payload_bytes - len(layout.body(()))) // longest))
        return int(fit * self._limits.parallel * _FULL_REQUESTS)

    def close(self) -> None:
        """Lets go of connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def payload_bytes(self) -> int:
        """What a request holds at most by now."""
        return self._payload_bytes

    @property
    def rows_a_request(self) -> int | None:
        """The limit of rows."""
        return self._limits.rows

    def _all(self, requests: _Requests, layout: Layout) -> list[Answered]:
        crew = _Crew()
        first = requests.take()
        second = requests.take()
        if first is None:
            return []
        if second is None or self._limits.parallel == 1:
            answers = self._asked(first, layout, crew)
            while second is not None:
                answers += self._asked(second, layout, crew)
                second = requests.take()
            return answers
        waiting = [second, first]

        def work() -> None:
            while not crew.stopped.is_set():
                with self._lock:
                    one = waiting.pop() if waiting else None
                one = one or requests.take()
                if one is None:
                    return
                crew.answers[one.row] = self._asked(one, layout, crew)

        crew.run(work, self._limits.parallel)
        return [answer for row in sorted(crew.answers) for answer in crew.answers[row]]

    def _asked(self, request: _Request, layout: Layout, crew: _Crew, attempt: int = 1) -> list[Answered]:
        """The answers to one request, or to its halves, in order."""
        body = layout.body(request.records)
        rows = len(request.records)
        while True:
            try:
                reply = self._sent(body, layout)
                return [self._read(reply, request, layout)]
            except TooLarge as refused:
                if rows == 1:
                    raise BadModel(
                        f"{opening(self.name)} takes no request of {len(body):,} bytes, and one row alone makes that: {refused}"
                    ) from refused
            except TryAgain as failed:
                self._wait(request.row, attempt, failed, crew)
                attempt += 1
                if not failed.slow or rows == 1:
                    continue
            with self._lock:
                self._payload_bytes = min(self._payload_bytes, max(1, len(body) // 2))
            return [answer for half in request.halves() for answer in self._asked(half, layout, crew, attempt)]

    def _sent(self, body: bytes, layout: Layout) -> Reply:
        with self._lock:
            self.calls += 1
        return self._wire.send(body, layout.content_type, self._reading.accepted)

    def _read(self, reply: Reply, request: _Request, layout: Layout) -> Answered:
        """Reads an answer; where it is one line, a row by itself shows whether a line holds a row or all of them."""
        said, rows = reply.content_type, len(request.records)
        try:
            return self._reading.read(reply.body, said, rows, self.name, one_line=self._one_line)
        except OneLine:
            with self._probing:
                if not self._one_line:
                    alone = self._sent(layout.body(request.records[:1]), layout)
                    whole = replace(self._reading, label=None, probability=None)
                    if whole.read(alone.body, alone.content_type, 1, self.name).table.shape[1] != 1:
                        raise
                    self._one_line = True
            return self._reading.read(reply.body, said, rows, self.name, one_line=True)

    def _wait(self, row: int, attempt: int, failed: TryAgain, crew: _Crew) -> None:
        """Until the next attempt.

        Raises:
            Outside: There is none.
        """
        if attempt >= self._backoff.attempts:
            times = f"{attempt} times" if attempt > 1 else "once"
            raise Outside(
                f"{opening(self.name)} was asked {times} in vain: {failed.reason}", "Try again later."
            ) from failed
        seconds = self._backoff.wait(row, attempt, failed.wait)
        if failed.wait is not None and failed.wait > self._backoff.patience:
            raise Outside(
                f"{opening(self.name)} asks to wait {failed.wait:.0f} s, longer than the {self._backoff.patience:.0f} s that are "
                f"waited: {failed.reason}",
                "Try again later.",
            ) from failed
        if crew.stopped.wait(seconds):
            raise _Stopped


class _Stopped(Exception):
    """Another request failed, and this one need not go on."""


@dataclass(frozen=True)
class _Request:
    """Records, and the row that the first of them belongs to."""

    row: int
    records: Sequence[str]

    def halves(self) -> tuple[_Request, _Request]:
        middle = len(self.records) // 2
        return _Request(self.row, self.records[:middle]), _Request(self.row + middle, self.records[middle:])


class _Requests:
    """Cuts a table into requests as they are taken, some 20,000 rows ahead."""

    def __init__(self, model: RemoteModel, layout: Layout, features: pd.DataFrame) -> None:
        self._model, self._layout, self._features = model, layout, features
        self._records: list[str] = []
        self._ends: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._taken = self._encoded = 0
        self._lock = threading.Lock()

    def take(self) -> _Request | None:
        """The next rows that fit into a request, None after the last."""
        with self._lock:
            room = self._model.payload_bytes - len(self._layout.body(()))
            most = 1 if self._layout.alone else self._model.rows_a_request or len(self._features)
            fits = self._fits(room)
            while fits == len(self._records) < most and self._encoded < len(self._features):
                self._encode()
                fits = self._fits(room)
            if not self._records:
                return None
            count = max(1, min(fits, most))
            request = _Request(self._taken, self._records[:count])
            self._taken += count
            self._records, self._ends = self._records[count:], self._ends[count:] - self._ends[count - 1]
            return request

    def _fits(self, room: int) -> int:
        # The last record is followed by no separator.
        return int(np.searchsorted(self._ends, room + len(self._layout.separator), side="right"))

    def _encode(self) -> None:
        start = self._encoded
        self._encoded = min(len(self._features), start + _ROWS_ENCODED_AT_ONCE)
        records = self._layout.records(self._features.iloc[start : self._encoded])
        sizes = [len(one) if one.isascii() else len(one.encode()) for one in records]
        ends = np.cumsum(np.array(sizes, dtype=np.int64) + len(self._layout.separator))
        before = self._ends[-1] if len(self._ends) else 0
        self._records += records
        self._ends = np.concatenate([self._ends, ends + before])


class _Crew:
    """Threads that do one piece of work until it is done or one of them fails."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.answers: dict[int, list[Answered]] = {}
        self._failed: BaseException | None = None
        self._lock = threading.Lock()

    def run(self, work: Any, count: int) -> None:
        """Returns when all are done; a failure does not wait for the others, and neither does Ctrl-C."""
        over = threading.Event()
        left = count

        def member() -> None:
            nonlocal left
            try:
                work()
            except _Stopped:
                pass
            except BaseException as error:
                with self._lock:
                    self._failed = self._failed or error
                self.stopped.set()
                over.set()
            finally:
                with self._lock:
                    left -= 1
                    if left == 0:
                        over.set()

        # Not a pool of the standard library: leaving the program would wait for a request that hangs.
        for _ in range(count):
            threading.Thread(target=member, daemon=True).start()
        try:
            over.wait()
        finally:
            self.stopped.set()
        if self._failed is not None:
            raise self._failed
