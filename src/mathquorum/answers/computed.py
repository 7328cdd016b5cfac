"""Closing sentences with several numbers, of which the last computation says which one is the answer.

"5 * 70 = 350. So 5 nights cost $350." states 350: the 5 is not the result of anything.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from mathquorum.answers.prose import denies, is_bounded, numbers_in

__all__ = ["computed_number"]

WINDOW = 400  # characters before the sentence in which the computation ends
_RESULT = re.compile(r"=\s*(?P<sign>-?)\s*\\?\$?\s*(?P<value>\d[\d,]*(?:\.\d+)?)(?![\d^]|\s*[-+*/×·=^(\\]\s*[\d(a-z])")

_JOINED = re.compile(r"\s*(?!(?:for|in|per|on|at|with|by|after|during)\b)[A-Za-z]*\s*(?:and|or|to|,|-|–|&|/|:|x|×)?\s*")


def computed_number(before: str, sentence: str) -> tuple[int, int] | None:
    """The span of the last computation's result in a sentence of several numbers; None when in doubt.

    Example:
        >>> computed_number("5 * 70 = 350.", "So 5 nights cost 350 dollars.")
        (17, 20)
    """
    results = list(_RESULT.finditer(before[-WINDOW:]))
    if not results or denies(sentence):
        return None
    value = Fraction(results[-1]["value"].replace(",", "")) * (-1 if results[-1]["sign"] else 1)
    found = numbers_in(sentence)
    same = [span for span, number in found if number == value]
    gaps = [sentence[a[1] : b[0]] for (a, _), (b, _) in pairwise(found)]
    if any(_JOINED.fullmatch(gap) for gap in gaps):  # 42 minutes and 30 seconds, between 3 and 5
        return None
    if len(found) < 2 or len(same) != 1 or is_bounded(sentence, *same[0]):
        return None
    return same[0]
