"""The score of a solution by a reward model or a process reward model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol

import torch

from mathquorum.models import (
    Hardware,
    LoadedModel,
    context_length,
    enough_memory,
    load_model,
)
from mathquorum.scorers.settings import ProcessReward, Reward, Together
from mathquorum.scorers.texts import RewardText

__all__ = ["Reader", "open_reader"]


class Reader(Protocol):
    """A model that gives solutions a score."""

    def scores(self, problem: str, solutions: Sequence[str]) -> list[float]:
        """Per solution a number in [0, 1], higher is better; 0 for one that is too long for the model's context."""
        ...


def open_reader(reading: Reward | ProcessReward, model: str, hardware: Hardware, batch_tokens: int) -> Reader:
    """The model, ready to be read.

    Args:
        reading: How.
        model: Folder or hub id.
        hardware: Where it runs.
        batch_tokens: In one forward pass at most, padding included.

    Raises:
        ModelError: If there is no such model, it lacks the head, or its labels are no tokens of their own.
    """
    text = RewardText.of(reading, model)
    if isinstance(reading, Reward):
        return _Rewards(load_model(model, hardware, text.codec.wording, head="sequence"), text, batch_tokens)
    return _Steps(load_model(model, hardware, text.codec.wording, head="token"), text, batch_tokens, reading)


@dataclass(frozen=True)
class _Rewards:
    loaded: LoadedModel
    text: RewardText
    batch_tokens: int

    def scores(self, problem: str, solutions: Sequence[str]) -> list[float]:
        texts = [self.text.ids(problem, solution) for solution in solutions]
        found = [0.0] * len(texts)
        for places, output in _passes(self.loaded, texts, self.batch_tokens):
            for place, value in zip(places, _last_class(output.logits), strict=True):
                found[place] = value
        return found


@dataclass(frozen=True)
class _Steps:
    loaded: LoadedModel
    text: RewardText
    batch_tokens: int
    reading: ProcessReward

    def scores(self, problem: str, solutions: Sequence[str]) -> list[float]:
        asked = [self.text.steps(problem, solution, self.reading.separator) for solution in solutions]
        found = [0.0] * len(asked)
        for places, output in _passes(self.loaded, [ids for ids, _ in asked], self.batch_tokens):
            for line, place in enumerate(places):
                found[place] = _together(self.reading.together, _last_class(output.logits[line, asked[place][1]]))
        return found


def _last_class(logits: torch.Tensor) -> list[float]:
    """The sigmoid of the only number, or the probability of the last class, for each line: (lines, classes)."""
    numbers = logits.double()
    found = torch.sigmoid(numbers[:, 0]) if numbers.shape[-1] == 1 else torch.softmax(numbers, dim=-1)[:, -1]
    return [float(value) for value in found]


def _together(rule: Together, steps: Sequence[float]) -> float:
    match rule:
        case "product":
            return math.prod(steps)
        case "minimum":
            return min(steps)
        case "last":
            return steps[-1]
        case "mean":
            return fmean(steps)


def _passes(loaded: LoadedModel, texts: Sequence[Sequence[int]], batch_tokens: int) -> Iterator[tuple[list[int], Any]]:
    """Places of the texts that were read together, like lengths beside each other, with what the model gave.

    The padding is a token that none of them holds: heads of sequences look for the last token that is not the padding's, and many tokenizers
    pad with the mark that also ends a text.
    """
    context = context_length(loaded.model)
    order = sorted(
        (place for place, ids in enumerate(texts) if len(ids) <= context), key=lambda place: (len(texts[place]), place)
    )
    while order:
        batch = [order[0]]
        for place in order[1:]:
            if (len(batch) + 1) * len(texts[place]) > batch_tokens:
                break
            batch.append(place)
        order = order[len(batch) :]
        with torch.inference_mode(), enough_memory("batch_tokens"):
            yield batch, _read(loaded, [texts[place] for place in batch])


def _read(loaded: LoadedModel, texts: Sequence[Sequence[int]]) -> Any:
    held = {number for ids in texts for number in ids}
    padding = next(number for number in range(len(held) + 1) if number not in held)
    loaded.model.config.get_text_config().pad_token_id = padding
    longest = max(map(len, texts))
    ids = torch.tensor([[*text, *[padding] * (longest - len(text))] for text in texts], device=loaded.device)
    seen = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=loaded.device)
    return loaded.model(input_ids=ids, attention_mask=seen)
