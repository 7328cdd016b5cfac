"""Whose turn it is: requests take turns at the model, so that a short one beside a long one is answered first.

The work of a request is a generator that stops after each turn. A lane is a thread with an engine of its own: it takes the first request in
line, lets it have a turn, and puts it back at the end of the line. A request that nobody waits for any more ends within the turn, at its
next token.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

__all__ = ["Dropped", "Job", "Lanes"]

E = TypeVar("E")
R = TypeVar("R")

Turns = Generator[int, None, R]


class Dropped(Exception):
    """The work is not wanted any more."""


@dataclass(eq=False)
class Job(Generic[E, R]):
    """The work of a request.

    Attributes:
        work: Makes the turns, from an engine and what is to be told of tokens as they are written. Yields how many candidates there are.
        deadline: In the seconds of `time.monotonic`.
        future: What comes of it.
        candidates: So far.
        tokens: So far.
    """

    work: Callable[[E, Callable[[int], None]], Turns[R]]
    deadline: float
    future: Future[R] = field(default_factory=Future)
    candidates: int = 0
    tokens: int = 0
    _dropped: threading.Event = field(default_factory=threading.Event)
    _turns: Turns[R] | None = None

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # from now on only the lane ends it

    def drop(self) -> None:
        """Ends the work soon. Done work stays done."""
        self._dropped.set()

    @property
    def is_dropped(self) -> bool:
        """Whether nobody waits for it, or it has had its time."""
        return self._dropped.is_set() or time.monotonic() > self.deadline

    def turn(self, engine: E) -> bool:
        """One turn; whether there are more."""
        if self._turns is None:
            self._turns = self.work(engine, self._tell)
        try:
            if self.is_dropped:
                raise Dropped
            self.candidates = next(self._turns)
        except StopIteration as end:
            self.future.set_result(end.value)
        except BaseException as error:
            self._turns.close()
            self.future.set_exception(error)
        return not self.future.done()

    def _tell(self, more: int) -> None:
        self.tokens += more
        if self.is_dropped:
            raise Dropped


class Lanes(Generic[E]):
    """Threads that let jobs have their turns.

    Args:
        make_engine: Called once in each thread.
        number: Of threads.
    """

    def __init__(self, make_engine: Callable[[], E], number: int) -> None:
        self._make_engine = make_engine
        self._line: deque[Job[E, Any]] = deque()
        self._working: list[Job[E, Any]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._engine: Future[E] = Future()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(number)]

    def start(self) -> E:
        """Opens the engines, and returns the first.

        Raises:
            MathquorumError: If one cannot be opened.
        """
        for thread in self._threads:
            thread.start()
        return self._engine.result()

    def submit(self, job: Job[E, Any]) -> None:
        """Puts a job at the end of the line."""
        with self._changed:
            self._line.append(job)
            self._changed.notify()

    @property
    def is_alive(self) -> bool:
        """Whether somebody works."""
        return any(thread.is_alive() for thread in self._threads)

    def close(self, seconds: float) -> None:
        """Ends the threads, or gives up after so many seconds; what is in line or in work is dropped."""
        with self._changed:
            self._closed = True
            for job in (*self._line, *self._working):
                job.drop()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(seconds)

    def _work(self) -> None:
        try:
            engine = self._make_engine()
        except BaseException as error:
            self._opened(partial(self._engine.set_exception, error))
            return
        self._opened(partial(self._engine.set_result, engine))
        while job := self._next():
            goes_on = job.turn(engine)
            with self._changed:
                self._working.remove(job)
                if goes_on:
                    self._line.append(job)
                    self._changed.notify()

    def _opened(self, tell: Callable[[], None]) -> None:
        with self._changed:
            if not self._engine.done():
                tell()

    def _next(self) -> Job[E, Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._closed)
            if not self._line:
                return None
            job = self._line.popleft()
            self._working.append(job)
            return job
