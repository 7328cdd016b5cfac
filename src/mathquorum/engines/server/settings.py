"""The settings of the server engine: any endpoint that speaks the OpenAI protocol (vLLM, llama.cpp, `transformers serve`, paid ones)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from mathquorum.config import Runtime, Settings
from mathquorum.engines.server.answerers import Answered, read_answered
from mathquorum.engines.server.spending import read_spent
from mathquorum.engines.server.threads import map_threads
from mathquorum.engines.settings import Answerer, Cut, ModelUse, Share, Writing
from mathquorum.processes import Handler
from mathquorum.prompts import Shown, words_of
from mathquorum.spreading import Workers

if TYPE_CHECKING:
    from mathquorum.engines.server.engine import ServerEngine

__all__ = ["Asked", "Server", "answered", "by_requests"]

U = TypeVar("U")
R = TypeVar("R")


class Asked(Settings):
    """How a server is asked, and what of `engines.settings.EngineSettings` does not depend on who started it. None of what is marked as
    runtime is part of a result's identity."""

    served_model: str | None = None
    """The name under which the server knows the model. None: the stage's `model` as it is given."""
    candidates_per_request: int | None = Field(default=None, ge=1)
    """Candidates of a problem that one request asks for (`n`), so that a paid prompt is paid once for all of them. None: 16, or 1 where the
    server gives no more. With 1, each candidate is asked for with a seed of its own, which the server may honour."""
    logprobs: Literal["likeliest", "chosen", "none"] = "likeliest"
    """What is asked for beside the text: log-probabilities of the 20 likeliest tokens at each step, for likelihood and confidence
    (about 1 kB a token); those of the chosen tokens, for the likelihood alone; or none. A server that gives less is asked for less."""
    concurrency: Annotated[int, Runtime()] = Field(default=32, ge=1, le=1024)
    """Requests under way at most."""
    timeout: Annotated[float, Runtime()] = Field(default=600.0, gt=0.0)
    """Seconds until the whole answer to a request must be there. 600 as in OpenAI's own client."""
    attempts: Annotated[int, Runtime()] = Field(default=20, ge=1)
    """Times that a request is sent until the stage gives up. Refusals for going too fast count only while nobody is answered."""
    first_pause: Annotated[float, Runtime()] = Field(default=0.5, gt=0.0, le=30.0)
    """Seconds at most between a first failure and the next attempt; twice as long after each further one, up to 30. What a server itself says
    of waiting goes before."""
    prompt_price: Annotated[float | None, Runtime()] = Field(default=None, ge=0.0)
    """Price of a million prompt tokens, in the currency of your bill. None: prices are not shown."""
    completion_price: Annotated[float | None, Runtime()] = Field(default=None, ge=0.0)
    """Price of a million completion tokens."""
    extra: dict[str, Any] = {}
    """Further fields of every request, as the server has them. Many draw from less than the whole distribution unless told otherwise: vLLM and
    llama.cpp want {"top_k": 0, "min_p": 0} for that. docs/engines.md lists those that we know."""

    def cut_judging(self, use: ModelUse, num_candidates: Sequence[int]) -> Cut:
        """Each candidate alone."""
        return by_requests(use, num_candidates, 1)

    def spread(
        self,
        job: Callable[[], Handler[U, R]],
        units: Sequence[U],
        workers: Workers,
        heard: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Threads, `concurrency` of them: the work is the server's."""
        return map_threads(job, units, self.concurrency, heard)

    def exactly(self, use: ModelUse, shown: Shown) -> str:
        """The words, without marks."""
        return words_of(shown)

    def shown(self, use: ModelUse) -> Mapping[str, int | float | str]:
        """Who answered, requests, tokens, and the price where prices are set."""
        if use.folder is None:
            return {}
        names = dict.fromkeys(one.model for one in answered(use) if one.model)
        named = {"answered by": "; ".join(names)} if names else {}
        return {**named, **read_spent(use.folder).shown(self.prompt_price, self.completion_price)}

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """See `EngineSettings.gather`."""
        from mathquorum.engines.server.opening import gather_kept

        gather_kept(shards, out)


class Server(Asked):
    """See `engines.settings.EngineSettings`. Prompts go as text or as messages; the tokenizer is the server's."""

    kind: Literal["server"] = "server"
    url: Annotated[str, Runtime()]
    """Where the protocol begins: http://127.0.0.1:8000/v1, https://api.openai.com/v1."""
    key_variable: Annotated[str | None, Runtime()] = None
    """Name of the environment variable that holds the key. None sends none. The key itself goes into no file, log or message."""

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url must begin with http:// or https:// and name a host, as in http://127.0.0.1:8000/v1.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "url must be an address alone, without a user, a query or a fragment: it is written into records. "
                "Name the environment variable that holds a key with key_variable."
            )
        return url.rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _a_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
            raise ValueError(  # without what was given: it may be a key
                "key_variable must be the name of an environment variable, in capitals, as OPENAI_API_KEY. "
                "The key itself belongs in the environment alone."
            )
        return name

    @property
    def takes_names(self) -> bool:
        """See `EngineSettings.takes_names`."""
        return True

    def place(self, use: ModelUse) -> str:
        """The same everywhere: a server may move to another address, and its bytes are its own matter."""
        return "server"

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """A request's candidates of one problem, so that what has arrived is kept. How many the server gives is tried with the first prompt."""
        return cut_by(lambda: self.open(use), self.url, self, use, writing)

    def open(self, use: ModelUse) -> ServerEngine:
        """See `EngineSettings.open`."""
        from mathquorum.engines.server.transport import read_key

        return opened(self.url, read_key(self.key_variable), self.url, self, use, self.served_model or use.model)

    def answerers(self, use: ModelUse) -> Sequence[Answerer]:
        """See `EngineSettings.answerers`: with their addresses."""
        return [Answerer(self.kind, one.server, one.model) for one in answered(use)]


