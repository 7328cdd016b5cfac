"""The engine of small models, without torch: what `solve` opens where it can."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from mathquorum.engines.base import Completion, Request, Sampling
from mathquorum.engines.confidence import LEAST_LOGPROB, NUM_LIKELIEST, Trace
from mathquorum.engines.rows import Ending, Row, check_number
from mathquorum.engines.small.llama import Floats, SmallLlama, Written
from mathquorum.engines.tokens import TokenLogprob, token_logprobs, within
from mathquorum.models.codec import Codec
from mathquorum.processes import Tell, not_told
from mathquorum.prompts import Shown

__all__ = ["SmallEngine", "row_confidences", "row_logprobs"]

# Candidates that are written together at most; more gain nothing, and hold more memory. Our choice.
_AT_ONCE = 256

# The constants of SplitMix64, as in engines/embedded/draws.py.
_GAMMA, _MIX_1, _MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class SmallEngine:
    """See `engines.base.Engine`. It draws as the engine of transformers does, and gives the texts that this one gives on a CPU in
    float32.

    Args:
        model: What computes.
        tokenizer: In its folder.
        ends: Ids that end a solution.
    """

    def __init__(self, model: SmallLlama, tokenizer: _Tokenizer, ends: frozenset[int]) -> None:
        self._model = model
        self._codec = Codec(tokenizer)
        self._ends = ends
        self._endings: dict[tuple[str, ...], Ending] = {}

    @classmethod
    def from_folder(cls, folder: Path) -> SmallEngine | None:
        """The engine of a model's folder; None where it is not for it (`SmallLlama.from_folder`)."""
        model = SmallLlama.from_folder(folder)
        if model is None:
            return None
        try:
            tokenizer = _Tokenizer.from_folder(folder)
            if tokenizer is None:
                return None
            return cls(model, tokenizer, frozenset({tokenizer.eos_token_id, *_configured_ends(folder)}))
        except Exception:  # tokenizers raises bare ones; transformers then says what is wrong
            return None

    @property
    def notice(self) -> str | None:
        """See `Engine.notice`."""
        return None

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str], tell: Tell = not_told
    ) -> list[list[Completion]]:
        """See `Engine.generate`. A prompt that fills the model's context gets empty, unfinished completions."""
        if tuple(stop) not in self._endings:
            self._endings[tuple(stop)] = Ending(self._codec.tokenizer, self._ends, stop)
        ending = self._endings[tuple(stop)]
        completions = []
        for number, request in enumerate(requests):
            ids = self._codec.prompt(request.prompt)
            rows = [Row(number, place, seed) for place, seed in enumerate(request.seeds)]
            for start in range(0, len(rows), _AT_ONCE):
                self._write(ids, rows[start : start + _AT_ONCE], sampling, ending, tell)
            completions.append([ending.completion(row, sampling.confidence_window) for row in rows])
        return completions

    def _write(self, ids: list[int], rows: list[Row], sampling: Sampling, ending: Ending, tell: Tell) -> None:
        limit = min(sampling.max_tokens, self._model.context_length - len(ids)) if ids else 0
        if limit < 1:
            return
        logits, read = self._model.read(ids)
        written = Written(read)
        branches = _grown([_Branch(rows, [], 0.0, None)], logits, sampling, ending, limit)
        while branches:
            written.follow([parent for parent, _ in branches])
            tell(sum(len(branch.rows) for _, branch in branches))
            logits = self._model.step([branch.tokens[-1] for _, branch in branches], read, written)
            branches = _grown([branch for _, branch in branches], logits, sampling, ending, limit)

    def label_probabilities(self, prompts: Sequence[Shown], labels: Sequence[str]) -> list[list[float]]:
        """See `Engine.label_probabilities`. A label of several tokens weighs the product of their probabilities.

        Raises:
            ModelError: If a label has no tokens.
        """
        endings = [self._codec.label(label) for label in labels]
        room = self._model.context_length - max(map(len, endings)) + 1
        texts = [self._codec.prompt(prompt) for prompt in prompts]
        fitting = [ids for ids in texts if len(ids) <= room]
        shared = _common_beginning(fitting)
        before = self._model.read(shared)[1] if shared else None
        results: list[list[float]] = []
        for ids in texts:
            if len(ids) > room:
                results.append([])
                continue
            logits, read = self._model.read(ids[len(shared) :], before)
            totals = np.zeros(len(endings))
            for column, ending in enumerate(endings):
                after = logits
                for place, token in enumerate(ending):
                    if place:
                        after, _ = self._model.read(ending[:place], read)
                    totals[column] += row_logprobs(after)[0, token]
            values = np.exp(totals - np.logaddexp.reduce(totals))
            check_number(float(values.sum()))
            results.append(values.tolist())
        return results

    def num_tokens(self, prompt: Shown) -> int:
        """See `engines.tokens.TellsTokens`."""
        return len(self._codec.prompt(prompt))

    def token_logprobs(self, prompt: Shown, completion: Completion, likeliest: int) -> list[TokenLogprob]:
        """See `engines.tokens.TellsTokens`."""
        ids, tokens = self._codec.prompt(prompt), within(self._codec.tokenizer, completion)
        if not tokens:
            return []
        logits, _ = self._model.read([*ids, *tokens[:-1]], everywhere=True)
        return token_logprobs(self._codec.tokenizer, tokens, row_logprobs(logits[len(ids) - 1 :]), likeliest)


