"""The output folder of an analysis: the files that SageMaker Clarify's job leaves, and ours beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clarify_ops.documents import alone_in
from clarify_ops.errors import BadInput

ANALYSIS = "analysis.json"
METRICS = "metrics.json"
CONFIGURATION = "analysis_config.json"
SHAP = "explanations_shap"
_PARTIAL = ".partial"
PARTS = "parts"
"""Work that a later run goes on from, in the hidden folder; it outlives a run that fails."""
_REPORTS = ("html", "ipynb", "pdf")


@contextmanager
def analysis_output(output: Path, report: str) -> Iterator[Path]:
    """A place to write; its files move to `output` when the block ends without an error.

    Args:
        output: The folder to write to. It may be there, and a mount point; what else lies in it stays. Files of an earlier
            analysis are replaced, and removed where this one writes none of that name. What lies in `PARTS` of the place to
            write stays for the next run where this one fails.
        report: Name of the report's files, without suffix.

    Raises:
        BadInput: The folder cannot be written, or another run writes to it.
    """
    if output.is_file() or (output.is_symlink() and not output.exists()):
        raise BadInput(f"The output {output} is not a folder.", "Name a folder.")
    existed = output.exists()
    partial = output / _PARTIAL
    try:
        output.mkdir(parents=True, exist_ok=True)
        partial.mkdir(exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"The output folder {output} cannot be made: {error.strerror}.", "Name a folder that can be written to."
        ) from error
    with alone_in(output):
        _clear(partial)
        try:
            yield partial
        except BaseException:
            _clear(partial)
            if not any((partial / PARTS).glob("*")):
                shutil.rmtree(partial, ignore_errors=True)
                if not existed:
                    shutil.rmtree(output, ignore_errors=True)
            raise
        shutil.rmtree(partial / PARTS, ignore_errors=True)
        _publish(partial, output, report)


def _clear(partial: Path) -> None:
    """Removes everything but the parts."""
    for one in partial.iterdir():
        if one.name == PARTS:
            continue
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


def _publish(partial: Path, output: Path, report: str) -> None:
    # analysis.json goes first and comes last: a folder with one is whole.
    for name in (ANALYSIS, METRICS, CONFIGURATION, SHAP, *(f"{report}.{suffix}" for suffix in _REPORTS)):
        old = output / name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    for new in sorted(partial.iterdir(), key=lambda one: one.name == ANALYSIS):
        new.replace(output / new.name)
    partial.rmdir()
