"""Answers given as a sentence: "The friends found 30 eggs." says 30.

A sentence is read as its value only when there is no doubt which number it states: it has only one, or it ends in
"= 30 eggs". Otherwise it stays a sentence, and its first and last number are kept for the comparison with a reference.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mathquorum.answers.vocabulary import BLOCKERS

__all__ = ["formula_of", "prose_key", "stated_number"]

Key = tuple[Any, ...]

MAX_PROSE = 6_000
_NUMBER = re.compile(
    r"(?<![\w.\\^_])(?P<sign>-)?\$?\s?(?P<value>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?[1-9]\d*(?![\w.]))?|\.\d+)(?![\d^]|\.\d|,\d)"
)
_RESULT = re.compile(
    r"=\s*\\?\$?\s*(-?\\?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?:\s*\$)?(?:[^\d=+*/^()\\-]|-(?=[a-z]))*\Z"
)
# What makes the number after it a bound, denies it, or makes it a part of a sum.
_BOUND = re.compile(
    r"(?:less|more|fewer|greater|smaller|larger|at least|at most|above|below|not|exceeds?|between|approximately|about|over|under)"
    r"\s+(?:than\s+)?\$?\s?\Z|[-+*/]\s+\$?\Z",
    re.IGNORECASE,
)
_NOTHING = frozenset(
    (
        "cannot",
        "impossible",
        "insufficient",
        "undefined",
        "infinite",
        "infinitely",
        "unknown",
        "undetermined",
        "no",
        "none",
        "never",
    )
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
    if result is not None:
        return _number(_value(result[1]))
    if not _NOTHING.isdisjoint(words):
        return None
    plain = _FORMULA.sub(_simple, text)
    numbers = [
        _value(m["value"], m["sign"])
        for m in _NUMBER.finditer(plain)
        if not _BOUND.search(plain[max(0, m.start() - 40) : m.start()])
    ]
    if not numbers:
        return None
    if len(set(numbers)) == 1 and len(re.findall(r"\d+", text)) <= 2 * len(numbers):
        return _number(numbers[0])
    return ("prose", _number(numbers[0]), _number(numbers[-1]), " ".join(text.split()))


def stated_number(sentence: str) -> Fraction | None:
    """The one number that a sentence states; None when it states none, or several without a result."""
    key = prose_key(sentence)
    return Fraction(*key[1]) if key is not None and key[0] == "n" else None


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
    formula = contents.popitem()[0]
    return None if contents or _is_money(formula) else formula


def _simple(formula: re.Match[str]) -> str:
    """A formula's content when it is no more than a number; dollars of money are left alone."""
    content = next(g for g in formula.groups() if g is not None)
    if _is_money(content):
        return formula[0]
    return content if re.fullmatch(r"[\s\d.,%\\$!/-]+", content) else " "


def _is_money(content: str) -> bool:
    """Whether two dollar signs stand before two sums instead of around a formula."""
    return content[:1].isdigit() and re.search(r"(?<![\\A-Za-z{])[A-Za-z]{3,}", content) is not None


def _value(raw: str, sign: str | None = None) -> Fraction:
    top, _, bottom = re.sub(r"[^\d./-]", "", raw).partition("/")
    if len(top) + len(bottom) > 400:
        return Fraction(0)
    value = Fraction(top) / (int(bottom) if bottom else 1)
    return -value if sign else value


def _number(value: Fraction) -> Key:
    return ("n", (value.numerator, value.denominator))
