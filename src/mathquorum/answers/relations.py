"""Equations and inequalities: solved where they are linear, and otherwise compared up to scaling."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import NoValue, Number, balls, is_exact, is_negative, is_zero
from mathquorum.answers.certified import ratio, value_at
from mathquorum.answers.evaluation import Node, variables
from mathquorum.answers.number_keys import digits_key
from mathquorum.answers.sets import MINUS_INFINITY, PLUS_INFINITY, REALS, Interval, intersect, union
from mathquorum.answers.values import points_for, value_key, values_at

__all__ = ["Key", "equation_key", "inequality_key", "substitute"]

Key = tuple[Any, ...]

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def substitute(node: Node, name: str, value: Node) -> Node:
    """The expression with a variable replaced."""
    if node == ("var", name):
        return value
    if node[0] == "call":
        return ("call", node[1], tuple(substitute(n, name, value) for n in node[2]))
    return tuple(substitute(n, name, value) if type(n) is tuple else n for n in node)


def equation_key(left: Node, right: Node) -> Key:
    """A key that does not change when sides are swapped, terms are moved or both sides are scaled.

    With one variable and linear, it is the solution. In x, y (and z) and linear in the last of them, it is that variable's
    expression, so that `2x - y + 3 = 0`, `y = 2x + 3` and `2x + 3` are one answer. Otherwise the ratios of the
    difference of the sides at fixed points.

    Raises:
        NoValue: When there is no such key.
    """
    difference = ("add", left, ("neg", right))
    names = variables(difference)
    if len(names) == 1:
        line = _line(difference, next(iter(names)))
        if line is not None:
            return value_key(("num", line.root))
    if names <= {"x", "y", "z"} and len(names) > 1:
        last = max(names)
        solved = _solved(difference, last)
        if solved is not None:
            return value_key(solved)
    if not names:
        return ("truth", is_zero(value_at(difference, {})))
    return ("equation", _proportions(difference, names, both_signs=True))


def _proportions(node: Node, names: frozenset[str], both_signs: bool) -> Key:
    """The ratios of an expression's values at fixed points to the first of them that is not zero, or to its size."""
    values = values_at(node, points_for(names))
    first = next((i for i, v in enumerate(values) if v is not None and not is_zero(v)), None)
    if first is None:
        raise NoValue("nothing to compare with")
    scale = values[first] if both_signs else _size(values[first])
    return (first, *(None if v is None else digits_key(ratio(v, scale)) for v in values))


def _size(value: Number) -> Number:
    if not is_exact(value) and balls().is_complex(value):
        raise NoValue("not ordered")
    return -value if is_negative(value) else value


class _Line:
    """slope * variable + start"""

    def __init__(self, slope: int | Fraction, start: int | Fraction) -> None:
        self.slope = slope
        self.root = Fraction(-start) / slope


def _line(node: Node, name: str) -> _Line | None:
    """The line that an expression in one variable is, where it is one with rational coefficients."""
    at = _at(node, name, (0, 1, 2, 1009))
    if at is None or not all(is_exact(v) for v in at):
        return None
    slope = at[1] - at[0]
    if slope == 0 or at[2] - at[1] != slope or at[3] - at[0] != 1009 * slope:
        return None
    return _Line(slope, at[0])


def _at(node: Node, name: str, places: tuple[int, ...]) -> list[Number] | None:
    """The values of an expression in one variable; None when one is missing."""
    try:
        return [value_at(node, {name: place}) for place in places]
    except NoValue:
        return None


def _solved(node: Node, name: str) -> Node | None:
    """The expression of `name` from node = 0, where it is linear in it: its factor is a number, or another variable."""
    slope = ("add", substitute(node, name, ("num", 1)), ("neg", substitute(node, name, ("num", 0))))
    again = ("add", substitute(node, name, ("num", 6)), ("neg", substitute(node, name, ("num", 1))))
    try:
        factor = value_key(slope)
        if value_key(again) != value_key(("mul", ("num", 5), slope)):
            return None
        if factor[0] != "n" and not _is_multiple_of_a_variable(slope, node, name):
            return None
    except NoValue:
        return None
    return None if factor == ("n", (0, 1)) else ("div", ("neg", substitute(node, name, ("num", 0))), slope)


