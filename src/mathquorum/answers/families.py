"""Keys of expressions with a name that stands for any value: a constant of integration, the variable of a function.

x^2 + C and x^2 + 1 + C are one family, whose key is the differences of its values between points. f(t) = t^2 has the key of
t^2 with x for t beside its own, so that a reference f(x) = x^2 can match it, while x^2 and t^2 stay different.
"""

from __future__ import annotations

import re
from typing import Any

from mathquorum.answers.arithmetic import NoValue, Number, is_zero
from mathquorum.answers.certified import ratio
from mathquorum.answers.expressions import Node, substitute, variables
from mathquorum.answers.number_keys import digits_key
from mathquorum.answers.value_keys import NUM_REAL_POINTS, WHOLE_NAMES, Point, value_key, values_at

__all__ = ["expression_key", "function_key"]

Key = tuple[Any, ...]

_ARBITRARY = re.compile(r"C(_\d)?")  # nothing else than a constant of integration
_PERHAPS = re.compile(r"[cKkD](_\d)?|C'|const")  # one, if the reference says so
_NUMBERED = re.compile(r"[Cc]_\d")  # several of them solve a differential equation
_BOUND = re.compile(r"[A-Za-z]\w*'*\(([a-z]\w*)\)|[A-Za-z]_\{?([kmjN])\}?")  # f(t), a_k


def expression_key(node: Node) -> Key:
    """The key of an expression: of a family when it ends in + C, else of its values.

    Raises:
        NoValue: When there is none.
    """
    own = value_key(node)
    if own[0] != "x":
        return own
    names = variables(node)
    if (numbered := sorted(n for n in names if _NUMBERED.fullmatch(n))) and len(numbered) > 1:
        return _solutions(node, numbered) or own
    name = _constant_of(names)
    if name is None:
        return own
    rest = substitute(node, name, ("num", 0))
    try:
        if value_key(("add", node, ("neg", rest))) != value_key(("var", name)) or (bare := value_key(rest))[0] != "x":
            return own
        family = (*_differences(rest), *bare[2:])  # and where bars turn, so that ln|x| is not ln x
    except NoValue:
        return own
    return ("family", family) if _ARBITRARY.fullmatch(name) else ("family member", own, family)


def function_key(label: str, node: Node) -> Key:
    """The key of a function or sequence that a label such as f(t) or a_k names: where the variable is not x or n, under both names.

    Raises:
        NoValue: When there is none.
    """
    own = expression_key(node)
    match = _BOUND.fullmatch(label)
    name = (match[1] or match[2]) if match else None
    usual = "n" if name in WHOLE_NAMES else "x"
    names = variables(node)
    if name is None or name == usual or name not in names or usual in names:
        return own
    return ("function", expression_key(substitute(node, name, ("var", usual))), own)


def _solutions(node: Node, names: list[str]) -> Key | None:
    """The key of C_1 f + C_2 g + h: f and g up to factors, in no order, and h. None when the constants stand otherwise."""
    rest = node
    for name in names:
        rest = substitute(rest, name, ("num", 0))
    basis = set()
    try:
        total: Node = rest
        for name in names:
            alone = rest
            part = node
            for other in names:
                part = substitute(part, other, ("num", int(other == name)))
            factor: Node = ("add", part, ("neg", alone))
            total = ("add", total, ("mul", ("var", name), factor))
            basis.add(_shape(factor))
        return ("solutions", frozenset(basis), value_key(rest)) if value_key(total) == value_key(node) else None
    except NoValue:
        return None


def _shape(node: Node) -> Key:
    """A function up to a factor: the ratios of its values at fixed points to the first."""
    if not variables(node):
        return ("constant", value_key(node) != ("n", (0, 1)))
    values = [v for v in values_at(node, [Point(number) for number in range(NUM_REAL_POINTS)]) if v is not None]
    if not values or is_zero(values[0]):
        raise NoValue("nothing to compare with")
    return tuple(digits_key(ratio(v, values[0])) for v in values)


def _constant_of(names: frozenset[str]) -> str | None:
    """The name among these that may stand for an arbitrary constant."""
    if len(names) < 2 or any(
        name[0].isupper() and not _ARBITRARY.fullmatch(name) and not _PERHAPS.fullmatch(name) for name in names
    ):
        return None  # among capitals, C is a quantity
    for pattern in (_ARBITRARY, _PERHAPS):
        found = sorted(name for name in names if pattern.fullmatch(name))
        if found:
            return found[0]
    return None


def _differences(node: Node) -> Key:
    """The amounts by which the values at fixed points exceed the value at the first."""
    again = node
    for name in variables(node):
        again = substitute(again, name, ("var", name + _FIRST))
    values = values_at(("add", node, ("neg", again)), [_FromFirst(number) for number in range(1, 2 * NUM_REAL_POINTS)])
    return tuple(None if v is None else digits_key(v) for v in values)


_FIRST = " at the first point"


class _FromFirst(Point):
    """A point that holds the first point too, under other names."""

    def __missing__(self, name: str) -> Number:
        if name.endswith(_FIRST):
            self[name] = Point(0)[name.removesuffix(_FIRST)]
            return self[name]
        return super().__missing__(name)
