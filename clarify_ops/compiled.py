"""Functions in machine code. This module imports numba: import it only where there is much to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function in machine code, made when first called and kept beside its file or in the user's cache.

    Divisions by zero give infinities and NaN, as in numpy; other threads run meanwhile.
    """
    try:
        made: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # Nowhere to keep what is compiled, as in a container without a writable folder.
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return made
