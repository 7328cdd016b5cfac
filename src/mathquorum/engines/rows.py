"""Candidates while they are written, whatever library computes them: their tokens, and when they end."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from mathquorum.engines.base import Completion
from mathquorum.engines.confidence import Trace
from mathquorum.errors import ModelError

__all__ = ["Ending", "Row", "check_number"]


@dataclass
class Row:
    """One candidate while it is written."""

    request: int
    place: int
    seed: int | None
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    finished: bool = False
    trace: Trace | None = None


class Ending:
    """The ends of rows: at an end-of-sequence token, or once its text holds a stop text.

    Args:
        tokenizer: That of the model.
        ends: Ids that end a text.
        stop: Texts that end it and are left out.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int], stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._stop = tuple(stop)
        self._ends = frozenset(ends)
        last = {text[-1] for text in stop}
        texts = self._tokenizer.batch_decode([[number] for number in range(len(self._tokenizer))]) if last else []
        # Tokens that hold the last character of a stop text; only after them is the text looked at.
        self._suspicious = frozenset(number for number, text in enumerate(texts) if last & set(text))

    def after(self, tokens: list[int]) -> bool:
        token = tokens[-1]
        return token in self._ends or (token in self._suspicious and self._holds_stop(tokens))

    def _holds_stop(self, tokens: list[int]) -> bool:
        tail = self._tokenizer.decode(tokens[-64:])
        return any(text in tail for text in self._stop)

    def completion(self, row: Row, window: int) -> Completion:
        """What a row has become, without the stop text that ended it.

        Args:
            row: The row, as it has ended.
            window: See `engines.base.Sampling.confidence_window`.
        """
        text = self._tokenizer.decode(row.tokens, skip_special_tokens=True)
        cuts = [at for at in (text.find(word) for word in self._stop) if at >= 0]
        confidence = row.trace.summary(window) if row.trace else None
        text = text[: min(cuts)] if cuts else text
        return Completion(text, row.logprob, len(row.tokens), row.finished, confidence, tokens=tuple(row.tokens))


def check_number(value: float) -> None:
    """Raises ModelError if it is none."""
    if math.isnan(value):
        raise ModelError(
            "The model's probabilities are no numbers (NaN): its weights are broken, or float16 is too narrow for it. "
            "Use another checkpoint, or dtype float32."
        )
