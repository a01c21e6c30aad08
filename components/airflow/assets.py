"""A registered model as an Asset: a DAG that deploys it runs when another has registered a version."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Asset

from clarify_ops.components.airflow.places import parted

_SCHEME, _FILE = "clarify-ops", "file"


def registered_model(name: str, registry: str) -> Asset:
    """The Asset of a registered model; the same for everybody who names the same model and registry.

    As an outlet of `RegisterOperator` it gets an event when a version was registered, and none when the gate refused.
    The event's `extra` has `model`, `version`, `evidence` (the digest) and `outcome`.

    Args:
        name: Of the registered model, as in the pipeline's `registry.model`.
        registry: Its address, an MLflow tracking URI or S3; a password in it is left out.
    """
    where = parted(registry)[0].partition("://")[2].partition("?")[0].rstrip("/")
    # The path of an SQLite file has no host before it, and Airflow wants one.
    where = f"{_FILE}/{where.lstrip('/')}" if where.startswith("/") else where
    return Asset(name=f"{name} in {where}", uri=f"{_SCHEME}://{where}/{quote(name, safe='')}", group="registered-model")
