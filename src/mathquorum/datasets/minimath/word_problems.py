"""Word problems: buying, change, discounts, average speed, ages.

Ann buys 6 pens at $4 and pays with $50. Find the change.  ->  6*4=24, 50-24=26, The answer is \\boxed{26 dollars}
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["LEVELS"]

NAMES = ("Ann", "Ben", "Eve", "Max", "Sam", "Tom", "Zoe", "Leo")
GOODS = ("pens", "books", "cakes", "toys", "apples", "cups")


def stock(rng: Random) -> Exercise:
    a, b, c = rng.randint(15, 80), rng.randint(11, 60), rng.randint(2, 14)
    who, what = rng.choice(NAMES), rng.choice(GOODS)

    def solve(sheet: Worksheet) -> Answer:
        return Answer(sheet.subtract(sheet.add(a, b), c), unit=what)

    text = rng.choice(("{0} has {2} {1}, buys {3} and gives away {4}. How many are left?",
                       "{0} had {2} {1}, got {3} more and lost {4}. How many {1} now?"))  # fmt: skip
    return Exercise(text.format(who, what, a, b, c), solve)


def change(rng: Random) -> Exercise:
    count, price = rng.randint(3, 14), rng.randint(3, 9)
    paid = (count * price // 10 + rng.randint(1, 6)) * 10
    who, what = rng.choice(NAMES), rng.choice(GOODS)

    def solve(sheet: Worksheet) -> Answer:
        cost = sheet.multiply(count, price)
        if sheet.habit(0.4):  # the note minus a single price
            return Answer(sheet.subtract(paid, price), unit="dollars")
        return Answer(sheet.subtract(paid, cost), unit="dollars")

    text = rng.choice(("{0} buys {2} {1} at \\${3} each and pays with \\${4}. Find the change.",
                       "{0} pays \\${4} for {2} {1} at \\${3}. How much comes back?"))  # fmt: skip
    return Exercise(text.format(who, what, count, price, paid), solve)


def discount(rng: Random) -> Exercise:
    percent = rng.choice((10, 20, 25, 30, 40, 50, 60, 75))
    price = rng.choice([n for n in range(2, 31) if n not in (5, 10)]) * (20 if percent % 10 else 10)
    who, what = rng.choice(NAMES), rng.choice(("coat", "bike", "desk", "lamp", "phone", "sofa", "bed", "clock"))

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(1.0):  # the percentage is taken for the price
            return Answer(sheet.subtract(price, percent), unit="dollars")
        hundredth = sheet.divide(price, 10)
        off = sheet.divide(sheet.multiply(sheet.whole(hundredth), percent), 10)
        return Answer(sheet.subtract(price, sheet.whole(off)), unit="dollars")

    text = rng.choice(
        ("A \\${2} {1} is {3}\\% off. What does {0} pay?", "{0} gets {3}\\% off a \\${2} {1}. Find the price.")
    )
    return Exercise(text.format(who, what, price, percent), solve)


def average_speed(rng: Random) -> Exercise:
    slow = rng.randint(2, 9) * 5
    fast = slow + rng.randint(1, 8) * 5
    hours, more = rng.sample(range(1, 6), 2)
    who, how = rng.choice(NAMES), rng.choice(("drives", "rides", "travels"))

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(1.0):  # the mean of the speeds
            return Answer(sheet.divide(sheet.add(fast, slow), 2), name="v")
        way = sheet.add(sheet.multiply(fast, hours), sheet.multiply(slow, more))
        return Answer(sheet.divide(way, sheet.add(hours, more)), name="v")

    text = f"{who} {how} {hours} h at {fast} km/h and {more} h at {slow} km/h. Find the average speed v in km/h."
    return Exercise(text, solve)


def ages(rng: Random) -> Exercise:
    times, young, years = rng.randint(2, 6), rng.randint(3, 19), rng.randint(2, 12)
    older, younger = rng.sample(NAMES, 2)
    total = young * (times + 1) + 2 * years

    def solve(sheet: Worksheet) -> Answer:
        both = years if sheet.habit(1.0) else sheet.multiply(2, years)  # only one of them gets older
        now = sheet.subtract(total, both)
        return Answer(sheet.divide(Fraction(now), sheet.add(times, 1)), unit="years")

    text = rng.choice(("{0} is {2} times as old as {1}. In {3} years their ages add up to {4}. How old is {1}?",
                       "In {3} years {0} and {1} are {4} together. Now {0} is {2} times as old. How old is {1}?"))  # fmt: skip
    return Exercise(text.format(older, younger, times, years, total), solve)


LEVELS: tuple[Maker, ...] = (stock, change, discount, average_speed, ages)
