"""AWS's clients for the registry, and its failures as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clarify_ops.errors import MissingExtra, Outside
from clarify_ops.models.sagemaker_endpoint import aws_client

_PERMISSIONS = "docs/registries.md lists the permissions that are needed."
_HINTS: Mapping[str, str] = {
    "AccessDenied": _PERMISSIONS,
    "AccessDeniedException": _PERMISSIONS,
    "403": _PERMISSIONS,
    "ExpiredToken": "Sign in again.",
    "ExpiredTokenException": "Sign in again.",
    "InvalidClientTokenId": "Check the credentials.",
    "NoSuchBucket": "Make the bucket, or set registry.uri.",
    "UnrecognizedClientException": "Check the credentials.",
    "SignatureDoesNotMatch": "Check the credentials.",
    "ResourceLimitExceeded": "Ask AWS for a higher quota.",
    "ThrottlingException": "Try again later.",
    "SlowDown": "Try again later.",
}
# AWS names the reason in words alone; the code of all of them is ValidationException.
_ABSENT = ("does not exist", "not found", "could not find")
_PRESENT = ("already exist",)


@dataclass(frozen=True)
class Clients:
    """What the registry speaks through.

    Attributes:
        sagemaker, s3: boto3's clients.
    """

    sagemaker: Any
    s3: Any

    @classmethod
    def made(cls, region: str | None, endpoint_url: str | None) -> Clients:
        """Clients of boto3's.

        Raises:
            MissingExtra: boto3 is not installed.
            Outside: There is no region, or a profile that does not exist.
        """
        return cls(*(aws_client(one, region=region, endpoint_url=endpoint_url) for one in ("sagemaker", "s3")))


@contextmanager
def asking(uri: str) -> Iterator[None]:
    """Failures of AWS as ours, each in a sentence.

    Raises:
        Outside: AWS refused, failed or did not answer.
    """
    try:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
    except ImportError as error:
        raise MissingExtra.of("aws", "boto3") from error
    try:
        yield
    except ClientError as error:
        code, said = _said(error)
        raise Outside(
            f"The SageMaker registry {uri} refused {error.operation_name}: {code}: {said}.", _HINTS.get(code, "")
        ) from error
    except NoCredentialsError as error:
        raise Outside(
            f"The SageMaker registry {uri} cannot be asked without credentials.",
            "Set AWS_PROFILE, or give the machine a role.",
        ) from error
    except (BotoCoreError, Boto3Error) as error:
        raise Outside(f"The SageMaker registry {uri} failed: {_line(error)}.", "Try again once it answers.") from error


def refusal() -> type[Exception]:
    """What boto3 raises where AWS refuses; asked for when it is needed, so that nothing is imported before."""
    from botocore.exceptions import ClientError

    found: type[Exception] = ClientError
    return found


def is_absent(error: Exception) -> bool:
    """Whether AWS says that what it was asked for is not there."""
    code, said = _said(error)
    return code in {"404", "NoSuchKey", "ResourceNotFound"} or any(one in said.lower() for one in _ABSENT)


def is_present(error: Exception) -> bool:
    """Whether AWS says that what it was to make is there already."""
    code, said = _said(error)
    return code == "ConflictException" or any(one in said.lower() for one in _PRESENT)


def _said(error: Any) -> tuple[str, str]:
    about = error.response.get("Error", {})
    return str(about.get("Code") or "unknown"), _line(about.get("Message") or "no reason is given")


def _line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")
