"""Whole numbers and division: remainders, common divisors and multiples, last digits, other bases.

Find the last digit d of 37^22.  ->  7^1, 7^2, ... end in 7,9,3,1; 22=4*5+2; The answer is \\boxed{9}
"""

from __future__ import annotations

from random import Random

from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import tex
from mathquorum.datasets.minimath.worksheet import DeadEnd, Worksheet

__all__ = ["LEVELS"]


def _divide_with_rest(sheet: Worksheet, a: int, b: int) -> int:
    """Write a=b*quotient+rest and return the rest."""
    if b <= 0 or a < 0:
        raise DeadEnd
    quotient, rest = divmod(a, b)
    if sheet.fine and quotient > 1 and b > 1:
        product = sheet.whole(sheet.multiply(b, quotient))
        rest = sheet.whole(sheet.value(a - product))
        sheet.write(f"{a}={product}+{tex(rest)}")
    else:
        rest = sheet.whole(sheet.value(rest))
        sheet.write(f"{a}={b}*{quotient}+{tex(rest)}")
    return rest


def remainder(rng: Random) -> Exercise:
    b = rng.randint(3, 19)
    a = b * rng.randint(4, 30) + rng.randint(0, b - 1)
    text = rng.choice(("Find the remainder r of {0} divided by {1}.", "What is the remainder r when {0} is divided by {1}?",
                       "Find r = {0} mod {1}."))  # fmt: skip
    return Exercise(text.format(a, b), lambda sheet: Answer(_divide_with_rest(sheet, a, b), name="r"))


def _euclid(sheet: Worksheet, a: int, b: int, strength: float) -> int:
    for _ in range(8):
        rest = _divide_with_rest(sheet, a, b)
        if rest == 0:
            return b
        if b % rest and sheet.habit(strength):  # a rest is taken for the divisor too early
            return rest
        a, b = b, rest
    raise DeadEnd


def _two_multiples(rng: Random, largest: int) -> tuple[int, int]:
    common = rng.randint(2, 15)
    small, large = sorted(rng.sample(range(2, largest), 2))
    return common * large, common * small


def greatest_common_divisor(rng: Random) -> Exercise:
    a, b = _two_multiples(rng, 14)
    text = rng.choice(("Find d = \\gcd({0},{1}).", "What is the greatest common divisor d of {0} and {1}?",
                       "Find the largest number d that divides {0} and {1}."))  # fmt: skip
    return Exercise(text.format(a, b), lambda sheet: Answer(_euclid(sheet, a, b, 0.6), name="d"))


def least_common_multiple(rng: Random) -> Exercise:
    a, b = _two_multiples(rng, 10)

    def solve(sheet: Worksheet) -> Answer:
        if sheet.habit(0.9):  # the product is taken for the multiple
            return Answer(sheet.multiply(a, b), name="m")
        common = _euclid(sheet, a, b, 0.0)
        return Answer(sheet.multiply(a, sheet.whole(sheet.divide(b, common))), name="m")

    text = rng.choice(("Find m = \\text{{lcm}}({0},{1}).", "What is the least common multiple m of {0} and {1}?",
                       "Find the least number m that {0} and {1} divide."))  # fmt: skip
    return Exercise(text.format(a, b), solve)


def last_digit(rng: Random) -> Exercise:
    base, exponent = 10 * rng.randint(1, 19) + rng.choice((2, 3, 7, 8)), rng.randint(5, 60)
    ones = base % 10

    def solve(sheet: Worksheet) -> Answer:
        digits = [ones]
        for _ in range(3):
            product = sheet.whole(sheet.value(digits[-1] * ones))
            digits.append(abs(product) % 10)
            sheet.write(f"{digits[-2]}*{ones}={product} ends in {digits[-1]}")
        rest = _divide_with_rest(sheet, exponent, 4) % 4
        place = rest % 4 if sheet.habit(1.0) else (rest - 1) % 4  # counted from zero
        sheet.write(f"number {rest or 4} of {','.join(map(str, digits))} is {digits[place]}")
        return Answer(digits[place], name="d")

    text = rng.choice(("Find the last digit d of {0}^{{{1}}}.", "What is the units digit d of {0}^{{{1}}}?"))
    return Exercise(text.format(base, exponent), solve)


def other_base(rng: Random) -> Exercise:
    base = rng.randint(3, 9)
    a, c = rng.sample(range(1, base), 2)
    b = rng.randint(0, base - 1)

    def solve(sheet: Worksheet) -> Answer:
        high, low = (c, a) if sheet.habit(0.9) else (a, c)  # the digits from the wrong end
        square = sheet.multiply(base, base)
        high_part, middle = sheet.multiply(high, sheet.whole(square)), sheet.multiply(b, base)
        return Answer(sheet.add(sheet.add(high_part, middle), low), name="n")

    text = rng.choice(("Write n = {0}_{1} in base 10.", "Convert {0} from base {1} to base 10; call it n.",
                       "What is n = {0}_{1} in base ten?", "The number n is {0} in base {1}. Find n in base 10."))  # fmt: skip
    return Exercise(text.format(f"{a}{b}{c}", base), solve)


LEVELS: tuple[Maker, ...] = (remainder, greatest_common_divisor, least_common_multiple, last_digit, other_base)
