"""Arithmetic that is exact as long as it can be, and carries 60 digits where it cannot.

A number is an `int`, a `Fraction`, or a real or complex number of mpmath. Every operation is bounded: what would need more
than `MAX_BITS` digits or has a magnitude beyond `MAX_MAGNITUDE` raises `NoValue` before it is computed.
"""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from typing import Any

__all__ = [
    "NoValue", "Number", "add", "as_digits", "binomial", "checked", "digits60", "div", "factorial", "imaginary_unit", "mul",
    "power", "root", "without_noise",
]  # fmt: skip

Number = Any  # int | Fraction, or a number of mpmath

DIGITS = 60  # carried
MAX_BITS = 40_000  # of an exact integer
MAX_MAGNITUDE = 10**12  # bits before the point of a 60-digit number
MAX_FACTORIAL = 3_000


class NoValue(Exception):
    """The expression has no value that can be computed here: too large, undefined, or not a number."""


_local = threading.local()


def digits60() -> Any:
    """This thread's own 60-digit context: a shared one would change precision under another thread's hands."""
    context = getattr(_local, "mp", None)
    if context is None:
        from mpmath import MPContext  # lazy: 60 ms, and most answers are rational

        context = _local.mp = MPContext()
        context.dps = DIGITS
    return context


def as_digits(value: Number) -> Number:
    """The same number as 60 digits."""
    if isinstance(value, Fraction):
        mp = digits60()
        return mp.mpf(value.numerator) / value.denominator
    if isinstance(value, int):
        return digits60().mpf(value)
    return value


def add(a: Number, b: Number) -> Number:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return a + b
    a, b = as_digits(a), as_digits(b)
    total = a + b
    size = max(abs(a), abs(b))
    if abs(total) <= size * digits60().mpf(10) ** -45:
        return 0  # what is left of 60 digits after 45 cancelled is noise
    return total


def mul(a: Number, b: Number) -> Number:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        product = a * b
        if product.numerator.bit_length() > MAX_BITS or product.denominator.bit_length() > MAX_BITS:
            raise NoValue("too many digits")
        return _tidy(product)
    if a == 0 or b == 0:
        return 0
    return checked(as_digits(a) * as_digits(b))


def div(a: Number, b: Number) -> Number:
    if b == 0:
        raise NoValue("division by zero")
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return _tidy(Fraction(a) / b)
    return checked(as_digits(a) / as_digits(b))


def _tidy(value: int | Fraction) -> int | Fraction:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def checked(value: Number) -> Number:
    """The number, unless its magnitude is beyond what the rest of the computation can carry."""
    if not digits60().isfinite(value):
        raise NoValue("not finite")
    parts = (value.real, value.imag) if hasattr(value, "_mpc_") else (value,)
    for part in parts:
        _, man, exp, bits = part._mpf_
        if man and abs(exp + bits) > MAX_MAGNITUDE:
            raise NoValue("too large")
    return value


def power(base: Number, exponent: Number) -> Number:
    if isinstance(base, (int, Fraction)) and isinstance(exponent, int):
        if base == 0:
            if exponent <= 0:
                if exponent == 0:
                    return 1
                raise NoValue("division by zero")
            return 0
        if base in (1, -1):
            return base if exponent % 2 else 1
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent) <= MAX_BITS:
            return _tidy(Fraction(base) ** exponent) if exponent < 0 else _tidy(base**exponent)
    if isinstance(base, (int, Fraction)) and isinstance(exponent, Fraction) and base >= 0:
        return power(root(base, exponent.denominator), exponent.numerator)
    if base == 0:
        raise NoValue("power of zero")
    mp = digits60()
    x, y = as_digits(base), as_digits(exponent)
    if abs(y) > 10**15 or abs(mp.log(abs(x))) * abs(y) > MAX_MAGNITUDE:
        raise NoValue("too large")
    if isinstance(exponent, Fraction) and exponent.denominator % 2 and not hasattr(x, "_mpc_") and x < 0:
        size = abs(x) ** y  # the real root: (-8)^{1/3} is -2
        return checked(-size if exponent.numerator % 2 else size)
    return checked(x**y)


def root(value: Number, degree: Number) -> Number:
    if not isinstance(degree, int):
        return power(value, div(1, degree))
    if degree == 0:
        raise NoValue("root of degree 0")
    if degree < 0:
        return div(1, root(value, -degree))
    if isinstance(value, (int, Fraction)):
        if value < 0:
            if degree % 2:
                return -root(-value, degree)
            if degree == 2:
                return mul(imaginary_unit(), root(-value, 2))
        top, bottom = _int_root(value.numerator, degree), _int_root(value.denominator, degree)
        if top is not None and bottom is not None:
            return _tidy(Fraction(top, bottom))
    mp = digits60()
    x = as_digits(value)
    if degree == 2:
        return mp.sqrt(x)
    if degree % 2 and not hasattr(x, "_mpc_") and x < 0:
        return -checked(mp.power(-x, mp.mpf(1) / degree))
    return checked(mp.power(x, mp.mpf(1) / degree))


def _int_root(value: int, degree: int) -> int | None:
    """The exact integer root of a non-negative integer, or None."""
    if value < 0:
        return None
    if value < 2:
        return value
    if degree == 2:
        root = math.isqrt(value)
    elif degree >= value.bit_length():
        return None
    else:
        root = round(math.exp(math.log(value) / degree))
        while root**degree > value:
            root -= 1
        while (root + 1) ** degree <= value:
            root += 1
    return root if root**degree == value else None


def imaginary_unit() -> Number:
    return digits60().mpc(0, 1)


def factorial(n: Number) -> Number:
    if isinstance(n, int):
        if n < 0:
            raise NoValue("factorial of a negative number")
        if n <= MAX_FACTORIAL:
            return math.factorial(n)
        if n > 10**6:
            raise NoValue("too large")
        return digits60().gamma(digits60().mpf(n) + 1)
    value = as_digits(n)
    if abs(value) > 10**6:
        raise NoValue("too large")
    return checked(digits60().gamma(value + 1))


def binomial(n: Number, k: Number) -> Number:
    if isinstance(n, int) and isinstance(k, int):
        if k < 0 or k > n >= 0:
            return 0
        small = min(k, n - k) if n >= 0 else k
        if small <= MAX_FACTORIAL and small * max(abs(n).bit_length(), 1) <= MAX_BITS * 4:
            return math.comb(n, k) if n >= 0 else (-1) ** k * math.comb(k - n - 1, k)
        raise NoValue("too large")
    if isinstance(k, int) and 0 <= k <= 50:
        product: Number = 1
        for j in range(k):
            product = div(mul(product, add(n, -j)), j + 1)
        return product
    return div(factorial(n), mul(factorial(k), factorial(add(n, -as_digits(k)))))


def without_noise(value: Number) -> Number:
    return 0 if abs(value) < digits60().mpf(10) ** -45 else value
