"""What a person sees while candidates are sampled: tokens and their speed, and how many problems are done."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import typer

__all__ = ["SamplingProgress"]

_SHOWN_AFTER, _LINE_EVERY, _REDRAWN_EVERY = 0.5, 10.0, 0.2  # seconds


class SamplingProgress:
    """A line on standard error that is drawn anew; where it is no terminal, a line now and then. Nothing for what ends at once."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._began = self._drawn = time.monotonic()
        self._tokens = 0
        self._done: tuple[int, int] | None = None
        self._on_screen = False

    def __enter__(self) -> SamplingProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def tell(self, more: int) -> None:
        """Tokens were written."""
        now = time.monotonic()
        if not self._tokens:  # the model is there
            self._began = now
        self._tokens += more
        every = _REDRAWN_EVERY if self._terminal else _LINE_EVERY
        if now - self._drawn >= every and now - self._began >= _SHOWN_AFTER:
            self._drawn = now
            self._draw(now)

    def problems(self, done: int, total: int) -> None:
        """Problems are done."""
        self._done = (done, total)

    def say(self, line: str) -> None:
        """Prints a line that stays."""
        self._wipe()
        typer.echo(line)

    def _draw(self, now: float) -> None:
        seconds = now - self._began
        place = f"problem {self._done[0] + 1} of {self._done[1]}: " if self._done else ""
        text = f"{place}{self._tokens:,} tokens, {self._tokens / seconds:,.0f} a second, {seconds:.0f} s"
        self._wipe()
        typer.echo(text, err=True, nl=not self._terminal)
        self._on_screen = self._terminal

    def _wipe(self) -> None:
        if self._on_screen:
            typer.echo("\r\x1b[2K", err=True, nl=False)
            self._on_screen = False
