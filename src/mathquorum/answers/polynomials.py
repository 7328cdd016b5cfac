"""Polynomials in one variable with rational coefficients: found from values, and where they are positive."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

from mathquorum.answers.arithmetic import NoValue, balls, is_exact
from mathquorum.answers.certified import value_at
from mathquorum.answers.expressions import Node
from mathquorum.answers.number_keys import number_key, real_value
from mathquorum.answers.sets import MINUS_INFINITY, PLUS_INFINITY, Interval

__all__ = ["coefficients", "real_roots", "where"]

Key = tuple[Any, ...]

HIGHEST_DEGREE = 8
_CHECKS = (Fraction(101), Fraction(-1009, 7), Fraction(31, 97))
_PLACES: tuple[Any, ...] = (*range(HIGHEST_DEGREE + 1), *_CHECKS)


def coefficients(node: Node, name: str) -> list[Fraction] | None:
    """The coefficients from the lowest up of the polynomial that an expression in one variable is; None when it is none."""
    try:
        values = [value_at(node, {name: place}) for place in _PLACES]
    except NoValue:
        return None
    if not all(is_exact(v) for v in values):
        return None
    found = _interpolated([Fraction(v) for v in values[: HIGHEST_DEGREE + 1]])
    if any(_at(found, place) != value for place, value in zip(_CHECKS, values[-len(_CHECKS) :], strict=True)):
        return None
    return found


def _interpolated(values: list[Fraction]) -> list[Fraction]:
    """The polynomial through values at 0, 1, 2, ..., by Newton's differences, without leading zeros."""
    result = [Fraction(0)] * len(values)
    basis = [Fraction(1)]  # x (x - 1) ... (x - k + 1) / k!
    differences = values
    for k in range(len(values)):
        for power, coefficient in enumerate(basis):
            result[power] += differences[0] * coefficient
        differences = [b - a for a, b in pairwise(differences)]
        shifted = [Fraction(0), *basis]
        basis = [(s - k * c) / (k + 1) for s, c in zip(shifted, [*basis, Fraction(0)], strict=True)]
    while len(result) > 1 and not result[-1]:
        result.pop()
    return result


def _at(polynomial: list[Fraction], place: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(polynomial):
        total = total * place + coefficient
    return total


def where(polynomial: list[Fraction], operator: str) -> list[Interval]:
    """The intervals where the polynomial compares with 0: `<`, `<=`, `>`, `>=`, `!=`.

    Raises:
        NoValue: When its roots cannot be told apart.
    """
    roots = real_roots(polynomial)
    places = [real_value(r[1]) for r in roots]
    if any(p is None for p in places):
        raise NoValue("roots out of range")
    known = [p for p in places if p is not None]
    edges = [known[0] - 1, *((a + b) / 2 for a, b in pairwise(known)), known[-1] + 1] if known else [Fraction(0)]
    bounds = [MINUS_INFINITY, *roots, PLUS_INFINITY]
    closed = operator in ("<=", ">=")
    found = []
    for low, high, inside in zip(bounds[:-1], bounds[1:], edges, strict=True):
        value = _at(polynomial, inside)
        if operator == "!=" or (value < 0) == operator.startswith("<"):
            found.append(Interval(low, high, closed and low != MINUS_INFINITY, closed and high != PLUS_INFINITY))
    return found + ([Interval(r, r, True, True) for r in roots] if closed else [])


def real_roots(polynomial: list[Fraction]) -> list[Key]:
    """The keys of the real roots in order, each once."""
    scale = lcm(*(c.denominator for c in polynomial))
    found = balls().real_roots([int(c * scale) for c in polynomial])
    return [("n", number_key(root)) for root in found]
