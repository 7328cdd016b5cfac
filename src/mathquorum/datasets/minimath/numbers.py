"""Numbers and polynomials of the suite: how they are written, and how they are missed by a little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

__all__ = ["Number", "Polynomial", "near_miss", "simplest", "tex"]

Number = int | Fraction


def simplest(value: Number) -> Number:
    """An int where the value is whole."""
    return int(value) if value == int(value) else value


def tex(value: Number) -> str:
    """The number in the plainest LaTeX.

    Example:
        >>> tex(Fraction(-3, 4))
        '-\\\\frac{3}{4}'
    """
    value = simplest(value)
    if isinstance(value, int):
        return str(value)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def near_miss(value: Number, rng: Random, tempting: Sequence[Number] = ()) -> Number:
    """A wrong value that looks right: off by one or by ten, digits swapped, another digit, the sign; never the value.

    A checker learns little from negatives that are far off: the wrong values that a model writes itself are of this kind.
    """
    value = simplest(value)
    while True:
        if tempting and rng.random() < 0.3:
            missed = rng.choice(tempting)
        elif isinstance(value, int):
            missed = _near_miss_whole(value, rng)
        else:
            missed = _near_miss_fraction(value, rng)
        if simplest(missed) != value:
            return simplest(missed)


def _near_miss_whole(value: int, rng: Random) -> int:
    size = len(str(abs(value)))
    kind = rng.random()
    if kind < 0.4:
        return value + rng.choice((-1, 1)) * rng.choice((1, 1, 1, 2, 2, 3, 4, 5))
    if kind < 0.75 and size > 1:
        return value + rng.choice((-1, 1)) * rng.choice((1, 1, 1, 2)) * int(10 ** rng.randint(1, size - 1))
    if kind < 0.85 and size > 1:
        digits = list(str(abs(value)))
        place = rng.randrange(size - 1)
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        return int("".join(digits)) * (-1 if value < 0 else 1)
    if kind < 0.95:
        return value + rng.choice((-1, 1)) * rng.randint(1, 9) * int(10 ** rng.randrange(size))
    return -value


def _near_miss_fraction(value: Fraction, rng: Random) -> Fraction:
    kind = rng.random()
    if kind < 0.5:
        return Fraction(_near_miss_whole(value.numerator, rng), value.denominator)
    if kind < 0.85:
        return Fraction(value.numerator, max(1, abs(_near_miss_whole(value.denominator, rng))))
    return 1 / value if kind < 0.95 else -value


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A polynomial in one variable; `coefficients[i]` belongs to the power i, the last is not zero."""

    coefficients: tuple[int, ...]
    variable: str = "x"

    def terms(self) -> list[str]:
        """The terms, highest power first, each with its sign.

        Example:
            >>> Polynomial((-3, 5, 1)).terms()
            ['+x^2', '+5x', '-3']
        """
        terms = []
        for power, coefficient in reversed(list(enumerate(self.coefficients))):
            if coefficient:
                size = "" if power and abs(coefficient) == 1 else str(abs(coefficient))
                letter = ("", self.variable, f"{self.variable}^{power}")[power]
                terms.append(("-" if coefficient < 0 else "+") + size + letter)
        return terms or ["+0"]

    def __str__(self) -> str:
        return "".join(self.terms()).removeprefix("+")
