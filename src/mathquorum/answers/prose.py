"""Answers given as a sentence: "The friends found 30 eggs." says 30.

A sentence is read as its value only when there is no doubt which number it states: it has only one, or it ends in
"= 30 eggs". Otherwise it stays a sentence, and its first and last number are kept for the comparison with a reference.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mathquorum.answers.vocabulary import BLOCKERS

__all__ = ["formula_of", "prose_key"]

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


_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)


def formula_of(text: str) -> str | None:
    """The one formula of a sentence, as in "Thus $x \\le 2$ is our answer."; None when there are several or none."""
    if len(text) > MAX_PROSE:
        return None
    formulas = list(_FORMULA.finditer(text))
    if not formulas:
        return None
    outside = _FORMULA.sub(" ", text)
    words = [w.lower() for w in _WORD.findall(outside)]
    if not words or any(w in BLOCKERS for w in words):
        return None
    contents = dict.fromkeys(next(g for g in m.groups() if g is not None).strip() for m in formulas)
    return contents.popitem()[0] if len(contents) == 1 else None


def _value(raw: str) -> Fraction:
    digits = re.sub(r"[^\d.-]", "", raw)
    return Fraction(digits) if len(digits) < 400 else Fraction(0)


def _number(value: Fraction) -> Key:
    return ("n", (value.numerator, value.denominator))
