"""Silence around other people's code, which must not write between the results on standard output."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import warnings
from collections.abc import Iterator

LOGGERS = ("mlflow", "skops")
"""Of libraries that remark on every model that they read."""


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


class _Silence:
    """What is redirected belongs to the whole process: the first thread in does it, the last one out undoes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = contextlib.ExitStack()

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            self._undo.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            self._undo.enter_context(contextlib.redirect_stdout(_Nowhere()))
            for name in LOGGERS:
                logger = logging.getLogger(name)
                self._undo.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.ERROR)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._undo.close()


_SILENCE = _Silence()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops warnings and what Python code prints on standard output; standard error stays open.

    May be entered again inside itself, and by several threads at a time.
    """
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()


def first_line(error: BaseException) -> str:
    """What an exception says, or its type where it says nothing, as the end of a sentence."""
    said = str(error).strip()
    return said.splitlines()[0].rstrip(". ") if said else type(error).__name__
