"""Reading prompts before anything is written after them. What all of them begin with, such as demonstrations, is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import DynamicCache

from mathquorum.engines.embedded.cache import repeated
from mathquorum.models import LoadedModel

__all__ = ["PromptReader", "common_length"]

_LEAST_COMMON = 32  # tokens that are worth a pass of their own. Our choice: about a line of a problem


class PromptReader:
    """Reads the prompts of one call.

    Args:
        loaded: A model that keeps keys and values of every token, and goes on from any of them.
        prompts: All that may be read: ids, at least one each.
    """

    def __init__(self, loaded: LoadedModel, prompts: Sequence[Sequence[int]]) -> None:
        self._loaded = loaded
        ordered = sorted(map(list, prompts))
        common = common_length(ordered) if len(ordered) > 1 else 0
        self._beginning = ordered[0][:common] if common >= _LEAST_COMMON else []
        self._begun: DynamicCache | None = None

    def read(self, ids: Sequence[int]) -> tuple[torch.Tensor, DynamicCache]:
        """The logits after one of the prompts, (1, vocabulary), and its keys and values."""
        if self._beginning and self._begun is None:
            self._begun = DynamicCache()
            self._pass(self._beginning, self._begun)
        filled = repeated(self._begun, 1) if self._begun else DynamicCache()
        return self._pass(ids[len(self._beginning) :], filled), filled

    def _pass(self, ids: Sequence[int], filled: DynamicCache) -> torch.Tensor:
        row = torch.tensor([list(ids)], device=self._loaded.device)
        output = self._loaded.model(input_ids=row, past_key_values=filled, use_cache=True, logits_to_keep=1)
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def common_length(ordered: Sequence[Sequence[int]]) -> int:
    """How many tokens all texts share, at least one of each left over. The texts are sorted: first and last differ most."""
    first, last = ordered[0], ordered[-1]
    limit = min(map(len, ordered)) - 1
    return next((n for n in range(limit) if first[n] != last[n]), limit)
