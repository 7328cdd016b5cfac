"""Processes that may hang: each request has a time limit, and a worker that exceeds it is killed and replaced.

The processes are plain children that talk JSON lines over pipes, so they can be asked from any thread, from async code
(in an executor) and from Ray workers. Two start with the first request, so that one that hangs leaves another ready; they
end with the interpreter. Their memory is limited too.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

__all__ = ["TimedOut", "WorkerPool", "pool"]

SIZE = 2
START_SECONDS = 1.2  # a request waits at least this long for a worker that still imports sympy: 0.7 s on an idle core
PROGRAM = "from mathquorum.answers.symbolic_worker import main; main()"


class TimedOut(Exception):
    """A worker had no reply in time."""


class NotReady(TimedOut):
    """The worker has not started yet; it may do so later."""


class _Worker:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            start_new_session=True,  # Ctrl-C is for the user's program, which then ends us
        )
        self.is_ready = False
        self.buffer = b""

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """The reply to one request.

        Raises:
            NotReady: When the worker has not started in time.
            TimedOut: When there is no reply in time, or the worker died.
        """
        if not self.is_ready:
            try:
                self._line(max(START_SECONDS, seconds))
            except TimedOut as error:
                if self.process.poll() is None:
                    raise NotReady from error
                raise
            self.is_ready = True
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise TimedOut from error
        return json.loads(self._line(seconds))

    def _line(self, seconds: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TimedOut
            chunk = os.read(descriptor, 65_536)
            if not chunk:
                raise TimedOut
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def end(self) -> None:
        with suppress(OSError):
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class WorkerPool:
    """Workers that are asked one request at a time each; more threads than workers wait."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._idle: list[_Worker] = []
        self._count = 0
        self._free = threading.Condition()

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """The reply of a worker.

        Raises:
            TimedOut: When it had none in time; a worker that had started is killed then, and replaced.
        """
        worker = self._take()
        try:
            reply = worker.ask(request, seconds)
        except NotReady:
            self._give(worker)
            raise
        except BaseException:
            self._replace(worker)
            raise
        self._give(worker)
        return reply

    def _take(self) -> _Worker:
        with self._free:
            if self._count == 0:
                self._idle = [_Worker() for _ in range(SIZE)]
                self._count = SIZE
            while not self._idle:
                if self._count == 0:
                    raise TimedOut
                self._free.wait()
            return self._idle.pop(0)

    def _give(self, worker: _Worker) -> None:
        with self._free:
            self._idle.append(worker)
            self._free.notify()

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        try:
            self._give(_Worker())
        except OSError:  # no process to be had now: fewer workers, and none waits for the one that is missing
            with self._free:
                self._count -= 1
                self._free.notify_all()

    def close(self) -> None:
        """Ends the workers; the next request starts new ones."""
        with self._free:
            for worker in self._idle:
                worker.end()
            self._idle, self._count = [], 0


pool = WorkerPool()
atexit.register(pool.close)
if hasattr(os, "register_at_fork"):  # a forked child must not talk over its parent's pipes
    os.register_at_fork(after_in_child=pool._reset)
