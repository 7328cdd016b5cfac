"""The probability of a label word, from the likeliest tokens in the place of the next one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["Likeliest", "begins_label", "label_shares", "with_whole_labels"]

Likeliest = Sequence[tuple[str, float]]
"""Texts and their log-probabilities in nats."""

_WORTH = 0.01  # of what all labels have together: a beginning with less moves no share by more
_LETTERS = 3  # of a beginning that tells its label
_FURTHER = 4  # beginnings of one text that are asked about


def label_shares(likeliest: Likeliest, labels: Sequence[str], least: float | None = None) -> list[float] | None:
    """Each label's share of what the labels have together (Eq. 7); None where no token begins one of them.

    A server tells the likeliest tokens alone, in its own spelling. A token counts for the label that it begins: " inc" or " incorrect" for
    " incorrect"; one that begins several labels counts for none, nor does one of fewer than three letters ("I", "in"), which begins much
    else. Where each label is there as it is written, these count and no others, as
    with an engine that has the tokenizer. Else spellings are added up: with or without a space, in capitals or not, with what may follow the
    whole word ("Correct."). A label that is not among the tokens at all has at most the probability of the least likely of them, and is
    given that: texts that differ in the other label keep their order.

    Args:
        likeliest: In the place of the label.
        labels: Words.
        least: Log-probability of the least likely token; None where `likeliest` has them all.
    """
    if not likeliest:
        return None
    sums = _sums(likeliest, labels)
    if not all(sums):
        folded = [(text.strip().casefold(), logprob) for text, logprob in likeliest]
        sums = _sums(folded, [label.strip().casefold() for label in labels], followed=True)
    if not any(sums):
        return None
    known = [value or math.exp(min(lp for _, lp in likeliest) if least is None else least) for value in sums]
    total = math.fsum(known)
    return [value / total for value in known]


def with_whole_labels(likeliest: Likeliest, labels: Sequence[str], after: Callable[[str], Likeliest]) -> Likeliest:
    """The tokens with beginnings of labels continued, so that a label of several tokens weighs the product of their probabilities.

    Args:
        likeliest: In the place of the label.
        labels: Words.
        after: The likeliest tokens once a text has been written. Called where a beginning has at least a hundredth of what the labels
            have together, the likeliest first, four times at most; the others stay as they are.
    """
    texts = list(likeliest)
    for _ in range(_FURTHER):
        begun = [(logprob, text) for text, logprob in texts if begins_label(text, labels)]
        told = math.fsum(math.exp(lp) for text, lp in texts if text in labels) + math.fsum(
            math.exp(lp) for lp, _ in begun
        )
        logprob, text = max(begun, default=(-math.inf, ""))
        if math.exp(logprob) <= _WORTH * told:
            break
        texts.remove((text, logprob))
        texts += [(text + more, logprob + value) for more, value in after(text) if more]
    return texts


def begins_label(text: str, labels: Sequence[str]) -> bool:
    """Whether a text may go on to be a label, as it is written."""
    return bool(text.strip()) and any(label.startswith(text) and label != text for label in labels)


def _sums(likeliest: Likeliest, labels: Sequence[str], followed: bool = False) -> list[float]:
    """By label the probability of what begins it and no other."""
    sums = [0.0] * len(labels)
    for text, logprob in likeliest:
        begun = [place for place, label in enumerate(labels) if _begins(text, label, followed)]
        if len(begun) == 1:
            sums[begun[0]] += math.exp(logprob)
    return sums


def _begins(text: str, word: str, followed: bool) -> bool:
    """Whether the text is a beginning of the word, or, where it may be followed, the word with no letter after it."""
    if word.startswith(text):
        return text == word or len(text.strip()) >= _LETTERS
    return followed and text.startswith(word) and not text[len(word)].isalnum()
