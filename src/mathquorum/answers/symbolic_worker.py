"""What runs in a worker process: LaTeX in, an expression without calculus out. The main process imports nothing of this."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["main"]

MEMORY = 512 << 20  # bytes of address space


def main() -> None:
    """Answers requests until the pipe closes."""
    _limit_memory()
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the parser prints
    import latex2sympy2_extended  # noqa: F401

    replies.write("ready\n")
    replies.flush()
    for line in sys.stdin:
        replies.write(json.dumps({"node": _node_of(json.loads(line)["latex"])}) + "\n")
        replies.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _node_of(latex: str) -> Any:
    """The tree of a formula's value, or None for any reason: the caller cannot do more with one."""
    import sympy
    from latex2sympy2_extended import latex2sympy

    try:
        expression = latex2sympy(latex).doit()
        if not isinstance(expression, sympy.Expr):
            return None
        return _node(expression.subs({sympy.Symbol("e"): sympy.E, sympy.Symbol("i"): sympy.I}))
    except Exception:
        return None


_NAMES = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "asin": "asin", "acos": "acos", "atan": "atan",
    "acot": "acot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "exp": "exp", "log": "ln", "Abs": "abs", "floor": "floor",
    "ceiling": "ceil", "factorial": "fact", "binomial": "binom", "zeta": "zeta", "gamma": "gamma", "erf": "erf", "conjugate": "conj",
}  # fmt: skip
_CONSTANTS = {"Pi": "pi", "Exp1": "e", "ImaginaryUnit": "i", "EulerGamma": "eulergamma", "Catalan": "catalan"}


def _node(value: Any) -> Any:
    """A sympy expression as a tree of lists.

    Raises:
        ValueError: When it holds what our trees do not.
    """
    if value.is_Rational:
        return ["num", int(value.p) if value.q == 1 else ["ratio", int(value.p), int(value.q)]]
    name = type(value).__name__
    if name in _CONSTANTS:
        return [_CONSTANTS[name]]
    if value.is_Symbol:
        return ["var", str(value).replace("{", "").replace("}", "").lstrip("\\")]
    arguments = [_node(a) for a in value.args]
    if value.is_Add or value.is_Mul:
        return ["add" if value.is_Add else "mul", *arguments]
    if value.is_Pow:
        return ["pow", *arguments]
    if name not in _NAMES or len(arguments) != (2 if name == "binomial" else 1):
        raise ValueError(f"no place for {name}")
    return [_NAMES[name], *arguments]
