"""What an option may be given as, where whoever starts the container knows no more: a folder for a file, "" for nothing."""

from __future__ import annotations

from pathlib import Path

from clarify_ops.documents import only_file


def document(value: Path | None) -> Path | None:
    """A document, or the folder that it alone lies in: an orchestrator may know no file name before the run."""
    return only_file(value, "document") if value is not None and value.is_dir() else value


def dataset(value: str | None) -> str | None:
    """A dataset, or the folder that it alone lies in."""
    return str(only_file(value, "dataset")) if value and Path(value).is_dir() else text(value)


def text(value: str | None) -> str | None:
    """A text; an empty one was not given: a parameter of a pipeline cannot be absent, only empty."""
    return value or None
