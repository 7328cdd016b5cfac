"""Equations and inequalities: solved where they are linear, and otherwise compared up to scaling."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import NoValue
from mathquorum.answers.evaluation import Node, value_at, variables
from mathquorum.answers.number_keys import number_key
from mathquorum.answers.sets import MINUS_INFINITY, PLUS_INFINITY, REALS, Interval, intersect, union
from mathquorum.answers.values import Point, value_key

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
    values = [value_at(difference, Point(number)) for number in (1, 2, 3)]
    if not names:
        return ("truth", all(v == 0 for v in values))
    if values[0] == 0:
        return ("equation", tuple(number_key(v) for v in values))
    return ("equation", tuple(number_key(value_at(("div", ("num", v), ("num", values[0])), {})) for v in values[1:]))


class _Line:
    """slope * variable + start"""

    def __init__(self, slope: int | Fraction, start: int | Fraction) -> None:
        self.slope = slope
        self.root = Fraction(-start) / slope


def _line(node: Node, name: str) -> _Line | None:
    """The line that an expression in one variable is, where it is one with rational coefficients."""
    at = [value_at(node, {name: x}) for x in (0, 1, 2, 1009)]
    if not all(isinstance(v, (int, Fraction)) for v in at):
        return None
    slope = at[1] - at[0]
    if slope == 0 or at[2] - at[1] != slope or at[3] - at[0] != 1009 * slope:
        return None
    return _Line(slope, at[0])


def _solved(node: Node, name: str) -> Node | None:
    """The expression of `name` from node = 0, where it is linear in it with a constant factor."""
    factors = set()
    for number in (1, 2):
        at = [value_at(substitute(node, name, ("num", x)), Point(number)) for x in (0, 1, 5)]
        if not all(isinstance(v, (int, Fraction)) for v in at) or at[2] - at[0] != 5 * (at[1] - at[0]):
            return None
        factors.add(at[1] - at[0])
    if len(factors) != 1 or 0 in factors:
        return None
    return ("div", ("neg", substitute(node, name, ("num", 0))), ("num", factors.pop()))


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
    at = [value_at(node, {name: x}) for x in (0, 1, 2, 1009)]
    slope = number_key(value_at(("add", ("num", at[1]), ("neg", ("num", at[0]))), {}))
    again = number_key(value_at(("add", ("num", at[3]), ("neg", ("num", at[2]))), {}))
    if len(slope) != 2 or len(again) != 2 or slope[0] == 0 or Fraction(*again) != 1007 * Fraction(*slope):
        return 0, None
    step = number_key(value_at(("add", ("num", at[2]), ("neg", ("num", at[1]))), {}))
    if step != slope:
        return 0, None
    root = value_key(("div", ("neg", ("num", at[0])), ("num", Fraction(*slope))))
    return (1 if slope[0] > 0 else -1), root


def _scaled(parts: list[Node], operator: str) -> Key:
    """left < right as the values of right - left at fixed points, up to a positive factor."""
    left, right = parts
    if operator in (">", ">="):
        left, right, operator = right, left, _FLIPPED[operator]
    difference = ("add", right, ("neg", left))
    values = [value_at(difference, Point(number)) for number in (1, 2, 3)]
    scale = abs(values[0])
    if scale == 0 or any(hasattr(v, "_mpc_") for v in values):
        raise NoValue("no scale")
    if operator == "!=":
        scale = values[0]
    return (
        "inequality",
        operator,
        tuple(number_key(value_at(("div", ("num", v), ("num", scale)), {})) for v in values),
    )
