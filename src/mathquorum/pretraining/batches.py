"""The corpus as batches: a function of settings and step alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from mathquorum.pretraining.corpus import documents
from mathquorum.pretraining.settings import Pretraining

__all__ = ["Batch", "Batches"]

_SHARD_STEPS = 64


@dataclass(frozen=True)
class Batch:
    tokens: torch.Tensor  # (rows, context)
    weights: torch.Tensor  # (rows, context)


class Batches:
    """The batches of the pre-training, made shard by shard."""

    def __init__(self, settings: Pretraining, tokenizer: Any) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._shard: tuple[int, Batch] | None = None

    def batch(self, step: int) -> Batch:
        index, place = divmod(step, _SHARD_STEPS)
        if self._shard is None or self._shard[0] != index:
            self._shard = index, self._make(index)
        shard, rows = self._shard[1], self._settings.rows
        cut = slice(place * rows, (place + 1) * rows)
        return Batch(shard.tokens[cut], shard.weights[cut])

    def _make(self, index: int) -> Batch:
        settings = self._settings
        needed = _SHARD_STEPS * settings.rows * settings.context
        mix = settings.mixes[max(start for start in settings.mixes if start <= index * needed)]
        tokens: list[int] = []
        weights: list[float] = []
        for document in documents(mix, f"{settings.seed}/{index}"):
            encoded = self._tokenizer([piece.text for piece in document], add_special_tokens=False)["input_ids"]
            for piece, ids in zip(document, encoded, strict=True):
                tokens += ids
                weights += [piece.weight] * len(ids)
            tokens.append(self._tokenizer.eos_token_id)  # which begins the next text, too
            weights.append(float(document[-1].weight == 1))  # after a verdict there is nothing to end
            if len(tokens) >= needed:
                break
        shape = (_SHARD_STEPS * settings.rows, settings.context)
        return Batch(
            torch.tensor(tokens[:needed]).reshape(shape), torch.tensor(weights[:needed]).float().reshape(shape)
        )
