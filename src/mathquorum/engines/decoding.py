"""The two decode loops of the embedded engine: candidates that share prompts, and single rows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from mathquorum.engines.base import Sampling
from mathquorum.engines.cache import reserved_cache
from mathquorum.engines.draws import draw_tokens, uniform
from mathquorum.engines.shared_prompt import Group, SharedPromptCache, shared_attention
from mathquorum.errors import ModelError
from mathquorum.models import LoadedModel, context_length, stop_tokens

__all__ = ["Ending", "Row", "check_number", "decode_rows", "decode_shared"]

_KEPT_SHARE = (
    0.75  # of a group's rows; rows that have ended ride along until fewer are left, since dropping them copies
)


@dataclass
class Row:
    """One candidate while it is written."""

    request: int
    place: int
    seed: int | None
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    finished: bool = False


class Ending:
    """When a row has ended: at an end-of-sequence token, or once its text holds a stop text."""

    def __init__(self, loaded: LoadedModel, stop: Sequence[str]) -> None:
        self._tokenizer = loaded.tokenizer
        self._stop = tuple(stop)
        self._ends = frozenset(stop_tokens(loaded))
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


def _next_tokens(
    logits: torch.Tensor, seeds: torch.Tensor, steps: torch.Tensor | int, sampling: Sampling
) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row, and its log-probability under the model as it is (temperature 1, no nucleus)."""
    if sampling.temperature == 0:
        tokens = logits.argmax(dim=-1)
    else:
        tokens = draw_tokens(logits, uniform(seeds, steps), sampling.temperature, sampling.top_p)
    logits = logits.float()
    gained = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) - torch.logsumexp(logits, dim=-1)
    return tokens, gained


def _append(rows: Sequence[Row], tokens: torch.Tensor, gained: torch.Tensor, ending: Ending) -> None:
    for row, token, logprob in zip(rows, tokens.tolist(), gained.tolist(), strict=True):
        if row.finished:
            continue
        check_number(logprob)
        row.tokens.append(token)
        row.logprob += logprob
        row.finished = ending.after(row.tokens)


def check_number(value: float) -> None:
    """Raises ModelError if it is none."""
    if math.isnan(value):
        raise ModelError(
            "The model's probabilities are no numbers (NaN): its weights are broken, or float16 is too narrow for it. "
            "Use another checkpoint, or dtype float32."
        )


# --- candidates that share prompts ------------------------------------------------------------------------------------


@dataclass
class _Stream:
    """The candidates of one prompt while they are written."""

    rows: list[Row]
    seeds: torch.Tensor
    group: Group
    limit: int
    tokens: torch.Tensor  # (rows,), the newest of each

    def goes_on(self) -> bool:
        """Whether any row does. Rows that have ended are dropped, once they are many."""
        alive = [place for place, row in enumerate(self.rows) if not row.finished]
        if not alive or self.group.num_written + 1 >= self.limit:
            return False
        if len(alive) <= _KEPT_SHARE * len(self.rows):
            kept = torch.tensor(alive, device=self.seeds.device)
            self.rows = [self.rows[place] for place in alive]
            self.seeds, self.tokens = self.seeds[kept], self.tokens[kept]
            self.group.keep(kept)
        return True


@torch.inference_mode()
def decode_shared(
    loaded: LoadedModel,
    prompts: Sequence[tuple[list[int], list[Row]]],
    sampling: Sampling,
    ending: Ending,
    batch_rows: int,
) -> None:
    """Writes the rows of each prompt. A prompt moves in as soon as there is room for all of its rows.

    Args:
        loaded: A model for which `can_share_prompts` holds.
        prompts: Ids, and the rows that go on from them.
        sampling: How tokens are drawn.
        ending: When a row ends.
        batch_rows: Rows in a step at most, save where a single prompt has more.
    """
    model = loaded.model
    waiting = deque((ids, rows) for ids, rows in prompts if _room(model, len(ids), sampling) > 0)
    streams: list[_Stream] = []
    while waiting or streams:
        while waiting and _num_rows(streams) + len(waiting[0][1]) <= max(batch_rows, len(waiting[0][1])):
            stream = _begin(loaded, *waiting.popleft(), sampling, ending)
            if stream.goes_on():
                streams.append(stream)
        if not streams:
            continue
        cache = SharedPromptCache([stream.group for stream in streams])
        tokens = torch.cat([stream.tokens for stream in streams]).unsqueeze(-1)  # (rows, 1)
        places = torch.cat([_filled(s, s.group.prompt_length + s.group.num_written) for s in streams])
        with shared_attention(model):
            output = model(input_ids=tokens, position_ids=places.unsqueeze(-1), past_key_values=cache, use_cache=True)
        cache.advance()
        steps = torch.cat([_filled(stream, stream.group.num_written) for stream in streams])
        seeds = torch.cat([stream.seeds for stream in streams])
        written, gained = _next_tokens(output.logits[:, -1], seeds, steps, sampling)
        _append([row for stream in streams for row in stream.rows], written, gained, ending)
        for stream, part in zip(streams, torch.split(written, [len(s.rows) for s in streams]), strict=True):
            stream.tokens = part
        streams = [stream for stream in streams if stream.goes_on()]


