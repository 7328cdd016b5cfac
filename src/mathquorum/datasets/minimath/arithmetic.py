"""Whole numbers: sums, products, order of operations, squares.

Compute 14+6*7.  ->  6*7=42, 14+42=56, The answer is \\boxed{56}
"""

from __future__ import annotations

from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import tex
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["LEVELS"]


def _ask(rng: Random, expression: str) -> str:
    return rng.choice(("Compute N={}.", "Let N={}. Find N.", "What is N={}?", "Find the value of N={}.")).format(
        expression
    )


def sum_or_difference(rng: Random) -> Exercise:
    a, b = rng.randint(100, 499), rng.randint(12, 99)
    plus = rng.random() < 0.5

    def solve(sheet: Worksheet) -> Answer:
        return Answer(sheet.add(a, b) if plus else sheet.subtract(a, b), name="N")

    return Exercise(_ask(rng, f"{a}{'+' if plus else '-'}{b}"), solve)


def order_of_operations(rng: Random) -> Exercise:
    a, b, c = rng.randint(11, 99), rng.randint(2, 9), rng.randint(3, 19)

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(1.0):  # from left to right
            return Answer(sheet.multiply(sheet.add(a, b), c), name="N")
        return Answer(sheet.add(a, sheet.multiply(b, c)), name="N")

    return Exercise(_ask(rng, f"{a}+{b}*{c}"), solve)


def parentheses(rng: Random) -> Exercise:
    a, b, c, d = rng.randint(3, 9), rng.randint(5, 19), rng.randint(2, 9), rng.randint(11, 39)

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(0.5):  # the factor reaches the first term only
            return Answer(sheet.subtract(sheet.add(sheet.multiply(a, b), c), d), name="N")
        return Answer(sheet.subtract(sheet.multiply(a, sheet.add(b, c)), d), name="N")

    return Exercise(_ask(rng, f"{a}({b}+{c})-{d}"), solve)


def two_products(rng: Random) -> Exercise:
    a, b, c, d = rng.randint(12, 29), rng.randint(3, 9), rng.randint(11, 29), rng.randint(2, 9)

    def solve(sheet: Worksheet) -> Answer:
        first, second = sheet.multiply(a, b), sheet.multiply(c, d)
        return Answer(sheet.add(first, second) if sheet.habit(0.4) else sheet.subtract(first, second), name="N")

    return Exercise(_ask(rng, f"{a}*{b}-{c}*{d}"), solve)


def square_of_a_difference(rng: Random) -> Exercise:
    b, c, d = rng.randint(5, 15), rng.randint(2, 9), rng.randint(3, 19)
    a = b + rng.choice((-4, -3, -2, -1, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12))

    def solve(sheet: Worksheet) -> Answer:
        difference = sheet.subtract(a, b)
        square = sheet.value(difference**2)
        if sheet.habit(1.0):  # the square is taken for the double, or keeps the sign
            square = -(difference**2) if difference < 0 else 2 * difference
        sheet.write(f"({tex(difference)})^2={tex(square)}")
        return Answer(sheet.add(square, sheet.multiply(c, d)), name="N")

    return Exercise(_ask(rng, f"({a}-{b})^2+{c}*{d}"), solve)


LEVELS: tuple[Maker, ...] = (sum_or_difference, order_of_operations, parentheses, two_products, square_of_a_difference)
