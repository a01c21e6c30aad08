"""An account on a local AWS, with a role that SageMaker may take on and that may do anything."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest

from tests.registry.sagemaker.server import Aws, local_aws

_SIMULATED = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
_ALLOWED = (
    "<member><EvalActionName>{}</EvalActionName><EvalResourceName>*</EvalResourceName>"
    "<EvalDecision>allowed</EvalDecision></member>"
)


@contextmanager
def account() -> Iterator[tuple[Aws, str]]:
    """The server and the ARN of the role; boto3 finds the server by itself meanwhile."""
    with local_aws() as aws, pytest.MonkeyPatch.context() as patch:
        aws.inner = _Simulator(aws.inner)
        patch.setenv("AWS_ENDPOINT_URL", aws.url)
        iam = boto3.client("iam", endpoint_url=aws.url)
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        # moto keeps its state for the whole process, and other tests have an account as well.
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="release", AssumeRolePolicyDocument=_policy(trust))
        role = iam.get_role(RoleName="release")["Role"]["Arn"]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="release", PolicyName="all", PolicyDocument=_policy(everything))
        yield aws, role


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class _Simulator:
    """The SDK asks whether a role may do what it will have to; moto has no simulator of policies."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_X_AMZ_TARGET" not in environ and environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            asked = parse_qs(body.decode(errors="replace"))
            if asked.get("Action") == ["SimulatePrincipalPolicy"]:
                actions = [value for key, (value, *_) in asked.items() if key.startswith("ActionNames.member.")]
                start_response("200 OK", [("Content-Type", "text/xml")])
                return [_SIMULATED.format("".join(map(_ALLOWED.format, actions))).encode()]
        found: Iterable[bytes] = self.inner(environ, start_response)
        return found
