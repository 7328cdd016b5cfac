"""Counting and probability: products, choices, inclusion and exclusion, draws without replacement.

Of 30 students, 12 sing, 15 dance and 5 do both. How many do neither?  ->  12+15=27, 27-5=22, 30-22=8, \\boxed{8 students}
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import Number, tex
from mathquorum.datasets.minimath.worksheet import DeadEnd, Worksheet

__all__ = ["LEVELS"]

WEAR = ("shirts", "hats", "socks", "shoes", "coats", "bags")
GROUPS = ("girls", "boys", "players", "singers", "cats", "dogs")
COLORS = ("red", "blue", "green", "white", "black", "pink")
THINGS = ("balls", "pens", "cards", "cups")


def outfits(rng: Random) -> Exercise:
    a, b, c = rng.randint(2, 9), rng.randint(3, 19), rng.randint(2, 5)
    first, second, third = rng.sample(WEAR, 3)

    def solve(sheet: Worksheet) -> Answer:
        return Answer(sheet.multiply(sheet.multiply(a, b), c), unit="ways")

    text = rng.choice(("How many ways to pick one each of {0} {3}, {1} {4} and {2} {5}?",
                       "There are {0} {3}, {1} {4}, {2} {5}. In how many ways can one take one of each?"))  # fmt: skip
    return Exercise(text.format(a, b, c, first, second, third), solve)


def officers(rng: Random) -> Exercise:
    n, m = rng.randint(5, 20), rng.randint(2, 9)
    group, other = rng.sample(GROUPS, 2)

    def solve(sheet: Worksheet) -> Answer:
        others = n if sheet.habit(0.8) else sheet.subtract(n, 1)  # the same one twice
        return Answer(sheet.multiply(sheet.multiply(n, others), m), unit="ways")

    text = rng.choice(("From {0} {2} choose a first and a second, and from {1} {3} one. How many ways?",
                       "How many ways to pick a first and a second of {0} {2} and one of {1} {3}?"))  # fmt: skip
    return Exercise(text.format(n, m, group, other), solve)


def pairs(rng: Random) -> Exercise:
    n, m = rng.randint(5, 20), rng.randint(2, 9)
    group, other = rng.sample(GROUPS, 2)

    def solve(sheet: Worksheet) -> Answer:
        ordered = sheet.multiply(n, sheet.subtract(n, 1))
        if sheet.habit(0.9):  # pairs are taken for ordered
            chosen: Number = ordered
            sheet.write(f"\\binom{{{n}}}{{2}}={tex(chosen)}")
        else:
            chosen = sheet.value(Fraction(ordered) / 2)
            sheet.write(f"\\binom{{{n}}}{{2}}={tex(ordered)}/2={tex(chosen)}")
        return Answer(sheet.multiply(sheet.whole(chosen), m), unit="ways")

    text = rng.choice(("From {0} {2} choose a pair, and from {1} {3} one. How many ways?",
                       "How many ways to pick 2 of {0} {2} in any order and 1 of {1} {3}?"))  # fmt: skip
    return Exercise(text.format(n, m, group, other), solve)


def neither(rng: Random) -> Exercise:
    both, only_a, only_b, none = rng.randint(2, 15), rng.randint(3, 25), rng.randint(3, 25), rng.randint(2, 25)
    who, (first, second) = (
        rng.choice(("students", "people", "kids")),
        rng.sample(("sing", "dance", "swim", "draw", "run"), 2),
    )
    a, b, total = only_a + both, only_b + both, both + only_a + only_b + none

    def solve(sheet: Worksheet) -> Answer:
        some = sheet.add(a, b)
        if not sheet.habit(0.5):  # those who do both are counted twice
            some = sheet.subtract(some, both)
        return Answer(sheet.subtract(total, some), unit=who)

    text = f"Of {total} {who}, {a} {first}, {b} {second} and {both} do both. How many do neither?"
    return Exercise(text, solve)


def two_draws(rng: Random) -> Exercise:
    a, b = rng.randint(2, 12), rng.randint(2, 12)
    (first, second), thing = rng.sample(COLORS, 2), rng.choice(THINGS)

    def solve(sheet: Worksheet) -> Answer:
        total = sheet.whole(sheet.add(a, b))
        if total < 2:
            raise DeadEnd
        back = sheet.habit(1.0)  # the first is put back
        top, bottom = (a, total) if back else (a - 1, total - 1)
        sheet.write(f"p=\\frac{{{a}}}{{{total}}}*\\frac{{{top}}}{{{bottom}}}")
        above, below = sheet.whole(sheet.multiply(a, top)), sheet.whole(sheet.multiply(total, bottom))
        if below == 0:
            raise DeadEnd
        result = sheet.value(Fraction(above, below))
        sheet.write(f"\\frac{{{above}}}{{{below}}}={tex(result)}")
        return Answer(result, name="p")

    text = rng.choice(("A bag has {0} {2} and {1} {3} {4}. Two are drawn. Find the probability p that both are {2}.",
                       "Two of {0} {2} and {1} {3} {4} are drawn. What is the probability p of two {2} ones?"))  # fmt: skip
    return Exercise(text.format(a, b, first, second, thing), solve)


LEVELS: tuple[Maker, ...] = (outfits, officers, pairs, neither, two_draws)
