"""A process that stands between us and a server, so that the server ends when we do, however we end.

    python supervisor.py COMMAND ...

It starts the command in a session of its own and holds the reading end of a pipe that only we can write to: its standard input. When
that ends (we closed it, or are gone, be it by SIGKILL), or our place is another's (a child of ours kept the pipe open), it ends the command
with all that came of it. It exits as the command does.

Nothing of mathquorum is imported here: it must start at once, and with any environment.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE = 10.0  # seconds between asking to end and ending
_LOOK_EVERY = 0.2
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)


def main(command: list[str]) -> int:
    """Runs the command; returns its exit code, or 143 where it was ended."""
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _raise_exit)
    _prctl(_SET_CHILD_SUBREAPER, 1)  # what the command leaves behind becomes ours, and is ended too
    parent = os.getppid()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_supervisor
    )
    try:
        while process.poll() is None:
            ready, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY)
            if (ready and not os.read(sys.stdin.fileno(), 1024)) or os.getppid() != parent:
                return 143
        return process.returncode
    finally:
        _end(process)


def _raise_exit(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _die_with_supervisor() -> None:
    """In the command's process, before it begins: should the supervisor itself be killed."""
    _prctl(_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group alone is ended."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks all to end, and after a while ends them."""
    asked: set[int] = set()
    until = time.monotonic() + _PATIENCE
    _signal_group(process.pid, signal.SIGTERM)
    while _left(process.pid):
        late = time.monotonic() > until
        if late:
            _signal_group(process.pid, signal.SIGKILL)
        for child in _children():  # also those that left the group, and became ours when their parents ended
            if late or child not in asked | {process.pid}:
                _signal(child, signal.SIGKILL if late else signal.SIGTERM)
        asked.update(_children())
        process.poll()
        _reap()
        time.sleep(0.05)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _left(group: int) -> bool:
    """Whether anything of it still runs."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return bool(_children())
    return True


def _children() -> list[int]:
    """Processes whose parent we are, those included that were handed to us; where /proc does not tell, none."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _reap() -> None:
    """Takes leave of those that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
