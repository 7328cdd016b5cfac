"""A running server: started, waited for, shared by the stages of a process, and ended with it."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from pathlib import Path

from mathquorum.engines.vllm.launch import Launch
from mathquorum.errors import ModelError, visible

__all__ = ["SERVERS", "Running", "Servers"]

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_PORTS_TRIED = 3
_LAST_LINES = 15
_ENDED_WITHIN = 30.0  # seconds: the supervisor needs ten at most
_HAS_VLLM = "import importlib.util, sys; sys.exit(3 if importlib.util.find_spec('vllm') is None else 0)"


class Running:
    """A server of ours. It ends with `end`, with this process, or by itself.

    Args:
        launch: How it is started.
        log: File that what it says is appended to.
        start_timeout: Seconds until it must answer.

    Raises:
        ModelError: If it cannot be started, or does not answer in time; nothing is left of it then.
    """

    def __init__(self, launch: Launch, log: Path, start_timeout: float) -> None:
        self.log = log
        self.key = secrets.token_urlsafe(24)  # others on this machine have no business with it
        for left in reversed(range(_PORTS_TRIED)):
            self._port = _free_port()
            self._from = log.stat().st_size if log.exists() else 0
            self._process = self._start(launch)
            try:
                self._wait(start_timeout)
            except BaseException as error:
                self.end()
                if left and isinstance(error, ModelError) and "address already in use" in self._said().lower():
                    continue  # somebody took the port in between
                raise
            return

    @property
    def url(self) -> str:
        """Where its protocol begins."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it with all its processes, and waits for that."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(_ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _start(self, launch: Launch) -> subprocess.Popen[bytes]:
        command = launch.command(self._port)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", str(_SUPERVISOR), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: we end it in order
                env={**os.environ, "VLLM_API_KEY": self.key, "PYTHONUNBUFFERED": "1"},
            )

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_healthy():
            if not self.alive:
                raise ModelError(
                    f"vLLM ended while it started (exit code {self._process.returncode}). {self._last_words()}"
                )
            if time.monotonic() > until:
                raise ModelError(
                    f"vLLM did not answer in {seconds:g} seconds (engine.start_timeout), and was ended. {self._last_words()}"
                )
            time.sleep(0.2)

    def _is_healthy(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self._port}/health", timeout=5) as answer:
                return bool(answer.status == 200) and self.alive
        except (urllib.error.URLError, OSError):
            return False

    def _said(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._from)
            return b"".join(deque(log, _LAST_LINES)).decode("utf-8", "replace")

    def _last_words(self) -> str:
        lines = [visible(line)[:300] for line in self._said().splitlines()]
        return f"Its log is {self.log}; the last of it:\n" + "\n".join(lines)


def check_vllm(python: str) -> None:
    """Makes sure that there is vLLM to be started.

    Raises:
        ModelError: If there is not, with how to get it.
    """
    how = (
        "Its pins clash with ours, so it lives in an environment of its own: python3 -m venv vllm-env && "
        "vllm-env/bin/pip install vllm. Then give engine.python vllm-env/bin/python."
    )
    try:
        found = subprocess.run([python, "-c", _HAS_VLLM], capture_output=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"engine.python {python!r} cannot be run ({error}). {how}") from error
    if found.returncode:
        raise ModelError(f"engine.python {python!r} has no vLLM. {how}")


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Servers:
    """The server of this process: one at a time, since one takes the whole GPU. Stages that want the same share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._launch: Launch | None = None
        self._running: Running | None = None

    def get(self, launch: Launch, log: Path, start_timeout: float) -> Running:
        """The server, started if need be. Another one is ended first.

        Raises:
            ModelError: As `Running`, or if there is no vLLM.
        """
        with self._lock:
            if self._running and self._launch == launch and self._running.alive:
                return self._running
            self._end()
            check_vllm(launch.python)
            self._running, self._launch = Running(launch, log, start_timeout), launch
            return self._running

    def end(self) -> None:
        """Ends it, if there is one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._running:
            self._running.end()
        self._running = self._launch = None


SERVERS = Servers()
"""Of this process, ended with it."""
atexit.register(SERVERS.end)
