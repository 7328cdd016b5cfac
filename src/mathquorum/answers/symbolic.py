"""The hard tail: integrals, limits, infinite sums and derivatives, worked out by sympy in a process of its own.

Only what the lexer has understood is sent, written anew from tokens; words and unknown commands never leave. The worker
returns an expression, which is then evaluated like every other. Without one in time the answer is compared as text, "not shown
equal", and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mathquorum.answers.expressions import Node
from mathquorum.answers.splitting import closing, step
from mathquorum.answers.tokens import Token

__all__ = ["SymbolicReport", "derivative_of", "is_calculus", "symbolic_node", "symbolic_report"]

MAX_TOKENS = 120

_OPERATORS = {"*": r"\cdot ", "=>": r"\to ", "<=": r"\le ", ">=": r"\ge ", "\\{": "(", "\\}": ")", "+-": r"\pm "}
_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "acot": "arccot"}
_DERIVATIVE = [("f", "frac"), ("o", "{"), ("v", "d"), ("o", "}"), ("o", "{"), ("v", "d")]


@dataclass(frozen=True)
class SymbolicReport:
    """How the answers fared that needed the tail: in this process, since it started."""

    asked: int
    answered: int
    timed_out: int


_counts = {"asked": 0, "answered": 0, "timed_out": 0}


def symbolic_report() -> SymbolicReport:
    """The counts so far; an answer that timed out was not shown equal to anything."""
    return SymbolicReport(**_counts)


def is_calculus(tokens: list[Token]) -> bool:
    """Whether the tokens hold an operation that only the tail can carry out."""
    if ("f", "int") in tokens or ("f", "lim") in tokens or ("c", "partial") in tokens:
        return True
    if ("c", "infty") in tokens and (("f", "sum") in tokens or ("f", "prod") in tokens):
        return True
    size = len(_DERIVATIVE)
    return any(tokens[i : i + size] == _DERIVATIVE for i in range(len(tokens) - size))


def derivative_of(tokens: list[Token]) -> tuple[str, list[Token]] | None:
    """(name, what is derived) of d/dx and one term, or all in brackets; None for anything else."""
    size = len(_DERIVATIVE)
    if (
        tokens[:size] != _DERIVATIVE
        or len(tokens) < size + 3
        or tokens[size][0] != "v"
        or tokens[size + 1] != ("o", "}")
    ):
        return None
    body = tokens[size + 2 :]
    whole = body[0] in (("o", "("), ("o", "[")) and closing(body, 0) == len(body) - 1
    depth = 0
    for token in body:
        depth += step(token)
        if not whole and depth == 0 and token in (("o", "+"), ("o", "-"), ("o", "=")):
            return None
    return None if is_calculus(body) else (str(tokens[size][1]), body)


def symbolic_node(tokens: list[Token], seconds: float) -> Node | None:
    """What an expression of calculus comes to; None when sympy finds nothing in time."""
    if seconds <= 0 or len(tokens) > MAX_TOKENS:
        return None
    latex = _latex(tokens)
    return _node_of(latex, seconds) if latex else None


@lru_cache(maxsize=10_000)
def _node_of(latex: str, seconds: float) -> Node | None:
    from mathquorum.answers.symbolic_pool import TimedOut, pool  # lazy: starts no process before the first such answer

    _counts["asked"] += 1
    try:
        reply = pool.ask({"latex": latex}, seconds)
    except TimedOut:
        _counts["timed_out"] += 1
        return None
    node = reply.get("node") if isinstance(reply, dict) else None
    if node is None:
        return None
    _counts["answered"] += 1
    return tuple(_tuples(part) for part in node)


def _tuples(value: Any) -> Any:
    """Tuples for lists; a ratio ["ratio", top, bottom] is a number."""
    if not isinstance(value, list):
        return value
    if value[:1] == ["ratio"]:
        return Fraction(value[1], value[2])
    return tuple(_tuples(v) for v in value)


def _latex(tokens: list[Token]) -> str | None:
    """The tokens as LaTeX again; None when one of them has no place in a formula."""
    parts: list[str] = []
    for kind, value in tokens:
        if kind == "n":
            fraction = isinstance(value, Fraction)
            parts.append(f"\\frac{{{value.numerator}}}{{{value.denominator}}}" if fraction else f"{{{value}}}")
        elif kind == "v":
            parts.append(str(value) if len(value) == 1 else f"\\{value} ")
        elif kind == "f":
            parts.append(f"\\{_NAMES.get(str(value), str(value))} ")
        elif kind == "o" and value not in ("$", "\\\\", "&", "#"):
            parts.append(_OPERATORS.get(str(value), str(value)))
        elif kind == "c" and value in ("infty", "partial"):
            parts.append(f"\\{value} ")
        else:
            return None
    return "".join(parts)
