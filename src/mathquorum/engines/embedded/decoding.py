"""The two decode loops of the embedded engine: candidates that share prompts, and single rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mathquorum.engines.base import Sampling
from mathquorum.engines.confidence import Trace
from mathquorum.engines.embedded.cache import reserved_cache
from mathquorum.engines.embedded.draws import uniform
from mathquorum.engines.embedded.reading import PromptReader
from mathquorum.engines.embedded.shared_prompt import SharedPromptCache, shared_attention
from mathquorum.engines.embedded.steps import take_step
from mathquorum.engines.rows import Ending, Row, check_number
from mathquorum.models import LoadedModel, context_length
from mathquorum.processes import Tell, not_told

__all__ = ["decode_rows", "decode_shared"]

# Branches of a prompt by its candidates, before any prompt has shown: more than the embedded base has, and much more than it has
# when it is tuned. Our choice.
_FIRST_SHARE = 0.5
# Of a step, when a prompt moves in; the rest is for those that come to have more branches than others. Our choice.
_FILLED = 0.8


# --- candidates that share prompts ------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Prompt:
    """A prompt and its candidates.

    Attributes:
        limit: Tokens that a candidate may have.
        turn: Its number in the order in which prompts last began.
        held: Branches that it has had, summed over steps.
        steps: How many, over all its starts.
    """

    ids: list[int]
    rows: list[Row]
    limit: int
    turn: int = 0
    held: int = 0
    steps: int = 0


@dataclass
class _Branch:
    """Candidates of one prompt that have written the same so far: one row of a step."""

    prompt: _Prompt
    rows: list[Row]
    tokens: list[int]
    logprob: float
    trace: Trace | None


class _Admission:
    """How many prompts can share a step, learned from those that have ended: a tuned model's candidates part into few
    branches, an untuned one's all at once.

    Args:
        batch_rows: Branches in a step at most.
    """

    def __init__(self, batch_rows: int) -> None:
        self._batch_rows = batch_rows
        self._known: list[float] = []  # branches on average, by candidates

    def learn(self, prompt: _Prompt) -> None:
        """Learns from a prompt that has ended, or had no room."""
        if prompt.steps:
            self._known.append(prompt.held / prompt.steps / len(prompt.rows))

    def admits(self, prompt: _Prompt, branches: Sequence[_Branch]) -> bool:
        """Whether one more prompt is likely to find room."""
        share = sum(self._known) / len(self._known) if self._known else _FIRST_SHARE
        expected = sum(
            max(count, min(share * len(others.rows), alive)) for others, count, alive in _by_prompt(branches)
        )
        return not branches or expected + share * len(prompt.rows) <= _FILLED * self._batch_rows

    def without_room(self, branches: Sequence[_Branch]) -> list[_Prompt]:
        """The latest prompts, until those that are left have room. The oldest stays in any case."""
        found = _by_prompt(branches)
        for prompt, count, _ in found:
            prompt.held += count
            prompt.steps += 1
        total = len(branches)
        out = []
        for prompt, count, _ in sorted(found, key=lambda item: -item[0].turn)[:-1]:
            if total <= self._batch_rows:
                break
            total -= count
            out.append(prompt)
        return out


def _by_prompt(branches: Sequence[_Branch]) -> list[tuple[_Prompt, int, int]]:
    """Each prompt with its branches and the candidates that go on."""
    counts: dict[_Prompt, int] = {}
    alive: dict[_Prompt, int] = {}
    for branch in branches:
        counts[branch.prompt] = counts.get(branch.prompt, 0) + 1
        alive[branch.prompt] = alive.get(branch.prompt, 0) + len(branch.rows)
    return [(prompt, count, alive[prompt]) for prompt, count in counts.items()]


@torch.inference_mode()
def decode_shared(
    loaded: LoadedModel,
    prompts: Sequence[tuple[list[int], list[Row]]],
    sampling: Sampling,
    ending: Ending,
    batch_rows: int,
    tell: Tell = not_told,
) -> None:
    """Writes the rows of each prompt. Candidates that have written the same so far are computed as one.

    A prompt moves in as soon as there is likely to be room for it. Where branches have become too many all the same, the
    latest prompts start again later; they write the same then, since each candidate draws from its own seed.

    Args:
        loaded: A model for which `can_share_prompts` holds.
        prompts: Ids, and the rows that go on from them.
        sampling: How tokens are drawn.
        ending: When a row ends.
        batch_rows: Branches in a step at most, save where a single prompt has more, or in the first step of a prompt that parts
            into more than was expected.
        tell: Told of tokens as they are written.
    """
    model = loaded.model
    limits = [_tokens_left(model, len(ids), sampling) for ids, _ in prompts]
    waiting = deque(_Prompt(ids, rows, limit) for (ids, rows), limit in zip(prompts, limits, strict=True) if limit > 0)
    reader = PromptReader(loaded, [prompt.ids for prompt in waiting])
    cache = SharedPromptCache(model.config.get_text_config(decoder=True).num_hidden_layers, loaded.device)
    admission = _Admission(batch_rows)
    branches: list[_Branch] = []
    turn = 0
    while waiting or branches:
        while waiting and admission.admits(waiting[0], branches):
            prompt = waiting.popleft()
            prompt.turn = turn = turn + 1
            logits, filled = reader.read(prompt.ids)
            first = [
                child for _, child in _grown([_Branch(prompt, prompt.rows, [], 0.0, None)], logits, sampling, ending)
            ]
            if first:
                cache.add(filled, len(first))
                branches += first
        if not branches:
            continue
        positions = cache.prepare().unsqueeze(-1)
        newest = torch.tensor([[branch.tokens[-1]] for branch in branches], device=loaded.device)
        with shared_attention(model):
            output = model(input_ids=newest, position_ids=positions, past_key_values=cache, use_cache=True)
        children = _grown(branches, output.logits[:, -1], sampling, ending)
        del output  # else its logits would be there beside the next ones
        for prompt in admission.without_room([child for _, child in children]):
            children = [(parent, child) for parent, child in children if child.prompt is not prompt]
            waiting.appendleft(prompt)
        going_on = {child.prompt for _, child in children}
        for prompt in dict.fromkeys(branch.prompt for branch in branches):
            if prompt not in going_on:
                admission.learn(prompt)
        order = cache.follow([parent for parent, _ in children])
        tell(sum(len(branch.rows) for branch in branches))
        branches = [children[number][1] for number in order]


def _tokens_left(model: Any, prompt_length: int, sampling: Sampling) -> int:
    """Tokens that may follow a prompt. None may follow an empty one."""
    return min(sampling.max_tokens, context_length(model) - prompt_length) if prompt_length else 0


def _grown(
    branches: Sequence[_Branch], logits: torch.Tensor, sampling: Sampling, ending: Ending
) -> list[tuple[int, _Branch]]:
    """Each candidate draws its next token; those of a branch that drew the same go on together. What has ended is written into
    its rows.

    Args:
        branches: Those of this step.
        logits: (branches, vocabulary).
        sampling: How tokens are drawn.
        ending: When a candidate has ended.

    Returns:
        The branches that go on, each with the number of the one that it comes from, in order of the latter.
    """
    rows = [(number, row) for number, branch in enumerate(branches) for row in branch.rows]
    seeds = torch.tensor([row.seed or 0 for _, row in rows], device=logits.device)
    steps = torch.tensor([len(branches[number].tokens) for number, _ in rows], device=logits.device)
    numbers = torch.tensor([number for number, _ in rows], device=logits.device)
    taken = take_step(logits, sampling, numbers, uniform(seeds, steps))
    together: dict[tuple[int, int], list[Row]] = {}
    gained: dict[tuple[int, int], float] = {}
    for (number, row), token, logprob in zip(rows, taken.tokens.tolist(), taken.logprobs, strict=True):
        together.setdefault((number, token), []).append(row)
        gained[number, token] = logprob
    traces = taken.traces([branch.trace for branch in branches])
    children = []
    for (number, token), of_child in together.items():
        parent, logprob = branches[number], gained[number, token]
        check_number(logprob)
        child = _Branch(parent.prompt, of_child, [*parent.tokens, token], parent.logprob + logprob, traces[number])
        finished = ending.after(child.tokens)
        if not finished and len(child.tokens) < parent.prompt.limit:
            children.append((number, child))
            continue
        for row in of_child:
            row.tokens, row.logprob, row.finished, row.trace = child.tokens, child.logprob, finished, child.trace
    return children


# --- single rows ------------------------------------------------------------------------------------------------------

# Rows that have ended ride along until fewer than this share are left, since dropping them copies.
_KEPT_SHARE = 0.75


@torch.inference_mode()
def decode_rows(
    loaded: LoadedModel,
    prompts: Sequence[list[int]],
    rows: Sequence[Row],
    sampling: Sampling,
    ending: Ending,
    tell: Tell = not_told,
) -> None:
    """Writes one row after each prompt. Shorter prompts are padded on their left.

    Works for every decoder that transformers has with a cache.

    Args:
        loaded: The model.
        prompts: Ids; the room that they leave in the context is the same for all.
        rows: One for each prompt.
        sampling: How tokens are drawn.
        ending: When a row ends.
        tell: Told of tokens as they are written.
    """
    model, device = loaded.model, loaded.device
    width = max(map(len, prompts))
    limit = min(_tokens_left(model, len(prompt), sampling) for prompt in prompts)
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
    del output
    seeds = torch.tensor([row.seed or 0 for row in rows], dtype=torch.int64, device=device)
    active = list(rows)
    for step in range(limit):
        tokens = _append(active, logits, sampling, uniform(seeds, step), ending)
        tell(len(active))
        alive = [place for place, row in enumerate(active) if not row.finished]
        if not alive or step + 1 == limit:
            return
        if len(alive) <= _KEPT_SHARE * len(active):
            kept = torch.tensor(alive, device=device)
            active, tokens, seeds = [active[place] for place in alive], tokens[kept], seeds[kept]
            mask, positions = mask[kept], positions[kept]
            cache.batch_select_indices(kept)
        now = width + step
        logits = model(
            input_ids=tokens.unsqueeze(-1),
            attention_mask=mask[:, : now + 1] if is_padded else None,
            position_ids=positions[:, now : now + 1],
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]


def _append(
    rows: Sequence[Row], logits: torch.Tensor, sampling: Sampling, numbers: torch.Tensor, ending: Ending
) -> torch.Tensor:
    """The next token of each row, which is appended to those that go on."""
    taken = take_step(logits, sampling, torch.arange(len(rows), device=numbers.device), numbers)
    tokens, traces = taken.tokens, taken.traces([row.trace for row in rows])
    for row, token, logprob, trace in zip(rows, tokens.tolist(), taken.logprobs, traces, strict=True):
        if row.finished:
            continue
        check_number(logprob)
        row.tokens.append(token)
        row.logprob += logprob
        row.trace = trace
        row.finished = ending.after(row.tokens)
    return tokens


def _distinct(prompts: Sequence[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The distinct prompts in order of appearance, and for each row which of them is its own."""
    numbers: dict[tuple[int, ...], int] = {}
    copies = [numbers.setdefault(tuple(prompt), len(numbers)) for prompt in prompts]
    return [list(prompt) for prompt in numbers], copies
