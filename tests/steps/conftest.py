"""What the tests of the steps share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project


@pytest.fixture
def ready(project: Project, finished: Path) -> Project:
    """A project whose steps have run, up to the gate."""
    project.take_over(finished)
    return project
