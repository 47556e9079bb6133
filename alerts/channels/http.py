"""One HTTP call to a provider: its time-outs, and what is certain when it comes to nothing.

Source: RFC 9110, chapter 15. A 4xx was refused and nothing was taken. A 5xx says nothing about what a server behind the
one that answered did, so it is unknown, unless a 503 names the time to come back (`Retry-After`): then it was turned
away at the door. A connection that could not be made carried no message.
"""

from __future__ import annotations

import hmac
import json
import re
import ssl
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from django.conf import settings

from alerts.errors import BadInput, BadSignature, NotSent, Rejected, SendError, Throttled, Unknown

CONNECT = 5.0  # seconds to reach a provider; the other waits are settings.PROVIDER_TIMEOUT
USUAL_WAIT = timedelta(minutes=1)  # after a 429 that does not say how long
# Our key, our money, our address of the provider: somebody will mend it, and no member should have missed anything.
OUR_FAULT = {401, 402, 403, 404}
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def client(url: str) -> httpx.Client:
    """A client that keeps its connection to `url` and waits for nothing without an end."""
    wait = settings.PROVIDER_TIMEOUT
    timeout = httpx.Timeout(wait, connect=CONNECT)
    return httpx.Client(base_url=url, timeout=timeout, follow_redirects=False, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that we trust, read once for a process: each client would read them anew."""
    return httpx.create_ssl_context()


def longest_call() -> timedelta:
    """The sum of the time-outs: a place in the pool, the connection, writing, reading."""
    return timedelta(seconds=CONNECT + 3 * settings.PROVIDER_TIMEOUT)


def call(http: httpx.Client, method: str, path: str, **request: Any) -> dict[str, Any]:
    """The provider's answer of a call that it took. Raises one of the four errors; 4xx as Rejected with its code."""
    try:
        response = http.request(method, path, **request)
    except _NEVER_LEFT as error:
        raise NotSent(type(error).__name__, answer=type(error).__name__, transport_down=True) from error
    except httpx.HTTPError as error:
        raise Unknown(type(error).__name__, answer=type(error).__name__) from error
    content = _content(response)
    if response.is_success:
        if content is None:
            raise Unknown("the answer cannot be read", answer=str(response.status_code))
        return content
    raise failure(response.status_code, response.headers.get("Retry-After", ""), content or {})


def failure(status: int, retry_after: str, content: dict[str, Any]) -> SendError:
    """The one of the four errors that an answer with this status is."""
    code = str(content.get("errorCode") or content.get("code") or content.get("ErrorCode") or status)
    words = scrubbed(str(content.get("errorMessage") or content.get("message") or content.get("Message") or ""))
    if status == 429 or (status == 503 and retry_after.isdecimal()):
        wait = timedelta(seconds=min(int(retry_after), 86_400)) if retry_after.isdecimal() else USUAL_WAIT
        return Throttled(words, answer=code, retry_after=wait, of_transport=True)
    if status in OUR_FAULT:
        return NotSent(words, answer=code, transport_down=True)
    if 400 <= status < 500 and status != 408:
        return Rejected(words, answer=code)
    return Unknown(words, answer=code)


def scrubbed(words: str) -> str:
    """A provider's words without addresses and telephone numbers, because they are kept for ever."""
    words = re.sub(r"[^\s<>]+@[^\s<>]+", "…", words)
    return re.sub(r"\+?\d[\d\- ]{5,}\d", "…", words)[:400]


def _content(response: httpx.Response) -> dict[str, Any] | None:
    try:
        content = response.json()
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def same_secret(said: str, ours: str) -> None:
    """Raises BadSignature unless both are the same; compared in constant time. No secret set: nothing is the same."""
    if not ours or not hmac.compare_digest(said.encode(), ours.encode()):
        raise BadSignature()


def json_body(body: bytes) -> Any:
    """A webhook's JSON. Raises BadInput when it is none, as half a body is."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is no JSON", field="body") from error
