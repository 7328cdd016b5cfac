"""Errors in the shape of OpenAI's, which its clients read: a status, a type, a code and words. None repeats what a request held."""

from __future__ import annotations

from typing import Any

__all__ = ["Refused"]

_TYPES = {401: "authentication_error", 404: "not_found_error", 408: "timeout_error", 429: "rate_limit_error"}


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: Of HTTP.
        words: What was wrong and what would do.
        code: In a word, for programs.
        param: The field that was wrong.
        retry_after: Seconds after which it may be answered; None where it will never be.
    """

    def __init__(
        self, status: int, words: str, code: str | None = None, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(words)
        self.status, self.words, self.code, self.param, self.retry_after = status, words, code, param, retry_after

    def body(self) -> dict[str, Any]:
        """The JSON of it."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.words, "type": kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """Those that tell a client whether to try again."""
        found = {"x-should-retry": "false" if self.retry_after is None else "true"}
        if self.retry_after is not None:
            found["retry-after"] = str(self.retry_after)
        if self.status == 401:
            found["www-authenticate"] = "Bearer"
        if self.status in (408, 413):
            found["connection"] = "close"  # what is still under way is not read
        return found
