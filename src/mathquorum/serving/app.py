"""The ASGI application: routes, and the life of a request from its body to its answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mathquorum.errors import ModelError, PromptError
from mathquorum.serving.answers import Answer
from mathquorum.serving.guard import check_caller, read_body
from mathquorum.serving.metrics import Metrics
from mathquorum.serving.questions import Served
from mathquorum.serving.refusals import Refused
from mathquorum.serving.scheduling import Dropped, Job, Lanes
from mathquorum.serving.settings import Limits
from mathquorum.serving.wire import AskedChat, AskedText, read_asked
from mathquorum.serving.work import Answered, Engines, quorum_turns, raw_turns

__all__ = ["Endpoint"]

_TOLD_EVERY = 5.0  # seconds between comments in a stream whose answer is not there yet
_LONGEST_WAIT = 60  # seconds that a client is asked to wait


class Endpoint:
    """Answers requests.

    Args:
        models: By the names that clients know.
        lanes: Where work is done.
        limits: Of requests.
        key: That callers must bring; None for none.
        fingerprint: Of model and settings.
        log: Told a line for each request, which holds nothing of what was asked.
        draining: Whether the server is about to stop.
    """

    def __init__(
        self,
        models: Sequence[Served],
        lanes: Lanes[Engines],
        limits: Limits,
        key: str | None,
        fingerprint: str,
        log: Callable[[str], None],
        draining: Callable[[], bool],
    ) -> None:
        self._models = {model.name: model for model in models}
        self._lanes, self._limits, self._key, self._fingerprint = lanes, limits, key, fingerprint
        self._log, self._draining = log, draining
        self._jobs: set[Job[Engines, Answered]] = set()
        self._began = int(time.time())
        self.metrics = Metrics({"requests_in_flight": lambda: len(self._jobs)})

    def app(self) -> ASGIApp:
        """The application."""
        routes = [
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/metrics", self._guarded(self._metrics), methods=["GET"]),
            Route("/v1/models", self._guarded(self._list), methods=["GET"]),
            Route("/v1/models/{name:path}", self._guarded(self._one), methods=["GET"]),
            Route("/v1/chat/completions", self._guarded(partial(self._answer, AskedChat)), methods=["POST"]),
            Route("/v1/completions", self._guarded(partial(self._answer, AskedText)), methods=["POST"]),
        ]
        handlers: Mapping[Any, Any] = {404: _no_such_path, 405: _no_such_method}
        return _Logged(Starlette(routes=routes, exception_handlers=handlers), self.metrics, self._log)

    def drop_all(self) -> None:
        """Ends the work of all requests: they get 503."""
        for job in self._jobs:
            job.drop()

    # --- what needs no model ------------------------------------------------------------------------------------------

    async def _healthz(self, request: Request) -> Response:
        if self._draining() or not self._lanes.is_alive:
            return PlainTextResponse("stopping\n" if self._draining() else "no worker\n", 503)
        return PlainTextResponse("ok\n")

    async def _metrics(self, request: Request) -> Response:
        return PlainTextResponse(self.metrics.text(), media_type="text/plain; version=0.0.4")

    async def _list(self, request: Request) -> Response:
        return _json({"object": "list", "data": [self._model(name) for name in self._models]})

    async def _one(self, request: Request) -> Response:
        return _json(self._model(self._served(request.path_params["name"]).name))

    def _model(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._began, "owned_by": "mathquorum"}

    def _served(self, name: str) -> Served:
        if name not in self._models:
            raise Refused(
                404, f"There is no such model. There are: {', '.join(self._models)}.", "model_not_found", "model"
            )
        return self._models[name]

    # --- answers ------------------------------------------------------------------------------------------------------

    async def _answer(self, kind: type[AskedChat | AskedText], request: Request) -> Response:
        asked = read_asked(kind, await read_body(request, self._limits))
        served = self._served(asked.model)
        question = served.question(asked)
        answer = Answer(
            kind is AskedChat, served.name, self._fingerprint, None if served.raw else question.strategy.name
        )
        work = partial(raw_turns if served.raw else quorum_turns, question)
        job = self._begin(Job(work, time.monotonic() + self._limits.seconds))
        began = time.monotonic()
        if asked.stream:
            stream = self._stream(job, answer, asked.includes_usage, began)
            headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
            return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
        try:
            answered = await self._done(job, request)
        finally:
            self._end(job)
        self._count(answered, served, began)
        return _json(answer.whole(answered))

    def _begin(self, job: Job[Engines, Answered]) -> Job[Engines, Answered]:
        if self._draining() or not self._lanes.is_alive:
            raise Refused(503, "The server is stopping.", "unavailable", retry_after=5)
        if len(self._jobs) >= self._limits.requests:
            wait = min(_LONGEST_WAIT, max(1, round(self.metrics.usual_seconds)))
            raise Refused(
                429,
                f"{len(self._jobs)} requests are in work or waiting. Try again later.",
                "too_many_requests",
                retry_after=wait,
            )
        self._jobs.add(job)
        self._lanes.submit(job)
        return job

    def _end(self, job: Job[Engines, Answered]) -> None:
        job.drop()
        self._jobs.discard(job)

    async def _done(self, job: Job[Engines, Answered], request: Request) -> Answered:
        """What comes of the work, unless the client goes away before."""
        done, gone = asyncio.wrap_future(job.future), asyncio.ensure_future(_gone(request))
        ends: set[asyncio.Future[Any]] = {done, gone}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                self.metrics.count("dropped_total", reason="disconnected")
                raise ClientDisconnect
            return self._result(done)
        finally:
            done.cancel()
            gone.cancel()

    def _result(self, done: asyncio.Future[Answered]) -> Answered:
        """Of a job that has ended.

        Raises:
            Refused: If there is no answer.
        """
        try:
            return done.result()
        except Refused:
            raise
        except PromptError as error:
            raise Refused(400, str(error), "invalid_conversation", "messages") from error
        except Dropped:
            if self._draining():
                self.metrics.count("dropped_total", reason="shutdown")
                raise Refused(503, "The server is stopping.", "unavailable", retry_after=5) from None
            self.metrics.count("dropped_total", reason="timeout")
            words = (
                f"The answer was not there within {self._limits.seconds:g} seconds. Ask for fewer candidates or tokens."
            )
            raise Refused(408, words, "timeout") from None
        except Exception as error:
            self._log(_told(error))
            raise Refused(
                502 if isinstance(error, ModelError) else 500,
                "The model failed. The server's log says where.",
                "model_failed",
            ) from error

    def _count(self, answered: Answered, served: Served, began: float) -> None:
        self.metrics.took(time.monotonic() - began, kind="raw" if served.raw else "quorum")
        self.metrics.count("prompt_tokens_total", answered.prompt_tokens or 0)
        self.metrics.count("completion_tokens_total", answered.completion_tokens)
        self.metrics.count("scored_texts_total", answered.num_scored)
        self.metrics.count(
            "candidates_total", len(answered.solved.candidates) if answered.solved else len(answered.choices)
        )
        if answered.solved:
            tie = (
                len({len(cluster.members) for cluster in answered.solved.clusters[:2]})
                == 1
                < len(answered.solved.clusters)
            )
            outcome = "no_answer" if answered.solved.chosen is None else "tie" if tie else "clear"
            self.metrics.count("quorums_total", outcome=outcome)

    # --- streams ------------------------------------------------------------------------------------------------------

    async def _stream(
        self, job: Job[Engines, Answered], answer: Answer, with_usage: bool, began: float
    ) -> AsyncIterator[bytes]:
        """The answer in pieces. Until it is there, comments tell how far it is, which clients pass over."""
        done = asyncio.wrap_future(job.future)
        try:
            while not (await asyncio.wait({done}, timeout=_TOLD_EVERY))[0]:
                yield f": {job.candidates} candidates, {job.tokens} tokens\n\n".encode()
            try:
                answered = self._result(done)
            except Refused as refused:
                yield _event(refused.body())
                return
            self._count(answered, self._models[answer.model], began)
            for piece in answer.pieces(answered, with_usage):
                yield _event(piece)
            yield b"data: [DONE]\n\n"
        finally:
            if not done.done():
                done.cancel()
                self.metrics.count("dropped_total", reason="disconnected")
            self._end(job)

    # --- around all ---------------------------------------------------------------------------------------------------

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                check_caller(request, self._key)
                return await handler(request)
            except Refused as refused:
                return _json(refused.body(), refused.status, refused.headers())
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it; the log does
            except Exception as error:
                self._log(_told(error))
                failed = Refused(500, "The server failed. Its log says where.", "internal_error")
                return _json(failed.body(), failed.status, failed.headers())

        return guarded


class _Logged:
    """Counts requests, and tells a line for each: method, path, status, seconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Callable[[str], None]) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            path = scope["path"] if scope["path"] in _PATHS else "other"
            self._metrics.count("requests_total", path=path, status=str(status))
            if path not in ("/healthz", "/metrics"):
                self._log(f"{scope['method'][:8]} {path} {status} {time.monotonic() - began:.2f} s")


_PATHS = {"/healthz", "/metrics", "/v1/models", "/v1/chat/completions", "/v1/completions"}


async def _gone(request: Request) -> None:
    """Returns when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _no_such_path(request: Request, error: Exception) -> Response:
    refused = Refused(404, f"There is no such path. There are: {', '.join(sorted(_PATHS))}.", "not_found")
    return _json(refused.body(), 404, refused.headers())


async def _no_such_method(request: Request, error: Exception) -> Response:
    refused = Refused(405, "This path is not asked by this method.", "method_not_allowed")
    return _json(refused.body(), 405, refused.headers())


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(value), status, headers, media_type="application/json")


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _told(error: BaseException) -> str:
    """Where something failed, and how it is called; not its words, which may be a user's."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f"{at.tb_frame.f_code.co_filename.rpartition('mathquorum/')[2]}:{at.tb_lineno}" if at else "unknown"
    return f"failed: {type(error).__name__} at {place}"