def _common_beginning(texts: Sequence[list[int]]) -> list[int]:
    """The beginning that all of them share, at least a token shorter than each."""
    if not texts:
        return []
    first, last = min(texts), max(texts)  # what these two share, all between them share
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: min(length, *(len(ids) - 1 for ids in texts))]


@dataclass(frozen=True)
class _Branch:
    """Candidates that have written the same so far: one row of a step."""

    rows: list[Row]
    tokens: list[int]
    logprob: float
    trace: Trace | None


def _grown(
    branches: Sequence[_Branch], logits: Floats, sampling: Sampling, ending: Ending, limit: int
) -> list[tuple[int, _Branch]]:
    """The branches that go on, each with the number of the one that it comes from. What has ended is written into its rows."""
    logprobs = row_logprobs(logits)
    confidences, certainties = row_confidences(logprobs)
    likeliest = logits.argmax(axis=-1).tolist() if sampling.temperature == 0 else []
    children = []
    for number, branch in enumerate(branches):
        if likeliest:
            drawn = [likeliest[number]] * len(branch.rows)
        else:
            numbers = uniform([row.seed or 0 for row in branch.rows], len(branch.tokens))
            drawn = draw_tokens(logits[number], numbers, sampling.temperature, sampling.top_p)
        together: dict[int, list[Row]] = {}
        for row, token in zip(branch.rows, drawn, strict=True):
            together.setdefault(token, []).append(row)
        trace = Trace(branch.trace, confidences[number], certainties[number])
        for token, rows in together.items():
            gained = float(logprobs[number, token])
            check_number(gained)
            child = _Branch(rows, [*branch.tokens, token], branch.logprob + gained, trace)
            finished = ending.after(child.tokens)
            if not finished and len(child.tokens) < limit:
                children.append((number, child))
                continue
            for row in rows:
                row.tokens, row.logprob, row.finished, row.trace = child.tokens, child.logprob, finished, trace
    return children


def row_logprobs(logits: Floats) -> npt.NDArray[np.float64]:
    """Log-probabilities of the model as it is: temperature 1, no nucleus."""
    exact = logits.astype(np.float64)
    found: npt.NDArray[np.float64] = exact - np.logaddexp.reduce(exact, axis=-1, keepdims=True)
    return found


