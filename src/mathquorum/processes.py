"""Work spread over processes, unit by unit, so that what comes out never depends on how many there are."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from typing import Any, TypeVar

from mathquorum.errors import MathquorumError, RunError

__all__ = ["Handler", "Tell", "die_with_parent", "map_units", "not_told", "now_and_then", "process_context"]

_PRELOAD = ("torch", "transformers.trainer", "transformers.models.auto.modeling_auto", "accelerate")

_TOLD_EVERY = 2.0  # seconds

U = TypeVar("U")
R = TypeVar("R")


Tell = Callable[[int], None]
"""Called by who does a unit with how much more of it is done, in whatever it counts: tokens, say."""

Handler = Callable[[U, Tell], R]
"""Makes something of a unit."""


def map_units(
    job: Callable[[], Handler[U, R]],
    units: Sequence[U],
    workers: int,
    heard: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """The number of each unit and what the handler made of it, as they are finished.

    Args:
        job: Makes the handler; called once per process, so that each loads its own model. Must be importable by a fresh
            process when `workers` is above 1 (a function, or a `functools.partial` of one).
        units: What there is to do. Each is handled alone; its result must depend on nothing else.
        workers: Processes. With 1 the work is done here.
        heard: Called with the number of a unit and what its handler tells, every few seconds.

    Raises:
        RunError: If a process dies.
    """
    if min(workers, len(units)) <= 1:
        if units:
            handle = job()
            for number, unit in enumerate(units):
                yield number, handle(unit, now_and_then(partial(heard, number)) if heard else not_told)
        return
    context = process_context()
    waiting = list(enumerate(units))
    running: dict[Any, Any] = {}  # pipe -> process
    try:
        for _ in range(min(workers, len(units))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, job))
            process.start()
            theirs.close()
            running[ours] = process
            ours.send(waiting.pop(0))
        while running:
            ready: list[Any] = wait(list(running))
            for pipe in ready:
                try:
                    kind, *values = pipe.recv()
                except (EOFError, ConnectionResetError):  # the latter when it left something unread
                    running[pipe].join()
                    raise RunError(
                        f"A worker process ended without a word (exit code {running[pipe].exitcode}; -9 usually means "
                        "that memory ran out). What it had finished is kept; use fewer workers and run again."
                    ) from None
                if kind == "error":
                    raise values[0]
                if kind == "told":
                    if heard:
                        heard(*values)
                    continue
                if waiting:
                    pipe.send(waiting.pop(0))
                else:
                    pipe.send(None)
                    running.pop(pipe).join()
                yield values[0], values[1]
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def not_told(more: int) -> None:
    """Does nothing: for callers that do not want to know."""


def now_and_then(tell: Tell) -> Tell:
    """Tells of several calls at once."""
    waiting, last = 0, time.monotonic()

    def hear(more: int) -> None:
        nonlocal waiting, last
        waiting += more
        now = time.monotonic()
        if now - last >= _TOLD_EVERY:
            tell(waiting)
            waiting, last = 0, now

    return hear


def _send(pipe: Connection, number: int, more: int) -> None:
    pipe.send(("told", number, more))


def _serve(pipe: Connection, job: Callable[[], Handler[Any, Any]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    die_with_parent()
    try:
        handle = job()
        while (unit := pipe.recv()) is not None:
            number, value = unit
            pipe.send(("done", number, handle(value, now_and_then(partial(_send, pipe, number)))))
    except MathquorumError as error:
        pipe.send(("error", error))
    except Exception as error:  # a fault of ours: its trace must not be lost with the process
        pipe.send(("error", RuntimeError("A worker process failed:\n" + "".join(traceback.format_exception(error)))))


@functools.cache
def process_context() -> ForkServerContext:
    """How processes are started here: from a server that has imported torch and transformers once, for half the memory
    and none of the seconds that importing them in each would take. The server itself starts no thread and no GPU."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOAD))
    return context


def die_with_parent() -> None:
    """Ends this process when its parent is gone, so that a killed run leaves nobody writing into its directory."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
