"""Units worked through by threads: for work that is waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mathquorum.processes import Handler

__all__ = ["map_threads"]

U = TypeVar("U")
R = TypeVar("R")


@dataclass(frozen=True)
class _Told:
    unit: int
    more: int


@dataclass(frozen=True)
class _Done:
    unit: int
    result: Any


@dataclass(frozen=True)
class _Ended:
    """A thread. error: what a unit of its raised."""

    error: BaseException | None


def map_threads(
    job: Callable[[], Handler[U, R]],
    units: Sequence[U],
    threads: int,
    heard: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """The number of each unit and what the handler made of it, as they are finished.

    When one fails, no other is begun; those under way are waited for and given, so that nothing that arrives is lost, and then the
    error is raised. Who goes away in the middle is not waited for.

    Args:
        job: Makes the handler, which all threads share.
        units: What there is to do.
        threads: At most.
        heard: As in `processes.map_units`; called in the caller's own thread.
    """
    if not units:
        return
    handle = job()
    waiting = iter(list(enumerate(units)))
    lock, halt = threading.Lock(), threading.Event()
    told: queue.SimpleQueue[_Told | _Done | _Ended] = queue.SimpleQueue()

    def work() -> None:
        try:
            while not halt.is_set():
                with lock:
                    number, unit = next(waiting, (-1, None))
                if number < 0:
                    break
                made = handle(unit, lambda more, number=number: told.put(_Told(number, more)))  # type: ignore[misc,arg-type]
                told.put(_Done(number, made))
        except BaseException as error:  # raised again by who asked
            halt.set()
            told.put(_Ended(error))
        else:
            told.put(_Ended(None))

    running = min(threads, len(units))
    for _ in range(running):
        threading.Thread(target=work, daemon=True).start()
    errors = []
    try:
        while running:
            item = told.get()
            if isinstance(item, _Told):
                if heard:
                    heard(item.unit, item.more)
            elif isinstance(item, _Done):
                yield item.unit, item.result
            else:
                running -= 1
                errors += [item.error] if item.error else []
    finally:
        halt.set()
    if errors:
        raise errors[0]
