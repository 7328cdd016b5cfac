"""Derivatives of elementary expressions, by the rules of school."""

from __future__ import annotations

from collections.abc import Callable

from mathquorum.answers.expressions import Node, variables
from mathquorum.answers.grammar import Unreadable

__all__ = ["derivative"]

ONE: Node = ("num", 1)


def derivative(node: Node, name: str) -> Node:
    """The derivative by a variable.

    Raises:
        Unreadable: When the expression holds what has no rule here.
    """
    if name not in variables(node):
        return ("num", 0)
    kind = node[0]
    if kind == "var":
        return ONE
    if kind == "add":
        return ("add", *(derivative(part, name) for part in node[1:]))
    if kind == "neg":
        return ("neg", derivative(node[1], name))
    if kind == "mul":
        factors = node[1:]
        return (
            ("add", *(("mul", *factors[:i], derivative(f, name), *factors[i + 1 :]) for i, f in enumerate(factors)))
            if len(factors) > 1
            else derivative(factors[0], name)
        )
    if kind == "div":
        top, bottom = node[1:]
        change = ("add", ("mul", derivative(top, name), bottom), ("neg", ("mul", top, derivative(bottom, name))))
        return ("div", change, ("pow", bottom, ("num", 2)))
    if kind == "pow":
        return _of_power(node[1], node[2], name)
    if kind == "root":
        return _of_power(node[2], ("div", ONE, node[1]), name)
    if kind == "log":
        return derivative(("div", ("ln", node[1]), ("ln", node[2])), name)
    if kind in _OUTER:
        return ("mul", _OUTER[kind](node[1]), derivative(node[1], name))
    raise Unreadable(f"no derivative of {kind}")


def _of_power(base: Node, exponent: Node, name: str) -> Node:
    if name not in variables(exponent):
        lowered = ("pow", base, ("add", exponent, ("num", -1)))
        return ("mul", exponent, lowered, derivative(base, name))
    return ("mul", ("pow", base, exponent), derivative(("mul", exponent, ("ln", base)), name))


def _square(node: Node) -> Node:
    return ("pow", node, ("num", 2))


_OUTER: dict[str, Callable[[Node], Node]] = {
    "sin": lambda u: ("cos", u),
    "cos": lambda u: ("neg", ("sin", u)),
    "tan": lambda u: ("add", ONE, _square(("tan", u))),
    "cot": lambda u: ("neg", ("add", ONE, _square(("cot", u)))),
    "sec": lambda u: ("mul", ("sec", u), ("tan", u)),
    "csc": lambda u: ("neg", ("mul", ("csc", u), ("cot", u))),
    "exp": lambda u: ("exp", u),
    "ln": lambda u: ("div", ONE, u),
    "sinh": lambda u: ("cosh", u),
    "cosh": lambda u: ("sinh", u),
    "tanh": lambda u: ("add", ONE, ("neg", _square(("tanh", u)))),
    "asin": lambda u: ("div", ONE, ("root", ("num", 2), ("add", ONE, ("neg", _square(u))))),
    "acos": lambda u: ("neg", ("div", ONE, ("root", ("num", 2), ("add", ONE, ("neg", _square(u)))))),
    "atan": lambda u: ("div", ONE, ("add", ONE, _square(u))),
}
