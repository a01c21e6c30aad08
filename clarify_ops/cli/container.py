"""Where SageMaker puts things into a processing container, and where it looks for what comes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.errors import BadInput, ClarifyOpsError

_ROOT = Path("/opt/ml/processing")
CONTAINER_CONFIG = _ROOT / "input" / "config" / "analysis_config.json"
CONTAINER_DATA = _ROOT / "input" / "data"
CONTAINER_OUTPUT = _ROOT / "output"
# What stands here when a job fails is what DescribeProcessingJob shows as its exit message.
_MESSAGE = Path("/opt/ml/output/message")
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Places:
    """Where an analysis reads and writes; data are None where the configuration names them."""

    config: Path | Mapping[str, Any]
    data: str | None
    output: Path


def container_places(config: Path | Mapping[str, Any] | None, data: str | None, output: Path | None) -> Places:
    """What was given, and the container's places for what was not.

    A dataset that the configuration names takes precedence over the container's data folder, as in Clarify.

    Args:
        config: Path of the configuration, or the document itself.
        data: URI of the dataset.
        output: Folder to write.

    Raises:
        BadInput: Something is missing, and this is no processing container.
    """
    if config is None and not CONTAINER_CONFIG.is_file():
        raise BadInput(
            f"There is no {CONTAINER_CONFIG}, where a processing container has its analysis configuration.",
            "Outside of a container give --config, --data and --output.",
        )
    chosen = CONTAINER_CONFIG if config is None else config
    if output is None and config is not None and not CONTAINER_OUTPUT.is_dir():
        raise BadInput("There is no folder to write to.", "Give --output.")
    if data is None and CONTAINER_DATA.is_dir() and not _names_its_data(chosen):
        data = str(CONTAINER_DATA)
    return Places(chosen, data, CONTAINER_OUTPUT if output is None else output)


def tell_container(error: ClarifyOpsError) -> None:
    """Leaves the error where the describing of a failed processing job shows it; nothing outside of a container."""
    tell_outcome(error.message)


def tell_outcome(sentence: str) -> None:
    """Leaves a sentence where the describing of a processing job shows it; nothing outside of a container."""
    # Of both folders, for a machine of somebody's own may have one of them.
    if _ROOT.is_dir() and _MESSAGE.parent.is_dir():
        with suppress(OSError):
            _MESSAGE.write_text(sentence[:_LONGEST_MESSAGE], encoding="utf-8")


def _names_its_data(config: Path | Mapping[str, Any]) -> bool:
    # What is wrong with the configuration is said by those who read it.
    try:
        document = json.loads(config.read_text(encoding="utf-8")) if isinstance(config, Path) else config
    except (OSError, ValueError):
        return False
    return isinstance(document, Mapping) and document.get("dataset_uri") is not None
