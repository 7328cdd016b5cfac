"""Polynomials: evaluating, collecting like terms, expanding.

Expand (2x-3)^2.  ->  (2x)^2=4x^2, 2*(-3)=-6, 2*(-6)=-12, (-3)^2=9, The answer is \\boxed{9-12x+4x^2}
"""

from __future__ import annotations

from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import Polynomial, tex
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["LEVELS"]

LETTERS = "xyntz"


def _nonzero(rng: Random, size: int) -> int:
    return rng.choice((-1, 1)) * rng.randint(1, size)


def _expand(rng: Random, expression: str) -> str:
    return rng.choice(("Expand {}.", "Multiply out {}.", "Write {} without parentheses.")).format(expression)


def evaluate(rng: Random) -> Exercise:
    letter, at = rng.choice(LETTERS), rng.randint(2, 12)
    value = Polynomial((_nonzero(rng, 19), rng.randint(2, 9), rng.choice((0, 1))), letter)
    offset, slope, leading = value.coefficients
    shown = Polynomial(value.coefficients[: 3 if leading else 2], letter)

    def solve(sheet: Worksheet) -> Answer:
        total = sheet.multiply(slope, at)
        if leading:
            total = sheet.add(sheet.multiply(at, at), total)
        return Answer(sheet.add(total, offset) if offset > 0 else sheet.subtract(total, -offset), name="E")

    text = rng.choice(("Find E={0} for {1}={2}.", "Evaluate E={0} at {1}={2}.", "If {1}={2}, what is E={0}?"))
    return Exercise(text.format(shown, letter, at), solve)


def collect(rng: Random) -> Exercise:
    letter = rng.choice(LETTERS)
    a, b, c, d = rng.randint(3, 12), _nonzero(rng, 19), rng.randint(-9, 9) or 2, _nonzero(rng, 19)

    def solve(sheet: Worksheet) -> Answer:
        slope = sheet.whole(sheet.value(a + c))
        sheet.write(f"{a}{letter}{''.join(Polynomial((0, c), letter).terms())}={Polynomial((0, slope), letter)}")
        second = -d if sheet.habit(0.5) else d  # a sign is lost
        offset = sheet.whole(sheet.value(b + second))
        sheet.write(f"{b}{d:+d}={offset}")
        return Answer(Polynomial(_trimmed(offset, slope), letter))

    shown = f"{Polynomial((b, a), letter)}{''.join(Polynomial((d, c), letter).terms())}"
    text = rng.choice(("Simplify {0}.", "Collect like terms: {0}.", "Write {0} with two terms."))
    return Exercise(text.format(shown), solve)


def _trimmed(*coefficients: int) -> tuple[int, ...]:
    kept = list(coefficients)
    while len(kept) > 1 and not kept[-1]:
        kept.pop()
    return tuple(kept)


def distribute(rng: Random) -> Exercise:
    letter, factor = rng.choice(LETTERS), rng.randint(2, 9)
    slope, inner, outer = rng.randint(2, 9), _nonzero(rng, 9), _nonzero(rng, 19)

    def solve(sheet: Worksheet) -> Answer:
        product = sheet.whole(sheet.value(factor * slope))
        sheet.write(f"{factor}*{slope}{letter}={Polynomial((0, product), letter)}")
        forgotten = sheet.habit(0.9)  # the factor reaches the first term only
        offset = inner if forgotten else sheet.whole(sheet.multiply(factor, inner))
        total = sheet.whole(sheet.value(offset + outer))
        sheet.write(f"{offset}{outer:+d}={total}")
        return Answer(Polynomial(_trimmed(total, product), letter))

    shown = f"{factor}({Polynomial((inner, slope), letter)}){outer:+d}"
    return Exercise(rng.choice(("Simplify {0}.", "Expand and simplify {0}.")).format(shown), solve)


def product_of_sums(rng: Random) -> Exercise:
    letter, a = rng.choice(LETTERS), _nonzero(rng, 15)
    b = rng.choice([n for n in range(-15, 16) if n not in (0, -a)])

    def solve(sheet: Worksheet) -> Answer:
        last = sheet.whole(sheet.value(a * b))
        sheet.write(f"{a}*({b})={last}")
        middle = 0
        if not sheet.habit(0.6):  # first and last terms only
            middle = sheet.whole(sheet.value(a + b))
            sheet.write(f"{a}{b:+d}={tex(middle)}")
        result = Polynomial((last, middle, 1), letter)
        sheet.write(f"{shown}={result}")
        return Answer(result)

    shown = f"({Polynomial((a, 1), letter)})({Polynomial((b, 1), letter)})"
    return Exercise(_expand(rng, shown), solve)


def square_of_sum(rng: Random) -> Exercise:
    letter, a, b = rng.choice(LETTERS), rng.randint(2, 9), _nonzero(rng, 12)

    def solve(sheet: Worksheet) -> Answer:
        first = sheet.whole(sheet.value(a * a))
        sheet.write(f"({a}{letter})^2={Polynomial((0, 0, first), letter)}")
        last = sheet.whole(sheet.value(b * b))
        sheet.write(f"({b})^2={last}")
        middle = 0
        if not sheet.habit(1.0):  # no middle term
            half = sheet.whole(sheet.multiply(a, b))
            middle = sheet.whole(sheet.multiply(2, half))
        result = Polynomial((last, middle, first), letter)
        sheet.comment(f"({Polynomial((b, a), letter)})^2={result}")
        return Answer(result)

    return Exercise(_expand(rng, f"({Polynomial((b, a), letter)})^2"), solve)


LEVELS: tuple[Maker, ...] = (evaluate, collect, distribute, product_of_sums, square_of_sum)
