"""What Airflow is told of this package; it imports nothing, for every Airflow process reads it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

_HERE = "clarify_ops.components.airflow"
_NAME = "clarify_ops"
_TEXT = {"type": ["string", "null"]}
_SECRET = {"type": ["string", "null"], "format": "password"}


def get_provider_info() -> dict[str, Any]:
    """The document that the entry point `apache_airflow_provider` returns."""
    return {
        "package-name": "clarify-ops",
        "name": _NAME,
        "description": "A release gate for models: bias, explanations, evidence, and the registry behind it.",
        "versions": [_version()],
        "integrations": [{"integration-name": _NAME, "tags": ["service"]}],
        "operators": [
            {"integration-name": _NAME, "python-modules": [f"{_HERE}.operators", f"{_HERE}.judging", f"{_HERE}.tasks"]}
        ],
        "sensors": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.sensor"]}],
        "triggers": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.trigger"]}],
        "hooks": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.hook"]}],
        "asset-uris": [{"schemes": ["clarify-ops"], "handler": None}],
        "connection-types": [_connection_type()],
        "extra-links": [f"{_HERE}.links.{name}" for name in ("ReportLink", "ModelCardLink", "RegisteredVersionLink")],
    }


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": "clarify_ops_registry",
        "hook-class-name": f"{_HERE}.hook.RegistryHook",
        "hook-name": "clarify_ops model registry",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "port", "extra"],
            "relabeling": {
                "host": "Registry URI",
                "login": "User, or AWS access key id",
                "password": "Password, or AWS secret access key",
            },
            "placeholders": {"host": "https://mlflow.example or s3://bucket/models"},
        },
        "conn-fields": {
            "token": _field("MLflow token", _SECRET, "In place of user and password."),
            "insecure_tls": _field("Any certificate", {"type": ["boolean", "null"]}, "Of MLflow; for tests."),
            "region": _field("AWS region", _TEXT),
            "endpoint_url": _field("AWS endpoint", _TEXT, "For a store that speaks S3 elsewhere."),
            "aws_access_key_id": _field("AWS access key id", _TEXT, "Where MLflow keeps its files in S3."),
            "aws_secret_access_key": _field("AWS secret access key", _SECRET),
            "aws_session_token": _field("AWS session token", _SECRET),
        },
    }


def _field(label: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"label": label, "schema": schema, **({"description": description} if description else {})}


def _version() -> str:
    try:
        return version("clarify-ops")
    except PackageNotFoundError:
        return "0"
