"""The pipeline as one text, for orchestrators whose tasks share no folder."""

from __future__ import annotations

from pathlib import Path

import yaml

from clarify_ops.config.pipeline import inline


def self_contained(pipeline: str | Path, *, policy: str | Path | None = None) -> str:
    """The pipeline with all that it refers to read in, as YAML.

    Args:
        pipeline: Path of the pipeline document.
        policy: Path of a policy, in place of the pipeline's.

    Raises:
        BadDocument: A document is missing or malformed.
    """
    return str(yaml.safe_dump(inline(pipeline, policy=policy), sort_keys=False, allow_unicode=True))
