"""Numbers that are certainly irrational: a small rational number with one pi or one square root in it.

To look for a fraction in a ball takes as long as all the rest of reading 3 + \\sqrt{5}; here one need not look.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Literal

from mathquorum.answers.expressions import Node

__all__ = ["is_irrational"]

_SMALL = 1 << 32  # of numerators and denominators: no fraction that a key may hold is within 2^-900 of such a number
_Found = Fraction | Literal["irrational"] | None


def is_irrational(node: Node) -> bool:
    """Whether an expression is seen to be irrational; False where it is not seen."""
    return _found(node, 8) == "irrational"


def _found(node: Node, depth: int) -> _Found:
    """A rational value, "irrational", or None for all that is neither seen to be."""
    kind = node[0]
    if kind == "num":
        return _small(Fraction(node[1]))
    if kind == "pi":
        return "irrational"
    if not depth:
        return None
    if kind == "root":
        return _root(node, depth)
    if kind == "neg":
        value = _found(node[1], depth - 1)
        return -value if isinstance(value, Fraction) else value
    if kind in ("add", "mul", "div") and len(node) == 3:
        return _combined(kind, _found(node[1], depth - 1), _found(node[2], depth - 1))
    return None


def _root(node: Node, depth: int) -> _Found:
    value = _found(node[2], depth - 1) if node[1] == ("num", 2) else None
    if not isinstance(value, Fraction) or value < 0:
        return None
    top, bottom = isqrt(value.numerator), isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    return "irrational"


def _combined(kind: str, a: _Found, b: _Found) -> _Found:
    if a is None or b is None or (a == b == "irrational"):
        return None
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        if kind == "add":
            return _small(a + b)
        if kind == "mul":
            return _small(a * b)
        return _small(a / b) if b else None
    if kind != "add" and 0 in (a, b):
        return None
    return "irrational"


def _small(value: Fraction) -> Fraction | None:
    return value if max(abs(value.numerator), value.denominator) < _SMALL else None
