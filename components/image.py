"""The container image that every orchestrator runs."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

VARIABLE = "CLARIFY_OPS_IMAGE"


def image() -> str:
    """`clarify-ops:<version>`, or what `CLARIFY_OPS_IMAGE` says: an image in a registry has a longer name.

    A tag that is a version, never `latest`: the gate refuses evidence that another version of clarify_ops made.
    """
    try:
        own = version("clarify-ops")
    except PackageNotFoundError:
        own = "dev"
    return os.environ.get(VARIABLE) or f"clarify-ops:{own}"
