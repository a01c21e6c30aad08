"""The registry that somebody who registers nothing wants to look into, or to move an alias in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clarify_ops.config.pipeline import load_pipeline
from clarify_ops.data.source import address
from clarify_ops.errors import BadInput
from clarify_ops.registry.opening import default_registry, open_registry, registry_at
from clarify_ops.registry.protocol import Registry

_FILE = "sqlite:///"


@dataclass(frozen=True)
class Found:
    """A registry.

    Attributes:
        registry: Itself.
        address: Where it is, without secrets.
        model: The model of the pipeline, where one was given.
    """

    registry: Registry
    address: str
    model: str | None = None


def find_registry(pipeline: str | Path | None = None, uri: str | None = None) -> Found:
    """The registry of a pipeline, or that of a URI, or else MLflow's where its own variable or our default says.

    Args:
        pipeline: Path of a pipeline document, whose registry is meant.
        uri: In place of the pipeline's, as in the register step; without a pipeline an MLflow tracking URI, or S3.

    Raises:
        BadInput: The pipeline is malformed, or there is no such registry.
    """
    if pipeline is not None:
        document = load_pipeline(pipeline)
        shown = uri or document.registry.uri or default_registry()
        return Found(open_registry(document, uri), address(shown), document.registry.model)
    chosen = uri or default_registry()
    if chosen.startswith(_FILE) and not Path(chosen.removeprefix(_FILE)).is_file():
        raise BadInput(f"There is no registry {chosen}.", "Give --registry-uri, or --pipeline.")
    return Found(registry_at(chosen), address(chosen))
