"""Decoding with the prompt held once: all candidates of a problem read the same keys and values of its prompt.

At one new token per row, attention is most of a step's memory traffic, and most of what it reads is the prompt, 64 times
over. Here each prompt has a slot, and a row is a branch: what some of the prompt's candidates have written so far. Attention
over the prompts is one matrix product for all slots; each row keeps only what it wrote itself. Rows of different
prompt lengths and ages share a step, so that a new problem moves in when candidates of older ones have ended.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import DynamicLayer

from mathquorum.engines.embedded.cache import repeated
from mathquorum.models.attention import agree, keeps_keys_and_values, tried

__all__ = ["SharedPromptCache", "can_share_prompts", "shared_attention"]

_NAME = "mathquorum_shared_prompt"
_GROWTH = 1.5  # a full buffer becomes so many times as large, at least
_TOKENS = 32  # and holds a multiple of so many tokens; rows and prompts are large, and not rounded up


class _SharedLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer. It hands itself to the attention function in place of them.

    Attributes:
        prompt_keys: (slots, heads, width, longest prompt).
        prompt_values: (slots, heads, longest prompt, width).
        written_keys, written_values: (rows, heads, tokens, width), with room to grow.
    """

    def __init__(self, owner: SharedPromptCache) -> None:
        super().__init__()
        self._owner = weakref.proxy(owner)  # a strong one would be a cycle, and gigabytes would wait for the collector
        self.prompt_keys = self.prompt_values = torch.empty(0)
        self.written_keys = self.written_values = torch.empty(0)

    def hold(self, slot: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """A prompt moves into a slot; keys and values: (heads, length, width)."""
        heads, length, width = keys.shape
        if not self.prompt_keys.numel():
            self.prompt_keys = keys.new_zeros((0, heads, width, 0))
            self.prompt_values = values.new_zeros((0, heads, 0, values.shape[-1]))
        self.prompt_keys = _with_room(self.prompt_keys, {0: slot + 1, 3: length})
        self.prompt_values = _with_room(self.prompt_values, {0: slot + 1, 2: length})
        self.prompt_keys[slot, :, :, :length] = keys.transpose(-1, -2)
        self.prompt_values[slot, :, :length] = values

    def move(self, sources: torch.Tensor, places: torch.Tensor, num_written: int) -> None:
        """Rows take over what other rows have written."""
        for buffer in (self.written_keys, self.written_values):
            buffer[places, :, :num_written] = buffer[sources, :, :num_written]

    def make_room(self, rows: int, tokens: int) -> None:
        """Makes room for what comes before the next step."""
        if self.written_keys.numel():
            self.written_keys = _with_room(self.written_keys, {0: rows, 2: tokens})
            self.written_values = _with_room(self.written_values, {0: rows, 2: tokens})

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        step = self._owner.step
        if not self.written_keys.numel():
            heads, room = key_states.shape[1], {0: len(key_states), 2: 1}
            self.written_keys = _with_room(key_states.new_zeros((0, heads, 0, key_states.shape[-1])), room)
            self.written_values = _with_room(value_states.new_zeros((0, heads, 0, value_states.shape[-1])), room)
        self.written_keys[step.rows, :, step.written] = key_states[:, :, 0]
        self.written_values[step.rows, :, step.written] = value_states[:, :, 0]
        return self, self

    def get_seq_length(self) -> int:
        longest: int = self._owner.longest
        return longest

    def attend(self, query: torch.Tensor, scaling: float, window: int | None, softcap: float | None) -> torch.Tensor:
        """Attention of each row's newest token over its prompt and what the row wrote.

        Args:
            query: (rows, query heads, width); several query heads may share a key head.
            window: How many tokens back are seen, the newest included; None for all.
            softcap: Scores are squeezed into (-softcap, softcap); None for not at all.

        Returns:
            (rows, query heads, width).
        """
        step = self._owner.step
        slots, length, heads = step.num_slots, step.longest_prompt, self.prompt_keys.shape[1]
        rows, width, per_head = len(query), query.shape[-1], query.shape[1] // heads
        prompt_keys = self.prompt_keys[:slots, :, :, :length].flatten(0, 1)
        prompt_values = self.prompt_values[:slots, :, :length].flatten(0, 1)
        keys = self.written_keys[:rows, :, : step.num_written]
        values = self.written_values[:rows, :, : step.num_written]
        grouped = query.view(rows, heads, per_head, width)
        by_slot = step.by_slot(query, (slots, heads, step.most_rows, per_head, width))
        by_slot[step.slots, :, step.ranks] = grouped
        on_prompt = torch.bmm(by_slot.view(slots * heads, step.most_rows * per_head, width), prompt_keys)
        on_prompt = on_prompt.view(slots, heads, step.most_rows, per_head, length)
        scores = query.new_empty((rows, heads, per_head, length + step.num_written))
        scores[..., :length] = on_prompt[step.slots, :, step.ranks]
        scores[..., length:] = torch.matmul(grouped, keys.transpose(-1, -2))
        scores = scores.float() * scaling
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        scores += step.sight(window)
        weights = torch.softmax(scores, dim=-1).to(query.dtype)
        on_prompt[step.slots, :, step.ranks] = weights[..., :length]
        read = torch.bmm(on_prompt.view(slots * heads, step.most_rows * per_head, length), prompt_values)
        read = read.view(slots, heads, step.most_rows, per_head, -1)
        result = read[step.slots, :, step.ranks] + torch.matmul(weights[..., length:], values)
        return result.reshape(rows, heads * per_head, -1)


def _with_room(buffer: torch.Tensor, sizes: dict[int, int]) -> torch.Tensor:
    """The buffer, or a larger one that begins with it: at least so long in these dimensions (the first counts rows or prompts,
    the others tokens), and zero where it is new, since what is masked is multiplied all the same."""
    shape = list(buffer.shape)
    for dimension, size in sizes.items():
        if size > shape[dimension]:
            wanted = max(size, int(_GROWTH * shape[dimension]))
            shape[dimension] = wanted if dimension == 0 else -(-wanted // _TOKENS) * _TOKENS
    if shape == list(buffer.shape):
        return buffer
    larger = buffer.new_zeros(shape)
    larger[tuple(slice(0, size) for size in buffer.shape)] = buffer
    return larger


@dataclass
class _Step:
    """The places of one step's rows.

    Attributes:
        rows: 0 to rows - 1.
        slots: The prompt of each row: (rows,).
        ranks: The number of the row among those of its prompt: (rows,).
        written: Tokens that each has written before: (rows,).
        lengths: Of the prompt of each row: (rows,).
        num_slots: Up to the last that is taken.
        longest_prompt: Tokens of the longest of their prompts.
        most_rows: Of one prompt.
        num_written: Tokens written by the oldest row, the newest included.
    """

    rows: torch.Tensor
    slots: torch.Tensor
    ranks: torch.Tensor
    written: torch.Tensor
    lengths: torch.Tensor
    num_slots: int
    longest_prompt: int
    most_rows: int
    num_written: int
    _sight: dict[int | None, torch.Tensor] = field(default_factory=dict)
    _by_slot: dict[tuple[int, ...], torch.Tensor] = field(default_factory=dict)

    @property
    def positions(self) -> torch.Tensor:
        """Positions of the newest tokens: (rows,)."""
        return self.lengths + self.written

    def by_slot(self, query: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        """A place for each row by slot and rank. Slots with fewer rows than others leave some unused, which stay zero."""
        if shape not in self._by_slot:
            self._by_slot[shape] = query.new_zeros(shape)
        return self._by_slot[shape]

    def sight(self, window: int | None) -> torch.Tensor:
        """0 where a row sees, -inf where not: (rows, 1, 1, longest_prompt + num_written)."""
        if window not in self._sight:
            device = self.rows.device
            on_prompt = torch.arange(self.longest_prompt, device=device)
            on_written = torch.arange(self.num_written, device=device)
            lengths, newest = self.lengths.unsqueeze(-1), self.positions.unsqueeze(-1)
            seen = torch.cat([on_prompt < lengths, on_written + lengths <= newest], dim=-1)
            if window is not None:
                places = torch.cat([on_prompt.expand(len(lengths), -1), on_written + lengths], dim=-1)
                seen &= places > newest - window
            sight = torch.zeros(seen.shape, device=device).masked_fill_(~seen, -torch.inf)
            self._sight[window] = sight[:, None, None]
        return self._sight[window]


class SharedPromptCache(DynamicCache):  # type: ignore[misc]
    """Prompts in slots, and rows that go on from them.

    A step is: `prepare`, a forward pass of the newest token of each row under `shared_attention`, then `follow`, which says
    how the rows go on.

    Args:
        num_layers: Of the model.
        device: Of the model.
    """

    step: _Step

    def __init__(self, num_layers: int, device: torch.device) -> None:
        super().__init__()
        self.layers = [_SharedLayer(self) for _ in range(num_layers)]
        self._device = device
        self._lengths: dict[int, int] = {}  # of the prompt in each slot that is taken
        self._slots: list[int] = []  # of each row
        self._written: list[int] = []  # by each row

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        lengths = (self._lengths[slot] + written for slot, written in zip(self._slots, self._written, strict=True))
        return max(lengths, default=0)

    def add(self, prompt: DynamicCache, num_rows: int) -> None:
        """Rows that have written nothing yet join at the end.

        Args:
            prompt: Filled by one forward pass of the prompt: (1, heads, length, width) per layer.
            num_rows: That go on from it, at least 1.
        """
        slot = next(number for number in range(len(self._lengths) + 1) if number not in self._lengths)
        self._lengths[slot] = prompt.get_seq_length()
        for layer, held in zip(self.layers, prompt.layers, strict=True):
            layer.hold(slot, held.keys[0], held.values[0])
        self._slots += [slot] * num_rows
        self._written += [0] * num_rows

    def prepare(self) -> torch.Tensor:
        """Prepares a forward pass. Returns the positions of the newest tokens: (rows,)."""
        counts: dict[int, int] = {}
        ranks = []
        for slot in self._slots:
            ranks.append(counts.get(slot, 0))
            counts[slot] = ranks[-1] + 1
        lengths = [self._lengths[slot] for slot in self._slots]
        rows = range(len(self._slots))
        found = torch.tensor([rows, self._slots, ranks, self._written, lengths], device=self._device)
        self.step = _Step(
            rows=found[0],
            slots=found[1],
            ranks=found[2],
            written=found[3],
            lengths=found[4],
            num_slots=max(counts) + 1,
            longest_prompt=max(lengths),
            most_rows=max(counts.values()),
            num_written=max(self._written) + 1,
        )
        for layer in self.layers:
            layer.make_room(len(self._slots), self.step.num_written)
        return self.step.positions

    def follow(self, parents: Sequence[int]) -> list[int]:
        """Ends a forward pass: the rows of the next step each go on from a row of this one.

        Args:
            parents: The row from which each goes on. A row may have several to go on from it, or none.

        Returns:
            The places that they take, as numbers of `parents` by row: most stay where they are.
        """
        order = [-1] * len(parents)
        moving = []
        for number, parent in enumerate(parents):
            if parent < len(order) and order[parent] < 0:
                order[parent] = number
            else:
                moving.append(number)
        holes = [place for place, number in enumerate(order) if number < 0]
        written = [self._written[parent] + 1 for parent in parents]
        if moving:
            sources = torch.tensor([parents[number] for number in moving], device=self._device)
            places = torch.tensor(holes, device=self._device)
            for layer in self.layers:
                layer.make_room(len(parents), self.step.num_written)
                layer.move(sources, places, max(written[number] for number in moving))
            for place, number in zip(holes, moving, strict=True):
                order[place] = number
        slots = [self._slots[parent] for parent in parents]
        self._slots = [slots[number] for number in order]
        self._written = [written[number] for number in order]
        taken = set(slots)
        self._lengths = {slot: length for slot, length in self._lengths.items() if slot in taken}
        return order


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
    """What transformers calls in place of its own attention; query: (rows, heads, 1, width). A mask would be the model's own."""
    if (
        not isinstance(key, _SharedLayer)
        or value is not key
        or attention_mask is not None
        or unknown.get("s_aux") is not None
    ):
        raise NotImplementedError("this model's attention is more than softmax over keys and values")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return key.attend(query[:, :, 0], scale, sliding_window, softcap).unsqueeze(1), None  # (rows, 1, heads, width)


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
    if not keeps_keys_and_values(model.config):
        return False
    ids = torch.tensor([list(tokens)], device=next(model.parameters()).device)
    with torch.inference_mode():
        expected = tried(
            lambda: model(input_ids=ids, use_cache=False).logits[0, -2:].unsqueeze(1)
        )  # (2, 1, vocabulary)
        return expected is not None and agree(tried(lambda: _by_shared_prompt(model, ids)), expected, expected.dtype)


def _by_shared_prompt(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """The logits of the last two tokens, each by two rows that share all that comes before, which is read in two passes: (2, 2, vocabulary)."""
    begun = DynamicCache()
    model(input_ids=ids[:, :1], past_key_values=begun, use_cache=True)
    prompt = repeated(begun, 1)
    model(input_ids=ids[:, 1:-2], past_key_values=prompt, use_cache=True)
    cache = SharedPromptCache(len(prompt.layers), ids.device)
    cache.add(prompt, 1)
    found = []
    with shared_attention(model):
        for place in (-2, -1):
            positions = cache.prepare().unsqueeze(-1)
            newest = ids[:, place].expand(len(positions), 1)
            output = model(input_ids=newest, position_ids=positions, past_key_values=cache, use_cache=True)
            found.append(output.logits[:, -1].expand(2, -1))
            cache.follow([0, 0])
    return torch.stack(found)
