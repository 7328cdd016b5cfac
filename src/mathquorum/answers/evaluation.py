"""The value of an expression at a point: exact where arithmetic stays rational, to 60 digits where it does not.

An expression is a tree of tuples made by `grammar`: ("add", a, b), ("pow", a, b), ("sin", a). Nothing else is understood,
and no text is ever executed.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import (
    NoValue,
    Number,
    add,
    as_digits,
    binomial,
    checked,
    digits60,
    div,
    factorial,
    imaginary_unit,
    mul,
    power,
    root,
    without_noise,
)  # fmt: skip
from mathquorum.answers.number_keys import number_key

__all__ = ["Node", "value_at", "variables"]

Node = tuple[Any, ...]

DEGREES_FROM = 5  # a whole number of at least this under a trigonometric function is degrees: \\cos 58
MAX_TERMS = 20_000  # of a finite sum or product
SERIES_SECONDS = 0.3


def value_at(node: Node, point: Mapping[str, Number]) -> Number:
    """The value with variables read from `point`, or else from their names.

    Raises:
        NoValue: When it cannot be computed within the limits.
    """
    try:
        value = _eval(node, point)
    except NoValue:
        raise
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise NoValue(str(error)) from error
    if not isinstance(value, (int, Fraction)) and not digits60().isfinite(value):
        raise NoValue("not finite")
    return value


def variables(node: Node) -> frozenset[str]:
    """The names of the free variables, unknown functions included."""
    if node[0] == "var":
        return frozenset((node[1],))
    if node[0] == "call":
        return frozenset((node[1] + "()",)).union(*(variables(n) for n in node[2]))
    if node[0] in ("sum", "prod"):
        inner = variables(node[4]) - {node[1]}
        return inner | variables(node[2]) | variables(node[3])
    return frozenset().union(*(variables(n) for n in node[1:] if type(n) is tuple))


def _eval(node: Node, point: Mapping[str, Number]) -> Number:
    kind = node[0]
    if kind == "num":
        return node[1]
    if kind == "var":
        return point[node[1]]
    if kind == "add":
        total = _eval(node[1], point)
        for part in node[2:]:
            total = add(total, _eval(part, point))
        return total
    if kind == "mul":
        product = _eval(node[1], point)
        for part in node[2:]:
            product = mul(product, _eval(part, point))
        return product
    if kind == "neg":
        return -_eval(node[1], point)
    if kind == "div":
        return div(_eval(node[1], point), _eval(node[2], point))
    if kind == "pow":
        return power(_eval(node[1], point), _eval(node[2], point))
    if kind == "root":
        return root(_eval(node[2], point), _eval(node[1], point))
    if kind == "deg":
        return _eval(node[1], point)
    handler = _FUNCTIONS.get(kind)
    if handler is None:
        raise NoValue(kind)
    return handler(node, point)


def _call(node: Node, point: Mapping[str, Number]) -> Number:
    """An unknown function: a number fixed by its name and the values of its arguments."""
    arguments = [number_key(_eval(n, point)) for n in node[2]]
    return 1009 + zlib.crc32(f"{node[1]}{arguments}".encode()) % 10**6


def _angle(node: Node, point: Mapping[str, Number]) -> Number:
    """The argument of a trigonometric function, in radians; degrees are converted here and nowhere else."""
    value = _eval(node, point)
    if _in_degrees(node) or (isinstance(value, int) and abs(value) >= DEGREES_FROM and not variables(node)):
        return mul(value, digits60().pi / 180)
    return value


def _in_degrees(node: Node) -> bool:
    if node[0] == "deg":
        return True
    return node[0] in ("add", "neg", "mul", "div") and any(_in_degrees(n) for n in node[1:] if type(n) is tuple)


def _trig(node: Node, point: Mapping[str, Number]) -> Number:
    mp = digits60()
    name, angle = node[0], as_digits(_angle(node[1], point))
    if abs(angle) > mp.mpf(10) ** 15:
        raise NoValue("angle too large")
    sine, cosine = without_noise(mp.sin(angle)), without_noise(mp.cos(angle))
    if name == "sin":
        return sine
    if name == "cos":
        return cosine
    if name == "tan":
        return div(sine, cosine)
    if name == "cot":
        return div(cosine, sine)
    return div(1, cosine if name == "sec" else sine)


def _mp_function(node: Node, point: Mapping[str, Number]) -> Number:
    value = as_digits(_eval(node[1], point))
    if node[0] in ("sinh", "cosh", "tanh") and abs(value) > 10**9:
        raise NoValue("too large")
    if node[0] == "acot":
        return digits60().acot(value)
    return without_noise(checked(getattr(digits60(), node[0])(value)))


def _exp(node: Node, point: Mapping[str, Number]) -> Number:
    return power(digits60().e, _eval(node[1], point))


def _log(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if value == 0:
        raise NoValue("logarithm of zero")
    base = _eval(node[2], point)
    mp = digits60()
    if base == 0 or base == 1:
        raise NoValue("logarithm to base 0 or 1")
    return div(without_noise(mp.log(as_digits(value))), mp.log(as_digits(base)))


def _ln(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if value == 0:
        raise NoValue("logarithm of zero")
    return without_noise(digits60().log(as_digits(value)))


def _rounded(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if isinstance(value, (int, Fraction)):
        return math.floor(value) if node[0] == "floor" else math.ceil(value)
    key = number_key(value)
    if len(key) == 2:
        return _rounded((node[0], ("num", Fraction(*key))), point)
    if key[0] != "r" or abs(value) > 10**30:
        raise NoValue("cannot be rounded")
    return int(digits60().floor(value) if node[0] == "floor" else digits60().ceil(value))


def _whole(node: Node, point: Mapping[str, Number]) -> Number:
    values = [_eval(n, point) for n in node[1:]]
    if not values or not all(isinstance(v, int) for v in values):
        raise NoValue("not whole numbers")
    if node[0] == "gcd":
        return math.gcd(*values)
    if node[0] == "lcm":
        return math.lcm(*values)
    if values[1] == 0:
        raise NoValue("division by zero")
    return values[0] % values[1]


def _best(node: Node, point: Mapping[str, Number]) -> Number:
    values = [_eval(n, point) for n in node[1:]]
    if any(hasattr(v, "_mpc_") for v in values):
        raise NoValue("not ordered")
    return max(values, key=as_digits) if node[0] == "max" else min(values, key=as_digits)


def _series(node: Node, point: Mapping[str, Number]) -> Number:
    kind, name, low_node, high_node, term = node
    low, high = _eval(low_node, point), _eval(high_node, point)
    if not isinstance(low, int) or not isinstance(high, int):
        raise NoValue("open bounds")
    if high - low >= MAX_TERMS:
        raise NoValue("too many terms")
    deadline = point.deadline if isinstance(point, _Inner) else time.monotonic() + SERIES_SECONDS
    total: Number = 0 if kind == "sum" else 1
    inner = _Inner(point, deadline)
    for index in range(low, high + 1):
        if time.monotonic() > deadline:
            raise NoValue("too long")
        inner[name] = index
        value = _eval(term, inner)
        total = add(total, value) if kind == "sum" else mul(total, value)
    return total


class _Inner(dict[str, Any]):
    """A point with one more variable bound, and the time by which the outermost series must be done."""

    def __init__(self, outer: Mapping[str, Number], deadline: float) -> None:
        super().__init__()
        self.outer = outer
        self.deadline = deadline

    def __missing__(self, name: str) -> Number:
        return self.outer[name]


def _abs(node: Node, point: Mapping[str, Number]) -> Number:
    return abs(_eval(node[1], point))


_FUNCTIONS: dict[str, Any] = {
    "pi": lambda node, point: +digits60().pi,
    "e": lambda node, point: +digits60().e,
    "i": lambda node, point: imaginary_unit(),
    "call": _call,
    "abs": _abs,
    "fact": lambda node, point: factorial(_eval(node[1], point)),
    "binom": lambda node, point: binomial(_eval(node[1], point), _eval(node[2], point)),
    "log": _log,
    "ln": _ln,
    "exp": _exp,
    "floor": _rounded,
    "ceil": _rounded,
    "gcd": _whole,
    "lcm": _whole,
    "mod": _whole,
    "max": _best,
    "min": _best,
    "sum": _series,
    "prod": _series,
    **dict.fromkeys(("sin", "cos", "tan", "cot", "sec", "csc"), _trig),
    **dict.fromkeys(("asin", "acos", "atan", "acot", "sinh", "cosh", "tanh"), _mp_function),
    "conj": lambda node, point: digits60().conj(as_digits(_eval(node[1], point))),
}
