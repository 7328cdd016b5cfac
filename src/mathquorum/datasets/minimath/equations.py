"""Equations in one unknown: linear ones, and quadratic ones with whole roots.

Solve 3x+5=17.  ->  3x=17-5, 17-5=12, 12/3=4, The answer is \\boxed{x=4}
"""

from __future__ import annotations

from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import Polynomial
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["LEVELS"]

LETTERS = "xyntz"


def _ask(rng: Random, equation: str, letter: str) -> str:
    return rng.choice(("Solve {0}.", "Find {1} if {0}.", "Solve for {1}: {0}.", "If {0}, what is {1}?")).format(
        equation, letter
    )


def _line(slope: int, offset: int, letter: str) -> str:
    return str(Polynomial((offset, slope), letter))


def _moved(offset: int) -> str:
    """What stands on the other side after the offset has moved there."""
    return f"{-offset:+d}"


def one_step(rng: Random) -> Exercise:
    letter, root, offset = rng.choice(LETTERS), rng.randint(-30, 60), rng.choice((-1, 1)) * rng.randint(11, 60)
    right = root + offset

    def solve(sheet: Worksheet) -> Answer:
        wrong = sheet.habit(0.4)  # the sign stays on the way over
        sheet.write(f"{letter}={right}{_moved(-offset if wrong else offset)}")
        minus = (offset > 0) != wrong
        return Answer(sheet.subtract(right, abs(offset)) if minus else sheet.add(right, abs(offset)), name=letter)

    return Exercise(_ask(rng, f"{_line(1, offset, letter)}={right}", letter), solve)


def _isolate(sheet: Worksheet, slope: int, offset: int, right: int, letter: str, strength: float) -> Answer:
    """Solve slope*letter+offset=right."""
    wrong = sheet.habit(strength)  # the sign stays on the way over
    sheet.write(f"{_line(slope, 0, letter)}={right}{_moved(-offset if wrong else offset)}")
    minus = (offset > 0) != wrong
    total = sheet.subtract(right, abs(offset)) if minus else sheet.add(right, abs(offset))
    return Answer(sheet.divide(total, slope), name=letter)


def two_steps(rng: Random) -> Exercise:
    letter, root, slope = rng.choice(LETTERS), rng.randint(-12, 19), rng.randint(2, 9)
    offset = rng.choice((-1, 1)) * rng.randint(2, 29)
    right = slope * root + offset
    text = _ask(rng, f"{_line(slope, offset, letter)}={right}", letter)
    return Exercise(text, lambda sheet: _isolate(sheet, slope, offset, right, letter, 0.8))


def distribute(rng: Random) -> Exercise:
    letter, root, slope = rng.choice(LETTERS), rng.randint(-9, 15), rng.randint(2, 9)
    offset = rng.choice((-1, 1)) * rng.randint(2, 12)
    right = slope * (root + offset)

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(1.0):  # the factor reaches the first term only
            inner: int = offset
        else:
            inner = sheet.whole(sheet.multiply(slope, offset))
        sheet.write(f"{_line(slope, inner, letter)}={right}")
        return _isolate(sheet, slope, inner, right, letter, 0.0)

    return Exercise(_ask(rng, f"{slope}({_line(1, offset, letter)})={right}", letter), solve)


def both_sides(rng: Random) -> Exercise:
    letter, root, small = rng.choice(LETTERS), rng.randint(-9, 12), rng.randint(2, 6)
    large = small + rng.randint(2, 8)
    offset = rng.choice((-1, 1)) * rng.randint(2, 19)
    right = (large - small) * root + offset

    def solve(sheet: Worksheet) -> Answer:
        slope = large + small if sheet.habit(0.8) else sheet.whole(sheet.value(large - small))
        sheet.write(f"{large}{letter}-{small}{letter}={_line(slope, 0, letter)}")
        return _isolate(sheet, slope, offset, right, letter, 0.3)

    equation = f"{_line(large, offset, letter)}={_line(small, right, letter)}"
    return Exercise(_ask(rng, equation, letter), solve)


def quadratic(rng: Random) -> Exercise:
    letter = rng.choice(LETTERS)
    first = rng.choice([n for n in range(-12, 13) if n])
    second = rng.choice([n for n in range(-12, 13) if n and abs(n) != abs(first)])
    linear, constant = -(first + second), first * second

    def solve(sheet: Worksheet) -> Answer:
        p, q = -first, -second
        product, total = sheet.value(p * q), sheet.value(p + q)
        sheet.write(f"{p}*({q})={product}")
        sheet.write(f"{p}+({q})={total}")
        roots = (p, q) if sheet.habit(1.0) else (sheet.value(first), sheet.value(second))  # the signs are kept
        sheet.write(f"({_line(1, p, letter)})({_line(1, q, letter)})=0 so {letter}={roots[0]} or {letter}={roots[1]}")
        return Answer(frozenset(roots), name=letter)

    return Exercise(_ask(rng, f"{Polynomial((constant, linear, 1), letter)}=0", letter), solve)


LEVELS: tuple[Maker, ...] = (one_step, two_steps, distribute, both_sides, quadratic)
