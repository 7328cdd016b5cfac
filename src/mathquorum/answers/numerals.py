"""Numerals that are more than a number: digits with a base below, times of day, ratios, 5 feet 3 inches."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mathquorum.answers.grammar import parse
from mathquorum.answers.splitting import split
from mathquorum.answers.tokens import Token
from mathquorum.answers.value_keys import value_key
from mathquorum.answers.vocabulary import UNIT_NAMES

__all__ = ["base_key", "colon_key", "compound_key", "totals_of"]

Key = tuple[Any, ...]

_BASE_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "sixteen": 16,
}  # fmt: skip


def base_key(tokens: list[Token]) -> Key | None:
    """Digits with the base below: 204_5, A3_{16}, -37_8, 0.0011_2."""
    if ("o", "_") not in tokens:
        return None
    cut = tokens.index(("o", "_"))
    number = tokens[:cut]
    sign = ""
    if number[:1] == [("o", "-")]:
        sign, number = "-", number[1:]
    if number[:1] == [("o", "(")] and number[-1] == ("o", ")"):
        number = number[1:-1]
    digits = "".join(_digits(t) for t in number)
    if len(digits) > MAX_DIGITS or not _NUMERAL.fullmatch(digits) or (len(digits) == 1 and not digits.isdigit()):
        return None
    below = [t for t in tokens[cut + 1 :] if t not in _AROUND_BASE]
    if len(below) != 1:
        return None
    kind, value = below[0]
    if kind == "v" and digits.isdigit():
        return ("n", (int(sign + digits), 1))  # the base is a letter: nothing to tell it apart
    base = value if kind == "n" else _BASE_WORDS.get(re.sub(r"[^a-z]|base", "", str(value).lower()))
    if not isinstance(base, int) or not 2 <= base <= 36:
        return None
    return ("base", base, sign + digits.upper())


MAX_DIGITS = 1_000  # of a numeral
_AROUND_BASE = (("o", "{"), ("o", "}"), ("o", "("), ("o", ")"), ("o", "["), ("o", "]"), ("w", "base"))
_NUMERAL = re.compile(r"[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]+)?")


def _digits(token: Token) -> str:
    """The digits of a token as they were written, as far as a number keeps them."""
    kind, value = token
    if kind == "n" and isinstance(value, Fraction):
        return format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    return str(value)


def colon_key(tokens: list[Token]) -> Key | None:
    """Times and ratios: 2:30 PM, 3:1, 1:2:3."""
    word = ""
    if tokens[-1] == ("o", "}") and len(tokens) > 3 and tokens[-2][0] == "w":  # 2:00{pm}
        tokens = [*tokens[:-3], tokens[-2]]
    if tokens[-1][0] == "w":
        word = re.sub(r"[^a-z]", "", tokens[-1][1].lower())
        if word not in ("am", "pm"):
            return None
        tokens = tokens[:-1]
    if not word and ("o", ":") not in tokens:
        return None
    parts, _ = split(tokens, (":",))
    if len(parts) < 2 and not word:
        return None
    keys = tuple(value_key(parse(p)) for p in parts)
    if word and len(keys) == 1:
        keys = (*keys, ("n", (0, 1)))
    return ("colon", keys, word)


_COMPOUND = frozenset(
    ("h", "min", "s", "day", "week", "month", "year", "ft", "in", "yd", "mi", "lb", "oz", "degree", "dollar", "cent")
)


def compound_key(tokens: list[Token]) -> Key | None:
    """Several units that make one measure: 2 hours and 30 minutes."""
    parts = [t for t in tokens if t not in (("w", "and"), ("o", ","))]
    if len(parts) < 4 or len(parts) % 2 or any(kind != "nw"[i % 2] for i, (kind, _) in enumerate(parts)):
        return None
    units = [
        UNIT_NAMES.get(name, name.removesuffix("s")) for _, text in parts[1::2] for name in [text.lower().strip(".")]
    ]
    if not _COMPOUND.issuperset(units) or len(set(units)) < len(units):
        return None
    return ("compound", tuple(zip(units, (value for _, value in parts[::2]), strict=True)))


_SIZES = {
    "s": ("time", 1), "min": ("time", 60), "h": ("time", 3_600), "day": ("time", 86_400), "week": ("time", 604_800),
    "in": ("length", 1), "ft": ("length", 12), "yd": ("length", 36), "mi": ("length", 63_360), "oz": ("weight", 1), "lb": ("weight", 16),
    "cent": ("money", 1), "dollar": ("money", 100), "month": ("months", 1), "year": ("months", 12),
}  # fmt: skip


def totals_of(compound: Key) -> list[Fraction]:
    """The total of a measure of several units in each of them, the smallest last; empty where they do not convert."""
    sizes = [_SIZES.get(unit) for unit, _ in compound[1]]
    if None in sizes or len({size[0] for size in sizes if size}) != 1:
        return []
    total = sum(
        (Fraction(value) * size[1] for (_, value), size in zip(compound[1], sizes, strict=True) if size), Fraction(0)
    )
    return [total / step for step in sorted((size[1] for size in sizes if size), reverse=True)]
