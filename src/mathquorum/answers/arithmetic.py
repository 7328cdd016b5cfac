"""Arithmetic that is exact as long as it can be, and carries balls with their error where it cannot.

A number is an `int`, a `Fraction`, or a ball (`balls`), real or complex. Every operation is bounded: what would need more
than `MAX_BITS` digits or has a magnitude beyond `MAX_MAGNITUDE` raises `NoValue` before it is computed.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from types import ModuleType
from typing import Any

__all__ = [
    "EXACT_VALUES", "NoValue", "Number", "Unclear", "add", "apply", "balls", "binomial", "conjugate", "div", "double_factorial", "factorial",
    "is_exact", "is_negative", "is_zero", "mul", "power", "root", "scattered", "tidy",
]  # fmt: skip

Number = Any  # int | Fraction, or a ball

MAX_BITS = 40_000  # of an exact number
MAX_MAGNITUDE = 1 << 50  # bits before the point of a ball
MAX_FACTORIAL = 3_000
NEGLIGIBLE = 600  # bits: a function takes no argument so near zero, or so far out, that its value would not show it


class Unclear(Exception):
    """The ball is too wide to decide, as when a divisor may be zero."""


class NoValue(Exception):
    """The expression has no value that can be computed here: too large, undefined, or not a number."""


@lru_cache(maxsize=1)
def balls() -> ModuleType:
    """The module of balls, loaded with the first number that is not rational: 40 ms, and most answers are rational."""
    from mathquorum.answers import balls as module

    return module


def is_exact(value: Number) -> bool:
    return isinstance(value, (int, Fraction))


def is_zero(value: Number) -> bool:
    """Whether a number is certainly zero."""
    return value == 0 if is_exact(value) else bool(value.is_zero())


def is_negative(value: Number) -> bool:
    """Whether a number is real and certainly negative."""
    return value < 0 if is_exact(value) or not balls().is_complex(value) else False


def add(a: Number, b: Number) -> Number:
    if is_exact(a) and is_exact(b):
        return tidy(a + b)
    return balls().as_ball(a) + balls().as_ball(b)


def mul(a: Number, b: Number) -> Number:
    if is_exact(a) and is_exact(b):
        product = a * b
        if product.numerator.bit_length() > MAX_BITS or product.denominator.bit_length() > MAX_BITS:
            raise NoValue("too many digits")
        return tidy(product)
    if is_zero(a) or is_zero(b):
        return 0
    return _checked(balls().as_ball(a) * balls().as_ball(b))


def div(a: Number, b: Number) -> Number:
    if is_zero(b):
        raise NoValue("division by zero")
    if is_exact(a) and is_exact(b):
        return tidy(Fraction(a) / b)
    divisor = balls().as_ball(b)
    if balls().contains_zero(divisor):
        raise Unclear("a divisor")
    return _checked(balls().as_ball(a) / divisor)


def tidy(value: int | Fraction) -> int | Fraction:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _checked(value: Number) -> Number:
    """The ball, unless its magnitude is beyond what the rest of the computation can carry."""
    if not value.is_finite():
        raise NoValue("not finite")
    size = balls().size(value)
    if size is not None and abs(size) > MAX_MAGNITUDE:
        raise NoValue("too large")
    return value


def _shows(value: Number, largest: int = NEGLIGIBLE) -> Number:
    """An argument as a ball, unless it is so near zero or so far out that a function's value could not show it."""
    size = balls().size(value)
    if size is not None and not -NEGLIGIBLE < size < largest:
        raise NoValue("scales too far apart")
    return balls().as_ball(value)


def power(base: Number, exponent: Number) -> Number:
    if is_exact(base) and isinstance(exponent, int):
        exact = _exact_power(base, exponent)
        if exact is not None:
            return exact
    if isinstance(exponent, Fraction) and exponent.denominator < 1000 and (is_exact(base) or _is_real(base)):
        return power(root(base, exponent.denominator), exponent.numerator)
    if is_zero(exponent):
        return 1
    if is_zero(base):
        if is_exact(exponent) and exponent > 0:
            return 0
        raise NoValue("power of zero")
    return _ball_power(base, exponent)


def _is_real(value: Number) -> bool:
    return is_exact(value) or not balls().is_complex(value)


