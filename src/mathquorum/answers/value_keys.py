"""Keys of expressions: equal keys are equal values, at every point where values are compared.

A constant has its exact value, or `KEPT` bits of it. An expression in variables has `KEPT` bits of its values at fixed points,
small ones, so that no term outgrows the others, on more than one scale:

* n, k, m, j and N are whole numbers, two dozen times and n often in a row, because then factorials, binomials, floors and (-1)^n mean what
  they say;
* every other variable is a positive real number, four times: near 1, in (0, 1), near 3, and above 10; the name chooses the
  digits after the first few, so that different variables are in no relation.

Where an expression is not real its value is left out, and where it is real nowhere its complex values are taken.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from mathquorum.answers.arithmetic import NoValue, Number, balls, is_exact, scattered
from mathquorum.answers.breaks import breaks
from mathquorum.answers.certified import certified, value_at
from mathquorum.answers.expressions import Choices, Node, Outside, substitute, variables
from mathquorum.answers.irrational import is_irrational
from mathquorum.answers.number_keys import digits_key, number_key

__all__ = ["WHOLE_NAMES", "Point", "points_for", "value_key", "values_at"]

WHOLE_NAMES = frozenset("nkmjN")
NUM_REAL_POINTS = 4
NUM_WHOLE_POINTS = 24

# n from 9 up, so that n - 5 is positive and 2^{n^2} is not too large; twelve in a row for what has a period, and farther ones for
# floors of different slopes; k below it; no two names, and no products of (-1)^name, have the same row.
_WHOLE = {
    "n": (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23, 26, 28, 33, 35, 39, 45, 52, 60, 72, 85, 100),
    "k": (4, 5, 7, 6, 3, 8, 5, 9, 2, 4, 6, 7, 11, 3, 12, 8, 5, 14, 6, 9, 17, 10, 4, 13),
    "m": (6, 8, 5, 9, 11, 7, 8, 4, 10, 13, 3, 12, 15, 6, 9, 21, 14, 5, 18, 11, 7, 26, 19, 8),
    "j": (3, 2, 4, 4, 7, 5, 3, 6, 8, 2, 5, 9, 4, 10, 6, 3, 12, 7, 2, 15, 8, 5, 11, 14),
    "N": (12, 19, 26, 33, 25, 16, 14, 31, 22, 17, 29, 15, 38, 21, 44, 27, 50, 35, 61, 40, 23, 72, 55, 90),
}
_REAL = (
    (Fraction(17, 16), Fraction(3, 8), Fraction(11, 4), Fraction(91, 8)),
    (Fraction(13, 4), Fraction(5, 4), Fraction(7, 16), Fraction(83, 8)),
    (Fraction(9, 16), Fraction(21, 8), Fraction(25, 16), Fraction(99, 8)),
)
# Where |x|, floors and cases are looked at too: both signs, and whole numbers.
_TURNS = tuple(
    Fraction(*turn)
    for turn in (
        (-13, 8),
        (-3, 8),
        (-17, 4),
        (2, 1),
        (-3, 1),
        (5, 2),
        (0, 1),
        (-1, 1),
        (7, 1),
        (137, 8),
        (23, 1),
        (-61, 4),
        (311, 4),
    )
)
MOST_TRIED = 50  # variables of which each is moved to see whether the value depends on it
_BRANCHING = frozenset(("abs", "floor", "ceil", "max", "min", "cases"))


def value_key(node: Node) -> tuple[Any, ...]:
    """A hashable key: equal keys are equal values.

    Raises:
        NoValue: When a value cannot be computed, or certified, within the limits.
    """
    if node[0] == "num" and is_exact(node[1]):
        return ("n", number_key(node[1]))
    if node[0] == "var":
        return _key_of_variable(node)
    return _value_key(node)


@lru_cache(maxsize=200)
def _key_of_variable(node: Node) -> tuple[Any, ...]:
    return _value_key(node)


def _value_key(node: Node) -> tuple[Any, ...]:
    names = variables(node)
    if 1 < len(names) <= MOST_TRIED:
        node = _without_idle(node, names)
        names = variables(node)
    if not names:
        value = value_at(node, {})
        return ("n", number_key(value, is_irrational=not is_exact(value) and is_irrational(node)))
    points = points_for(names)
    values = values_at(node, points)
    digits = tuple(None if v is None else digits_key(v) for v in values)
    branches: tuple[Any, ...] = ()
    if _has(node, _BRANCHING):
        is_whole = names <= WHOLE_NAMES
        turned = None if is_whole else _turned(node, points[0])
        places = breaks(node, next(iter(names)), not is_whole) if len(names) == 1 else ()
        branches = (turned, places) if turned is not None or places else ()
    if len(set(digits)) == 1 and not branches and not any(name.endswith("()") for name in names):
        return ("n", number_key(values[0]))
    return ("x", digits, *branches)


def _without_idle(node: Node, names: frozenset[str]) -> Node:
    """The expression with a number for each variable on which its value does not depend, as in x + n - n."""
    here = [(point, _digits_at(node, point, None)) for point in (Point(0), Point(1))]
    for name in sorted(names):
        if not name.endswith("()") and all(
            digits == _digits_at(node, point.moved(name), None) for point, digits in here
        ):
            node = substitute(node, name, ("num", Point(0).fraction(name)))
    return node


def values_at(node: Node, points: list[Point]) -> list[Number | None]:
    """The certified values at points: real ones, with None where there is none; complex ones where none is real.

    Raises:
        NoValue: When there is none at all, or a term is hidden in every one.
    """
    if not _has(node, _IMAGINARY):
        try:
            return _values(node, points, is_real=True)
        except Outside:
            pass
    return _values(node, points, is_real=False)


def _values(node: Node, points: list[Point], is_real: bool) -> list[Number | None]:
    """The values at the points; None where there is none.

    Raises:
        Outside: When there is none at all because the expression is not real.
        NoValue: When there is none, or every one hides a term.
    """
    values: list[Number | None] = []
    clear = 0
    error: NoValue = NoValue("terms of scales too far apart")
    for point in points:
        try:
            value, is_hiding = certified(node, point, is_real=is_real)
            clear += not is_hiding
        except Outside as outside:
            value, error = None, outside
        except NoValue as no_value:
            value, error = None, no_value
        values.append(value)
    if not clear:
        raise error if all(v is None for v in values) else NoValue("terms of scales too far apart")
    return values


def _turned(node: Node, home: Point) -> tuple[Any, ...] | None:
    """The values on the other branches of |x|, floors and cases; None when there they are the same function.

    So |x|^2 has the key of x^2, and |x| has not that of x.
    """
    noted: Choices = {}
    try:
        certified(node, home, noted=noted)
    except NoValue:
        return None
    here, frozen = [], []
    for number in range(len(_TURNS)):
        point = _Turn(number)
        here.append(_digits_at(node, point, None))
        frozen.append(_digits_at(node, point, noted))
    return None if here == frozen else tuple(here)


def _digits_at(node: Node, point: Point, frozen: Choices | None) -> tuple[Any, ...] | None:
    try:
        value, _ = certified(node, point, frozen=frozen)
        return digits_key(value)
    except NoValue:
        return None


_IMAGINARY = frozenset(("i", "conj"))


def _has(node: Node, kinds: frozenset[str]) -> bool:
    return node[0] in kinds or any(type(n) is tuple and n and _has(n, kinds) for n in node[1:])


class Point(dict[str, Number]):
    """The values of variables: fixed numbers that their names and the number of the point choose."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, name: str) -> Number:
        if name in WHOLE_NAMES:
            value: Number = _WHOLE[name][self.number % NUM_WHOLE_POINTS]
        else:
            value = _ball(self.place(name))
        self[name] = value
        return value

    def moved(self, name: str) -> Point:
        """The point with one variable elsewhere."""
        point = Point(self.number)
        point[name] = Point(self.number + 2)[name]
        return point

    def fraction(self, name: str) -> int | Fraction:
        """The number that a variable stands for."""
        return _WHOLE[name][self.number] if name in WHOLE_NAMES else self.place(name)

    def place(self, name: str) -> Fraction:
        """The value of a real variable: near one of a few places, at a distance that is its own at each point.

        At one distance for all points, p - q would have one value at all of them whenever p and q lie near the same places.
        """
        own = scattered(name) - 1
        row = (
            _REAL[int(own * 997) % len(_REAL)]
            if len(name) > 1 or name not in "xyzt"
            else _REAL["xtyz".index(name) % len(_REAL)]
        )
        return row[self.number % NUM_REAL_POINTS] + (scattered(f"{name} at {self.number}") - 1) / 16


class _Turn(Point):
    """A point of either sign; some have whole coordinates."""

    def place(self, name: str) -> Fraction:
        """One of the turns, its own at each point, and a distance from it: else a - b had one sign at all of them."""
        own = scattered(name) - 1
        stride = 1 + int(own * 89) % (len(_TURNS) - 1) if name != "x" else 1
        place = _TURNS[self.number * stride % len(_TURNS)]
        return place if place.denominator == 1 else place + (scattered(f"{name} at turn {self.number}") - 1) / 16


@lru_cache(maxsize=1_000)
def _ball(value: Fraction) -> Number:
    """A dyadic fraction as a ball without radius."""
    with balls().precision(256):
        ball = balls().as_ball(value)
    assert ball.is_exact(), "a point is a dyadic fraction"
    return ball


def points_for(names: frozenset[str]) -> list[Point]:
    """The points at which an expression in these variables is compared."""
    return [Point(number) for number in range(NUM_REAL_POINTS if WHOLE_NAMES.isdisjoint(names) else NUM_WHOLE_POINTS)]
