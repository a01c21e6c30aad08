"""Where a registry is, apart from what opens it: an address can be shown, a secret goes only into a step's environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from clarify_ops.errors import BadInput, nearest

VARIABLE = "CLARIFY_OPS_REGISTRY_URI"
"""Tells a step's process its registry, where an argument would show a password to everybody on the machine."""
_FILES = "sqlite"
_EXTRA: Mapping[str, tuple[str, ...]] = {
    "token": ("MLFLOW_TRACKING_TOKEN",),
    "insecure_tls": ("MLFLOW_TRACKING_INSECURE_TLS",),
    "region": ("AWS_DEFAULT_REGION",),
    "endpoint_url": ("AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"),
    "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
    "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "aws_session_token": ("AWS_SESSION_TOKEN",),
}
EXTRA = tuple(_EXTRA)
"""The fields of a connection besides host, login and password."""


@dataclass(frozen=True)
class Place:
    """A registry.

    Attributes:
        uri: Its address, without secrets.
        full: The same as its client wants it: a database's password stands nowhere else.
        environment: What a process needs to speak to it; secrets are in it, so it is never shown.
    """

    uri: str
    full: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


def parted(uri: str) -> tuple[str, str | None, str | None]:
    """A URI without its user and password, the user, and the password.

    >>> parted("https://me:s%40cret@mlflow.example/team")
    ('https://mlflow.example/team', 'me', 's@cret')
    >>> parted("sqlite:////data/mlflow.db")
    ('sqlite:////data/mlflow.db', None, None)
    """
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    who, at, where = host.rpartition("@")
    if not separator or not at:
        return uri, None, None
    user, colon, password = who.partition(":")
    return f"{scheme}://{where}{slash}{path}", unquote(user), unquote(password) if colon else None


def place(
    uri: str, *, login: str | None = None, password: str | None = None, extra: Mapping[str, Any] | None = None
) -> Place:
    """A registry with what opens it.

    Args:
        uri: An MLflow tracking URI, or S3; it may hold user and password.
        login: User name, or the id of an AWS access key; goes before the URI's.
        password: Of the user, or the secret of that key.
        extra: The other fields of a connection, as in `EXTRA`.

    Raises:
        BadInput: The URI is none, or a field is not known.
    """
    bare, user, secret = parted(uri)
    scheme, separator, rest = bare.partition("://")
    if not separator or not rest:
        raise BadInput(
            "A registry's address is a URI such as https://mlflow.example or s3://bucket/models.",
            "Write the scheme into the connection's host.",
        )
    login, password = login or user, password or secret
    environment = _settings(extra or {})
    full = bare
    if scheme in {"http", "https"}:
        environment |= _given(MLFLOW_TRACKING_USERNAME=login, MLFLOW_TRACKING_PASSWORD=password)
    elif scheme == "s3":
        environment |= _given(AWS_ACCESS_KEY_ID=login, AWS_SECRET_ACCESS_KEY=password)
    elif scheme != _FILES and login:
        # A database's address is the only place for its password.
        who = quote(login, safe="") + (f":{quote(password, safe='')}" if password else "")
        full = f"{scheme}://{who}@{rest}"
    if scheme != "s3":
        # For what a step looks up besides: a champion, or a model by its models:/ URI.
        environment["MLFLOW_TRACKING_URI"] = full
    return Place(bare, full, environment)


def _settings(extra: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in extra.items():
        if name not in _EXTRA:
            raise BadInput(f"A connection to a registry has no field {name!r}.", nearest(name, EXTRA))
        if value is not None and value is not False and value != "":
            found |= dict.fromkeys(_EXTRA[name], "true" if value is True else str(value))
    return found


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
