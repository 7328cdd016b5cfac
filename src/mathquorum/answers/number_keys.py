"""Keys of numbers: equal keys are equal numbers, whether they were exact or carried to 60 digits.

A 60-digit number that is within 1e-40 of a fraction with a small denominator becomes that fraction, so that `\\log_2 8`
and `3` meet.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mathquorum.answers.arithmetic import Number, digits60

__all__ = ["number_key", "real_value", "shown"]

KEPT = 36  # digits that are compared
LARGEST_DENOMINATOR = 10**12


def number_key(value: Number) -> tuple[Any, ...]:
    """A hashable key of a number: a fraction, KEPT digits with an exponent, or two of these for a complex number."""
    if isinstance(value, int):
        return (value, 1)
    if isinstance(value, Fraction):
        return (value.numerator, value.denominator)
    mp = digits60()
    if hasattr(value, "_mpc_"):
        size = abs(value)
        real, imag = value.real, value.imag
        if abs(imag) <= size * mp.mpf(10) ** -40:
            return _real_key(real)
        if abs(real) <= size * mp.mpf(10) ** -40:
            return ("c", (0, 1), _real_key(imag))
        return ("c", _real_key(real), _real_key(imag))
    return _real_key(value)


def real_value(key: tuple[Any, ...]) -> Fraction | None:
    """The number behind a `number_key`, to the digits that it keeps; None when it is complex or out of range."""
    if len(key) == 2:
        return Fraction(key[0], key[1])
    if key[0] == "r" and abs(key[2]) < 10_000:
        scale = key[2] - KEPT
        return Fraction(key[1] * 10**scale) if scale >= 0 else Fraction(key[1], 10**-scale)
    return None


def shown(key: tuple[Any, ...]) -> str:
    """A rational or real number as a reader wants it, after a comma; "" for every other key.

    Example:
        >>> shown(("n", (1, 2)))
        ', 1/2'
    """
    number = real_value(key[1]) if key[0] == "n" else None
    if number is None or max(number.numerator.bit_length(), number.denominator.bit_length()) > 400:
        return ""
    return f", {number}" if len(key[1]) == 2 else f", {float(number):.12g}..."


def _real_key(value: Number) -> tuple[Any, ...]:
    sign, man, exp, bits = value._mpf_
    if not man:
        return (0, 1)
    man = int(man)
    if sign:
        man = -man
    if -400 < exp + bits < 150:  # of a larger one the last of 60 digits are before the point, and noise
        fraction = _near_fraction(man, exp)
        if fraction is not None:
            return fraction
    # KEPT significant digits, trailing zeros stripped so that noise at a power of ten cannot matter.
    ten = int((exp + bits) * 0.30102999566398120)
    mp = digits60()
    digits = int(mp.nint(value * mp.mpf(10) ** (KEPT - ten)))
    while digits and digits % 10 == 0:
        digits //= 10
        ten += 1
    return ("r", digits, ten)


def _near_fraction(man: int, exp: int) -> tuple[int, int] | None:
    """The fraction of denominator up to LARGEST_DENOMINATOR within 1e-40 of the number (relative), by continued fractions."""
    if exp >= 0:
        return (man << exp, 1)
    top, bottom = man, 1 << -exp
    p0, q0, p1, q1 = 0, 1, 1, 0
    for _ in range(40):
        whole, rest = divmod(top, bottom)
        p0, p1 = p1, whole * p1 + p0
        q0, q1 = q1, whole * q1 + q0
        if q1 > LARGEST_DENOMINATOR:
            return None
        # |number - p1/q1| = |man*q1 - p1*2^-exp| / (q1 * 2^-exp)
        if p1 and abs(man * q1 - (p1 << -exp)) * 10**42 <= abs(man) * q1:
            return (p1, q1)
        if rest == 0:
            return (p1, q1)
        top, bottom = bottom, rest
    return None
