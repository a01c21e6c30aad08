"""Which registry is meant: by a pipeline, or by an address alone."""

from __future__ import annotations

import os
from pathlib import Path

from clarify_ops.config.pipeline import Pipeline
from clarify_ops.config.registry import SageMakerSection
from clarify_ops.errors import Outside
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from clarify_ops.registry.protocol import Registry
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry

DEFAULT_REGISTRY = "sqlite:///runs/mlflow.db"
_IN_SAGEMAKER = "s3://"


def default_registry() -> str:
    """Where MLflow's own variable says, or an SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_REGISTRY


def open_registry(pipeline: Pipeline, uri: str | None = None) -> Registry:
    """The registry of a pipeline: as asked for, as the pipeline says, as MLflow's own variable says, or an SQLite file.

    Raises:
        BadDocument: A URI in place of the pipeline's is none of S3, and its registry is SageMaker's.
        MissingExtra: The registry's client is not installed.
        Outside: It cannot be spoken to from here.
    """
    section = pipeline.registry
    if isinstance(section, SageMakerSection):
        section = section if uri is None else section.at(uri)
        return SageMakerRegistry(
            section.uri,
            image=section.image,
            region=section.region,
            endpoint_url=section.endpoint_url,
            kms_key=section.kms_key,
            approval=section.approval,
            group=section.model,
        )
    return registry_at(uri or section.uri, section.experiment or pipeline.name)


def registry_at(uri: str | None, experiment: str = "") -> Registry:
    """The registry at an address: SageMaker's with its files in S3, or MLflow's; by default as `open_registry` finds it.

    Args:
        uri: `s3://bucket/prefix`, or an MLflow tracking URI.
        experiment: Where MLflow keeps runs; only needed to register.

    Raises:
        MissingExtra: The registry's client is not installed.
        Outside: It cannot be spoken to from here.
    """
    chosen = uri or default_registry()
    if chosen.startswith(_IN_SAGEMAKER):
        return SageMakerRegistry(chosen)
    if not chosen.startswith("sqlite:///"):
        return MlflowRegistry(chosen, experiment)
    database = Path(chosen.removeprefix("sqlite:///")).resolve()
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Outside(f"The folder of the registry {database} cannot be made: {error.strerror}.") from error
    return MlflowRegistry(f"sqlite:///{database}", experiment, database.parent / "mlartifacts")
