"""One walk over an expression at a point: exact where arithmetic stays rational, balls where it does not.

An expression is a tree of tuples made by `grammar`: ("add", a, b), ("pow", a, b), ("sin", a). Nothing else is understood,
and no text is ever executed.

A ball holds the value, but it does not say that every term shows in it: at x = 1000, e^x + 1 and e^x + 2 have the same
first 400 digits. So each sum notes by how many bits its largest term exceeds its smallest, and so does every function that is
flat where its argument lies. `certified` refuses values in which this comes to more than they keep.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from mathquorum.answers import arithmetic
from mathquorum.answers.arithmetic import (
    EXACT_VALUES,
    NoValue,
    Number,
    add,
    balls,
    div,
    is_exact,
    is_negative,
    is_zero,
    mul,
    power,
    root,
)
from mathquorum.answers.number_keys import ACCURATE, digits_key

__all__ = ["Choices", "NeedsBalls", "Node", "Outside", "Walk", "substitute", "variables"]

Node = tuple[Any, ...]

NOTICED = 24  # bits: smaller differences in size are not added up
DEGREES_FROM = 5  # a whole number of at least this under a trigonometric function is degrees: \\cos 58
MAX_TERMS = 20_000  # of a finite sum or product
SERIES_SECONDS = 0.3


class Outside(NoValue):
    """The point is outside the real domain of the expression."""


class NeedsBalls(Exception):
    """The value is not rational."""


Choices = dict[int, Any]  # the branch that a node took: the sign of what stands in bars, the case that held


def variables(node: Node) -> frozenset[str]:
    """The names of the free variables, unknown functions included."""
    found: set[str] = set()
    _collect(node, found)
    return frozenset(found)


def _collect(node: Node, found: set[str]) -> None:
    kind = node[0]
    if kind == "num":
        return
    if kind == "var":
        found.add(node[1])
    elif kind == "call":
        found.add(node[1] + "()")
        for part in node[2]:
            _collect(part, found)
    elif kind in ("sum", "prod"):
        found |= variables(node[4]) - {node[1]}
        _collect(node[2], found)
        _collect(node[3], found)
    else:
        for part in node[1:]:
            if type(part) is tuple:
                _collect(part, found)


def substitute(node: Node, name: str, value: Node) -> Node:
    """The expression with a variable replaced."""
    if node == ("var", name):
        return value
    if node[0] == "call":
        return ("call", node[1], tuple(substitute(n, name, value) for n in node[2]))
    return tuple(substitute(n, name, value) if type(n) is tuple else n for n in node)


class Walk:
    """One walk over the tree at one point and one precision.

    Attributes:
        point: The values of the variables.
        bits: The precision. At 0 only rational numbers are computed, and the first other one raises `NeedsBalls`.
        is_real: Complex numbers on the way are an `Outside`.
        noted: Takes the branches that |x|, floors and cases take here.
        frozen: Branches to take instead of those that hold here.
        hidden: Bits by which terms are hidden beside larger ones.
    """

    def __init__(
        self,
        point: Mapping[str, Number],
        bits: int,
        is_real: bool = False,
        noted: Choices | None = None,
        frozen: Choices | None = None,
    ) -> None:
        self.point = point
        self.bits = bits
        self.is_real = is_real
        self.noted = noted
        self.frozen = frozen
        self.hidden = 0
        self.bound: dict[str, int] = {}  # indices of sums
        self.deadline = 0.0

    def notice(self, bits: int) -> None:
        """Adds bits by which something is hidden beside something larger."""
        if bits > NOTICED:
            self.hidden += bits

    def value(self, node: Node) -> Number:
        kind = node[0]
        if kind == "num":
            return node[1]
        if kind == "var":
            return self.variable(node[1])
        if kind == "add":
            return self.sum([self.value(part) for part in node[1:]])
        if kind == "mul":
            product = self.value(node[1])
            for part in node[2:]:
                product = mul(product, self.value(part))
            return product
        if kind == "neg":
            return -self.value(node[1])
        if kind == "div":
            return div(self.value(node[1]), self.value(node[2]))
        handler = _FUNCTIONS.get(kind)
        if handler is None:
            raise NoValue(str(kind))
        value = handler(self, node)
        if type(value) is not int and not is_exact(value):
            self.check(value)
        return value

    def variable(self, name: str) -> Number:
        if name in self.bound:
            return self.bound[name]
        value = self.point[name]
        if not self.bits and not is_exact(value):
            raise NeedsBalls
        return value

    def check(self, value: Number) -> None:
        """Refuses a number, which is not rational, that this walk may not meet."""
        if not self.bits:
            raise NeedsBalls
        if self.is_real and balls().is_complex(value):
            raise Outside("not real here")

    def sum(self, terms: list[Number]) -> Number:
        total = terms[0]
        for term in terms[1:]:
            total = add(total, term)
        if not is_exact(total) or self.point:
            sizes = [s for s in map(_size, terms) if s is not None]
            if sizes:
                self.notice(max(sizes) - min(sizes))
        return total

    def angle(self, node: Node) -> Number:
        """The argument of a trigonometric function, in radians; degrees are converted here and nowhere else."""
        value = self.value(node)
        if _in_degrees(node) or (isinstance(value, int) and abs(value) >= DEGREES_FROM and not variables(node)):
            if not self.bits:
                raise NeedsBalls
            return mul(value, div(balls().pi(), 180))
        return value

    def choice(self, node: Node, choose: Callable[[], Any]) -> Any:
        """The branch that a node takes: the frozen one, or the one that holds, which is noted."""
        if self.frozen is not None and id(node) in self.frozen:
            return self.frozen[id(node)]
        chosen = choose()
        if self.noted is not None and not self.bound:
            self.noted[id(node)] = chosen
        return chosen

    def apply(self, name: str, argument: Number) -> Number:
        """An elementary function; what its value hides of the argument is noted."""
        if not self.bits and (name, argument) not in EXACT_VALUES:
            raise NeedsBalls
        size = _size(argument)
        if size is not None:
            if size < 0 and name != "ln":
                self.notice(-2 * size)
            elif name in ("sinh", "cosh", "tanh"):
                self.notice(3 << max(size, 0))
            elif name == "atan":
                self.notice(2 * size)
        return arithmetic.apply(name, argument)


def _size(value: Number) -> int | None:
    if type(value) is int:
        return value.bit_length() or None
    return balls().size(value)  # type: ignore[no-any-return]


def _in_degrees(node: Node) -> bool:
    if node[0] == "deg":
        return True
    return node[0] in ("add", "neg", "mul", "div") and any(_in_degrees(n) for n in node[1:] if type(n) is tuple)


def _power(walk: Walk, node: Node) -> Number:
    base, exponent = walk.value(node[1]), walk.value(node[2])
    if not isinstance(exponent, int):
        walk.notice(-(_size(exponent) or 0))
    return power(base, exponent)


def _root(walk: Walk, node: Node) -> Number:
    return root(walk.value(node[2]), walk.value(node[1]))


def _call(walk: Walk, node: Node) -> Number:
    """An unknown function: a number fixed by its name and the values of its arguments."""
    if not walk.bits:
        raise NeedsBalls
    keys = [digits_key(walk.value(n)) for n in node[2]]
    return arithmetic.scattered(f"{node[1]}{keys}")


def _trig(walk: Walk, node: Node) -> Number:
    name, angle = node[0], walk.angle(node[1])
    if name in ("sin", "cos"):
        return walk.apply(name, angle)
    sine, cosine = walk.apply("sin", angle), walk.apply("cos", angle)
    if name == "tan":
        return div(sine, cosine)
    if name == "cot":
        return div(cosine, sine)
    return div(1, cosine if name == "sec" else sine)


def _elementary(walk: Walk, node: Node) -> Number:
    return walk.apply(node[0], walk.value(node[1]))


def _acot(walk: Walk, node: Node) -> Number:
    return walk.apply("atan", div(1, walk.value(node[1])))


def _log(walk: Walk, node: Node) -> Number:
    value, base = walk.value(node[1]), walk.value(node[2])
    if is_zero(base) or (is_exact(base) and base == 1):
        raise NoValue("logarithm to base 0 or 1")
    return div(walk.apply("ln", value), walk.apply("ln", base))


def _rounded(walk: Walk, node: Node) -> Number:
    value = walk.value(node[1])
    if node[0] == "floor":
        return walk.choice(node, lambda: _floor(value))
    return walk.choice(node, lambda: -_floor(-value))


def _floor(value: Number) -> int:
    if is_exact(value):
        return int(value // 1)
    if balls().is_complex(value):
        raise NoValue("cannot be rounded")
    return int(balls().floor(value, ACCURATE))


def _whole(walk: Walk, node: Node) -> Number:
    values = [walk.value(n) for n in node[1:]]
    if not values or not all(isinstance(v, int) for v in values):
        raise NoValue("not whole numbers")
    if node[0] == "gcd":
        return math.gcd(*values)
    if node[0] == "lcm":
        return math.lcm(*values)
    if values[1] == 0:
        raise NoValue("division by zero")
    return values[0] % values[1]


def _best(walk: Walk, node: Node) -> Number:
    values = [walk.value(n) for n in node[1:]]
    if any(not is_exact(v) and balls().is_complex(v) for v in values):
        raise NoValue("not ordered")
    return values[walk.choice(node, lambda: _index_of_best(node[0], values))]


def _index_of_best(name: str, values: list[Number]) -> int:
    best = 0
    for index, value in enumerate(values):
        difference = add(value, -values[best])
        if index and (is_negative(difference) if name == "min" else is_negative(-difference)):
            best = index
    return best


def _series(walk: Walk, node: Node) -> Number:
    kind, name, low_node, high_node, term = node
    low, high = walk.value(low_node), walk.value(high_node)
    if not isinstance(low, int) or not isinstance(high, int):
        raise NoValue("open bounds")
    if high - low >= MAX_TERMS:
        raise NoValue("too many terms")
    outermost = not walk.bound
    if outermost:
        walk.deadline = time.monotonic() + SERIES_SECONDS
    before = walk.bound.get(name)
    terms = []
    try:
        for index in range(low, high + 1):
            if time.monotonic() > walk.deadline:
                raise NoValue("too long")
            walk.bound[name] = index
            terms.append(walk.value(term))
    finally:
        if before is None:
            walk.bound.pop(name, None)
        else:
            walk.bound[name] = before
    if not terms:
        return 0 if kind == "sum" else 1
    if kind == "sum":
        return walk.sum(terms)
    product: Number = 1
    for factor in terms:
        product = mul(product, factor)
    return product


def _abs(walk: Walk, node: Node) -> Number:
    value = walk.value(node[1])
    if not is_exact(value) and (balls().is_complex(value) or value.contains(0)):
        return abs(value)  # of what may be zero there is no sign to note
    return value * walk.choice(node, lambda: _sign(value))


def _sign(value: Number) -> int:
    if is_exact(value):
        return -1 if value < 0 else 1
    return int(balls().sign(value))


def _cases(walk: Walk, node: Node) -> Number:
    """("cases", (value, left, operator, right, operator, right, ...), ...): the first whose comparisons hold."""
    return walk.value(node[1 + walk.choice(node, lambda: _holding(walk, node))][1])


def _holding(walk: Walk, node: Node) -> int:
    for index, case in enumerate(node[1:]):
        comparisons = case[2:]
        if all(_holds(walk, *comparisons[i : i + 3]) for i in range(0, len(comparisons) - 1, 2)):
            return index
    raise Outside("no case holds")


def _holds(walk: Walk, left: Node, operator: Node, right: Node) -> bool:
    difference = walk.value(("add", left, ("neg", right)))
    if is_exact(difference):
        sign = (difference > 0) - (difference < 0)
    else:
        sign = 0 if difference.is_zero() else int(balls().sign(difference))
    return sign in _SIGNS[operator[1]]


_SIGNS = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (1, 0), "=": (0,), "!=": (-1, 1)}


def _constant(name: str) -> Callable[[Walk, Node], Number]:
    def value(walk: Walk, node: Node) -> Number:
        if not walk.bits:
            raise NeedsBalls
        return getattr(balls(), name)()

    return value


def _of_values(operation: Callable[..., Number]) -> Callable[[Walk, Node], Number]:
    return lambda walk, node: operation(*[walk.value(n) for n in node[1:]])


_FUNCTIONS: dict[str, Callable[[Walk, Node], Number]] = {
    "pow": _power,
    "root": _root,
    "deg": lambda walk, node: walk.value(node[1]),
    "pi": _constant("pi"),
    "e": _constant("e"),
    "i": _constant("imaginary_unit"),
    "call": _call,
    "abs": _abs,
    "fact2": _of_values(arithmetic.double_factorial),
    "fact": _of_values(arithmetic.factorial),
    "binom": _of_values(arithmetic.binomial),
    "log": _log,
    "ln": _elementary,
    "floor": _rounded,
    "ceil": _rounded,
    "gcd": _whole,
    "lcm": _whole,
    "mod": _whole,
    "max": _best,
    "min": _best,
    "sum": _series,
    "prod": _series,
    "cases": _cases,
    **dict.fromkeys(("sin", "cos", "tan", "cot", "sec", "csc"), _trig),
    **dict.fromkeys(("asin", "acos", "atan", "sinh", "cosh", "tanh", "exp"), _elementary),
    **dict.fromkeys(("zeta", "gamma", "erf"), _elementary),
    "eulergamma": _constant("euler_gamma"),
    "catalan": _constant("catalan"),
    "acot": _acot,
    "conj": lambda walk, node: arithmetic.conjugate(walk.value(node[1])),
}
