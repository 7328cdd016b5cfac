"""Keys of numbers: equal keys are equal numbers. A fraction where the number is one, else the first `KEPT` bits of it.

A ball that holds a fraction with a denominator below 2^`SIMPLE`, and nothing else within 2^-900, becomes that fraction,
so that `\\log_2 8` and `3` meet.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from hashlib import shake_128
from typing import Any

from mathquorum.answers.arithmetic import NoValue, Number, balls, is_exact

__all__ = ["ACCURATE", "KEPT", "digits_key", "is_rounded", "number_key", "real_value", "shown"]

ACCURATE = 1_000  # bits to which a certified value is known
KEPT = 900  # bits that are compared
SIMPLE = 64  # bits of the numerator and the denominator of a fraction that a ball is taken for
# Digits are cut of the number times this, which is in no relation to any number that people write: no such number lies where
# one cut ends and another begins, and two balls around it are cut alike. (Of plain digits, 1 and 0.999... were such a number.)
_SCALE = Fraction(int.from_bytes(shake_128(b"where digits are cut").digest(150), "big") | 1 << 1199, 1 << 1199)


def number_key(value: Number, *, is_irrational: bool = False) -> tuple[Any, ...]:
    """A hashable key of a constant: a fraction, KEPT bits with an exponent, or two of these for a complex number.

    Args:
        value: The number.
        is_irrational: It is real and known to be irrational: no fraction is looked for.
    """
    if is_exact(value):
        return (value.numerator, value.denominator)
    with balls().precision(ACCURATE + 100):
        if balls().is_complex(value):
            return ("c", *(_real_key(part) for part in balls().parts(value)))
        return ("r", *_digits(value)) if is_irrational else _real_key(value)


def digits_key(value: Number) -> tuple[Any, ...]:
    """The first KEPT bits of a number, rational or not: what values at a point are compared by."""
    if is_exact(value) and value == 0:
        return (0,)
    with balls().precision(ACCURATE + 100):
        ball = balls().as_ball(value)
        if balls().is_complex(ball):
            return tuple(_digits(part) for part in balls().parts(ball))
        return _digits(ball)


def real_value(key: tuple[Any, ...]) -> Fraction | None:
    """The number behind a `number_key`, to the digits that it keeps; None when it is complex or out of range."""
    if len(key) == 2:
        return Fraction(key[0], key[1])
    if key[0] == "r" and abs(key[2]) < 10_000:
        mantissa, exponent = key[1:]
        return Fraction(mantissa << max(exponent, 0), 1 << max(-exponent, 0)) / _SCALE
    return None


def is_rounded(value: Fraction, rounded: Fraction) -> bool:
    """Whether a number is written as another one rounds or cuts to its digits: 0.429 of 3/7."""
    digit = Fraction(1)
    while digit.denominator < 10**40 and rounded % digit:
        digit /= 10
    while digit >= 1 and rounded and rounded % (10 * digit) == 0:
        digit *= 10
    return abs(value - rounded) < digit


def shown(key: tuple[Any, ...]) -> str:
    """A rational or real number as a reader wants it, after a comma; "" for every other key.

    Example:
        >>> shown(("n", (1, 2)))
        ', 1/2'
    """
    number = real_value(key[1]) if key[0] == "n" else None
    if number is None or max(number.numerator.bit_length(), number.denominator.bit_length()) > 1000:
        return ""
    return f", {number}" if len(key[1]) == 2 else f", {float(number):.12g}..."


def _real_key(value: Number) -> tuple[Any, ...]:
    fraction = _near_fraction(value)
    return fraction if fraction is not None else ("r", *_digits(value))


def _digits(value: Number) -> tuple[int, ...]:
    """(mantissa, exponent): the first KEPT bits of a real number times _SCALE."""
    if value.contains(0):
        return (0,)
    if value.rel_accuracy_bits() < KEPT + 40:
        raise NoValue("not accurate")
    man, exp = (value * _scale()).mid().man_exp()
    man, exp = int(man), int(exp)
    excess = man.bit_length() - KEPT
    return (man >> excess if excess >= 0 else man << -excess, exp + excess)


@lru_cache(maxsize=1)
def _scale() -> Number:
    with balls().precision(2 * ACCURATE):
        return balls().as_ball(_SCALE)


def _near_fraction(value: Number) -> tuple[int, int] | None:
    """The simple fraction in a ball, by continued fractions."""
    if value.contains(0):
        return (0, 1)
    man, exp = value.mid().man_exp()
    man, exp = int(man), int(exp)
    size = exp + man.bit_length()
    if not -400 < size < SIMPLE:
        return None
    sign, man = (-1, -man) if man < 0 else (1, man)
    excess = max(
        man.bit_length() - 2 * SIMPLE - 40, 0
    )  # so many bits are enough to find it, and all are there to check it
    top, bottom = man >> excess, 1
    top, bottom = (top << exp + excess, 1) if exp + excess > 0 else (top, 1 << -(exp + excess))
    a, b = top, bottom
    # A convergent that close is followed by a partial quotient of at least this, so that others need no closer look.
    least = (1 << 20 - size) - 2 if size < 10 else 0
    p0, q0, p1, q1 = 0, 1, 1, 0
    while b:
        whole, rest = divmod(a, b)
        if whole >= least and q1 and abs(top * q1 - p1 * bottom) << 2 * SIMPLE + 20 <= top * q1:
            break
        p0, p1 = p1, whole * p1 + p0
        q0, q1 = q1, whole * q1 + q0
        if q1.bit_length() > SIMPLE:
            return None
        a, b = b, rest
    return (sign * p1, q1) if value.contains(balls().as_ball(Fraction(sign * p1, q1))) else None
