"""Fractions: reducing, adding, multiplying, dividing, mixed numbers.

Compute \\frac{1}{3}+\\frac{1}{4}.  ->  3*4=12, 1*4=4, 1*3=3, 4+3=7, The answer is \\boxed{7/12}
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import Number, tex
from mathquorum.datasets.minimath.worksheet import DeadEnd, Worksheet

__all__ = ["LEVELS"]


def _proper(rng: Random, largest: int) -> Fraction:
    bottom = rng.randint(2, largest)
    return Fraction(rng.randint(1, bottom - 1), bottom)


def _ask(rng: Random, expression: str) -> str:
    return rng.choice(("Compute {}.", "What is {}?", "Find {} in lowest terms.", "Simplify {}.")).format(expression)


def _raw(top: Number, bottom: Number) -> str:
    return f"\\frac{{{tex(top)}}}{{{tex(bottom)}}}"


def _reduced(sheet: Worksheet, top: Number, bottom: Number) -> Answer:
    """Reduce top/bottom and write how, unless it is in lowest terms."""
    top, bottom = sheet.whole(top), sheet.whole(bottom)
    if bottom <= 0:
        raise DeadEnd
    common = gcd(top, bottom)
    if common == 1:
        sheet.comment(f"{_raw(top, bottom)} is in lowest terms.")
        return Answer(Fraction(top, bottom))
    result = sheet.value(Fraction(top, bottom))
    if sheet.fine:
        sheet.write(
            f"{_raw(top, bottom)}=\\frac{{{common}*{tex(top // common)}}}{{{common}*{tex(bottom // common)}}}={tex(result)}"
        )
    else:
        sheet.write(f"{_raw(top, bottom)}={tex(result)}")
    return Answer(result)


def reduce(rng: Random) -> Exercise:
    value, factor = _proper(rng, 15), rng.randint(2, 12)
    top, bottom = value.numerator * factor, value.denominator * factor
    return Exercise(_ask(rng, _raw(top, bottom)), lambda sheet: _reduced(sheet, top, bottom))


def _added(a: Fraction, b: Fraction, sheet: Worksheet) -> Answer:
    if sheet.habit(0.4):  # tops and bottoms each on their own
        top, bottom = a.numerator + b.numerator, a.denominator + b.denominator
        sheet.write(f"{tex(a)}+{tex(b)}={_raw(top, bottom)}")
        return _reduced(sheet, top, bottom)
    sheet.comment("Use a common denominator.")
    common = sheet.multiply(a.denominator, b.denominator)
    left = sheet.multiply(a.numerator, b.denominator)
    right = sheet.multiply(b.numerator, a.denominator)
    return _reduced(sheet, sheet.add(left, right), common)


def add(rng: Random) -> Exercise:
    a, b = _proper(rng, 9), _proper(rng, 9)
    return Exercise(_ask(rng, f"{tex(a)}+{tex(b)}"), lambda sheet: _added(a, b, sheet))


def multiply(rng: Random) -> Exercise:
    a, b = _proper(rng, 12), _proper(rng, 12)

    def solve(sheet: Worksheet) -> Answer:
        return _reduced(sheet, sheet.multiply(a.numerator, b.numerator), sheet.multiply(a.denominator, b.denominator))

    return Exercise(_ask(rng, rng.choice((f"{tex(a)}*{tex(b)}", f"{tex(a)} \\cdot {tex(b)}"))), solve)


def divide(rng: Random) -> Exercise:
    a, b = _proper(rng, 11), _proper(rng, 11)

    def solve(sheet: Worksheet) -> Answer:
        flipped = sheet.habit(1.0)  # the divisor is not turned over
        top, bottom = (b.numerator, b.denominator) if flipped else (b.denominator, b.numerator)
        sheet.write(f"{tex(a)} \\div {tex(b)}={tex(a)}*{_raw(top, bottom)}")
        return _reduced(sheet, sheet.multiply(a.numerator, top), sheet.multiply(a.denominator, bottom))

    return Exercise(_ask(rng, f"{tex(a)} \\div {tex(b)}"), solve)


def mixed_numbers(rng: Random) -> Exercise:
    whole, part, other = rng.randint(1, 9), _proper(rng, 7), _proper(rng, 7)
    sign = rng.choice("+-")

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(0.8):  # the whole number is added to the top
            top: Number = whole + part.numerator
        else:
            product = sheet.multiply(whole, part.denominator)
            top = sheet.add(product, part.numerator)
        sheet.write(f"{whole}{tex(part)}={_raw(top, part.denominator)}")
        bottom = sheet.multiply(part.denominator, other.denominator)
        left = sheet.multiply(top, other.denominator)
        right = sheet.multiply(other.numerator, part.denominator)
        return _reduced(sheet, sheet.add(left, right) if sign == "+" else sheet.subtract(left, right), bottom)

    return Exercise(_ask(rng, f"{whole}{tex(part)}{sign}{tex(other)}"), solve)


LEVELS: tuple[Maker, ...] = (reduce, add, multiply, divide, mixed_numbers)