def _is_multiple_of_a_variable(slope: Node, node: Node, name: str) -> bool:
    """Whether the factor of `name` is c * other, and node = 0 has no solution where that is zero: xy = 8, and not xy = x."""
    for other in variables(slope):
        multiple = value_key(("div", slope, ("var", other)))
        if multiple[0] == "n" and len(multiple[1]) == 2:
            rest = value_key(substitute(substitute(node, name, ("num", 0)), other, ("num", 0)))
            return rest[0] == "n" and rest != ("n", (0, 1))
    return False


def inequality_key(parts: list[Node], operators: list[str]) -> Key:
    """The solution set of a chain a < b <= c: an interval where it is linear in one variable.

    Raises:
        NoValue: When there is no key.
    """
    parts = [("var", "value of " + n[1]) if n[0] == "call" else n for n in parts] if _one_unknown(parts) else parts
    names = frozenset().union(*(variables(p) for p in parts))
    if len(names) == 1:
        solution = _solution(parts, operators, next(iter(names)))
        if solution is not None:
            return solution
    if len(parts) == 2 and names:
        return _scaled(parts, operators[0])
    if operators[0] in (">", ">="):
        parts, operators = parts[::-1], [_FLIPPED[o] for o in reversed(operators)]
    return ("chain", tuple(value_key(p) for p in parts), tuple(operators))


def _one_unknown(parts: list[Node]) -> bool:
    """Whether the only unknown is one function value, as in 0 < f(x) < 1."""
    calls = {p for p in parts if p[0] == "call"}
    return len(calls) == 1 and not any(variables(p) for p in parts if p not in calls)


def _solution(parts: list[Node], operators: list[str], name: str) -> Key | None:
    found = [REALS]
    for left, operator, right in zip(parts, operators, parts[1:], strict=False):
        piece = _half(left, operator, right, name)
        if piece is None:
            return None
        common = intersect(found, piece)
        if common is None:
            return None
        found = common
    return union(found)


def _half(left: Node, operator: str, right: Node, name: str) -> list[Interval] | None:
    """The solution of one comparison, where a side is linear or the absolute value of something linear."""
    for inside, outside, sign in ((left, right, operator), (right, left, _FLIPPED.get(operator, operator))):
        if inside[0] == "abs" and not variables(outside):
            upper = _half(inside[1], sign, outside, name)
            lower = _half(inside[1], _FLIPPED[sign], ("neg", outside), name) if sign in _FLIPPED else None
            if upper is None or lower is None:
                return None
            return intersect(upper, lower) if sign in ("<", "<=") else upper + lower
    slope_sign, bound = _bound(("add", left, ("neg", right)), name)
    if bound is None:
        return None
    if operator == "!=":
        return [Interval(MINUS_INFINITY, bound), Interval(bound, PLUS_INFINITY)]
    closed = operator.endswith("=")
    below = (operator in ("<", "<=")) == (slope_sign > 0)
    return [Interval(MINUS_INFINITY, bound, False, closed) if below else Interval(bound, PLUS_INFINITY, closed, False)]


def _bound(node: Node, name: str) -> tuple[int, Key | None]:
    """The sign of the slope of a linear expression, and where it is zero; rational slope, any constant."""
    steps = [_step(node, name, *places) for places in ((0, 1), (1, 2), (2, 1009))]
    slope = steps[0]
    if slope is None or slope == 0 or steps[1] != slope or steps[2] != 1007 * slope:
        return 0, None
    root = value_key(("div", ("neg", substitute(node, name, ("num", 0))), ("num", slope)))
    return (1 if slope > 0 else -1), root


def _step(node: Node, name: str, low: int, high: int) -> Fraction | None:
    """By how much an expression in one variable rises between two places, where that is rational."""
    try:
        key = value_key(("add", substitute(node, name, ("num", high)), ("neg", substitute(node, name, ("num", low)))))
    except NoValue:
        return None
    return Fraction(*key[1]) if len(key[1]) == 2 else None


def _scaled(parts: list[Node], operator: str) -> Key:
    """left < right as the values of right - left at fixed points, up to a positive factor."""
    left, right = parts
    if operator in (">", ">="):
        left, right, operator = right, left, _FLIPPED[operator]
    difference = ("add", right, ("neg", left))
    return ("inequality", operator, _proportions(difference, variables(difference), both_signs=operator == "!="))
