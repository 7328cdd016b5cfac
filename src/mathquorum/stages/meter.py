"""How far sampling is while candidates are still being written: long before the first of a large model has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from mathquorum.stages.base import Progress

__all__ = ["Meter"]


class Meter:
    """Tells progress in candidates, from the tokens that have been written; those of an unfinished unit are guessed.

    Args:
        progress: Told.
        total: Candidates.
        longest: What a candidate may come to, in what is counted: what it is taken to come to until some have ended.
        counted: In words.
        clock: Seconds.
    """

    def __init__(
        self,
        progress: Progress,
        total: int,
        longest: int,
        counted: str = "tokens",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._total, self._longest = progress, total, longest
        self._counted, self._clock = counted, clock
        self._began = clock()
        self._done = 0
        self._ended = 0  # candidates that ended in this call, and their tokens
        self._ended_tokens = 0
        self._written = 0  # tokens since the beginning of this call
        self._running: dict[int, int] = {}  # tokens by unit

    def taken_over(self, done: int) -> None:
        """So many candidates are there from an earlier call."""
        self._done = done
        self._progress(done, self._total)

    def written(self, unit: int, tokens: int) -> None:
        """A unit that is being made has so many tokens more."""
        self._running[unit] = self._running.get(unit, 0) + tokens
        self._written += tokens
        self._tell()

    def ended(self, unit: int, candidates: int, tokens: int) -> None:
        """A unit is done, with so many candidates, and so many tokens in all."""
        self._written += max(0, tokens - self._running.pop(unit, 0))
        self._done += candidates
        self._ended += candidates
        self._ended_tokens += tokens
        self._tell()

    def _tell(self) -> None:
        each = self._ended_tokens / self._ended if self._ended else self._longest
        guessed = int(sum(self._running.values()) / max(each, 1))
        done = self._done if not self._running else min(self._done + guessed, max(self._total - 1, self._done))
        seconds = self._clock() - self._began
        rate = f", {self._written / seconds:,.0f} a second" if seconds >= 1 else ""
        self._progress(done, self._total, f"{self._written:,} {self._counted}{rate}" if self._written else "")
