"""A server in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from mathquorum.errors import RunError
from mathquorum.serving.app import Endpoint
from mathquorum.serving.questions import Served
from mathquorum.serving.scheduling import Lanes
from mathquorum.serving.settings import Listening
from mathquorum.serving.work import Engines
from mathquorum.solving.settings import Quorum
from mathquorum.versions import library_versions

__all__ = ["Server", "serving"]

_LANES_OF_A_SERVER = 8
_CONNECTIONS = 1024  # open at once at most, idle ones included
_CLOSING = 5.0  # seconds for a lane to end its turn
_ENDING = 5  # seconds for requests whose work was ended to be told so


class Server:
    """An endpoint that listens.

    Args:
        quorum: Who is asked.
        listening: Where, and under which name.
        log: Told a line for each request.

    Raises:
        SettingsError: If a key is needed and there is none.
        RunError: If the address cannot be had.
        ModelError: If a model cannot be used.
    """

    def __init__(self, quorum: Quorum, listening: Listening, log: Callable[[str], None]) -> None:
        key = listening.key()
        self.strategy = quorum.chooser.name
        self._lanes: Lanes[Engines] = Lanes(*_lanes(quorum, listening))
        self._socket = _bound(listening)
        self.notice = self._lanes.start().generator.notice
        endpoint = Endpoint(
            list(_served(quorum, listening)),
            self._lanes,
            listening.limits,
            key,
            _fingerprint(quorum),
            log,
            lambda: self._server.should_exit,
        )
        config = uvicorn.Config(
            endpoint.app(),
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=listening.limits.shutdown_seconds + _ENDING,
        )
        self._server = _Gentle(config, listening.limits.shutdown_seconds, endpoint.drop_all)
        self.name, self._host = name_of(quorum, listening), listening.host

    @property
    def url(self) -> str:
        """Where clients find it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}/v1"

    def run(self) -> None:
        """Answers until a signal or `stop`; requests in work are answered then, within the limit."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._lanes.close(_CLOSING)

    def stop(self) -> None:
        """Makes `run` end, from another thread."""
        self._server.should_exit = True


@contextmanager
def serving(quorum: Quorum, listening: Listening, log: Callable[[str], None] = lambda line: None) -> Iterator[Server]:
    """A server in a thread, for as long as the block lasts.

    Example:
        with serving(Quorum(model="runs/demo/ssft.fine/model"), Listening(port=0)) as server:
            client = openai.OpenAI(base_url=server.url, api_key="none")
    """
    server = Server(quorum, listening, log)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def _served(quorum: Quorum, listening: Listening) -> Iterator[Served]:
    name = name_of(quorum, listening)
    if not listening.raw:
        yield Served(name, quorum, listening.limits, listening.turn)
    yield Served(name if listening.raw else f"{name}:raw", quorum, listening.limits, listening.turn, raw=True)


def name_of(quorum: Quorum, listening: Listening) -> str:
    """The model's name for clients.

    Example:
        >>> name_of(Quorum(model="Qwen/Qwen2.5-1.5B-Instruct"), Listening())
        'Qwen2.5-1.5B-Instruct'
    """
    parts = [part for part in Path(quorum.model).parts if part not in ("model", "/", ".")]
    return listening.name or (parts[-1] if parts else "model")


def _lanes(quorum: Quorum, listening: Listening) -> tuple[Callable[[], Engines], int]:
    """What opens an engine, and how many lanes there are. Threads share an engine that asks a server."""

    def opened() -> Engines:
        return Engines(*quorum.open())

    if quorum.engine is not None and quorum.engine.kind == "server":
        return _once(opened), listening.lanes or _LANES_OF_A_SERVER
    return opened, listening.lanes or 1


def _once(make: Callable[[], Engines]) -> Callable[[], Engines]:
    made: list[Engines] = []
    lock = threading.Lock()

    def found() -> Engines:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return found


class _Gentle(uvicorn.Server):
    """Ends of itself after a signal, with exit code 0, and ends the work that takes too long."""

    def __init__(self, config: uvicorn.Config, seconds: int, drop_all: Callable[[], None]) -> None:
        super().__init__(config)
        self._seconds, self._drop_all = seconds, drop_all

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT  # Ctrl-C once more
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._drop_all)
        await super().shutdown(sockets)


def _bound(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((listening.host, listening.port))
        found.listen(_CONNECTIONS)  # who asks before the loop runs waits, and is not refused
    except OSError as error:
        found.close()
        raise RunError(
            f"Cannot listen at {listening.host}, port {listening.port}: {os.strerror(error.errno) if error.errno else error}. "
            "Take another --port, or 0 for a free one."
        ) from error
    return found


def _fingerprint(quorum: Quorum) -> str:
    held = f"{quorum.model_dump_json()} {sorted(library_versions().items())}"
    return "mq-" + hashlib.sha256(held.encode()).hexdigest()[:12]
