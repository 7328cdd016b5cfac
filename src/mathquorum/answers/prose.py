"""Answers given as a sentence: "The friends found 30 eggs." says 30.

A sentence is read as its value only when there is no doubt which number it states: it has only one, or it ends in
"= 30 eggs". Otherwise it stays a sentence, and its first and last number are kept for the comparison with a reference.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mathquorum.answers.vocabulary import BLOCKERS

__all__ = ["prose_key"]

Key = tuple[Any, ...]

MAX_PROSE = 6_000
_NUMBER = re.compile(r"(?<![\w.])-?\$?\s?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?![\d/^]|\.\d|,\d)")
_RESULT = re.compile(
    r"=\s*\\?\$?\s*(-?\\?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?:\s*\$)?(?:[^\d=+*/^()\\-]|-(?=[a-z]))*\Z"
)
_WORD = re.compile(r"[A-Za-z]{2,}")


def prose_key(text: str) -> Key | None:
    """The key of a sentence that states a number; None when the text is no such sentence."""
    if len(text) > MAX_PROSE or not re.search(r"\d", text):
        return None
    words = [w.lower() for w in _WORD.findall(re.sub(r"\\[A-Za-z]+", " ", text))]
    if len(words) < 2:
        return None
    result = _RESULT.search(text.rstrip(" .\"'`*\n"))
    numbers = [_value(m[0]) for m in _NUMBER.finditer(text)]
    if result is not None:
        return _number(_value(result[1]))
    if not numbers or any(w in BLOCKERS for w in words):
        return None
    if len(set(numbers)) == 1 and len(re.findall(r"\d+", text)) <= 2 * len(numbers):
        return _number(numbers[0])
    return ("prose", _number(numbers[0]), _number(numbers[-1]), " ".join(text.split()))


def _value(raw: str) -> Fraction:
    digits = re.sub(r"[^\d.-]", "", raw)
    return Fraction(digits) if len(digits) < 400 else Fraction(0)


def _number(value: Fraction) -> Key:
    return ("n", (value.numerator, value.denominator))
