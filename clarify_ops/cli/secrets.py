"""Secrets for a container whose environment many may read: it names them, and AWS Secrets Manager holds them."""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping
from typing import Any

from clarify_ops.errors import BadInput, Outside

PREFIX = "CLARIFY_OPS_SECRET_"
# At the end, as in ECS, the key of one value where the secret is a JSON object.
_ARN = re.compile(r"(arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[^\s:]+)(?::([^\s:]+)::)?")


def fetch_secrets(environment: MutableMapping[str, str]) -> None:
    """Sets NAME to the secret whose ARN is the value of CLARIFY_OPS_SECRET_NAME, with the role of the container.

    Raises:
        BadInput: A value is no ARN of a secret, or the secret has no such key.
        Outside: Secrets Manager refused, failed or did not answer.
    """
    wanted = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    for name, arn in sorted(wanted.items()):
        environment[name] = _secret(f"{PREFIX}{name}", arn)


def _secret(variable: str, arn: str) -> str:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise BadInput(
            f"The variable {variable} is no ARN of a secret.", "Give arn:aws:secretsmanager:..., or ARN:KEY::."
        )
    identity, region, key = found.groups()
    held = _held(identity, region)
    if key is None:
        return held
    try:
        value = json.loads(held)[key]
    except (ValueError, KeyError, TypeError):
        # Without the error, which quotes the secret.
        raise BadInput(f"The secret {identity} is no JSON object with the key {key!r}.") from None
    return str(value)


def _held(identity: str, region: str) -> str:
    from clarify_ops.models.sagemaker_endpoint import aws_client

    # Says so where boto3 is not there.
    client = aws_client("secretsmanager", region=region)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = client.get_secret_value(SecretId=identity)
    except (BotoCoreError, ClientError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise Outside(
            f"The secret {identity} was not handed out: {said}.",
            "Let the role of the job do secretsmanager:GetSecretValue.",
        ) from error
    if "SecretString" not in answer:
        raise BadInput(f"The secret {identity} is no text.")
    text: str = answer["SecretString"]
    return text
