"""Real and complex numbers that know their own error: balls of FLINT, a middle and a radius that holds the true value.

Every operation returns a ball that contains the exact result, so whatever is read off a ball is certain. What cannot be
told at the present precision raises `Unclear`, and the caller works again with more bits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import flint

from mathquorum.answers.arithmetic import Unclear

__all__ = [
    "apply", "as_ball", "catalan", "complex_number", "contains_zero", "e", "euler_gamma", "floor", "imaginary_unit", "is_complex", "is_small", "parts", "pi", "power",
    "precision", "real_roots", "root", "sign", "size", "whole",
]  # fmt: skip

Ball = Any  # flint.arb, or flint.acb for a complex number

_lock = threading.RLock()  # the precision belongs to the process
_REAL_DOMAIN = {"asin": 1, "acos": 1}  # where these are real: |x| <= 1
_NAMES = {"ln": "log"}


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Balls are computed to so many bits inside; nobody else's precision is touched."""
    with _lock:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = before


def as_ball(value: Any) -> Ball:
    """An int, a Fraction or a ball as a ball."""
    if isinstance(value, int):
        return flint.arb(value)
    if isinstance(value, Fraction):
        return flint.arb(flint.fmpq(value.numerator, value.denominator))
    return value


def is_complex(value: Any) -> bool:
    return isinstance(value, flint.acb)


def pi() -> Ball:
    return flint.arb.pi()


def e() -> Ball:
    return flint.arb(1).exp()


def euler_gamma() -> Ball:
    return flint.arb.const_euler()


def catalan() -> Ball:
    return flint.arb.const_catalan()


def imaginary_unit() -> Ball:
    return flint.acb(0, 1)


def complex_number(real: Any, imaginary: Any) -> Ball:
    return flint.acb(real, imaginary)


def contains_zero(value: Ball) -> bool:
    """Whether the number may be zero."""
    return bool(value.contains(0))


def parts(value: Ball) -> tuple[Ball, Ball]:
    """Real and imaginary part."""
    return value.real, value.imag


def size(value: Any) -> int | None:
    """The position of the leading bit; None for what may be zero."""
    if isinstance(value, int):
        return value.bit_length() if value else None
    if isinstance(value, Fraction):
        return value.numerator.bit_length() - value.denominator.bit_length() if value else None
    if is_complex(value):
        sizes = [s for s in (size(value.real), size(value.imag)) if s is not None]
        return max(sizes) if sizes else None
    if value.contains(0):
        return None
    man, exp = value.mid().man_exp()
    return int(man.bit_length() + exp)


def is_small(value: Ball, bits: int) -> bool:
    """Whether a number that may be zero is certainly below 2^-bits."""
    if is_complex(value):
        return is_small(value.real, bits) and is_small(value.imag, bits)
    return bool(value.abs_upper() < flint.arb(1) / (1 << bits))


def whole(value: Ball, near: int) -> int | None:
    """The integer that a real ball contains, where it is within 2^-near of it; None without one."""
    middle = (value.mid() + flint.arb(0.5)).floor().unique_fmpz()
    if middle is None or not value.contains(middle):
        return None
    return int(middle) if is_small(value - middle, near) else None


def floor(value: Ball, near: int) -> int:
    """The integer part; a number that is an integer as far as can be seen, to 2^-near, is that integer.

    Raises:
        Unclear: When the ball is too wide.
    """
    found = value.floor().unique_fmpz()
    if found is None:
        found = whole(value, near)
    if found is None:
        raise Unclear("a floor")
    return int(found)


def sign(value: Ball) -> int:
    """1 or -1 for a real number.

    Raises:
        Unclear: When it may be zero.
    """
    if value > 0:
        return 1
    if value < 0:
        return -1
    raise Unclear("a sign")


def power(base: Ball, exponent: Ball) -> Ball:
    """base^exponent, of a positive or complex base: the principal value."""
    if not is_complex(base) and not is_complex(exponent) and base > 0:
        return base**exponent
    if contains_zero(base):
        raise Unclear("a power of zero")
    return flint.acb(base).pow(flint.acb(exponent))


def root(value: Ball, degree: int) -> Ball:
    """The principal root of a complex or non-negative number, and the real one of a negative number of odd degree."""
    if is_complex(value):
        return flint.acb(value).sqrt() if degree == 2 else flint.acb(value).pow(flint.acb(1) / degree)
    if value.contains(0):
        bound = value.abs_upper()
        return flint.arb(0, bound.sqrt() if degree == 2 else bound.root(degree)) if bound > 0 else flint.arb(0)
    if sign(value) > 0:
        return value.sqrt() if degree == 2 else value.root(degree)
    if degree % 2:
        return -(-value).root(degree)
    return flint.acb(value).sqrt() if degree == 2 else flint.acb(value).pow(flint.acb(1) / degree)


def apply(name: str, value: Ball) -> Ball:
    """A function of one variable, real where it can be."""
    if name == "ln" and contains_zero(value):
        raise Unclear("a logarithm of zero")
    real = not is_complex(value)
    if real and ((name == "ln" and value < 0) or (name in _REAL_DOMAIN and abs(value) > 1)):
        value = flint.acb(value)
    result = getattr(value, _NAMES.get(name, name))()
    if real and not is_complex(result) and result.is_nan() and name in _REAL_DOMAIN:
        middle = _nearest_end(value)
        result = getattr(middle, name)() + flint.arb(0, (abs(value - middle).abs_upper() * 4).sqrt())
    return result


def _nearest_end(value: Ball) -> Ball:
    """1 or -1, where a ball reaches just over the end of the domain of arcsin; its values vary there as a square root."""
    for end in (1, -1):
        if value.contains(end):
            return flint.arb(end)
    raise Unclear("the end of a domain")


def _roots(polynomial: Any) -> list[Any]:
    """(root, multiplicity) of every complex root: what the stubs of flint say of it is not so."""
    return list(polynomial.complex_roots())


def real_roots(coefficients: list[int]) -> list[Ball]:
    """The real roots of an integer polynomial (coefficients from the lowest up), in order, each once."""
    with precision(1_100):
        found: list[Ball] = [pair[0] for pair in _roots(flint.fmpz_poly(coefficients))]
        return sorted((r.real for r in found if r.imag == 0), key=lambda r: r.mid())
