"""The embedded engine: a Hugging Face model in this process, on CPU or GPU.

A prompt is computed once for all its candidates, candidates that have ended leave the batch, and each draws from its own
seed. Prompts of equal length share a batch, so that no padding and no mask is ever needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from mathquorum.engines.base import Completion, Request, Sampling
from mathquorum.engines.cache import reserved_cache
from mathquorum.engines.draws import draw_tokens, uniform
from mathquorum.errors import ModelError
from mathquorum.models import LoadedModel, context_length, enough_memory, stop_tokens

__all__ = ["HuggingFaceEngine"]


@dataclass
class _Row:
    """One candidate while it is written."""

    request: int
    place: int
    seed: int | None
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    finished: bool = False


class HuggingFaceEngine:
    """See `engines.base.Engine`.

    Args:
        loaded: The model; it is not changed.
        batch_rows: Candidates that are decoded together at most. Part of what fixes the last digits of a probability.
        batch_tokens: Tokens, padding included, that are scored together at most.
    """

    def __init__(self, loaded: LoadedModel, batch_rows: int = 256, batch_tokens: int = 16384) -> None:
        self._loaded = loaded
        self._batch_rows = batch_rows
        self._batch_tokens = batch_tokens
        self._suspicious: dict[tuple[str, ...], frozenset[int]] = {}

    # --- writing ------------------------------------------------------------------------------------------------------

    def generate(self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str]) -> list[list[Completion]]:
        """See `Engine.generate`. A prompt that fills the model's context gets empty, unfinished completions."""
        prompts = [self._loaded.codec.prompt(request.prompt) for request in requests]
        results: list[list[Completion | None]] = [[None] * len(request.seeds) for request in requests]
        for rows in self._batches(prompts, requests):
            with enough_memory("batch_rows"):
                self._decode([prompts[row.request] for row in rows], rows, sampling, stop)
            for row in rows:
                results[row.request][row.place] = self._completion(row, stop)
        return [[completion for completion in of_request if completion is not None] for of_request in results]

    def _batches(self, prompts: Sequence[list[int]], requests: Sequence[Request]) -> Iterator[list[_Row]]:
        """Rows of equal prompt length, in the order of the requests."""
        waiting: dict[int, list[_Row]] = {}
        for number, request in enumerate(requests):
            rows = [_Row(number, place, seed) for place, seed in enumerate(request.seeds)]
            for start in range(0, len(rows), self._batch_rows):
                part = rows[start : start + self._batch_rows]
                batch = waiting.setdefault(len(prompts[number]), [])
                if len(batch) + len(part) > self._batch_rows:
                    yield waiting.pop(len(prompts[number]))
                    batch = waiting.setdefault(len(prompts[number]), [])
                batch.extend(part)
        yield from (batch for batch in waiting.values() if batch)

    @torch.inference_mode()
    def _decode(self, prompts: list[list[int]], rows: list[_Row], sampling: Sampling, stop: Sequence[str]) -> None:
        model, device = self._loaded.model, self._loaded.device
        length = len(prompts[0])
        limit = min(sampling.max_tokens, context_length(model) - length)
        if limit < 1 or length == 0:
            return
        distinct, copies = _distinct(prompts)
        cache = reserved_cache(model.config, length + limit)
        output = model(
            input_ids=torch.tensor(distinct, device=device), past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        repeat = torch.tensor(copies, device=device)
        if len(distinct) < len(prompts):
            cache.batch_select_indices(repeat)
        logits = output.logits[:, -1].index_select(0, repeat)  # (rows, vocabulary)
        ends = torch.tensor(stop_tokens(self._loaded), device=device)
        suspicious = self._tokens_that_may_end(stop)
        seeds = torch.tensor([row.seed or 0 for row in rows], dtype=torch.int64, device=device)
        active = rows
        for step in range(limit):
            tokens = self._next(logits, seeds, step, sampling)
            gained = torch.log_softmax(logits.float(), dim=-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
            ended = torch.isin(tokens, ends).tolist()
            for row, token, logprob, end in zip(active, tokens.tolist(), gained.tolist(), ended, strict=True):
                _check_number(logprob)
                row.tokens.append(token)
                row.logprob += logprob
                row.finished = end or (token in suspicious and self._ends_with_stop(row.tokens, stop))
            keep = [place for place, row in enumerate(active) if not row.finished]
            if not keep or step + 1 == limit:
                return
            if len(keep) < len(active):
                index = torch.tensor(keep, device=device)
                active, tokens, seeds = [active[place] for place in keep], tokens[index], seeds[index]
                cache.batch_select_indices(index)
            positions = torch.full((len(active), 1), length + step, device=device)
            output = model(
                input_ids=tokens.unsqueeze(-1), position_ids=positions, past_key_values=cache, use_cache=True
            )
            logits = output.logits[:, -1]

    @staticmethod
    def _next(logits: torch.Tensor, seeds: torch.Tensor, step: int, sampling: Sampling) -> torch.Tensor:
        if sampling.temperature == 0:
            return logits.argmax(dim=-1)
        return draw_tokens(logits, uniform(seeds, step), sampling.temperature, sampling.top_p)

    def _tokens_that_may_end(self, stop: Sequence[str]) -> frozenset[int]:
        """Ids of the tokens that hold the last character of a stop text; only after them is the text looked at."""
        if tuple(stop) not in self._suspicious:
            last = {text[-1] for text in stop}
            tokenizer = self._loaded.tokenizer
            texts = tokenizer.batch_decode([[number] for number in range(len(tokenizer))]) if last else []
            self._suspicious[tuple(stop)] = frozenset(n for n, text in enumerate(texts) if last & set(text))
        return self._suspicious[tuple(stop)]

    def _ends_with_stop(self, tokens: list[int], stop: Sequence[str]) -> bool:
        tail = self._loaded.tokenizer.decode(tokens[-64:])
        return any(text in tail for text in stop)

    def _completion(self, row: _Row, stop: Sequence[str]) -> Completion:
        text = self._loaded.tokenizer.decode(row.tokens, skip_special_tokens=True)
        cuts = [at for at in (text.find(word) for word in stop) if at >= 0]
        return Completion(text[: min(cuts)] if cuts else text, row.logprob, len(row.tokens), row.finished)

    # --- weighing -----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def label_probabilities(self, prompts: Sequence[str], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`. A label of several tokens weighs the product of their probabilities.

        Raises:
            ModelError: If a label has no tokens.
        """
        codec = self._loaded.codec
        endings = [codec.label(label) for label in labels]
        room = context_length(self._loaded.model) - max(map(len, endings)) + 1
        encoded = [codec.prompt(prompt) for prompt in prompts]
        fitting = [number for number, ids in enumerate(encoded) if len(ids) <= room]
        results: list[list[float]] = [[] for _ in prompts]
        for places in _length_batches([len(encoded[number]) for number in fitting], self._batch_tokens):
            batch = [fitting[place] for place in places]
            with enough_memory("batch_tokens"):
                scores = self._label_logprobs([encoded[number] for number in batch], endings)
            for number, values in zip(batch, torch.softmax(scores, dim=-1).tolist(), strict=True):
                _check_number(sum(values))
                results[number] = values
        return results

    def _label_logprobs(self, prompts: list[list[int]], endings: list[list[int]]) -> torch.Tensor:
        """(prompts, labels), double precision."""
        if all(len(ending) == 1 for ending in endings):
            logprobs = self._last_logprobs(prompts)
            return logprobs[:, [ending[0] for ending in endings]]
        columns = []
        for ending in endings:
            total = torch.zeros(len(prompts), dtype=torch.float64, device=self._loaded.device)
            for place, token in enumerate(ending):
                total += self._last_logprobs([ids + ending[:place] for ids in prompts])[:, token]
            columns.append(total)
        return torch.stack(columns, dim=-1)

    def _last_logprobs(self, sequences: list[list[int]]) -> torch.Tensor:
        """Log-probabilities of the token after each sequence: (sequences, vocabulary), double precision."""
        longest = max(map(len, sequences))
        device = self._loaded.device
        padded = torch.tensor([[0] * (longest - len(ids)) + ids for ids in sequences], device=device)
        mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in sequences], device=device)
        positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
        output = self._loaded.model(
            input_ids=padded, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=1
        )
        return torch.log_softmax(output.logits[:, -1].double(), dim=-1)


def _check_number(value: float) -> None:
    if math.isnan(value):
        raise ModelError(
            "The model's probabilities are no numbers (NaN): its weights are broken, or float16 is too narrow for it. "
            "Use another checkpoint, or dtype float32."
        )


def _distinct(prompts: list[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The distinct prompts in order of appearance, and for each row which of them is its own."""
    numbers: dict[tuple[int, ...], int] = {}
    copies = [numbers.setdefault(tuple(prompt), len(numbers)) for prompt in prompts]
    return [list(prompt) for prompt in numbers], copies


def _length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Places of the sequences, shortest first, cut into batches of at most `batch_tokens` tokens with padding."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
        if batch and (len(batch) + 1) * lengths[number] > batch_tokens:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
