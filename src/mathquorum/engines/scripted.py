"""The shipped fake: an engine that says what it was told to say. For tests, and for trying a stage without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.engines.base import Completion, Engine, Request, Sampling
from mathquorum.engines.settings import Answerer, Cut, ModelUse, Share, Writing
from mathquorum.processes import Handler, Tell, not_told
from mathquorum.prompts import Shown, words_of
from mathquorum.spreading import Workers, spread_units

__all__ = ["Scripted", "ScriptedEngine"]

U = TypeVar("U")
R = TypeVar("R")


class Scripted(Settings):
    """See `engines.settings.EngineSettings`. As with an engine far away, there is no tokenizer, and each candidate is a unit."""

    kind: Literal["scripted"] = "scripted"
    texts: tuple[str, ...] = Field(min_length=1)
    """What candidates say: each the text that its seed falls on, the first where it has no seed."""
    believed: str = "The answer is"
    """Texts that hold these words are judged correct with probability 0.9, others with 0.1."""

    @property
    def takes_names(self) -> bool:
        """See `EngineSettings.takes_names`."""
        return True

    def place(self, use: ModelUse) -> str:
        """The same everywhere."""
        return "scripted"

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """Each candidate alone."""
        return _one_by_one(use, [writing.num_candidates] * len(writing.prompts))

    def cut_judging(self, use: ModelUse, num_candidates: Sequence[int]) -> Cut:
        """Each candidate alone."""
        return _one_by_one(use, num_candidates)

    def spread(
        self,
        job: Callable[[], Handler[U, R]],
        units: Sequence[U],
        workers: Workers,
        heard: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Processes, or actors of a cluster."""
        return spread_units(job, units, workers, heard)

    def exactly(self, use: ModelUse, shown: Shown) -> str:
        """The words, without marks."""
        return words_of(shown)

    def open(self, use: ModelUse) -> Engine:
        """See `EngineSettings.open`."""
        return ScriptedEngine(self._write, lambda prompt: 0.9 if self.believed in prompt else 0.1)

    def shown(self, use: ModelUse) -> Mapping[str, int | float | str]:
        """Nothing."""
        return {}

    def answerers(self, use: ModelUse) -> Sequence[Answerer]:
        """Itself."""
        return (Answerer(self.kind),)

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """Nothing is kept."""

    def _write(self, prompt: str, seed: int | None) -> str:
        return self.texts[(seed or 0) % len(self.texts)]


def _one_by_one(use: ModelUse, num_candidates: Sequence[int]) -> Cut:
    units = [(Share(place, (index,)),) for place, number in enumerate(num_candidates) for index in range(number)]
    return Cut(units, use, alone=True)


class ScriptedEngine:
    """See `engines.base.Engine`.

    Args:
        write: The text for a prompt and seed.
        weigh: The probability of the first label for a prompt; the other labels share the rest.

    Example:
        >>> engine = ScriptedEngine(lambda prompt, seed: f"It is \\\\boxed{{{seed}}}")
        >>> engine.generate([Request("1+1?", (2, 3))], Sampling(), ())[0][1].text
        'It is \\\\boxed{3}'
    """

    def __init__(self, write: Callable[[str, int | None], str], weigh: Callable[[str], float] = lambda _: 0.5) -> None:
        self._write = write
        self._weigh = weigh

    @property
    def notice(self) -> str | None:
        """See `Engine.notice`."""
        return None

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str], tell: Tell = not_told
    ) -> list[list[Completion]]:
        """See `Engine.generate`. A word counts as a token; a text is cut off after `sampling.max_tokens` words."""
        return [
            [self._complete(words_of(request.prompt), seed, sampling, stop) for seed in request.seeds]
            for request in requests
        ]

    def _complete(self, prompt: str, seed: int | None, sampling: Sampling, stop: Sequence[str]) -> Completion:
        text = self._write(prompt, seed)
        text = text[: min([at for at in map(text.find, stop) if at >= 0], default=len(text))]
        words = text.split(" ")
        kept = words[: sampling.max_tokens]
        return Completion(" ".join(kept), -float(len(kept)), len(kept), finished=len(kept) == len(words))

    def label_probabilities(self, prompts: Sequence[Shown], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`."""
        rest = max(len(labels) - 1, 1)
        first = [self._weigh(words_of(prompt)) for prompt in prompts]
        return [[value, *[(1 - value) / rest] * (len(labels) - 1)] for value in first]
