"""What every request goes through before it is looked at: the host that it asks, its key, its size, its time."""

from __future__ import annotations

import asyncio
import hmac

from starlette.requests import Request

from mathquorum.serving.refusals import Refused
from mathquorum.serving.settings import Limits, is_loopback

__all__ = ["check_caller", "read_body"]


def check_caller(request: Request, key: str | None) -> None:
    """Makes sure that who asks may ask.

    Without a key the endpoint is for programs of this machine. A web page in a browser here is none of them: it can send requests to
    127.0.0.1, but under its own name (a name that leads here, or an Origin).

    Raises:
        Refused: If it may not.
    """
    if key is not None:
        given = request.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        same = hmac.compare_digest(token.strip().encode("utf-8", "replace"), key.encode("utf-8", "replace"))
        if scheme.lower() != "bearer" or not same:
            raise Refused(
                401, "The API key is missing or wrong. Send it as: Authorization: Bearer KEY", "invalid_api_key"
            )
        return
    if not is_loopback(_hostname(request.headers.get("host", ""))) or request.headers.get("origin") is not None:
        raise Refused(
            403, "Without a key only programs on this machine are answered, at 127.0.0.1 or localhost.", "forbidden"
        )


def _hostname(header: str) -> str:
    return header.partition("]")[0].strip("[") if header.startswith("[") else header.partition(":")[0]


async def read_body(request: Request, limits: Limits) -> bytes:
    """The body, within the limits.

    Raises:
        Refused: If it is too long, too slow or no JSON.
        ClientDisconnect: If the client goes away.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "Send JSON, with Content-Type: application/json.", "unsupported_media_type")
    too_long = Refused(413, f"The body is longer than {limits.body_bytes} bytes.", "request_too_large")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body_bytes:
        raise too_long
    parts, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise too_long
                parts.append(part)
    except TimeoutError:
        raise Refused(
            408, f"The body was not there within {limits.body_seconds:g} seconds.", "request_timeout", retry_after=1
        ) from None
    return b"".join(parts)
