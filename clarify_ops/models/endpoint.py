"""A model behind HTTP, with the contract of SageMaker's containers: `/ping` and `/invocations`."""

from __future__ import annotations

import datetime
import gzip
import time
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from clarify_ops.errors import BadDocument, BadModel, Outside
from clarify_ops.models.answer import Reading, complaint, shown
from clarify_ops.models.payload import Encoding
from clarify_ops.models.remote import Limits, RemoteModel
from clarify_ops.models.wire import Backoff, Reply, TooLarge, TryAgain, opening

if TYPE_CHECKING:
    import requests

TIMEOUT = 65.0
"""Seconds for one answer: a little more than the 60 that SageMaker gives a container."""

_PIECE = 1 << 16
_REFUSED_DATA = frozenset({400, 415, 422})
_SLOW = frozenset({408, 504})
_TOO_LARGE, _BUSY = 413, 429


class HttpEndpoint(RemoteModel):
    """An endpoint by its address.

    Args:
        url: `http://host:port`, to which `/invocations` and `/ping` are added; or the address of `/invocations` itself.
        encoding: What a request looks like.
        reading: Where label and scores stand in an answer.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.
        timeout: Seconds for one answer.
        headers: Sent with every request, such as Authorization; shown nowhere.
        proxies: Follow the proxies of the environment.

    Raises:
        BadDocument: It is no such address.
    """

    def __init__(
        self,
        url: str,
        encoding: Encoding | None = None,
        reading: Reading | None = None,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        *,
        timeout: float = TIMEOUT,
        headers: Mapping[str, str] | None = None,
        proxies: bool = True,
    ) -> None:
        limits = limits or Limits()
        wire = HttpWire(url, timeout=timeout, headers=headers, proxies=proxies, connections=limits.parallel)
        super().__init__(wire, encoding, reading, limits, backoff)
        self._http = wire

    def alive(self) -> bool:
        """Whether `/ping` answers 200."""
        return self._http.alive()


class HttpWire:
    """Carries requests over HTTP, on connections that are kept; implements `clarify_ops.models.wire.Wire`."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = TIMEOUT,
        headers: Mapping[str, str] | None = None,
        proxies: bool = True,
        connections: int = 4,
    ) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadDocument(f"{url!r} is no address of an endpoint.", "Such as http://localhost:8080.")
        path = parts.path.rstrip("/").removesuffix("/invocations")
        self._invocations = urlunsplit(parts._replace(path=f"{path}/invocations", fragment=""))
        self._ping = urlunsplit(parts._replace(path=f"{path}/ping", fragment=""))
        # Neither a password nor a key in the query is for anyone's eyes.
        host = parts.netloc.rpartition("@")[2]
        self.name = f"the endpoint {parts.scheme}://{host}{path}"
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = proxies
        self._session.headers.update({"Accept-Encoding": "identity", **(headers or {})})
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        self._session.mount(f"{parts.scheme}://", adapter)

    def alive(self) -> bool:
        """Whether `/ping` answers 200."""
        import requests

        try:
            return self._session.get(self._ping, timeout=min(5.0, self._timeout), allow_redirects=False).ok
        except requests.RequestException:
            return False

    def send(self, body: bytes, content_type: str, accept_type: str) -> Reply:
        """Posts to `/invocations`; raises as `Wire.send` says."""
        import requests

        until = time.monotonic() + self._timeout
        try:
            response = self._session.post(
                self._invocations,
                data=body,
                headers={"Content-Type": content_type, "Accept": accept_type},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except requests.Timeout as error:
            raise TryAgain(f"it did not answer within {self._timeout:g} s.", slow=True) from error
        except requests.ConnectionError as error:
            raise TryAgain(f"it cannot be reached ({_cause(error)}).") from error
        except (requests.RequestException, ValueError) as error:
            raise Outside(f"{opening(self.name)} cannot be asked: {_cause(error)}.") from error
        with response:
            found = self._whole(response, until)
            if response.status_code == 200:
                return Reply(found, response.headers.get("Content-Type", ""))
            raise self._refusal(response, found)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _whole(self, response: requests.Response, until: float) -> bytes:
        parts = []
        while True:
            try:
                # Whatever is there, so that an answer which trickles in does not outlast the limit.
                one = response.raw.read1(_PIECE, decode_content=False)
            except Exception as error:
                slow = "timed out" in str(error)
                raise TryAgain(f"its answer broke off ({_cause(error)}).", slow=slow) from error
            if not one:
                break
            parts.append(one)
            if time.monotonic() > until:
                raise TryAgain(f"its answer was not whole after {self._timeout:g} s.", slow=True)
        body = self._unpacked(b"".join(parts), response.headers.get("Content-Encoding", "identity").lower())
        framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        if not framed and not body.endswith((b"\n", b"}", b"]")):
            raise TryAgain(f"its answer has no length and may be half of one: {shown(body)}")
        return body

    def _unpacked(self, body: bytes, encoding: str) -> bytes:
        """A body that is compressed although nobody asked; half of one is found out here and nowhere else."""
        if encoding == "identity":
            return body
        if encoding != "gzip":
            raise Outside(f"{opening(self.name)} answers in the encoding {encoding}, which was not asked for.")
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise TryAgain(f"its answer broke off ({_cause(error)}).") from error

    def _refusal(self, response: requests.Response, body: bytes) -> Exception:
        status = response.status_code
        said = f"HTTP {status}: {complaint(body)}"
        if status == _TOO_LARGE:
            return TooLarge(said)
        if status == _BUSY or status >= 500 or status in _SLOW:
            return TryAgain(said, _retry_after(response.headers.get("Retry-After")), slow=status in _SLOW)
        if status in _REFUSED_DATA:
            return BadModel(
                f"{opening(self.name)} refuses the rows: {said}", "Check content_type, templates and columns."
            )
        if 300 <= status < 400:
            return Outside(
                f"{opening(self.name)} sends elsewhere: {response.headers.get('Location', said)}", "Give that address."
            )
        return Outside(f"{opening(self.name)} refuses the request: {said}", "Check the address and the credentials.")


def _retry_after(value: str | None) -> float | None:
    """Seconds, given as such or as a date; None for neither."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    now = datetime.datetime.now(tz=moment.tzinfo or datetime.UTC)
    return max(0.0, (moment.replace(tzinfo=now.tzinfo) - now).total_seconds())


def _cause(error: Any) -> str:
    """The innermost reason: libraries wrap it into their own, with addresses of objects in it."""
    while True:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")
