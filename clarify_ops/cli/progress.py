"""Progress: a moving line on a terminal, a line a piece of work in a log; always on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

# In a log, a counter that goes up is worth a line now and then.
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Tells what is being done: a moving line on a terminal, a line a piece of work in a log."""

    def __init__(self, steps: int) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._steps = steps
        self._current = ""
        self._since = self._said = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        if kind is None:
            self._finish()

    def __call__(self, number: int, step: str, words: str) -> None:
        """Told by a run: number of the step, its name, what is being done."""
        title = f"[{number}/{self._steps}] {step}" if self._steps > 1 else step
        now = time.monotonic()
        new_step = title != self._current
        if new_step:
            self._finish()
            self._current, self._since = title, now
        line = f"{title}: {words}"
        if self._status is not None:
            self._status.update(Text(line))
        elif new_step or not words.startswith("asked") or now - self._said >= _SECONDS_BETWEEN_LINES:
            self._console.print(Text(line), soft_wrap=True)
            self._said = now

    def of(self, step: str) -> Callable[[str], None]:
        """For a step that runs alone."""
        return lambda words: self(1, step, words)

    def _finish(self) -> None:
        if self._current:
            took = time.monotonic() - self._since
            self._console.print(Text(f"{self._current}: done in {took:.1f} s", style="dim"), soft_wrap=True)
