"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference data beside the checkout, which a user's clone does not have; .ci/run fails where a test goes without."""
    folder = Path(os.environ.get("CLARIFY_OPS_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("needs CLARIFY_OPS_SHARED")
    return folder
