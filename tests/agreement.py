"""What two computations of one model owe each other: the same distributions within a tolerance, and the same draws wherever a draw
is not within that tolerance of a boundary.

Kernels, processors and libraries add floats in different orders, so last digits differ, and a token that nearly ties with another,
or whose number lies at the edge of its interval, may come out otherwise; from there on the texts are different texts. What one
computation owes itself (again, resumed, with more workers) is every byte, and is tested as such elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mathquorum.engines.base import Completion, Sampling
from mathquorum.engines.small.engine import uniform
from mathquorum.models import LoadedModel

__all__ = ["TOLERANCE", "Compared", "certain_token", "compare", "distance", "distributions"]

TOLERANCE = 5e-5
"""Of the total variation between two distributions of the next token. Logits of our models go up to 30, where the last digit of
float32 is 2e-6, and pass through a few dozen roundings of that size; the largest distance measured between NumPy and torch was
6e-6, over kernels default, AVX2 and AVX-512, on a random model and both embedded ones."""

Floats = npt.NDArray[np.float64]


def distance(one: Floats, other: Floats) -> float:
    """Total variation: half the sum of absolute differences, the most that any set of tokens differs by."""
    return float(np.abs(one - other).sum(-1).max() / 2)


def distributions(loaded: LoadedModel, before: Sequence[int], after: Sequence[int], temperature: float = 1.0) -> Floats:
    """Of each token of a text and of the one that would follow, by a plain forward pass: (tokens + 1, vocabulary)."""
    with torch.inference_mode():
        logits = loaded.model(input_ids=torch.tensor([[*before, *after]]), use_cache=False).logits[0, len(before) - 1 :]
    found: Floats = torch.softmax(logits.double() / temperature, -1).numpy()
    return found


def certain_token(
    probabilities: Floats, number: float | None, top_p: float, tolerance: float = TOLERANCE
) -> int | None:
    """The token that every distribution within the tolerance draws; None where they may draw different ones.

    Args:
        probabilities: Of the next token, at the temperature of the draw: (vocabulary,).
        number: Uniform in [0, 1), which picks from the cumulated probabilities, likeliest first; None takes the likeliest.
        top_p: Of the nucleus.
        tolerance: In total variation. Any set of tokens moves by as much at most, so two tokens whose probabilities differ by
            more than twice that keep their order.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    if number is None:
        return int(order[0]) if ranked[0] - ranked[1] > 2 * tolerance else None
    cumulated = np.cumsum(ranked)
    before = cumulated - ranked
    fewest = max(int((before < top_p - tolerance).sum()), 1)
    most = max(int((before < top_p + tolerance).sum()), 1)
    lowest = number * (cumulated[fewest - 1] - tolerance)
    highest = number * (cumulated[most - 1] + tolerance)
    place = min(int(np.searchsorted(cumulated, number * cumulated[fewest - 1], side="right")), fewest - 1)
    tied = int((np.abs(ranked - ranked[place]) <= 2 * tolerance).sum()) > 1
    inside = before[place] + tolerance <= lowest or place == 0
    inside = inside and (highest < cumulated[place] - tolerance or place == most - 1)
    return int(order[place]) if inside and not tied else None


@dataclass(frozen=True)
class Compared:
    """What came of a comparison of two engines' completions.

    Attributes:
        equal: For each text, whether the two are the same.
        sure: For each text, whether all of its draws, its end among them, are those of every distribution within the tolerance.
        num_unread: Texts that do not tell their tokens, since they are tokenized otherwise than they were drawn. Neither sure, nor
            compared.
        num_certain: Draws before texts part that are certain.
        num_draws: All draws before texts part.
    """

    equal: tuple[bool, ...]
    sure: tuple[bool, ...]
    num_unread: int
    num_certain: int
    num_draws: int


def compare(
    loaded: LoadedModel,
    prompt: str,
    seeds: Sequence[int | None],
    sampling: Sampling,
    stop: Sequence[str],
    found: Sequence[Completion],
    expected: Sequence[Completion],
) -> Compared:
    """Two engines' completions of one prompt, token by token. Fails where they part at a draw that is certain."""
    equal = [_shown(one) == _shown(other) for one, other in zip(found, expected, strict=True)]
    sure, unread, certain, draws = [], 0, 0, 0
    before = loaded.codec.prompt(prompt)
    for same, seed, one, other in zip(equal, seeds, found, expected, strict=True):
        drawn, others = _drawn(loaded, one, stop), _drawn(loaded, other, stop)
        if drawn is None or others is None:
            unread += 1
            sure.append(False)
            continue
        tables = distributions(loaded, before, others[:-1], sampling.temperature or 1.0)
        numbers = [None if sampling.temperature == 0 else uniform([seed or 0], n)[0] for n in range(len(tables))]
        must = [certain_token(*draw, sampling.top_p) for draw in zip(tables, numbers, strict=True)]
        assert all(b == -1 or a in (None, b) for a, b in zip(must, others, strict=True)), "not the draw that it owes"
        shared = next((n for n, (a, b) in enumerate(zip(drawn, others, strict=False)) if a != b), len(others))
        assert same or must[shared] is None, f"{one.text!r} and {other.text!r} part at a draw that is certain"
        sure.append(None not in must)
        draws += shared
        certain += sum(token is not None for token in must[:shared])
    return Compared(tuple(equal), tuple(sure), unread, certain, draws)


def _shown(completion: Completion) -> tuple[str, int, bool]:
    return completion.text, completion.num_tokens, completion.finished


def _drawn(loaded: LoadedModel, completion: Completion, stop: Sequence[str]) -> list[int] | None:
    """The tokens of a completion, its end among them, or -1 where that may be one of several; None where the text does not tell."""
    ends = [loaded.tokenizer.eos_token, *stop] if completion.finished else [""]
    read = [loaded.tokenizer(completion.text + end, add_special_tokens=False)["input_ids"] for end in ends]
    fitting = [ids for ids in read if len(ids) == completion.num_tokens]
    if not fitting or any(ids[:-1] != fitting[0][:-1] for ids in fitting):
        return None
    return fitting[0] if len(fitting) == 1 else [*fitting[0][:-1], -1]