def row_confidences(logprobs: npt.NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """The confidence and the certainty of a `Trace` for each row."""
    size = logprobs.shape[-1]
    kept = min(NUM_LIKELIEST, size)
    bounded = np.maximum(logprobs, LEAST_LOGPROB)
    likeliest = np.partition(bounded, size - kept, axis=-1)[:, size - kept :]
    return (-likeliest.mean(axis=-1)).tolist(), (-bounded.mean(axis=-1) - math.log(size)).tolist()


def uniform(seeds: Sequence[int], step: int) -> npt.NDArray[np.float64]:
    """The numbers of `engines.embedded.draws.uniform`: (seeds,)."""
    mixed = np.array(seeds, np.uint64) + np.array([step + 1], np.uint64) * _GAMMA  # arrays wrap, as SplitMix64 wants
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed = mixed ^ (mixed >> np.uint64(31))
    numbers: npt.NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers


def draw_tokens(logits: Floats, numbers: npt.NDArray[np.float64], temperature: float, top_p: float) -> list[int]:
    """A token for each number from one distribution, as `engines.embedded.draws.Nuclei` draws it; logits: (vocabulary,)."""
    weights = np.exp((logits - logits.max()) / np.float32(temperature))
    probabilities = weights / weights.sum()
    order = np.argsort(-probabilities, kind="stable")
    cumulated = np.cumsum(probabilities[order], dtype=np.float64)
    last = max(int((cumulated - probabilities[order] < top_p).sum()), 1) - 1
    places = np.searchsorted(cumulated, numbers * cumulated[last], side="right")
    tokens: list[int] = order[np.minimum(places, last)].tolist()
    return tokens


# What the settings of a tokenizer may say for tokenizer.json alone to be all of it, as transformers 5 writes them. Special tokens
# must be known as such there.
_SPECIAL = {"bos_token", "eos_token", "pad_token", "unk_token"}
_WITHOUT_EFFECT = {"backend", "clean_up_tokenization_spaces", "is_local", "local_files_only", "model_max_length"}
_CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")


class _Tokenizer:
    """What `models.Codec` and `rows.Ending` ask of a tokenizer of transformers."""

    def __init__(self, tokenizer: Tokenizer, eos_token: str) -> None:
        self._tokenizer = tokenizer
        self.eos_token = eos_token
        number = tokenizer.token_to_id(eos_token)
        assert number is not None  # it is among the special tokens
        self.eos_token_id = number

    @classmethod
    def from_folder(cls, folder: Path) -> _Tokenizer | None:
        """None where other files or settings than tokenizer.json have a say."""
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()  # as transformers does: what is in the file is of those who trained with it
        tokenizer.no_padding()
        special = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}
        known = (
            settings.keys() <= _SPECIAL | _WITHOUT_EFFECT | {"tokenizer_class"}
            and settings["tokenizer_class"] in _CLASSES
            and special.issuperset(settings[name] for name in _SPECIAL & settings.keys())
            and not any((folder / name).exists() for name in ("special_tokens_map.json", "added_tokens.json"))
        )
        return cls(tokenizer, settings["eos_token"]) if known else None

    def __call__(
        self, text: str, add_special_tokens: bool = True, split_special_tokens: bool = False
    ) -> dict[str, list[int]]:
        self._tokenizer.encode_special_tokens = split_special_tokens
        return {"input_ids": self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids}

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)

    def batch_decode(self, texts: Sequence[Sequence[int]]) -> list[str]:
        return [self.decode(ids) for ids in texts]


def _configured_ends(folder: Path) -> Sequence[int]:
    """What the generation settings add to the tokenizer's end of sequence, or, where there are none, the model's."""
    settings, config = folder / "generation_config.json", folder / "config.json"
    found: Mapping[str, Any] = json.loads((settings if settings.exists() else config).read_text(encoding="utf-8"))
    ends = found.get("eos_token_id")
    return ends if isinstance(ends, list) else [] if ends is None else [ends]
