"""Decoding with the prompt held once: all candidates of a problem read the same keys and values of its prompt.

At one new token per row, attention is most of a step's memory traffic, and most of what it reads is the prompt, 64 times
over. Here the candidates of a problem are a group: their attention over the prompt is one matrix product, and each row
keeps only what it wrote itself. Groups of different prompt lengths and ages share a step, so that a new problem moves in
when candidates of older ones have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

__all__ = ["Group", "SharedPromptCache", "can_share_prompts", "shared_attention"]

_NAME = "mathquorum_shared_prompt"
_FIRST_ROOM = 32  # tokens; buffers double when they are full


class Group:
    """Keys and values of one prompt, and of what its rows have written, for every layer.

    Args:
        prompt: Filled by one forward pass of the prompt: (1, heads, length, width) per layer.
        num_rows: Candidates that go on from it.
    """

    def __init__(self, prompt: DynamicCache, num_rows: int) -> None:
        # (heads, width, length) and (heads, length, width): as the two matrix products want them
        self._prompt = [(layer.keys[0].transpose(-1, -2).contiguous(), layer.values[0]) for layer in prompt.layers]
        self.num_rows = num_rows
        self.prompt_length = prompt.get_seq_length()
        self.num_written = 0
        self._written: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def num_layers(self) -> int:
        return len(self._prompt)

    def keep(self, rows: torch.Tensor) -> None:
        """Drops all rows but these, in their order."""
        self._written = [(self._kept(keys, rows), self._kept(values, rows)) for keys, values in self._written]
        self.num_rows = len(rows)

    def _kept(self, buffer: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        kept = buffer.new_empty((len(rows), *buffer.shape[1:]))
        kept[:, :, : self.num_written] = buffer[:, :, : self.num_written].index_select(0, rows)
        return kept

    def write(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Adds a token's keys and values: (rows, heads, width) each. The first layer comes first."""
        if layer == len(self._written):
            self._written.append((_room(keys, _FIRST_ROOM), _room(values, _FIRST_ROOM)))
        if self.num_written == self._written[layer][0].shape[2]:
            self._written[layer] = (_grown(self._written[layer][0]), _grown(self._written[layer][1]))
        for buffer, states in zip(self._written[layer], (keys, values), strict=True):
            buffer[:, :, self.num_written] = states

    def attend(
        self, layer: int, query: torch.Tensor, scaling: float, window: int | None, softcap: float | None
    ) -> torch.Tensor:
        """Attention of each row's newest token over the prompt and what the row wrote.

        Args:
            query: (rows, query heads, width); several query heads may share a key head.
            window: How many tokens back are seen, the newest included; None for all.
            softcap: Scores are squeezed into (-softcap, softcap); None for not at all.

        Returns:
            (rows, query heads, width).
        """
        prompt_keys, prompt_values = self._prompt[layer]
        keys, values = (s[:, :, : self.num_written + 1] for s in self._written[layer])
        rows, heads, written, width = keys.shape
        per_head = query.shape[1] // heads
        length = self.prompt_length
        grouped = query.view(rows, heads, per_head, width)
        by_head = grouped.transpose(0, 1).reshape(heads, rows * per_head, width)
        scores = query.new_empty((rows, heads, per_head, length + written))
        on_prompt = torch.bmm(by_head, prompt_keys).view(heads, rows, per_head, length)
        scores[..., :length] = on_prompt.transpose(0, 1)
        scores[..., length:] = torch.matmul(grouped, keys.transpose(-1, -2))
        scores = scores.float() * scaling
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        hidden = 0 if window is None else max(0, length + written - window)
        if hidden:
            scores[..., :hidden] = -torch.inf
        weights = torch.softmax(scores, dim=-1).to(query.dtype)
        on_prompt = weights[..., :length].transpose(0, 1).reshape(heads, rows * per_head, length)
        result = torch.bmm(on_prompt, prompt_values).view(heads, rows, per_head, width).transpose(0, 1)
        result = result + torch.matmul(weights[..., length:], values)
        return result.reshape(rows, heads * per_head, width)


