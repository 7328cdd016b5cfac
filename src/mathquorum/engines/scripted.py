"""The shipped fake: an engine that says what it was told to say. For tests, and for trying a recipe without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mathquorum.engines.base import Completion, Request, Sampling

__all__ = ["ScriptedEngine"]


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

    def generate(self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str]) -> list[list[Completion]]:
        """See `Engine.generate`. A word counts as a token; a text is cut off after `sampling.max_tokens` words."""
        return [
            [self._complete(request.prompt, seed, sampling, stop) for seed in request.seeds] for request in requests
        ]

    def _complete(self, prompt: str, seed: int | None, sampling: Sampling, stop: Sequence[str]) -> Completion:
        text = self._write(prompt, seed)
        text = text[: min([at for at in map(text.find, stop) if at >= 0], default=len(text))]
        words = text.split(" ")
        kept = words[: sampling.max_tokens]
        return Completion(" ".join(kept), -float(len(kept)), len(kept), finished=len(kept) == len(words))

    def label_probabilities(self, prompts: Sequence[str], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`."""
        rest = max(len(labels) - 1, 1)
        first = [self._weigh(prompt) for prompt in prompts]
        return [[value, *[(1 - value) / rest] * (len(labels) - 1)] for value in first]
