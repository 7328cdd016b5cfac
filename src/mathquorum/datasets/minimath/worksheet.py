"""The paper on which a solution is worked out: every elementary operation is written down, and any of them may go wrong.

A solver calls `Worksheet.add`, `Worksheet.multiply` and so on. Each writes its line and returns the value that the line
shows, so that a slip propagates through the rest of the solution. One solver thus gives clean terse solutions, clean
fine-grained ones (which take hard operations apart) and flawed ones whose wrong steps are known.

Two things go wrong. A *slip* is a false equation at random (37+48=75). A *habit* is a wrong method that a kind of
problem invites (\\frac{1}{2}+\\frac{1}{3}=\\frac{2}{5}): random slips alone leave a language model that averages over
them with a good greedy answer, a habit does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from mathquorum.datasets.minimath.numbers import Number, near_miss, simplest, tex

__all__ = ["DeadEnd", "Step", "Worksheet"]


class DeadEnd(Exception):
    """An earlier slip led to a place where the method cannot go on; the caller works the problem again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One written line, and whether it is right as it stands (given the lines before it)."""

    text: str
    good: bool


class Worksheet:
    """A solution in the making.

    Args:
        rng: Decides the slips, the habits and the form of the answer.
        style: "fine" takes hard operations apart and comments; "terse" writes each operation once.
        slip_rate: The chance that an elementary operation goes wrong.
        habit_rate: The chance that a habit with strength 1 is followed where the problem invites it.
    """

    def __init__(self, rng: Random, style: str = "fine", slip_rate: float = 0.0, habit_rate: float = 0.0) -> None:
        self.rng = rng
        self.fine = style == "fine"
        self.slip_rate = slip_rate
        self.habit_rate = habit_rate
        self.steps: list[Step] = []
        self._line_is_good = True

    def write(self, text: str) -> None:
        """Write one line; it is bad if an operation or a habit went wrong since the line before."""
        self.steps.append(Step(text, self._line_is_good))
        self._line_is_good = True

    def comment(self, text: str) -> None:
        """Write a line that only the fine style has. It states nothing that could be wrong."""
        if self.fine:
            self.write(text)

    def habit(self, strength: float = 1.0) -> bool:
        """Whether the wrong method is followed here; the next line written is then a bad one."""
        followed = self.rng.random() < strength * self.habit_rate
        self._line_is_good &= not followed
        return followed

    def value(self, right: Number, *tempting: Number) -> Number:
        """The right value, or after a slip a near miss or one of the tempting values."""
        if self.rng.random() >= self.slip_rate:
            return simplest(right)
        self._line_is_good = False
        return near_miss(right, self.rng, tempting)

    def add(self, a: Number, b: Number) -> Number:
        """a+b; the fine style adds hundreds, tens and ones of b one after the other."""
        return self._add_by_places(a, b, "+")

    def subtract(self, a: Number, b: Number) -> Number:
        """a-b; the fine style takes away hundreds, tens and ones of b one after the other."""
        return self._add_by_places(a, b, "-")

    def _add_by_places(self, a: Number, b: Number, sign: str) -> Number:
        for part in _places(b) if self.fine and a >= 10 else (b,):
            a = self._add_at_once(a, part, sign)
        return a

    def _add_at_once(self, a: Number, b: Number, sign: str) -> Number:
        result = self.value(a + b if sign == "+" else a - b)
        self.write(f"{tex(a)}{sign}{_guarded(b)}={tex(result)}")
        return result

    def multiply(self, a: Number, b: Number) -> Number:
        """a*b; the fine style splits one two-digit factor into tens and ones."""
        if -10 < a < 10 and not -10 < b < 10:
            return self.multiply(b, a)
        if self.fine and _splits(b):
            return self._add_at_once(self._multiply_at_once(a, b - b % 10), self._multiply_at_once(a, b % 10), "+")
        if self.fine and _splits(a) and 1 < b < 10:
            return self._add_at_once(self._multiply_at_once(a - a % 10, b), self._multiply_at_once(a % 10, b), "+")
        return self._multiply_at_once(a, b)

    def _multiply_at_once(self, a: Number, b: Number) -> Number:
        result = self.value(a * b, a * (b + 1), a * (b - 1))
        self.write(f"{tex(a)}*{_guarded(b)}={tex(result)}")
        return result

    def divide(self, a: Number, b: Number) -> Number:
        """a/b, a fraction where it does not come out even."""
        if b == 0:
            raise DeadEnd
        result = self.value(Fraction(a) / b)
        self.write(f"{tex(a)}/{_guarded(b)}={tex(result)}")
        return result

    def whole(self, value: Number) -> int:
        """The value as a whole number, for a method that makes no sense otherwise."""
        if not isinstance(value, int):
            raise DeadEnd
        return value


def _places(value: Number) -> tuple[Number, ...]:
    """The hundreds, tens and ones of a whole number above ten, zeros left out.

    Example:
        >>> _places(248), _places(30), _places(7)
        ((200, 40, 8), (30,), (7,))
    """
    if not isinstance(value, int) or value <= 10:
        return (value,)
    hundreds, tens, ones = value // 100 * 100, value // 10 % 10 * 10, value % 10
    return tuple(part for part in (hundreds, tens, ones) if part)


def _splits(value: Number) -> bool:
    """Whether the number has tens and ones that can be multiplied apart."""
    return isinstance(value, int) and 10 < value < 100 and value % 10 != 0


def _guarded(value: Number) -> str:
    """The value as a second operand: negative numbers stand in parentheses."""
    return f"({tex(value)})" if value < 0 else tex(value)
