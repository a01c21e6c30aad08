"""A model behind a SageMaker endpoint, asked by name through boto3."""

from __future__ import annotations

from typing import Any

from clarify_ops.errors import BadModel, MissingExtra, Outside
from clarify_ops.models.answer import Reading, complaint
from clarify_ops.models.endpoint import TIMEOUT
from clarify_ops.models.payload import Encoding
from clarify_ops.models.remote import Limits, RemoteModel
from clarify_ops.models.wire import Backoff, Reply, TooLarge, TryAgain, opening

_CONNECT_SECONDS = 10.0
_TOO_LARGE = frozenset({"RequestEntityTooLarge", "RequestEntityTooLargeException", "PayloadTooLarge"})
_AGAIN = frozenset(
    {
        "InternalDependencyException",
        "InternalFailure",
        "ModelNotReadyException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_REFUSED_DATA = frozenset({400, 415, 422})


class SageMakerEndpoint(RemoteModel):
    """An endpoint by its name.

    Args:
        endpoint_name: As SageMaker knows it.
        encoding: What a request looks like.
        reading: Where label and scores stand in an answer.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.
        runtime: boto3's client of `sagemaker-runtime`; made here where it is not given.
        target_model: The model to ask where the endpoint holds several.
        custom_attributes: Handed to the container as they are.
        inference_component: The component to ask where the endpoint holds several.
        timeout: Seconds for one answer; of the client that is made here.

    Raises:
        MissingExtra: boto3 is not installed, and no client is given.
        Outside: A client cannot be made.
    """

    def __init__(
        self,
        endpoint_name: str,
        encoding: Encoding | None = None,
        reading: Reading | None = None,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        *,
        runtime: Any = None,
        target_model: str | None = None,
        custom_attributes: str | None = None,
        inference_component: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        limits = limits or Limits()
        chosen = {
            "TargetModel": target_model,
            "CustomAttributes": custom_attributes,
            "InferenceComponentName": inference_component,
        }
        wire = SageMakerWire(
            runtime or aws_client("sagemaker-runtime", timeout=timeout, connections=limits.parallel, again=False),
            {"EndpointName": endpoint_name, **{key: value for key, value in chosen.items() if value is not None}},
        )
        super().__init__(wire, encoding, reading, limits, backoff)


class SageMakerWire:
    """Carries requests by InvokeEndpoint; implements `clarify_ops.models.wire.Wire`.

    Args:
        client: boto3's client of `sagemaker-runtime`, which may be used by several threads.
        arguments: Of every call: the endpoint, and what to choose within it.
    """

    def __init__(self, client: Any, arguments: dict[str, str]) -> None:
        self.name = f"the SageMaker endpoint {arguments['EndpointName']}"
        self._client, self._arguments = client, arguments

    def send(self, body: bytes, content_type: str, accept_type: str) -> Reply:
        """Invokes the endpoint; raises as `Wire.send` says."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.invoke_endpoint(
                Body=body, ContentType=content_type, Accept=accept_type, **self._arguments
            )
            return Reply(found["Body"].read(), found.get("ContentType") or "")
        except ClientError as error:
            raise self._refusal(error.response) from error
        except BotoCoreError as error:
            raise self._unreached(error) from error

    def close(self) -> None:
        """The client stays open: whoever gave it closes it."""

    def _refusal(self, response: dict[str, Any]) -> Exception:
        """What an error that AWS answers means."""
        about = response.get("Error", {})
        code, message = str(about.get("Code", "")), str(about.get("Message", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code == "ModelError":
            return self._model_error(response, message)
        said = f"{code}: {message}"
        if code in _TOO_LARGE or status == 413 or ("less than or equal to" in message and "body" in message.lower()):
            return TooLarge(said)
        if code in _AGAIN or status == 429 or status >= 500:
            return TryAgain(said, _retry_after(response), "busy")
        return Outside(f"{opening(self.name)} refuses the request: {said}", "Check its name, region and permissions.")

    def _model_error(self, response: dict[str, Any], message: str) -> Exception:
        """What the container answered, which SageMaker hands on."""
        status = int(response.get("OriginalStatusCode") or 0)
        original = str(response.get("OriginalMessage") or "") or message
        said = f"the model answered HTTP {status}: {complaint(original.encode())}"
        if status == 413:
            return TooLarge(said)
        if status in _REFUSED_DATA:
            return BadModel(
                f"{opening(self.name)} refuses the rows: {said}", "Check content_type, templates and columns."
            )
        if 400 < status < 500 and status not in {408, 429}:
            return Outside(f"{opening(self.name)} refuses the request: {said}", "See the log of the endpoint.")
        # SageMaker gives 0 where the container did not answer in time.
        slow = status in {0, 408, 504} or "timed out" in message
        return TryAgain(said, trouble="slow" if slow else "busy" if status in {429, 503} else "failed")

    def _unreached(self, error: Exception) -> Exception:
        """What an error on the way means."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        said = str(error).rstrip(".")
        if isinstance(error, ReadTimeoutError):
            return TryAgain(f"it did not answer in time ({said}).", trouble="slow")
        if isinstance(error, HTTPClientError | IncompleteReadError | ResponseStreamingError):
            return TryAgain(f"it cannot be reached, or its answer broke off ({said}).")
        return Outside(f"{opening(self.name)} cannot be asked: {said}.", "Check region and credentials.")


def aws_client(
    service: str,
    *,
    timeout: float = TIMEOUT,
    connections: int = 4,
    again: bool = True,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> Any:
    """A client of boto3's, from the environment's region and credentials.

    Args:
        service: As boto3 calls it.
        timeout: Seconds for an answer.
        connections: Kept at a time.
        again: Let boto3 try again; not where the caller does, or a busy endpoint gets the product of both.
        region: In place of the environment's.
        endpoint_url: In place of AWS's own.

    Raises:
        MissingExtra: boto3 is not installed.
        Outside: There is no region, a profile that does not exist, or an address that is none.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise MissingExtra.of("aws", "boto3") from error
    settings: dict[str, Any] = {} if again else {"retries": {"total_max_attempts": 1}}
    config = Config(
        read_timeout=timeout, connect_timeout=_CONNECT_SECONDS, max_pool_connections=connections, **settings
    )
    try:
        return boto3.client(service, config=config, region_name=region, endpoint_url=endpoint_url)
    except ValueError as error:
        # An address that is none.
        raise Outside(f"AWS cannot be asked: {str(error).rstrip('.')}.") from error
    except BotoCoreError as error:
        raise Outside(f"AWS cannot be asked: {str(error).rstrip('.')}.", "Set AWS_DEFAULT_REGION.") from error


def _retry_after(response: dict[str, Any]) -> float | None:
    value = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return float(value) if str(value).isdigit() else None
