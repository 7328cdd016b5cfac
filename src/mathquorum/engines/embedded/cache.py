"""A key-value cache with room reserved ahead, so that a step writes one column instead of copying the whole cache."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from mathquorum.models.attention import keeps_keys_and_values

__all__ = ["repeated", "reserved_cache"]


class _ReservedLayer(DynamicLayer):  # type: ignore[misc]
    """A `DynamicLayer` that grows inside one buffer. `keys` and `values` are views of the filled part."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        old = self.get_seq_length()
        new = old + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[0] != key_states.shape[0]:
            self._buffers = (self._room(key_states, self.keys, old), self._room(value_states, self.values, old))
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, old:new] = states
        self.keys, self.values = (buffer[:, :, :new] for buffer in self._buffers)
        return self.keys, self.values

    def _room(self, states: torch.Tensor, filled: torch.Tensor, length: int) -> torch.Tensor:
        rows, heads, _, width = states.shape
        buffer = states.new_empty((rows, heads, self._capacity, width))
        if length:
            buffer[:, :, :length] = filled
        return buffer

    def batch_repeat_interleave(self, repeats: int) -> None:
        super().batch_repeat_interleave(repeats)
        self._buffers = None

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        if self._buffers is None or len(indices) > self._buffers[0].shape[0]:
            super().batch_select_indices(indices)
            self._buffers = None
            return
        length = self.get_seq_length()
        for buffer in self._buffers:
            buffer[: len(indices), :, :length] = buffer[indices, :, :length]
        self._buffers = (self._buffers[0][: len(indices)], self._buffers[1][: len(indices)])
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)


def reserved_cache(config: Any, capacity: int) -> DynamicCache:
    """A cache for `capacity` tokens per row.

    Layers that are more than keys and values (state-space layers, indexers) stay as transformers makes them. Sliding-window
    layers keep every token; the model's own mask cuts what is outside the window.
    """
    cache = DynamicCache(config=config)
    if keeps_keys_and_values(config):
        cache.layers = [_ReservedLayer(capacity) for _ in cache.layers]
    return cache


def repeated(cache: DynamicCache, rows: int) -> DynamicCache:
    """The keys and values of a text for so many rows that go on from it; the original stays as it is."""
    copy = DynamicCache()
    for number, layer in enumerate(cache.layers):
        copy.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    return copy
