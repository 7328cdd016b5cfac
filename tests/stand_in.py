"""A server that speaks the OpenAI protocol and misbehaves as it is told to. For tests, and as a process of its own for a benchmark:

python tests/stand_in.py '{"faults": {"500": 0.3}}'     prints its address
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Behaviour:
    """What a stand-in does.

    Attributes:
        faults: Share of the requests that each befalls: "429", "429 told", "500", "cut", "cut within", "slow", "dribble", "malformed",
            "no choice", "too few" (of several), "too many" (which does no harm).
        several: Whether it knows `n`; if not, it gives one choice.
        seeds: "honoured", "ignored" or "fixed".
        sure_of: Words of prompts to which its model has one answer alone; an empty text is in all of them.
        likeliest: Likeliest tokens that it tells at most; None for no log-probabilities.
        refuses: Whether it refuses what it does not do, where others ignore it.
        paths: What it can be asked at.
        key: The one that it wants.
        slow: Seconds that a slow answer takes.
        pause: Seconds that it wants to be left alone after a "429 told".
        notice: Seconds of that in which it still answers, as those who ask meanwhile cannot know.
        words: What a text says at the end.
        model: What it calls its model.
        falls_after: Requests after which it answers none; None for never.
        labels: Likeliest tokens in the place of a single one that is asked for, with their probabilities.
        labels_after: The same for prompts that end in a text.
        context: Characters of a prompt at most.
        seed: Of the faults.
    """

    faults: Mapping[str, float] = field(default_factory=dict)
    several: bool = True
    seeds: str = "honoured"
    sure_of: str | None = None
    likeliest: int | None = 20
    refuses: bool = False
    paths: tuple[str, ...] = ("/completions", "/chat/completions")
    key: str | None = None
    slow: float = 5.0
    pause: float = 0.1
    notice: float = 0.03
    words: str = "The answer is 4."
    model: str = "stand-in-1"
    falls_after: int | None = None
    labels: Mapping[str, float] = field(default_factory=dict)
    labels_after: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    context: int = 10_000
    seed: int = 0


class StandIn:
    """The server. Attributes tell what it was asked, and what it gave.

    Attributes:
        bodies: The latest thousand requests.
        given: How often each text was in an answer that was sent whole.
        counted: Requests by what became of them; "early" came while it wanted to be left alone.
        most_at_once: Requests that were being answered at once at most.
    """

    def __init__(self, behaviour: Behaviour | None = None, port: int = 0) -> None:
        self.behaviour = behaviour or Behaviour()
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.given: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.most_at_once = self._at_once = 0
        self._number = 0
        self._closed_from = self._closed_until = 0.0
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet

            def do_POST(self) -> None:
                stand_in.answer(self)

            def do_GET(self) -> None:
                told = json.dumps({"counted": stand_in.counted, "given": sum(stand_in.given.values())})
                stand_in.send(self, 200, told.encode())

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that went away is no news."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @contextlib.contextmanager
    def running(self) -> Iterator[StandIn]:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()

    def rest(self) -> None:
        """Waits until no request is being answered."""
        while self._at_once:
            time.sleep(0.01)

    # --- a request ----------------------------------------------------------------------------------------------------

    def answer(self, handler: Any) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            number, self._number = self._number, self._number + 1
            self.bodies = [*self.bodies[-999:], body]
            self.keys.add(handler.headers.get("Authorization"))
            early = self._closed_from < time.monotonic() < self._closed_until
            fault = "early" if early else self._fault(number)
            self.counted[fault or "good"] += 1
            if fault == "429 told":
                self._closed_from = time.monotonic() + self.behaviour.notice
                self._closed_until = time.monotonic() + self.behaviour.pause
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._befall(handler, fault, body, number)
        finally:
            with self._lock:
                self._at_once -= 1

    def _fault(self, number: int) -> str | None:
        if self.behaviour.falls_after is not None and number >= self.behaviour.falls_after:
            return "500"
        drawn = random.Random(f"{self.behaviour.seed}/{number}").random()
        for name, share in self.behaviour.faults.items():
            drawn -= share
            if drawn < 0:
                return name
        return None

    def _befall(self, handler: Any, fault: str | None, body: Mapping[str, Any], number: int) -> None:
        if fault in ("429", "429 told", "early"):
            headers = {} if fault == "429" else {"retry-after-ms": str(int(self.behaviour.pause * 1000))}
            self._error(handler, 429, "Too fast.", headers=headers)
        elif fault == "500":
            self._error(handler, 500, "It broke.")
        elif fault == "cut":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        elif self._refused(handler, body):
            pass
        else:
            self._tell(handler, fault, body, number)

    def _refused(self, handler: Any, body: Mapping[str, Any]) -> bool:
        does, path = self.behaviour, handler.path.removeprefix("/v1")
        if does.key and handler.headers.get("Authorization") != f"Bearer {does.key}":
            self._error(handler, 401, f"Wrong key: {handler.headers.get('Authorization')}")
        elif path not in does.paths:
            self._error(handler, 404, "Not Found")
        elif len(json.dumps(body.get("prompt", body.get("messages")))) > does.context:
            self._error(handler, 400, "This model's maximum context length is short.", code="context_length_exceeded")
        elif does.refuses and body.get("n", 1) > 1 and not does.several:
            self._error(handler, 400, "n is not known")
        elif does.refuses and (body.get("logprobs") or body.get("top_logprobs")) and does.likeliest is None:
            self._error(handler, 422, "logprobs are not known")
        elif does.refuses and does.likeliest is not None and _asked(body) > does.likeliest:
            self._error(handler, 400, "too many logprobs")
        else:
            return False
        return True

    def _tell(self, handler: Any, fault: str | None, body: Mapping[str, Any], number: int) -> None:
        if fault == "slow":
            time.sleep(self.behaviour.slow)
        choices = body.get("n", 1) if self.behaviour.several else 1
        choices += {"too many": 1, "too few": 1 - choices, "no choice": -choices}.get(fault or "", 0)
        texts = [self._text(body, number, place) for place in range(choices)]
        held = {
            "model": self.behaviour.model,
            "choices": [self._choice(body, text, place) for place, text in enumerate(texts)],
            "usage": {"prompt_tokens": 10, "completion_tokens": sum(len(text.split()) for text in texts)},
        }
        data = json.dumps(held).encode()
        if fault == "malformed":
            self.send(handler, 200, data[: len(data) // 2])
            return
        if fault == "dribble":
            self._dribble(handler)
            return
        if fault not in ("slow", "cut within"):
            with self._lock:
                self.given.update(texts)
        self.send(handler, 200, data, cut=fault == "cut within")

    def _dribble(self, handler: Any) -> None:
        with contextlib.suppress(OSError):
            handler.send_response(200)
            handler.send_header("Content-Length", "600")
            handler.end_headers()
            for _ in range(600):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.1)

    def _text(self, body: Mapping[str, Any], number: int, place: int) -> str:
        does, seed = self.behaviour, body.get("seed")
        drawn = f"{body.get('prompt') or body.get('messages')} {seed} {place}"
        if does.seeds == "ignored" or seed is None:
            drawn = f"{number} {place}"
        elif does.seeds == "fixed":
            drawn = f"{place}"
        if does.sure_of is not None and does.sure_of in f"{body.get('prompt') or body.get('messages')}":
            drawn = "sure"
        whole = f"{hashlib.sha256(drawn.encode()).hexdigest()[:12]}: {does.words}"
        words = whole.split()
        return whole if len(words) <= body["max_tokens"] else " ".join(words[: body["max_tokens"]])

    def _choice(self, body: Mapping[str, Any], text: str, place: int) -> dict[str, Any]:
        chat = "messages" in body
        said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        asked = bool(body["logprobs"]) if chat and "logprobs" in body else "logprobs" in body
        told = asked and self.behaviour.likeliest is not None
        rows = self._rows(body, text) if told else []
        logprobs: Any = None
        if told and chat:
            tokens = [
                {"token": t, "logprob": p, "top_logprobs": [{"token": k, "logprob": v} for k, v in table.items()]}
                for t, p, table in rows
            ]
            logprobs = {"content": tokens}
        elif told:
            logprobs = {
                "tokens": [t for t, _, _ in rows],
                "token_logprobs": [p for _, p, _ in rows],
                "top_logprobs": [table for _, _, table in rows],
            }
        finish = "stop" if text.endswith(self.behaviour.words) else "length"
        return {"index": place, "finish_reason": finish, "logprobs": logprobs, **said}

    def _rows(self, body: Mapping[str, Any], text: str) -> list[tuple[str, float, dict[str, float]]]:
        if body["max_tokens"] == 1 and self.behaviour.labels:
            ending = next((end for end in self.behaviour.labels_after if str(body.get("prompt")).endswith(end)), None)
            labels = self.behaviour.labels if ending is None else self.behaviour.labels_after[ending]
            table = {word: math.log(share) for word, share in labels.items()}
            first = next(iter(table))
            return [(first, table[first], table)]
        number = min(_asked(body), self.behaviour.likeliest or 0)
        others = {f"t{place}": -1.0 - place for place in range(number)}
        return [(word, -0.5, others) for word in text.split()]

    # --- the wire -----------------------------------------------------------------------------------------------------

    def _error(
        self, handler: Any, status: int, words: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        told = {"error": {"message": words, "code": code}}
        self.send(handler, status, json.dumps(told).encode(), headers or {})

    def send(
        self, handler: Any, status: int, data: bytes, headers: Mapping[str, str] | None = None, cut: bool = False
    ) -> None:
        try:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data[: len(data) // 2] if cut else data)
            handler.wfile.flush()
            if cut:
                handler.connection.shutdown(socket.SHUT_RDWR)
                handler.close_connection = True
        except OSError:
            handler.close_connection = True


def _asked(body: Mapping[str, Any]) -> int:
    return int(body.get("top_logprobs") or (body.get("logprobs") or 0))


if __name__ == "__main__":
    made = StandIn(Behaviour(**json.loads(sys.argv[1])))
    print(made.url, flush=True)
    made.server.serve_forever()
