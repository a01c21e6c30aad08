"""What carries a request to an endpoint, what can come back, and how long to wait before asking again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Reply:
    """A whole answer.

    Attributes:
        body: As it came.
        content_type: What it says that it is; may be empty.
    """

    body: bytes
    content_type: str


class TooLarge(Exception):
    """The endpoint takes no request of this size. The message is what it said."""


class TryAgain(Exception):
    """No answer this time.

    Attributes:
        reason: What happened, for a sentence.
        wait: Seconds that the endpoint asks for; None where it asks for nothing.
        slow: It took too long, so that half the rows have a better chance.
    """

    def __init__(self, reason: str, wait: float | None = None, *, slow: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.slow = reason, wait, slow


class Wire(Protocol):
    """Carries one request; several threads may send at a time.

    Attributes:
        name: The endpoint, for sentences about it, without credentials.
    """

    name: str

    def send(self, body: bytes, content_type: str, accept_type: str) -> Reply:
        """The endpoint's answer.

        Raises:
            TooLarge: The body is more than it takes.
            TryAgain: It is busy, failed, or could not be reached.
            BadModel: It refuses these data.
            Outside: It refuses for another reason.
        """
        ...

    def close(self) -> None:
        """Lets go of connections. Twice is once."""
        ...


def opening(name: str) -> str:
    """The name of an endpoint at the start of a sentence.

    >>> opening("the endpoint http://localhost:8080")
    'The endpoint http://localhost:8080'
    """
    return name[:1].upper() + name[1:]


@dataclass(frozen=True)
class Backoff:
    """Waits between attempts: twice as long each time, at random from half of that to all of it, so that many askers spread.

    Attributes:
        attempts: In all, per request.
        first: Seconds after the first attempt.
        longest: Seconds between two attempts at most.
        patience: Seconds that an endpoint may ask for by Retry-After; asked for more, it is given up.
        seed: Of the random part.
    """

    attempts: int = 6
    first: float = 0.5
    longest: float = 20.0
    patience: float = 120.0
    seed: int = 0

    def wait(self, row: int, attempt: int, asked: float | None) -> float:
        """Seconds after an attempt, at least what the endpoint asked for.

        Args:
            row: The first row of the request, so that requests differ and runs do not.
            attempt: From 1.
            asked: What the endpoint asked for.
        """
        full = min(self.longest, self.first * 2.0 ** (attempt - 1))
        share = float(np.random.default_rng([self.seed, row, attempt]).uniform(0.5, 1.0))
        return max(full * share, asked or 0.0)
