"""What runs in a worker process: LaTeX in, the key of its value out. Nothing here is imported by the main process."""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import digits60
from mathquorum.answers.number_keys import number_key
from mathquorum.answers.values import Point

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
        replies.write(json.dumps({"key": _key(json.loads(line)["latex"])}) + "\n")
        replies.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _key(latex: str) -> Any:
    """The key of a formula's value, or None for any reason: the caller cannot do more with one."""
    import sympy
    from latex2sympy2_extended import latex2sympy

    try:
        expression = latex2sympy(latex).doit()
        if not isinstance(expression, sympy.Expr) or expression.has(sympy.Integral, sympy.Limit, sympy.Derivative):
            return None
        expression = expression.subs({sympy.Symbol("e"): sympy.E, sympy.Symbol("i"): sympy.I})
        names = sorted(str(s) for s in expression.free_symbols)
        if len(names) != len(expression.free_symbols):
            return None
        keys = [
            number_key(_number(expression.subs({s: Point(n)[str(s)] for s in expression.free_symbols}))) for n in (1, 2)
        ]
    except Exception:
        return None
    if not names or keys[0] == keys[1]:
        return ("n", keys[0])
    return ("x", *keys)


def _number(value: Any) -> Any:
    """A sympy number as one of ours."""
    import sympy

    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    real, imaginary = sympy.N(value, 60).as_real_imag()
    mp = digits60()
    if not real.is_Float and not real.is_Integer:
        raise ValueError(f"no value: {value}")
    return mp.mpf(str(real)) if imaginary == 0 else mp.mpc(str(real), str(imaginary))
