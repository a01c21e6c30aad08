"""Speaking to MLflow: without its chatter, one conversation at a time, and its failures as ours."""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clarify_ops.data.source import address
from clarify_ops.errors import Outside

_TRACKING = "MLFLOW_TRACKING_URI"
_UNKNOWN_HERE = re.compile(r"error code (401|403)\b")
_REFUSED_CODES = {"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"}
# MLflow keeps where it tracks once a process, not once a client.
_ALONE = threading.RLock()


@contextmanager
def speaking_to(uri: str) -> Iterator[None]:
    """MLflow without its chatter and telemetry, its failures as ours.

    How long it waits and how often it tries again is what MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES
    say.

    Raises:
        Outside: The registry failed, does not answer, or refuses the credentials.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # It would stand among the results.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import alembic.util
    import mlflow.exceptions
    import sqlalchemy.exc

    try:
        with _ALONE, _quiet(), _tracking(uri):
            yield
    except mlflow.exceptions.MlflowException as error:
        if error.error_code in _REFUSED_CODES or _UNKNOWN_HERE.search(str(error)):
            raise Outside(
                f"The MLflow registry {address(uri)} refuses these credentials: {_said(error, uri)}",
                "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
            ) from error
        raise Outside(
            f"The MLflow registry {address(uri)} failed: {_said(error, uri)}", "Try again once it answers."
        ) from error
    except (OSError, sqlalchemy.exc.SQLAlchemyError, alembic.util.CommandError) as error:
        # The last: its tables were made by another MLflow, or are being made by another process at this moment.
        raise Outside(
            f"The MLflow registry {address(uri)} cannot be used: {_said(error, uri)}", "Try again once it answers."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    loud: dict[str, Any] = {name: logging.getLogger(name) for name in ("mlflow", "alembic")}
    before = {name: logger.level for name, logger in loud.items()}
    for logger in loud.values():
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Deprecations between MLflow and its database library: nothing that a user could do something about.
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, logger in loud.items():
            logger.setLevel(before[name])


@contextmanager
def _tracking(uri: str) -> Iterator[None]:
    import mlflow

    # A client has its URIs, but behind it MLflow looks up a version's logged model where the whole process tracks.
    elsewhere = os.environ.get(_TRACKING)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        # None, which its signature does not know, gives the choice back to the variable.
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        if elsewhere is not None:
            os.environ[_TRACKING] = elsewhere


def _said(error: Exception, uri: str) -> str:
    # MLflow quotes the URI, which may hold a password.
    return str(error).strip().splitlines()[0].replace(uri, address(uri))