def _exact_power(base: int | Fraction, exponent: int) -> int | Fraction | None:
    if base == 0:
        if exponent < 0:
            raise NoValue("division by zero")
        return 0 if exponent else 1
    if base in (1, -1):
        return int(base) if exponent % 2 else 1
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(exponent) > MAX_BITS:
        return None
    return tidy(Fraction(base) ** exponent) if exponent < 0 else tidy(base**exponent)


def _ball_power(base: Number, exponent: Number) -> Number:
    x, y = balls().as_ball(base), _shows(exponent, MAX_MAGNITUDE.bit_length())
    if isinstance(exponent, int):
        size = balls().size(x) or 0
        if (abs(size) + 1) * abs(exponent) > MAX_MAGNITUDE:
            raise NoValue("too large")
        if exponent < 0 and balls().contains_zero(x):
            raise Unclear("a divisor")
        return _checked(x**exponent)
    size = balls().size(x)
    if size is not None and (abs(size) + 1) << max(balls().size(y) or 0, 0) > MAX_MAGNITUDE << 8:
        raise NoValue("too large")
    return _checked(balls().power(x, y))


def root(value: Number, degree: Number) -> Number:
    if not isinstance(degree, int):
        return power(value, div(1, degree))
    if degree == 0:
        raise NoValue("root of degree 0")
    if degree < 0:
        return div(1, root(value, -degree))
    if degree > 10**6:
        raise NoValue("root of a degree too large")
    if is_exact(value):
        if value < 0 and degree % 2:
            return -root(-value, degree)
        if value < 0 and degree == 2:
            return mul(balls().imaginary_unit(), root(-value, 2))
        top, bottom = _int_root(value.numerator, degree), _int_root(value.denominator, degree)
        if top is not None and bottom is not None:
            return tidy(Fraction(top, bottom))
    return _checked(balls().root(balls().as_ball(value), degree))


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
        root = _floor_root(value, degree)
    return root if root**degree == value else None


def _floor_root(value: int, degree: int) -> int:
    """The integer part of a root, by Newton's method from above."""
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


# Where the value of a function of a far argument still shows it: exp needs it moderate, ln takes any.
_FARTHEST = {"exp": 49, "sinh": 9, "cosh": 9, "tanh": 9, "sin": 200, "cos": 200}


# Where a function of a rational number is known to be rational.
EXACT_VALUES = {
    **{(name, 0): 0 for name in ("sin", "sinh", "tanh", "atan", "asin")}, **{(name, 0): 1 for name in ("exp", "cos", "cosh")}, ("ln", 1): 0,
}  # fmt: skip


def apply(name: str, value: Number) -> Number:
    """An elementary function of one number.

    Raises:
        NoValue: When it is not defined there, or its value could not show the argument.
    """
    if is_exact(value):
        if (name, value) in EXACT_VALUES:
            return EXACT_VALUES[name, value]
        if name == "ln" and value == 0:
            raise NoValue("logarithm of zero")
    argument = balls().as_ball(value) if name == "ln" else _shows(value, _FARTHEST.get(name, NEGLIGIBLE))
    return _checked(balls().apply(name, argument))


def factorial(n: Number) -> Number:
    if isinstance(n, int):
        if n < 0:
            raise NoValue("factorial of a negative number")
        if n <= MAX_FACTORIAL:
            return math.factorial(n)
    size = balls().size(n)
    if size is not None and not -NEGLIGIBLE < size < 30:
        raise NoValue("too large")
    if is_negative(n) and (is_exact(n) and n < -1000):
        raise NoValue("factorial of a negative number")
    return _checked((balls().as_ball(n) + 1).gamma())


def double_factorial(n: Number) -> Number:
    """n!! = n (n - 2) (n - 4) ..., of a whole number."""
    if not isinstance(n, int) or not 0 <= n <= MAX_FACTORIAL:
        raise NoValue("no double factorial")
    return math.prod(range(n, 0, -2))


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
    return div(factorial(n), mul(factorial(k), factorial(add(n, -k))))


def conjugate(value: Number) -> Number:
    return value.conjugate() if not is_exact(value) and balls().is_complex(value) else value


def scattered(name: str) -> Fraction:
    """A number between 1 and 2 that a name fixes, to 48 bits: no two names have numbers in any simple relation."""
    seed = int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big")
    return Fraction((1 << 48) + (seed | 1), 1 << 48)
