"""Single equations, right or just missed: what a base model learns checking from.

14*7=88 is incorrect
\\frac{1}{3}+\\frac{1}{4}=\\frac{7}{12} is correct

A language model of this size that has only seen solutions judges single equations at chance, and an evaluator trained
from it then learns which problems are hard instead of which solutions are right. The equations here are of the kinds
that the solutions use, and the wrong values are near misses, as a model's own slips are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from mathquorum.datasets.minimath.numbers import Number, Polynomial, near_miss, simplest, tex

__all__ = ["KINDS", "Equation", "draw_equation"]

# Left sides whose hash falls into this percentage are never shown in pre-training; the gates are measured on them.
HELD_OUT_SHARE = 5


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation, and whether it holds."""

    text: str
    correct: bool
    kind: str


def draw_equation(rng: Random, held_out: bool = False, kind: str | None = None) -> Equation:
    """A random equation; held-out left sides and the others never meet."""
    while True:
        name = kind or rng.choice(tuple(KINDS))
        correct = rng.random() < 0.5
        left, right = KINDS[name](rng, correct)
        digest = hashlib.sha256(left.encode()).digest()
        if ((digest[0] * 256 + digest[1]) % 100 < HELD_OUT_SHARE) == held_out:
            return Equation(f"{left}={right}", correct, name)


def _shown(value: Number, correct: bool, rng: Random, *tempting: Number) -> str:
    return tex(value if correct else near_miss(value, rng, tempting))


def _operand(rng: Random) -> int:
    """A whole number of one to three digits, small ones as common as large ones."""
    size = rng.choice((1, 1, 2, 2, 2, 3))
    return rng.randint(10 ** (size - 1), 10**size - 1)


def _sum(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = _operand(rng), _operand(rng)
    return f"{a}+{b}", _shown(a + b, correct, rng)


def _difference(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = _operand(rng), _operand(rng)
    if rng.random() < 0.7:
        a, b = max(a, b), min(a, b)
    return f"{a}-{b}", _shown(a - b, correct, rng)


def _signed(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = -_operand(rng), rng.choice((-1, 1)) * rng.randint(1, 99)
    if rng.random() < 0.3:
        return f"{-a}+({-abs(b)})", _shown(-a - abs(b), correct, rng)
    return f"{a}{b:+d}", _shown(a + b, correct, rng, -(a + b), a - b)


def _product(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = rng.randint(2, 99), rng.randint(2, 12)
    if rng.random() < 0.5:
        a = rng.randint(2, 19)
    if rng.random() < 0.15:
        a = 10 * rng.randint(1, 40)
    return f"{a}*{b}", _shown(a * b, correct, rng, a * (b + 1), a * (b - 1), a * b + 10)


def _large_product(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = rng.randint(11, 199), rng.choice((rng.randint(2, 9), rng.randint(11, 29)))
    return f"{a}*{b}", _shown(a * b, correct, rng, a * (b + 1), a * (b - 1), a * b + 100)


def _signed_product(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = rng.choice((-1, 1)) * rng.randint(2, 15), rng.randint(2, 15)
    return f"{a}*(-{b})", _shown(-a * b, correct, rng, a * b, -a * (b + 1))


def _quotient(rng: Random, correct: bool) -> tuple[str, str]:
    b, value = rng.randint(2, 15), rng.choice((-1, 1, 1, 1)) * rng.randint(2, 60)
    return f"{b * value}/{b}", _shown(value, correct, rng)


def _square(rng: Random, correct: bool) -> tuple[str, str]:
    a = rng.choice((-1, 1)) * rng.randint(2, 15)
    return f"({a})^2", _shown(a * a, correct, rng, -a * a, 2 * a)


def _reduction(rng: Random, correct: bool) -> tuple[str, str]:
    value = Fraction(rng.randint(1, 40), rng.randint(2, 40))
    if value.denominator == 1:
        value = Fraction(value.numerator, value.numerator + 1)
    factor = rng.randint(2, 12)
    return f"\\frac{{{value.numerator * factor}}}{{{value.denominator * factor}}}", _shown(value, correct, rng)


def _even_or_not(rng: Random, correct: bool) -> tuple[str, str]:
    """A division with rest, written as a=b*q+r."""
    b, quotient = rng.randint(3, 19), rng.randint(1, 30)
    rest = rng.randrange(b)
    a = b * quotient + rest
    return f"{a}", f"{b}*{quotient}+{_shown(rest, correct, rng)}"


def _like_terms(rng: Random, correct: bool) -> tuple[str, str]:
    letter, a, b = rng.choice("xyntz"), rng.randint(2, 19), rng.choice((-1, 1)) * rng.randint(2, 12)
    total = a + b if correct else int(near_miss(a + b, rng, (a - b,)))
    return f"{a}{letter}{b:+d}{letter}", str(Polynomial((0, total), letter))


def _expansion(rng: Random, correct: bool) -> tuple[str, str]:
    letter = rng.choice("xyntz")
    a, b, c = rng.choice((1, 1, 2, 3, 4, 5, 6, 7, 8, 9)), rng.choice((-1, 1)) * rng.randint(1, 15), rng.randint(1, 15)
    if rng.random() < 0.5:
        left = f"({Polynomial((b, a), letter)})^2"
        right = [b * b, 2 * a * b, a * a]
    else:
        left = f"({Polynomial((b, 1), letter)})({Polynomial((c, 1), letter)})"
        right = [b * c, b + c, 1]
    if not correct:
        place = rng.randrange(2)
        right[place] = (
            0 if place and right[1] and rng.random() < 0.3 else int(near_miss(right[place], rng, (-right[place],)))
        )
    return left, str(Polynomial((right[0], right[1], right[2]), letter))


def _fraction_sum(rng: Random, correct: bool) -> tuple[str, str]:
    a, b = Fraction(rng.randint(1, 8), rng.randint(2, 9)), Fraction(rng.randint(1, 8), rng.randint(2, 9))
    side_by_side = Fraction(a.numerator + b.numerator, a.denominator + b.denominator)
    return f"{tex(a)}+{tex(b)}", _shown(simplest(a + b), correct, rng, side_by_side)


KINDS: dict[str, Callable[[Random, bool], tuple[str, str]]] = {
    "sum": _sum,
    "difference": _difference,
    "signed": _signed,
    "product": _product,
    "large_product": _large_product,
    "signed_product": _signed_product,
    "quotient": _quotient,
    "square": _square,
    "reduction": _reduction,
    "division_with_rest": _even_or_not,
    "like_terms": _like_terms,
    "expansion": _expansion,
    "fraction_sum": _fraction_sum,
}
"""Each draws the two sides of an equation that holds, or not."""
