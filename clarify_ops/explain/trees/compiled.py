"""Functions in machine code. This module imports numba: import it only where trees are explained."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def _digest() -> str:
    """Of all sources in this folder."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


SOURCES = _digest()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function in machine code, made when first called and kept beside this file or in the user's cache."""
    try:
        made: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # Nowhere to keep what is compiled, as in a container without a writable folder.
        made = numba.njit(nogil=True, error_model="numpy")(function)
    else:
        # Numba takes what it kept for current by the time and size of the function's own file, while the code of functions
        # in other files is part of it: after an upgrade it would compute with what they were before.
        with contextlib.suppress(AttributeError):
            made._cache._cache_file._source_stamp = SOURCES  # noqa: SLF001 no other way is open
    return made  # type: ignore[no-any-return]
