"""How sure a model was while it wrote, kept at no cost from what a step computes anyway.

Token confidence and its groups: Fu et al. 2025, "Deep Think with Confidence" (arXiv 2508.15260). Self-certainty: Kang et al.
2025 (arXiv 2502.18581). Plain Python, so that every engine sums up in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean

from mathquorum.records import Confidence

__all__ = ["LEAST_LOGPROB", "NUM_LIKELIEST", "Trace", "summary"]

NUM_LIKELIEST = 20
"""Tokens that a token's confidence looks at: the 20 that vLLM gives log-probabilities of, as in the code of arXiv 2508.15260."""

LEAST_LOGPROB = -1000.0
"""Nats that a token's log-probability counts for at least: some models rule tokens out whole, and no mean may be infinite."""

_BOTTOM_SHARE = 0.1  # of the groups, as in arXiv 2508.15260
_DECIMALS = 6  # what is left of single precision


class Trace:
    """The steps of a text so far, shared by all that go on from it: a linked list, so that a step costs no copy.

    Args:
        before: The text without its last token; None for its first.
        confidence: Minus the mean log-probability, in nats, of the `NUM_LIKELIEST` likeliest tokens. Higher is surer.
        certainty: The divergence of the uniform distribution over the vocabulary from the model's, in nats.
    """

    __slots__ = ("_before", "_certainty", "_confidence")

    def __init__(self, before: Trace | None, confidence: float, certainty: float) -> None:
        self._before = before
        self._confidence = confidence
        self._certainty = certainty

    def summary(self, window: int) -> Confidence:
        """See `summary`."""
        confidences, certainties = [], []
        step: Trace | None = self
        while step is not None:
            confidences.append(step._confidence)
            certainties.append(step._certainty)
            step = step._before
        return summary(confidences[::-1], certainties[::-1], window)


def summary(confidences: Sequence[float], certainties: Sequence[float] | None, window: int) -> Confidence:
    """What the steps of one text come to.

    Args:
        confidences: Of each token, in order; at least one.
        certainties: Likewise; None where not known.
        window: Tokens of a group. Groups overlap: one ends at each token that has so many before it. A shorter text is one group.
    """
    sums = [0.0, *accumulate(confidences)]
    size = min(window, len(confidences))
    groups = sorted((sums[end] - sums[end - size]) / size for end in range(size, len(sums)))
    return Confidence(
        mean=round(fmean(confidences), _DECIMALS),
        lowest=round(groups[0], _DECIMALS),
        bottom=round(fmean(groups[: max(1, int(_BOTTOM_SHARE * len(groups)))]), _DECIMALS),
        tail=round(fmean(confidences[-size:]), _DECIMALS),
        certainty=None if certainties is None else round(fmean(certainties), _DECIMALS),
    )
