"""Buttons at a task: its report, its model card, and the version that it registered.

The worker asks for them when the task has ended, well or not, and keeps them; so what the task has left tells where it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseOperator, BaseOperatorLink

_PAGES = ("http://", "https://")
_STORES = {
    "s3": "https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={key}",
    "gs": "https://storage.cloud.google.com/{bucket}/{key}",
}
_REPORTS = ("index.html", "report.html")
_CARDS = ("model_card.md",)
_REGISTRATION = "registration.json"


class ReportLink(BaseOperatorLink):
    """The report, or the page that says how far a run came."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Its address; "" where there is none."""
        return _of_file(operator, _REPORTS)


class ModelCardLink(BaseOperatorLink):
    """The model card."""

    name = "Model card"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Its address; "" where there is none."""
        return _of_file(operator, _CARDS)


class RegisteredVersionLink(BaseOperatorLink):
    """The version in the registry."""

    name = "Registered version"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Its address; "" where nothing was registered, or in a registry without pages."""
        return _version(_registration(_folder(operator)) or getattr(operator, "registered", None) or {})


def _of_file(operator: BaseOperator, names: tuple[str, ...]) -> str:
    folder = _folder(operator)
    name = next((one for one in names if folder is not None and (folder / one).is_file()), None)
    if folder is None or name is None:
        return ""
    base = getattr(operator, "reports_url", None)
    if base:
        return f"{base.rstrip('/')}/{name}"
    to = str(getattr(operator, "to", "") or "")
    if "://" in to:
        return _seen(f"{_without_secrets(to).rstrip('/')}/{name}")
    found = _registration(folder)
    if version := _version(found):
        # The card is the version's description; of the other files MLflow's page of the run has the list.
        return version if names is _CARDS else f"{found['registry'].rstrip('/')}/#/runs/{found['run']}"
    return (Path(to) / name if to else folder / name).resolve().as_uri()


def _version(found: dict[str, Any]) -> str:
    """MLflow's page of a version."""
    registry = str(found.get("registry", ""))
    if not registry.startswith(_PAGES):
        return ""
    return f"{registry.rstrip('/')}/#/models/{quote(found['model'], safe='')}/versions/{found['version']}"


def _seen(uri: str) -> str:
    """An address that a browser opens."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return _STORES[scheme].format(bucket=bucket, key=quote(key)) if scheme in _STORES else uri


def _without_secrets(uri: str) -> str:
    from clarify_ops.components.airflow.places import parted

    return parted(uri)[0].partition("?")[0]


def _folder(operator: BaseOperator) -> Path | None:
    folder = getattr(operator, "output_folder", None)
    return Path(folder) if isinstance(folder, str) and folder else None


def _registration(folder: Path | None) -> dict[str, Any]:
    if folder is None or not (folder / _REGISTRATION).is_file():
        return {}
    found: dict[str, Any] = json.loads((folder / _REGISTRATION).read_text(encoding="utf-8"))
    return found
