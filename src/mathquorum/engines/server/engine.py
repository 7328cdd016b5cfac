"""The engine: candidates and label probabilities from a server, as if it were here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mathquorum.engines.base import Completion, Request, Sampling
from mathquorum.engines.confidence import LEAST_LOGPROB, NUM_LIKELIEST, summary
from mathquorum.engines.server.abilities import Abilities, Question, find_abilities
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.faults import Refusal, TooLong
from mathquorum.engines.server.judging import Judge
from mathquorum.engines.server.refusals import explain
from mathquorum.engines.server.settings import Asked
from mathquorum.engines.server.threads import map_threads
from mathquorum.engines.server.wire import Answer, Choice, body_of, path_of
from mathquorum.errors import ModelError
from mathquorum.processes import Tell, not_told
from mathquorum.prompts import Shown

__all__ = ["ServerEngine", "Way", "together"]

_TOGETHER = 16
_TOKENS_TOGETHER = 8192  # in an answer with the likeliest tokens of each: about 16 MB of JSON


@dataclass(frozen=True)
class Way:
    """How one model is asked.

    Attributes:
        model: By the server's name.
        asked: The settings.
        key_variable: For messages.
    """

    model: str
    asked: Asked
    key_variable: str | None

    @property
    def likeliest(self) -> int | None:
        """As in `Abilities`."""
        return {"likeliest": NUM_LIKELIEST, "chosen": 0}.get(self.asked.logprobs)


def together(asked: Asked, abilities: Abilities, max_tokens: int) -> int:
    """Candidates of one request."""
    if not abilities.several:
        return 1
    if asked.candidates_per_request is not None:
        return asked.candidates_per_request
    return min(_TOGETHER, max(1, _TOKENS_TOGETHER // max_tokens) if abilities.likeliest else _TOGETHER)


@dataclass(frozen=True)
class _Part:
    """What one request asks for: some of the candidates of a prompt."""

    shown: Shown
    seeds: tuple[int | None, ...]


class ServerEngine:
    """See `engines.base.Engine`. Threads may share it.

    Equal arguments give equal results only where the server honours seeds and computes alike each time; `notice` tells what it does not do.

    Args:
        asker: Of the server.
        way: How its model is asked.
        abilities: Of the server; None to find them out when something is written.
        keep: Told of what was found out.
    """

    def __init__(
        self,
        asker: Asker,
        way: Way,
        abilities: Abilities | None = None,
        keep: Callable[[Abilities], None] = lambda found: None,
    ) -> None:
        self._asker, self._way, self._abilities, self._keep = asker, way, abilities, keep
        self._lock = threading.Lock()
        self._judge = Judge(asker, way.model, way.asked, way.key_variable)

    @property
    def notice(self) -> str | None:
        """What the server does not do, and what was therefore done without."""
        words = [] if self._abilities is None else self._abilities.words(self._way.likeliest)
        if self._judge.undecided:
            words.append("no label among the likeliest tokens of some texts: scored as if undecided")
        return f"the server: {'; '.join(words)}" if words else None

    # --- writing ------------------------------------------------------------------------------------------------------

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str], tell: Tell = not_told
    ) -> list[list[Completion]]:
        """See `Engine.generate`. Tells of a request's tokens when all are there."""
        if not requests:
            return []
        number = self.together(requests[0].prompt, sampling.max_tokens)
        parts = [
            (place, _Part(request.prompt, request.seeds[first : first + number]))
            for place, request in enumerate(requests)
            for first in range(0, len(request.seeds), number)
        ]
        found = self._each(partial(self._write, sampling, stop, tell), [part for _, part in parts])
        completions: list[list[Completion]] = [[] for _ in requests]
        for (place, _), made in zip(parts, found, strict=True):
            completions[place] += made
        return completions

    def together(self, shown: Shown, max_tokens: int) -> int:
        """Candidates that one request asks for at most. The prompt is what a server is tried with that is not known yet."""
        return together(self._way.asked, self._known(shown), max_tokens)

    def _known(self, shown: Shown) -> Abilities:
        with self._lock:
            if self._abilities is None:
                question = Question(self._way.model, shown, self._way.asked.extra)
                several = self._way.asked.candidates_per_request != 1
                try:
                    self._abilities = find_abilities(self._asker, question, self._way.likeliest, several)
                except Refusal as refusal:
                    raise self._explained(refusal, shown) from refusal
                self._keep(self._abilities)
            return self._abilities

    def _write(self, sampling: Sampling, stop: Sequence[str], tell: Tell, part: _Part) -> list[Completion]:
        """A candidate for each seed. What a server gives too few of is asked for again, what it gives too many of is left."""
        made: list[Completion] = []
        while len(made) < len(part.seeds):
            seeds = part.seeds[len(made) :]
            try:
                answer = self._asked(_Part(part.shown, seeds), sampling, stop)
            except TooLong:
                return [Completion("", None, 0, False, seeded=False) for _ in part.seeds]
            own = len(seeds) == 1 and self._known(part.shown).seeds == "honoured"
            read = [self._completion(answer, choice, sampling, stop, own) for choice in answer.choices[: len(seeds)]]
            tell(sum(completion.num_tokens or 0 for completion in read))
            made += read
        return made

    def _asked(self, part: _Part, sampling: Sampling, stop: Sequence[str]) -> Answer:
        body = body_of(
            self._way.model,
            part.shown,
            sampling,
            stop,
            number=len(part.seeds),
            seed=part.seeds[0],
            likeliest=self._known(part.shown).likeliest,
            extra=self._way.asked.extra,
        )
        try:
            return self._asker.ask(path_of(part.shown), body)
        except TooLong:
            raise
        except Refusal as refusal:
            raise self._explained(refusal, part.shown) from refusal

    def _completion(
        self, answer: Answer, choice: Choice, sampling: Sampling, stop: Sequence[str], own_seed: bool
    ) -> Completion:
        text = choice.text
        end = min([at for at in map(text.find, stop) if at >= 0], default=len(text))
        finished = end < len(text) or choice.finish not in ("length", "content_filter", "max_tokens")
        tokens, alone = choice.tokens, len(answer.choices) == 1
        billed = answer.usage.completion_tokens if alone else None
        number = billed if billed is not None else None if tokens is None else len(tokens)
        return Completion(
            text[:end],
            None if tokens is None else sum(max(token.logprob, LEAST_LOGPROB) for token in tokens),
            number if number is None else max(number, 1),  # the mark of the end is one
            finished,
            self._confidence(choice, sampling.confidence_window),
            seeded=own_seed,
        )

    def _confidence(self, choice: Choice, window: int) -> Any:
        wide = self._abilities is not None and self._abilities.likeliest == NUM_LIKELIEST
        if not wide or not choice.tokens or not all(token.likeliest for token in choice.tokens):
            return None
        values = []
        for token in choice.tokens:
            kept = [max(logprob, LEAST_LOGPROB) for _, logprob in token.likeliest[:NUM_LIKELIEST]]
            values.append(-sum(kept) / len(kept))
        return summary(values, None, window)

    # --- judging ------------------------------------------------------------------------------------------------------

    def label_probabilities(self, prompts: Sequence[Shown], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`: from generated tokens (`judging.Judge`), never from a prompt's own log-probabilities.

        Where no label is among the likeliest tokens, each has the same share; `notice` tells of it.

        Raises:
            ModelError: If the server tells no log-probabilities.
        """
        return self._each(partial(self._judge.probabilities, labels), prompts)

    def close(self) -> None:
        """Ends connections and closes files. A garbage collector does it too."""
        self._asker.close()

    # --- both ---------------------------------------------------------------------------------------------------------

    def _each(self, do: Any, items: Sequence[Any]) -> list[Any]:
        """What comes of each, in order."""
        if len(items) == 1:
            return [do(items[0])]
        found = dict(map_threads(lambda: lambda item, tell: do(item), items, self._way.asked.concurrency))
        return [found[place] for place in range(len(items))]

    def _explained(self, refusal: Refusal, shown: Shown) -> ModelError:
        return explain(refusal, self._asker.url, self._way.model, path_of(shown), self._way.key_variable)
