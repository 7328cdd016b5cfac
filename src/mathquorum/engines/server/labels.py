"""The probability of a label word, from the likeliest tokens in the place of the next one."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["label_shares"]


def label_shares(likeliest: Sequence[tuple[str, float]], labels: Sequence[str]) -> list[float] | None:
    """Each label's share of what the labels have together (Eq. 7); None where no token begins one of them.

    A server tells the likeliest tokens alone, in its own spelling, and one step. So a token counts for the label that it begins: " in"
    or " incorrect" for " incorrect". Spellings are added up: with or without a space, in capitals or not, with what may follow the whole
    word ("Correct."). A token that begins several labels counts for none. A label that is not among the tokens has at most the
    probability of the least likely of them, and is given that: texts that differ in the other label keep their order.

    Args:
        likeliest: Texts and log-probabilities in nats, likeliest first.
        labels: Words.
    """
    words = [label.strip().casefold() for label in labels]
    sums = [0.0] * len(labels)
    for text, logprob in likeliest:
        begun = [place for place, word in enumerate(words) if _begins(text.strip().casefold(), word)]
        if len(begun) == 1:
            sums[begun[0]] += math.exp(logprob)
    if not any(sums):
        return None
    least = math.exp(min(logprob for _, logprob in likeliest))
    known = [value or least for value in sums]
    total = math.fsum(known)
    return [value / total for value in known]


def _begins(text: str, word: str) -> bool:
    """Whether the text is a beginning of the word, or the word with no letter after it."""
    if not text:
        return False
    if word.startswith(text):
        return True
    return text.startswith(word) and not text[len(word)].isalnum()
