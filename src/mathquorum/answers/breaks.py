"""The places where a function of one variable changes its formula: at the zeros in |x - 2|, at the borders of cases.

Found exactly where the borders are roots of polynomials, so that cases that change at 5 are not those that change at 6, however many
points between them agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

from mathquorum.answers.arithmetic import NoValue, is_exact, scattered
from mathquorum.answers.certified import certified
from mathquorum.answers.expressions import Choices, Node
from mathquorum.answers.number_keys import digits_key, real_value
from mathquorum.answers.polynomials import coefficients, real_roots

__all__ = ["breaks"]

Key = tuple[Any, ...]

WINDOW = (Fraction(-7, 4), Fraction(9, 4))
MAX_JUMPS = 24
NEAR = Fraction(1, 1 << 60)  # no two borders are so close


def breaks(node: Node, name: str, jumps: bool) -> Key:
    """The places, in order, at which another formula begins, with the value there: () for one formula.

    With `jumps`, floors count too, with their jumps in WINDOW.
    """
    places = {root[1]: root for border in _borders(node) for root in _roots(border, name)}
    if jumps:
        places |= {root[1]: root for root in _jumps(node, name)}
    found = []
    for place in places.values():
        at = real_value(place[1])
        if at is not None and _formula(node, name, at - NEAR) != _formula(node, name, at + NEAR):
            found.append((at, place[1], _value(node, name, at) if len(place[1]) == 2 else None))
    return tuple(f[1:] for f in sorted(found, key=lambda f: f[0]))


def _borders(node: Node) -> Iterator[Node]:
    """Expressions whose zeros may be borders."""
    if node[0] == "abs":
        yield node[1]
    elif node[0] in ("max", "min"):
        for a, b in combinations(node[1:], 2):
            yield ("add", a, ("neg", b))
    elif node[0] == "case":
        parts = node[2:]
        for index in range(0, len(parts) - 1, 2):
            yield ("add", parts[index], ("neg", parts[index + 2]))
    for child in node[1:]:
        if type(child) is tuple and child:
            yield from _borders(child)


def _jumps(node: Node, name: str) -> Iterator[Key]:
    """The places where floors jump."""
    if node[0] in ("floor", "ceil"):
        low, high = sorted(_whole_part(node[1], name, end) for end in WINDOW)
        for step in range(low, high + 2) if high - low < MAX_JUMPS else ():
            for root in _roots(("add", node[1], ("num", -step)), name):
                place = real_value(root[1])
                if place is not None and WINDOW[0] < place < WINDOW[1]:
                    yield root
    for child in node[1:]:
        if type(child) is tuple and child:
            yield from _jumps(child, name)


def _whole_part(node: Node, name: str, place: Fraction) -> int:
    """The integer part of a rational value; 0 of any other."""
    try:
        value, _ = certified(node, {name: place})
    except NoValue:
        return 0
    return math.floor(value) if is_exact(value) else 0


def _roots(node: Node, name: str) -> list[Key]:
    polynomial = coefficients(node, name)
    return real_roots(polynomial) if polynomial is not None and len(polynomial) > 1 else []


def _formula(node: Node, name: str, place: Fraction) -> Key | None:
    """Digits that tell the formula that holds at a place from others: its value far from there."""
    noted: Choices = {}
    try:
        certified(node, {name: place}, noted=noted)
        value, _ = certified(node, {name: 3 * scattered(name)}, frozen=noted)
        return digits_key(value)
    except NoValue:
        return None


def _value(node: Node, name: str, place: Fraction) -> Key | None:
    try:
        value, _ = certified(node, {name: place})
        return digits_key(value)
    except NoValue:
        return None