def _room(states: torch.Tensor, length: int) -> torch.Tensor:
    """An empty buffer for so many tokens of each row: (rows, heads, length, width)."""
    rows, heads, width = states.shape
    return states.new_empty((rows, heads, length, width))


def _grown(buffer: torch.Tensor) -> torch.Tensor:
    """The full buffer with as much room again."""
    return torch.cat([buffer, torch.empty_like(buffer)], dim=2)


class _SharedLayer(DynamicLayer):  # type: ignore[misc]
    """Hands itself to the attention function in place of keys and values."""

    def __init__(self, number: int, groups: Sequence[Group]) -> None:
        super().__init__()
        self.number, self.groups = number, groups

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        start = 0
        for group in self.groups:
            rows = slice(start, start := start + group.num_rows)
            group.write(self.number, key_states[rows, :, 0], value_states[rows, :, 0])
        return self, self

    def get_seq_length(self) -> int:
        return max((group.prompt_length + group.num_written for group in self.groups), default=0)


class SharedPromptCache(DynamicCache):  # type: ignore[misc]
    """The groups of one step, in the order of the batch's rows."""

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__()
        self.groups = groups
        self.layers = [_SharedLayer(number, groups) for number in range(groups[0].num_layers)]

    def advance(self) -> None:
        """After a forward pass: what the layers wrote is one more token."""
        for group in self.groups:
            group.num_written += 1


def _attention(
    module: Any,
    query: torch.Tensor,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **unknown: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in place of its own attention; query: (rows, heads, 1, width)."""
    if not isinstance(key, _SharedLayer) or value is not key or unknown.get("s_aux") is not None:
        raise NotImplementedError("this model's attention is more than softmax over keys and values")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    parts, start = [], 0
    for group in key.groups:
        rows = slice(start, start := start + group.num_rows)
        parts.append(group.attend(key.number, query[rows, :, 0], scale, sliding_window, softcap))
    return torch.cat(parts).unsqueeze(1), None  # (rows, 1, heads, width)


AttentionInterface.register(_NAME, _attention)


@contextmanager
def shared_attention(model: Any) -> Iterator[None]:
    """Within it, the model attends through a `SharedPromptCache`."""
    usual = model.config._attn_implementation
    model.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


def can_share_prompts(model: Any, tokens: Sequence[int]) -> bool:
    """Whether the model gives the same logits by a shared prompt as by a plain forward pass, tried on a few tokens.

    Models with state-space layers, attention sinks, position biases or keys shared among layers do not.

    Args:
        tokens: At least 4.
    """
    layers = DynamicCache(config=model.config).layers
    if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        return False
    device = next(model.parameters()).device
    ids = torch.tensor([list(tokens)], device=device)
    try:
        with torch.inference_mode():
            expected = model(input_ids=ids, use_cache=False).logits[0, -2:]  # (2, vocabulary)
            prompt = DynamicCache()
            model(input_ids=ids[:, :-2], past_key_values=prompt, use_cache=True)
            cache = SharedPromptCache([Group(prompt, 2)])
            found = []
            with shared_attention(model):
                for place in (len(tokens) - 2, len(tokens) - 1):
                    both = ids[:, place].repeat(2, 1)
                    positions = torch.full((2, 1), place, device=device)
                    output = model(input_ids=both, position_ids=positions, past_key_values=cache, use_cache=True)
                    found.append(output.logits[:, -1])
                    cache.advance()
    except (NotImplementedError, AttributeError, TypeError, ValueError, KeyError, RuntimeError):
        return False  # whatever the model's own code raised where it met something else than keys and values
    tolerance = 1e-3 if expected.dtype == torch.float32 else 0.1
    scale = expected.float().abs().max().clamp(min=1)
    return all(
        bool(((row.float() - want.float()).abs() <= tolerance * scale).all())
        for rows, want in zip(found, expected, strict=True)
        for row in rows
    )