def _room(model: Any, prompt_length: int, sampling: Sampling) -> int:
    """Tokens that may follow a prompt. None may follow an empty one."""
    return min(sampling.max_tokens, context_length(model) - prompt_length) if prompt_length else 0


def _num_rows(streams: Sequence[_Stream]) -> int:
    return sum(len(stream.rows) for stream in streams)


def _filled(stream: _Stream, number: int) -> torch.Tensor:
    return torch.full_like(stream.tokens, number)


def _begin(loaded: LoadedModel, ids: list[int], rows: list[Row], sampling: Sampling, ending: Ending) -> _Stream:
    """Computes a prompt and draws the first token of each of its rows."""
    device = loaded.device
    prompt = DynamicCache()
    output = loaded.model(
        input_ids=torch.tensor([ids], device=device), past_key_values=prompt, use_cache=True, logits_to_keep=1
    )
    seeds = torch.tensor([row.seed or 0 for row in rows], dtype=torch.int64, device=device)
    tokens, gained = _next_tokens(output.logits[:, -1].expand(len(rows), -1), seeds, 0, sampling)
    _append(rows, tokens, gained, ending)
    return _Stream(rows, seeds, Group(prompt, len(rows)), _room(loaded.model, len(ids), sampling), tokens)


# --- single rows ------------------------------------------------------------------------------------------------------


@torch.inference_mode()
def decode_rows(
    loaded: LoadedModel, prompts: Sequence[list[int]], rows: Sequence[Row], sampling: Sampling, ending: Ending
) -> None:
    """Writes one row after each prompt. Shorter prompts are padded on their left.

    Works for every decoder that transformers has with a cache.

    Args:
        loaded: The model.
        prompts: Ids; the room that they leave in the context is the same for all.
        rows: One for each prompt.
        sampling: How tokens are drawn.
        ending: When a row ends.
    """
    model, device = loaded.model, loaded.device
    width = max(map(len, prompts))
    limit = min(_room(model, len(prompt), sampling) for prompt in prompts)
    if limit < 1:
        return
    distinct, copies = _distinct(prompts)
    repeat = torch.tensor(copies, device=device)
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in distinct], device=device)
    mask = torch.ones((len(distinct), width + limit), dtype=torch.long, device=device)
    for number, prompt in enumerate(distinct):
        mask[number, : width - len(prompt)] = 0
    is_padded = any(len(prompt) < width for prompt in distinct)
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)  # (distinct, width + limit)
    cache = reserved_cache(model.config, width + limit)
    output = model(
        input_ids=ids,
        attention_mask=mask[:, :width] if is_padded else None,
        position_ids=positions[:, :width],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    if len(distinct) < len(prompts):
        cache.batch_select_indices(repeat)
    mask, positions = mask[repeat], positions[repeat]
    logits = output.logits[:, -1].index_select(0, repeat)  # (rows, vocabulary)
    seeds = torch.tensor([row.seed or 0 for row in rows], dtype=torch.int64, device=device)
    active = list(rows)
    for step in range(limit):
        tokens, gained = _next_tokens(logits, seeds, step, sampling)
        _append(active, tokens, gained, ending)
        alive = [place for place, row in enumerate(active) if not row.finished]
        if not alive or step + 1 == limit:
            return
        if len(alive) <= _KEPT_SHARE * len(active):
            kept = torch.tensor(alive, device=device)
            active, tokens, seeds = [active[place] for place in alive], tokens[kept], seeds[kept]
            mask, positions = mask[kept], positions[kept]
            cache.batch_select_indices(kept)
        now = width + step
        output = model(
            input_ids=tokens.unsqueeze(-1),
            attention_mask=mask[:, : now + 1] if is_padded else None,
            position_ids=positions[:, now : now + 1],
            past_key_values=cache,
            use_cache=True,
        )
        logits = output.logits[:, -1]


def _distinct(prompts: Sequence[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The distinct prompts in order of appearance, and for each row which of them is its own."""
    numbers: dict[tuple[int, ...], int] = {}
    copies = [numbers.setdefault(tuple(prompt), len(numbers)) for prompt in prompts]
    return [list(prompt) for prompt in numbers], copies
