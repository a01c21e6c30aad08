"""A shadow of a SageMaker model: an endpoint that exists for as long as it is asked, and is deleted whatever happens."""

from __future__ import annotations

import atexit
import contextlib
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from clarify_ops.errors import BadDocument, ClarifyOpsError, Outside
from clarify_ops.models.answer import Reading
from clarify_ops.models.endpoint import TIMEOUT
from clarify_ops.models.payload import Encoding
from clarify_ops.models.remote import Limits
from clarify_ops.models.sagemaker_endpoint import SageMakerEndpoint, aws_client
from clarify_ops.models.wire import Backoff

PREFIX = "sm-clarify"
TAG = "clarify-ops:shadow-of"
"""Every shadow has it, with the model's name: `aws resourcegroupstaggingapi get-resources --tag-filters Key=clarify-ops:shadow-of`."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_LONGEST_PREFIX = 23
_ENDED = (signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "SIGHUP") else (signal.SIGTERM,)
_ATTEMPTS_TO_DELETE = 5


class ShadowEndpoint(SageMakerEndpoint):
    """A temporary endpoint of a model that SageMaker has; implements `clarify_ops.models.model.Model`.

    Endpoint and configuration are deleted by `close`, when making the endpoint fails, and when the program ends: by an
    exception, Ctrl-C, SIGTERM, SIGHUP or by itself. After SIGKILL both stay, with the tag `TAG`. Signals are seen to only
    where the shadow is made in the main thread, and only where the program has no handler of its own.

    Args:
        model_name: As CreateModel named it.
        instance_type: Of its machines, such as ml.m5.xlarge.
        initial_instance_count: Their number.
        encoding: What a request looks like.
        reading: Where label and scores stand in an answer.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.
        accelerator_type: Elastic Inference, where the account still has it.
        prefix: Of the names of endpoint and configuration: at most 23 letters, digits and hyphens.
        sagemaker, runtime: boto3's clients of `sagemaker` and `sagemaker-runtime`; made here where they are not given.
        tags: Of endpoint and configuration, beside `TAG`.
        target_model, custom_attributes: As for `SageMakerEndpoint`.
        timeout: Seconds for one answer.
        start_timeout: Seconds until it is in service.
        poll: Seconds between two questions after its state.

    Attributes:
        endpoint_name: Of the endpoint, and of its configuration.

    Raises:
        BadDocument: The prefix is not one.
        MissingExtra: boto3 is not installed.
        Outside: It cannot be made, fails (with SageMaker's reason), or takes too long.
    """

    def __init__(
        self,
        model_name: str,
        instance_type: str,
        initial_instance_count: int = 1,
        *,
        encoding: Encoding | None = None,
        reading: Reading | None = None,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        accelerator_type: str | None = None,
        prefix: str = PREFIX,
        sagemaker: Any = None,
        runtime: Any = None,
        tags: Mapping[str, str] | None = None,
        target_model: str | None = None,
        custom_attributes: str | None = None,
        timeout: float = TIMEOUT,
        start_timeout: float = 1_800.0,
        poll: float = 10.0,
    ) -> None:
        if not _NAME.fullmatch(prefix) or len(prefix) > _LONGEST_PREFIX:
            raise BadDocument(
                f"endpoint_name_prefix {prefix!r} is not one.",
                f"At most {_LONGEST_PREFIX} letters, digits and hyphens.",
            )
        self.endpoint_name = f"{prefix}-{time.time():.0f}-{uuid.uuid4().hex[:12]}"
        super().__init__(
            self.endpoint_name,
            encoding,
            reading,
            limits,
            backoff,
            runtime=runtime,
            target_model=target_model,
            custom_attributes=custom_attributes,
            timeout=timeout,
        )
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model_name,
            "InstanceType": instance_type,
            "InitialInstanceCount": initial_instance_count,
            "InitialVariantWeight": 1.0,
            **({} if accelerator_type is None else {"AcceleratorType": accelerator_type}),
        }
        made = {**(tags or {}), TAG: model_name}
        self._remains = _Remains(sagemaker or aws_client("sagemaker"), self.endpoint_name, poll, start_timeout)
        try:
            self._remains.make(variant, [{"Key": key, "Value": value} for key, value in made.items()])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Deletes endpoint and configuration. Twice is once.

        Raises:
            Outside: One of them cannot be deleted: it goes on costing money, and its name is given.
        """
        super().close()
        self._remains.delete()


class _Remains:
    """What a shadow makes in the account, and has to take away."""

    def __init__(self, client: Any, name: str, poll: float, patience: float) -> None:
        self._client, self._name, self._poll, self._patience = client, name, poll, patience
        self._there: list[str] = []
        self._handlers: dict[int, Any] = {}

    def make(self, variant: dict[str, Any], tags: list[dict[str, str]]) -> None:
        """Returns when the endpoint is in service."""
        from botocore.exceptions import BotoCoreError, ClientError

        self._guard()
        try:
            self._make("endpoint_config", EndpointConfigName=self._name, ProductionVariants=[variant], Tags=tags)
            self._make("endpoint", EndpointName=self._name, EndpointConfigName=self._name, Tags=tags)
            self._wait(variant["ModelName"])
        except (BotoCoreError, ClientError) as error:
            raise Outside(
                f"No endpoint could be made for the model {variant['ModelName']}: {str(error).rstrip('.')}.",
                "Check the model's name, the instance type and the permissions.",
            ) from error

    def _make(self, kind: str, **arguments: Any) -> None:
        from botocore.exceptions import NoCredentialsError, ParamValidationError, PartialCredentialsError

        # Noted before it is asked for: an answer that does not arrive may have made it.
        self._there.append(kind)
        try:
            getattr(self._client, f"create_{kind}")(**arguments)
        except (NoCredentialsError, ParamValidationError, PartialCredentialsError):
            # Nothing was sent.
            self._there.pop()
            raise

    def delete(self) -> None:
        """Deletes what is there, undisturbed by Ctrl-C."""
        if not self._there:
            return
        left: dict[str, Exception] = {}
        try:
            with _undisturbed():
                for kind in reversed(self._there):
                    try:
                        self._deleted(kind)
                    except (
                        Exception
                    ) as error:  # Whatever becomes of one, the other costs money too; both are told below.
                        left[kind] = error
                self._there = [kind for kind in self._there if kind in left]
        finally:
            if not self._there:
                self._unguard()
        for kind, reason in left.items():
            what, verb = kind.replace("_config", " configuration"), kind.replace("_", "-")
            raise Outside(
                f"The {what} {self._name} could not be deleted, and may go on costing money: {str(reason).rstrip('.')}.",
                f"Delete it: aws sagemaker delete-{verb} --{verb}-name {self._name}",
            ) from reason

    def _wait(self, model_name: str) -> None:
        until = time.monotonic() + self._patience
        while True:
            found = self._client.describe_endpoint(EndpointName=self._name)
            status = found["EndpointStatus"]
            if status == "InService":
                return
            if status not in {"Creating", "Updating", "SystemUpdating"}:
                reason = str(found.get("FailureReason") or "SageMaker gives no reason").rstrip(".")
                raise Outside(f"The endpoint of the model {model_name} ended as {status}: {reason}.", "See its log.")
            if time.monotonic() > until:
                raise Outside(
                    f"The endpoint of the model {model_name} is still {status} after {self._patience:g} s.",
                    "Give it longer, or a smaller model.",
                )
            time.sleep(self._poll)

    def _deleted(self, kind: str) -> None:
        """Deletes an endpoint or a configuration; one that is not there is as good as deleted."""
        name = {f"{'EndpointConfig' if kind == 'endpoint_config' else 'Endpoint'}Name": self._name}
        until = time.monotonic() + self._patience
        attempt = 0
        while True:
            attempt += 1
            try:
                getattr(self._client, f"delete_{kind}")(**name)
            except (
                Exception
            ) as error:  # The client makes its classes of errors while it runs; any is tried again, then raised.
                said = str(error)
                if "Could not find" in said or "does not exist" in said:
                    return
                # SageMaker deletes no endpoint that it is still making.
                making = "in-progress" in said or "in progress" in said
                if time.monotonic() > until or (attempt >= _ATTEMPTS_TO_DELETE and not making):
                    raise
                if making and attempt == 1:
                    print(f"{self._name} is still being made; it is deleted as soon as it is there.", file=sys.stderr)
                time.sleep(self._poll)
            else:
                return

    def _guard(self) -> None:
        atexit.register(self._at_exit)
        if threading.current_thread() is threading.main_thread():
            for one in _ENDED:
                if signal.getsignal(one) is signal.SIG_DFL:
                    self._handlers[one] = signal.signal(one, _leave)

    def _unguard(self) -> None:
        atexit.unregister(self._at_exit)
        if threading.current_thread() is threading.main_thread():
            for one, before in self._handlers.items():
                if signal.getsignal(one) is _leave:
                    signal.signal(one, before)
            self._handlers.clear()

    def _at_exit(self) -> None:
        try:
            self.delete()
        except ClarifyOpsError as error:
            print(error, file=sys.stderr)


def _leave(sign: int, _frame: FrameType | None) -> None:
    """Ends the program as the signal would, but through everything that still has to run."""
    raise SystemExit(128 + sign)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Holds signals that would end the program back until the work is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    known = {one: signal.getsignal(one) for one in (signal.SIGINT, *_ENDED)}
    # None stands for a handler that Python did not set and cannot set again.
    before = {one: handler for one, handler in known.items() if handler is not None}
    for one in before:
        signal.signal(one, lambda sign, _frame: held.append(sign))
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for one in held[:1]:
            signal.raise_signal(one)
