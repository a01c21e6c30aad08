"""A registered model as an Asset: a DAG that deploys it runs when another has registered a version."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Asset

from clarify_ops.components.airflow.places import parted

_SCHEME = "clarify-ops"


def registered_model(name: str, registry: str) -> Asset:
    """The Asset of a registered model; the same for everybody who names the same model and registry.

    As an outlet of `RegisterOperator` it gets an event when a version was registered, and none when the gate refused.
    The event's `extra` has `model`, `version`, `evidence` (the digest) and `outcome`.

    Args:
        name: Of the registered model, as in the pipeline's `registry.model`.
        registry: Its address, an MLflow tracking URI or S3; a password in it is left out.
    """
    bare = parted(registry)[0].partition("://")[2] or registry
    # An SQLite file's path begins with a slash, and so has no host.
    path = bare.split("?", 1)[0].strip("/")
    uri = f"{_SCHEME}://{'/' if bare.startswith('/') else ''}{path}/{quote(name, safe='')}"
    return Asset(name=f"{name} in {path}", uri=uri, group="registered-model")
