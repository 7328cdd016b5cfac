"""Sequences: arithmetic, geometric and recursive ones; single terms and sums.

An arithmetic sequence starts 5, 8. Find term 12.  ->  8-5=3, 12-1=11, 11*3=33, 5+33=38, The answer is \\boxed{38}
"""

from __future__ import annotations

from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["LEVELS"]


def _nonzero(rng: Random, low: int, high: int) -> int:
    return rng.choice([n for n in range(low, high + 1) if n])


def next_term(rng: Random) -> Exercise:
    start, gap, name = rng.randint(2, 80), _nonzero(rng, -15, 19), rng.choice("abu")
    terms = [start + gap * i for i in range(3)]

    def solve(sheet: Worksheet) -> Answer:
        found = sheet.subtract(terms[1], terms[0])
        return Answer(sheet.add(terms[2], found), name=name)

    shown = ", ".join(str(term) for term in terms)
    text = rng.choice(("Find the next term {1} of {0}.", "The sequence {0} goes on with {1}. Find {1}.")).format(
        shown, name
    )
    return Exercise(text, solve)


def term_of_arithmetic(rng: Random) -> Exercise:
    start, gap, n, name = rng.randint(2, 30), rng.randint(2, 12), rng.randint(6, 30), rng.choice("abut")

    def solve(sheet: Worksheet) -> Answer:
        found = sheet.subtract(start + gap, start)
        steps = n if sheet.habit(0.9) else sheet.subtract(n, 1)  # one step too many
        return Answer(sheet.add(start, sheet.multiply(steps, found)), name=name)

    template = rng.choice(("An arithmetic sequence starts {0}, {1}. Find term {2}, called {3}.",
                           "Find term {3} number {2} of the arithmetic sequence {0}, {1}."))  # fmt: skip
    return Exercise(template.format(start, start + gap, n, name), solve)


def term_of_geometric(rng: Random) -> Exercise:
    start, ratio, n, name = rng.randint(2, 29), rng.randint(2, 5), rng.randint(3, 5), rng.choice("abgut")

    def solve(sheet: Worksheet) -> Answer:
        term = sheet.multiply(start, ratio)
        for _ in range(n - 2):
            term = sheet.multiply(sheet.whole(term), ratio)
        if sheet.habit(0.4):  # one step too many
            term = sheet.multiply(sheet.whole(term), ratio)
        return Answer(term, name=name)

    template = rng.choice(("A geometric sequence has first term {0} and ratio {1}. Find term {2}, called {3}.",
                           "Find term {3} number {2}: geometric, first term {0}, ratio {1}."))  # fmt: skip
    return Exercise(template.format(start, ratio, n, name), solve)


def sum_of_arithmetic(rng: Random) -> Exercise:
    n, start, gap = rng.choice((4, 6, 8, 10, 12)), rng.randint(2, 30), rng.randint(2, 9)
    last = start + gap * (n - 1)

    def solve(sheet: Worksheet) -> Answer:
        pair = sheet.add(start, last)
        pairs = n if sheet.habit(1.0) else sheet.divide(n, 2)  # both ends of a pair are counted
        return Answer(sheet.multiply(pair, pairs), name="S")

    template = rng.choice(("Find the sum S of {0} terms from {1} to {2} in equal steps.",
                           "{0} terms of an arithmetic sequence go from {1} to {2}. Find their sum S."))  # fmt: skip
    return Exercise(template.format(n, start, last), solve)


def recursion(rng: Random) -> Exercise:
    start, factor, offset, name = rng.randint(1, 19), rng.randint(2, 4), _nonzero(rng, -9, 15), rng.choice("abut")

    def solve(sheet: Worksheet) -> Answer:
        term: int = start
        wrong = sheet.habit(0.7)  # the sum before the product
        for _ in range(3):
            if wrong:
                term = sheet.whole(sheet.multiply(sheet.whole(sheet.add(term, offset)), factor))
            else:
                product = sheet.multiply(term, factor)
                term = sheet.whole(sheet.add(product, offset) if offset > 0 else sheet.subtract(product, -offset))
        return Answer(term, name=name)

    rule = f"times {factor}, then {'plus' if offset > 0 else 'minus'} {abs(offset)}"
    template = rng.choice(
        ("Start at {0}. Each step: {1}. Find {2} after 3 steps.", "From {0} do 3 times: {1}. What is the result {2}?")
    )
    return Exercise(template.format(start, rule, name), solve)


LEVELS: tuple[Maker, ...] = (next_term, term_of_arithmetic, term_of_geometric, sum_of_arithmetic, recursion)
