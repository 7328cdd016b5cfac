"""The embedded engine: a Hugging Face model in this process, on CPU or GPU.

A prompt is computed once and held once for all its candidates, candidates that have written the same so far are computed as one
until they part, those that have ended make room for the next prompt's, and each draws from its own seed. Where a model's
attention does not allow it (`notice` says so), prompts of like length share a padded batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from mathquorum.engines.base import Completion, Request, Sampling
from mathquorum.engines.embedded.beginnings import (
    can_share_beginnings,
    logprobs_by_beginnings,
    logprobs_by_padding,
)
from mathquorum.engines.embedded.decoding import decode_rows, decode_shared
from mathquorum.engines.embedded.shared_prompt import can_share_prompts
from mathquorum.engines.rows import Ending, Row, check_number
from mathquorum.engines.tokens import TokenLogprob, token_logprobs, within
from mathquorum.models import LoadedModel, context_length, enough_memory, stop_tokens
from mathquorum.models.attention import window_of
from mathquorum.processes import Tell, not_told
from mathquorum.prompts import Shown

__all__ = ["HuggingFaceEngine"]

_PADDED = 1.5  # length of a batch's longest prompt by that of its shortest, at most
_TRIED = 12  # tokens on which it is tried whether beginnings can be shared


class HuggingFaceEngine:
    """See `engines.base.Engine`.

    Args:
        loaded: The model. Its attention implementation is switched while it samples and put back; nothing else is changed.
        batch_rows: Texts that are continued together at most; in a call in which a GPU's memory runs out, half as many, as often as
            need be. Part of what fixes the last digits of a probability.
        batch_tokens: Tokens, padding included, that are scored together at most.
    """

    def __init__(self, loaded: LoadedModel, batch_rows: int = 512, batch_tokens: int = 16384) -> None:
        self._loaded = loaded
        self._batch_rows = batch_rows
        self._batch_tokens = batch_tokens
        self._endings: dict[tuple[str, ...], Ending] = {}
        self._shares: bool | None = None
        self._shares_beginnings: bool | None = None

    # --- writing ------------------------------------------------------------------------------------------------------

    @property
    def notice(self) -> str | None:
        """Says where candidates do not share their prompt: they are then slower, and the same."""
        if self._shares is False:
            return f"{type(self._loaded.model).__name__}: prompts are not shared by their candidates"
        return None

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str], tell: Tell = not_told
    ) -> list[list[Completion]]:
        """See `Engine.generate`. A prompt that fills the model's context gets empty, unfinished completions."""
        self._loaded.activate()
        prompts = [self._loaded.codec.prompt(request.prompt) for request in requests]
        if tuple(stop) not in self._endings:
            self._endings[tuple(stop)] = Ending(self._loaded.tokenizer, stop_tokens(self._loaded), stop)
        ending = self._endings[tuple(stop)]
        at_once = self._batch_rows  # halved for this call alone: what it writes does not depend on calls before it
        with enough_memory("batch_rows"):
            while True:
                try:
                    rows = self._decode(prompts, requests, sampling, ending, at_once, tell)
                    break
                except torch.OutOfMemoryError:
                    if at_once == 1:
                        raise
                    at_once //= 2
        return [[ending.completion(row, sampling.confidence_window) for row in of_request] for of_request in rows]

    def _decode(
        self,
        prompts: list[list[int]],
        requests: Sequence[Request],
        sampling: Sampling,
        ending: Ending,
        at_once: int,
        tell: Tell,
    ) -> list[list[Row]]:
        rows = [[Row(n, place, seed) for place, seed in enumerate(r.seeds)] for n, r in enumerate(requests)]
        if self._can_share(max(prompts, key=len, default=[])):
            cut = [
                (ids, of_request[start : start + at_once])
                for ids, of_request in zip(prompts, rows, strict=True)
                for start in range(0, len(of_request), at_once)
            ]
            decode_shared(self._loaded, cut, sampling, ending, at_once, tell)
            return rows
        single = [row for of_request in rows for row in of_request]
        for batch in self._batches(prompts, single, sampling, at_once):
            decode_rows(self._loaded, [prompts[row.request] for row in batch], batch, sampling, ending, tell)
        return rows

    def _can_share(self, prompt: list[int]) -> bool:
        if self._shares is None and prompt:
            self._shares = can_share_prompts(self._loaded.model, [*prompt[:24], *prompt[-1:] * 8])
        return bool(self._shares)

    def _batches(
        self, prompts: Sequence[list[int]], rows: Sequence[Row], sampling: Sampling, at_once: int
    ) -> Iterator[list[Row]]:
        """Rows of like prompt length, shortest first. Where the context is nearly full, lengths are equal: these rows end
        where it does."""
        context = context_length(self._loaded.model)
        lengths = [len(prompt) for prompt in prompts]
        batch: list[Row] = []
        for row in sorted(rows, key=lambda row: (lengths[row.request], row.request, row.place)):
            length = lengths[row.request]
            widest = _PADDED * lengths[batch[0].request] if batch and length + sampling.max_tokens <= context else 0
            fits = batch and (length <= widest or length == lengths[batch[-1].request])
            if batch and (not fits or len(batch) == at_once):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    # --- weighing -----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def label_probabilities(self, prompts: Sequence[Shown], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`. A label of several tokens weighs the product of their probabilities.

        Raises:
            ModelError: If a label has no tokens.
        """
        self._loaded.activate()
        codec = self._loaded.codec
        endings = [codec.label(label) for label in labels]
        room = context_length(self._loaded.model) - max(map(len, endings)) + 1
        encoded = [codec.prompt(prompt) for prompt in prompts]
        fitting = [number for number, ids in enumerate(encoded) if len(ids) <= room]
        results: list[list[float]] = [[] for _ in prompts]
        if not fitting:
            return results
        totals = self._endings_logprobs([encoded[number] for number in fitting], endings)
        for number, values in zip(fitting, torch.softmax(totals, dim=-1).tolist(), strict=True):
            check_number(sum(values))
            results[number] = values
        return results

    def _endings_logprobs(self, prompts: list[list[int]], endings: list[list[int]]) -> torch.Tensor:
        """Log-probability of each ending after each prompt: (prompts, endings). A token is read after prompt and the tokens
        before it, which are one more text with a common beginning."""
        texts = [prompt + ending[:place] for prompt in prompts for ending in endings for place in range(len(ending))]
        wanted = sorted({token for ending in endings for token in ending})
        found = self._logprobs(texts, wanted)  # (texts, wanted)
        totals = torch.zeros((len(prompts), len(endings)), dtype=torch.float64, device=found.device)
        rows = iter(found)
        for row in range(len(prompts)):
            for column, ending in enumerate(endings):
                totals[row, column] = sum(next(rows)[wanted.index(token)] for token in ending)
        return totals

    def _logprobs(self, texts: list[list[int]], tokens: list[int]) -> torch.Tensor:
        """(texts, tokens), double precision."""
        with enough_memory("batch_tokens"):
            if self._can_share_beginnings(texts):
                return logprobs_by_beginnings(self._loaded, texts, tokens, self._batch_tokens)
            values = torch.zeros((len(texts), len(tokens)), dtype=torch.float64, device=self._loaded.device)
            for places in _length_batches([len(text) for text in texts], self._batch_tokens):
                values[places] = logprobs_by_padding(self._loaded, [texts[place] for place in places], tokens)
            return values

    def _can_share_beginnings(self, texts: list[list[int]]) -> bool:
        longest = max(texts, key=len)
        if len(longest) < _TRIED or len(longest) > (window_of(self._loaded.model) or len(longest)):
            return False
        if self._shares_beginnings is None:
            self._shares_beginnings = can_share_beginnings(self._loaded, longest[:_TRIED])
        return self._shares_beginnings

    # --- tokens -------------------------------------------------------------------------------------------------------

    def num_tokens(self, prompt: Shown) -> int:
        """See `engines.tokens.TellsTokens`."""
        return len(self._loaded.codec.prompt(prompt))

    @torch.inference_mode()
    def token_logprobs(self, prompt: Shown, completion: Completion, likeliest: int) -> list[TokenLogprob]:
        """See `engines.tokens.TellsTokens`."""
        self._loaded.activate()
        ids, tokens = self._loaded.codec.prompt(prompt), within(self._loaded.tokenizer, completion)
        if not tokens:
            return []
        text = torch.tensor([[*ids, *tokens[:-1]]], device=self._loaded.device)
        with enough_memory("logprobs"):
            output = self._loaded.model(input_ids=text, use_cache=False, logits_to_keep=len(tokens))
            logprobs = torch.log_softmax(output.logits[0, -len(tokens) :].float(), dim=-1).cpu().numpy()
        return token_logprobs(self._loaded.tokenizer, tokens, logprobs, likeliest)


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