def opened(url: str, key: str | None, where: str, asked: Asked, use: ModelUse, model: str) -> ServerEngine:
    """The engine of a server.

    Args:
        url: Its address.
        key: For it.
        where: What it is known by, should its address change.
        asked: How it is asked.
        use: By which stage.
        model: Its name for the model.
    """
    from mathquorum.engines.server.engine import Way
    from mathquorum.engines.server.opening import open_server

    key_variable = asked.key_variable if isinstance(asked, Server) else None
    return open_server(url, key, where, Way(model, asked, key_variable), use)


def cut_by(open_it: Callable[[], ServerEngine], where: str, asked: Asked, use: ModelUse, writing: Writing) -> Cut:
    """The units of sampling: one for each request. The server is tried only where it is not known yet what it can do."""
    from mathquorum.engines.server.engine import together
    from mathquorum.engines.server.opening import known_abilities

    if not writing.prompts:
        return by_requests(use, [], 1)
    known = known_abilities(use.folder, where)
    if known is None:
        engine = open_it()
        number = engine.together(writing.prompts[0], writing.max_tokens)
        engine.close()
    else:
        number = together(asked, known, writing.max_tokens)
    counts = [writing.num_candidates] * len(writing.prompts)
    return by_requests(use, counts, number, (("candidates per request", number),))


def answered(use: ModelUse) -> Sequence[Answered]:
    """Who answered a stage."""
    return read_answered(use.folder) if use.folder else ()


def by_requests(
    use: ModelUse, num_candidates: Sequence[int], together: int, shown: tuple[tuple[str, int], ...] = ()
) -> Cut:
    """So many candidates of a problem at a time, each of which is kept when others of its unit are lost."""
    units = [
        (Share(place, tuple(range(first, min(first + together, number)))),)
        for place, number in enumerate(num_candidates)
        for first in range(0, number, together)
    ]
    return Cut(units, use, alone=True, shown=shown)
