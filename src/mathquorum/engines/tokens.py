"""What an engine that has the tokens can tell of them: their texts and log-probabilities, as an endpoint gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from mathquorum.engines.base import Completion
from mathquorum.prompts import Shown

__all__ = ["TellsTokens", "TokenLogprob", "token_logprobs", "within"]

_BEFORE = 4  # tokens that a token's text is read after: spaces and parts of characters depend on what stands before


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of a text.

    Attributes:
        text: What it adds to the text; of a mark such as the end of sequence, its name.
        logprob: Nats, under the model's own distribution (temperature 1, nothing cut off).
        likeliest: The likeliest tokens in its place in like manner, likeliest first.
    """

    text: str
    logprob: float
    likeliest: tuple[tuple[str, float], ...]


@runtime_checkable
class TellsTokens(Protocol):
    """An engine that has the tokenizer and the model."""

    def num_tokens(self, prompt: Shown) -> int:
        """Tokens of a prompt."""
        ...

    def token_logprobs(self, prompt: Shown, completion: Completion, likeliest: int) -> list[TokenLogprob]:
        """The tokens of what the engine wrote after the prompt, by reading it once more: those of its text, and the end-of-sequence mark.

        Args:
            likeliest: How many of the likeliest tokens are told in each place.
        """
        ...


def token_logprobs(
    tokenizer: Any, tokens: Sequence[int], logprobs: npt.NDArray[np.floating[Any]], likeliest: int
) -> list[TokenLogprob]:
    """Texts for what a model computed.

    Args:
        tokenizer: The model's.
        tokens: Of the text.
        logprobs: Of the vocabulary in the place of each: (tokens, vocabulary).
        likeliest: As in `TellsTokens.token_logprobs`.
    """
    found = []
    for place, token in enumerate(tokens):
        row, before = logprobs[place], list(tokens[max(0, place - _BEFORE) : place])
        kept = min(likeliest, len(row))
        top = np.argpartition(-row, kept - 1)[:kept] if kept else np.array([], int)
        best = sorted(top.tolist(), key=lambda other: (-row[other], other))
        pairs = tuple((_text(tokenizer, before, other), float(row[other])) for other in best)
        found.append(TokenLogprob(_text(tokenizer, before, token), float(row[token]), pairs))
    return found


def _text(tokenizer: Any, before: list[int], token: int) -> str:
    whole: str = tokenizer.decode([*before, token])
    return whole.removeprefix(tokenizer.decode(before)) if before else whole


def within(tokenizer: Any, completion: Completion) -> tuple[int, ...]:
    """A completion's tokens without those that a stop text cut away."""
    tokens = completion.tokens
    whole = tokenizer.decode(tokens, skip_special_tokens=True)
    if len(whole) <= len(completion.text):
        return tokens
    for end in range(len(tokens)):
        if len(tokenizer.decode(tokens[:end], skip_special_tokens=True)) >= len(completion.text):
            return tokens[:end]
    return tokens
