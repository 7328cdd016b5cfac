"""One step of decoding: a token for each candidate, and what the model thought of it, from the logits of all rows.

Softmax, sort and sums of a large vocabulary take ten times the memory of the logits. Here rows go through them a part at a time, so that
only the logits themselves are there whole. What comes of a row does not depend on the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mathquorum.engines.base import Sampling
from mathquorum.engines.confidence import LEAST_LOGPROB, NUM_LIKELIEST, Trace
from mathquorum.engines.embedded.draws import Nuclei
from mathquorum.engines.embedded.footprint import DRAWN_AT_ONCE

__all__ = ["Taken", "take_step"]


@dataclass(frozen=True)
class Taken:
    """What a step gave.

    Attributes:
        tokens: One for each draw, int64.
        logprobs: Their log-probabilities in nats, as the model has them (temperature 1, no nucleus).
        confidences: Of each row; see `confidence.Trace`.
        certainties: Likewise.
    """

    tokens: torch.Tensor
    logprobs: list[float]
    confidences: list[float]
    certainties: list[float]

    def traces(self, before: Sequence[Trace | None]) -> list[Trace]:
        """What each row's text has come to with this step."""
        return [Trace(*of_row) for of_row in zip(before, self.confidences, self.certainties, strict=True)]


def take_step(logits: torch.Tensor, sampling: Sampling, rows: torch.Tensor, numbers: torch.Tensor) -> Taken:
    """Draws a token for each number, or takes the likeliest where the temperature is 0.

    Args:
        logits: (rows, vocabulary).
        sampling: How tokens are drawn.
        rows: The row that each is drawn from, which may come several times: (draws,), int64.
        numbers: (draws,), uniform in [0, 1), double precision.
    """
    at_once = max(1, DRAWN_AT_ONCE.get(logits.device.type, DRAWN_AT_ONCE["cpu"]) // logits.shape[-1])
    tokens = torch.empty_like(rows)
    logprobs = torch.empty(rows.shape, dtype=torch.float32, device=rows.device)
    signals = torch.empty((2, len(logits)), dtype=torch.float32, device=rows.device)
    for first in range(0, len(logits), at_once):
        part = logits[first : first + at_once].float()
        mine = ((rows >= first) & (rows < first + at_once)).nonzero().squeeze(-1)
        tokens[mine], logprobs[mine], found = _of_part(part, sampling, rows[mine] - first, numbers[mine])
        signals[:, first : first + at_once] = found
    confidences, certainties = signals.tolist()
    return Taken(tokens, logprobs.tolist(), confidences, certainties)


def _of_part(
    logits: torch.Tensor, sampling: Sampling, rows: torch.Tensor, numbers: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens and their log-probabilities: (draws,); confidences and certainties of the rows: (2, rows)."""
    totals = torch.logsumexp(logits, dim=-1)
    if sampling.temperature:
        nuclei = Nuclei(logits, sampling.temperature, sampling.top_p)
        tokens, likeliest = nuclei.draw(rows, numbers), logits.gather(-1, nuclei.likeliest(NUM_LIKELIEST))
        del nuclei
    else:
        tokens = logits.argmax(dim=-1)[rows]
        likeliest = logits.topk(min(NUM_LIKELIEST, logits.shape[-1]), dim=-1).values
    least = (totals + LEAST_LOGPROB).unsqueeze(-1)
    confidences = totals - likeliest.maximum(least).mean(dim=-1)
    certainties = totals - logits.maximum(least).mean(dim=-1) - math.log(logits.shape[-1])
    return tokens, logits[rows, tokens] - totals[rows], torch.stack([confidences, certainties])
