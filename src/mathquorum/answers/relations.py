"""Equations and inequalities: solved where they are linear, and otherwise compared up to scaling."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import NoValue, Number, balls, is_exact, is_negative, is_zero
from mathquorum.answers.certified import ratio, value_at
from mathquorum.answers.expressions import Node, substitute, variables
from mathquorum.answers.number_keys import ACCURATE, digits_key
from mathquorum.answers.polynomials import coefficients, where
from mathquorum.answers.sets import MINUS_INFINITY, PLUS_INFINITY, REALS, Interval, intersect, union
from mathquorum.answers.value_keys import points_for, value_key, values_at

__all__ = ["Key", "equation_key", "inequality_key"]

Key = tuple[Any, ...]

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def equation_key(left: Node, right: Node) -> Key:
    """A key that does not change when sides are swapped, terms are moved or both sides are scaled.

    With one variable and linear, it is the solution. In x, y (and z) and linear in the last of them, it is that variable's
    expression, so that `2x - y + 3 = 0`, `y = 2x + 3` and `2x + 3` are one answer. Otherwise the ratios of the
    difference of the sides at fixed points, with the value that the equation may give a quantity (a + b = 3) and the
    expression that it may be solved to (y = 8/x), for the comparison with a reference.

    Raises:
        NoValue: When there is no such key.
    """
    difference = ("add", left, ("neg", right))
    names = variables(difference)
    if not names:
        return ("truth", is_zero(value_at(difference, {})))
    if len(names) == 1:
        line = _line(difference, next(iter(names)))
        if line is not None:
            return value_key(("num", line.root))
    solved = _solved(difference, max(names)) if names <= {"x", "y", "z"} and len(names) > 1 else None
    given = _quantity(left, right, names)
    if solved is not None and given is None and _is_linear(difference, max(names)):
        return value_key(solved)
    try:
        shape = _proportions(difference, names, both_signs=True)
    except NoValue:
        if not (variables(left) and variables(right)) and value_key(difference) == ("n", (0, 1)):
            return value_key(left)  # an identity: sin^2 x + cos^2 x = 1
        raise
    return ("equation", shape, given, value_key(solved) if solved else None)


def _quantity(left: Node, right: Node, names: frozenset[str]) -> Key | None:
    """The value that an equation gives a named quantity: 3 of a + b = 3; None for one that wants to be solved, as x^2 = 4."""
    if variables(left) and variables(right):
        return None
    named, value = (left, right) if variables(left) else (right, left)
    if value_key(value) == ("n", (0, 1)):
        return None  # an equation with all terms on one side
    coordinates = names & {"x", "y", "z"}
    if not _is_pure(named) or (coordinates and not (_is_plain(named) and len(names) > 1)):
        return None
    if len(names) == 1 and not next(iter(names)).isupper() and named[0] in ("pow", "root", "mul", "div", "neg"):
        return None
    return value_key(value)


_OF_ANGLES = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))


def _is_pure(node: Node) -> bool:
    """Whether no number stands in the expression but as an exponent or a degree."""
    if node[0] == "pow":
        return _is_pure(node[1]) and not variables(node[2])
    if node[0] == "root":
        return _is_pure(node[2])
    if node[0] in _OF_ANGLES and not variables(node) & {"x", "y", "z"}:
        return True  # cos 2A, sin 2\\theta
    return node[0] != "num" and all(_is_pure(n) for n in node[1:] if type(n) is tuple and n and type(n[0]) is str)


def _is_plain(node: Node) -> bool:
    """Whether the expression is a sum or a product of names: x + y, xy, x/y, or a sum of three products or more."""
    if node[0] == "pow":
        return node[1][0] == "add" and _is_plain(node[1])
    parts = [n[1] if n[0] == "neg" else n for n in node[1:]]
    if node[0] == "mul":
        return all(n[0] == "var" or (_is_plain(n) and n[0] == "mul") for n in parts)
    if node[0] == "add" and len(parts) > 2 and all(n[0] == "mul" and _is_plain(n) for n in parts):
        return True  # xy + yz + zx
    return node[0] in ("add", "div") and all(n[0] == "var" for n in parts)


def _is_linear(node: Node, name: str) -> bool:
    """Whether the factor of a name is a number."""
    slope = value_key(("add", substitute(node, name, ("num", 1)), ("neg", substitute(node, name, ("num", 0)))))
    return bool(slope[0] == "n")


def _proportions(node: Node, names: frozenset[str], both_signs: bool) -> Key:
    """The ratios of an expression's values at fixed points to the first of them that is not zero, or to its size."""
    values = values_at(node, points_for(names))
    first = next((i for i, v in enumerate(values) if v is not None and not is_zero(v)), None)
    if first is None:
        raise NoValue("nothing to compare with")
    if len({None if v is None else digits_key(v) for v in values}) == 1:
        raise NoValue("nothing varies")
    scale = values[first] if both_signs else _size(values[first])
    return (first, *(None if v is None else digits_key(ratio(v, scale)) for v in values))


def _size(value: Number) -> Number:
    if not is_exact(value) and balls().is_complex(value):
        raise NoValue("not ordered")
    if not is_negative(value):
        return value
    with balls().precision(ACCURATE + 100):  # outside, a ball would be rounded to a float's bits
        return -value


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
    difference = ("add", left, ("neg", right))
    slope_sign, bound = _bound(difference, name)
    if bound is None:
        polynomial = coefficients(difference, name)
        return None if polynomial is None or len(polynomial) < 3 else where(polynomial, operator)
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
    """The amount by which an expression in one variable rises between two places, where that is rational."""
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
