"""How long to wait before a server is asked again: what it says itself, and where it says nothing, longer and longer."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["Gate", "backoff", "told_wait"]

_LONGEST = 30.0
_REMAINING = ("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens", "ratelimit-remaining")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def backoff(failures: int, first: float = 0.5, draw: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: `first` at most, twice as long each time, and somewhere in the upper half of that, so that those
    who failed together do not come back together.

    Example:
        >>> [backoff(n, draw=lambda: 1.0) for n in (1, 2, 3, 20)]
        [0.5, 1.0, 2.0, 30.0]
    """
    whole = min(_LONGEST, first * 2.0 ** min(failures - 1, 16))
    return whole * (0.5 + 0.5 * draw())


def told_wait(headers: Mapping[str, str], refused: bool) -> float | None:
    """Seconds that the server asks to wait; None where it says nothing that can be read.

    Args:
        headers: Of its answer, names in lower case.
        refused: Whether it refused for going too fast. If it did not, only a spent allowance asks to wait.
    """
    if refused:
        told = _milliseconds(headers.get("retry-after-ms")) or _date_or_seconds(headers.get("retry-after"))
        if told is not None:
            return told
    spent = [name for name in _REMAINING if headers.get(name, "").strip() in ("0", "0.0")]
    waits = [_span(headers.get(name.replace("remaining", "reset"), "")) for name in spent]
    return max((wait for wait in waits if wait is not None), default=None)


def _milliseconds(text: str | None) -> float | None:
    seconds = _span(text or "")
    return None if seconds is None else seconds / 1000


def _date_or_seconds(text: str | None) -> float | None:
    """RFC 9110, section 10.2.3."""
    if text is None:
        return None
    seconds = _span(text)
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _span(text: str) -> float | None:
    """Seconds of "1.5", "20ms" or "6m0s"."""
    text = text.strip()[:32]
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


class Gate:
    """Closed while the server wants to be left alone. All threads that ask it share one.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._opens = clock()
        self._lock = threading.Lock()

    def close(self, seconds: float) -> None:
        """Keeps it closed for so long from now at least."""
        with self._lock:
            self._opens = max(self._opens, self._clock() + seconds)

    @property
    def left(self) -> float:
        """Seconds until it opens; 0 where it is open."""
        with self._lock:
            return max(0.0, self._opens - self._clock())
