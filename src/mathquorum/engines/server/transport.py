"""One answer of a server over HTTP: within a time and a size, and with the key in no message. The one file that knows the HTTP library."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from mathquorum.engines.server.faults import Fault, Refusal, TooLong
from mathquorum.engines.server.pacing import told_wait
from mathquorum.errors import SettingsError, visible

__all__ = ["Reply", "Transport", "read_key"]

_LARGEST = 256 * 2**20  # bytes of an answer
_CONNECT = 20.0  # seconds
_WORDS = 400  # characters of a server's message that are shown
_AGAIN = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_TOO_LONG = re.compile(r"context.{0,3}(length|window|size)|maximum context|prompt is too long", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Attributes:
        body: The JSON object.
        wait: Seconds that it wants to be left alone now; None where it does not say.
    """

    body: Mapping[str, Any]
    wait: float | None


def read_key(variable: str | None) -> str | None:
    """The key in an environment variable.

    Raises:
        SettingsError: If there is none.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SettingsError(
            f"engine.key_variable names {variable}, which is not set in the environment. Put the key there, or name another."
        )
    return key


class Transport:
    """Asks one server. Threads may share it.

    Args:
        url: Where its protocol begins.
        key: Sent as a bearer token; None sends none.
        timeout: Seconds until an answer must be there, whole.
        connections: At most at once.
    """

    def __init__(self, url: str, key: str | None, timeout: float, connections: int) -> None:
        self.url = url
        self._key = key
        self._timeout = timeout
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(timeout, connect=min(_CONNECT, timeout)),
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=urlsplit(url).hostname not in _LOOPBACK,  # a proxy does not know this machine's own servers
        )

    def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """The server's answer to a request.

        Raises:
            Fault: If none came, or one that may be another the next time.
            Refusal: If it will be the same the next time.
        """
        return self._ask("POST", path, json.dumps(body, ensure_ascii=True).encode())

    def get(self, path: str) -> Reply:
        """What the server tells; errors as in `post`."""
        return self._ask("GET", path, None)

    def hide(self, text: str) -> str:
        """A text for people: short, in one line, and without the key, which some servers repeat."""
        if self._key:
            text = text.replace(self._key, "[key]")
        return visible(" ".join(text.split()))[:_WORDS]

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, content: bytes | None) -> Reply:
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            with self._client.stream(method, self.url + path, content=content, headers=headers) as answer:
                text = self._within_limits(answer)
        except httpx2.TimeoutException as error:
            raise self._too_slow() from error
        except httpx2.ConnectError as error:
            raise Fault("no connection", f"{self.url} cannot be reached: {self.hide(str(error))}.") from error
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            words = self.hide(str(error)) or type(error).__name__
            raise Fault("cut off", f"{self.url} cut the connection off: {words}.") from error
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        self._check(answer.status_code, lowered, text)
        return Reply(self._object(text), told_wait(lowered, refused=False))

    def _within_limits(self, answer: httpx2.Response) -> bytes:
        """The body. A server that sends a byte now and then is as slow as one that sends nothing."""
        began, parts, size = time.monotonic(), [], 0
        for part in answer.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > _LARGEST:
                raise Fault("too large", f"{self.url} answered with more than {_LARGEST >> 20} MiB.")
            if time.monotonic() - began > self._timeout:
                raise self._too_slow()
        return b"".join(parts)

    def _too_slow(self) -> Fault:
        return Fault("too slow", f"{self.url} did not answer in {self._timeout:g} seconds (engine.timeout).")

    def _check(self, status: int, headers: Mapping[str, str], text: bytes) -> None:
        if 200 <= status < 300:
            return
        code, words = self._message(text)
        shown = f"{self.url} answered {status}{': ' + words if words else ''}"
        if status == 429 and code == "insufficient_quota":
            raise Refusal(status, words)
        if status in _AGAIN:
            limited = status == 429 or (status == 503 and "retry-after" in headers)
            raise Fault(str(status), shown, told_wait(headers, refused=True), limited)
        if status in (400, 413, 422) and (code == "context_length_exceeded" or _TOO_LONG.search(words)):
            raise TooLong(status, words)
        raise Refusal(status, words)

    def _message(self, text: bytes) -> tuple[str, str]:
        """Code and words of an error, in the shapes of OpenAI and of FastAPI, or the beginning of whatever it is."""
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            return "", self.hide(text.decode("utf-8", "replace"))
        error = held.get("error", held) if isinstance(held, dict) else held
        if not isinstance(error, dict):
            return "", self.hide(str(error))
        words = error.get("message") or error.get("detail") or held
        return str(error.get("code") or error.get("type") or ""), self.hide(str(words))

    def _object(self, text: bytes) -> Mapping[str, Any]:
        try:
            held = json.loads(text, parse_constant=lambda word: None)  # NaN and its like are no numbers of ours
        except (ValueError, RecursionError) as error:
            raise Fault("unreadable", f"{self.url} answered with what is not JSON.") from error
        if not isinstance(held, dict):
            raise Fault("unreadable", f"{self.url} answered with no JSON object.")
        return held
