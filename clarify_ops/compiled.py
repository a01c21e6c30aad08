"""Functions in machine code. This module imports numba: import it only where there is much to do."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba


@lru_cache
def digest_of_sources(folder: Path) -> str:
    """SHA-256 of all Python sources in a folder, and of this one, which says how they are compiled."""
    sources = [*sorted(folder.glob("*.py")), Path(__file__)]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function in machine code, made when first called and kept beside its file or in the user's cache.

    It may call compiled functions of its own folder alone: what is kept is thrown away when a source there has changed.
    Divisions by zero give infinities and NaN, as in numpy; other threads run meanwhile.
    """
    return _made(function)


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, for a function that compiled ones alone call: made sooner, and not to be called from Python."""
    return _made(function, no_cpython_wrapper=True)


def _made(function: Callable[..., Any], **how: bool) -> Callable[..., Any]:
    # A wrapper is code to compile as well, and nobody calls these from C.
    wanted: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, **how}
    try:
        made: Any = numba.njit(cache=True, **wanted)(function)
    except RuntimeError:  # Nowhere to keep what is compiled, as in a container without a writable folder.
        made = numba.njit(**wanted)(function)
    else:
        # Numba takes what it kept for current by the time and size of the function's own file, while the code of functions
        # in other files is part of it: after an upgrade it would compute with what they were before.
        with contextlib.suppress(AttributeError):
            stamp = digest_of_sources(Path(function.__code__.co_filename).parent)
            made._cache._cache_file._source_stamp = stamp  # noqa: SLF001 no other way is open
    return made  # type: ignore[no-any-return]
