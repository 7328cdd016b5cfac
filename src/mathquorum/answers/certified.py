"""Certified values: known to `ACCURATE` bits, and no term of the expression hidden in them.

Interval arithmetic decides the first: the expression is walked with more and more bits until its ball is narrow. The second
is counted on the way (`evaluation`): a value in which terms differ in size by more than `HIDDEN` bits in all does not tell what
it came from, as (10^{10^9} + 1)/10^{10^9} does not, and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from mathquorum.answers.arithmetic import NoValue, Number, Unclear, balls, div, is_exact, is_zero
from mathquorum.answers.expressions import Choices, NeedsBalls, Node, Walk
from mathquorum.answers.number_keys import ACCURATE

__all__ = ["HIDDEN", "certified", "ratio", "value_at"]

PRECISIONS = (0, 1_100, 2_300, 4_800)  # bits, in turn, until the value is narrow; 0 is exact arithmetic
HIDDEN = 600  # bits by which terms may differ in size before the smaller one is hidden


def value_at(node: Node, point: Mapping[str, Number]) -> Number:
    """The certified value, real or complex.

    Raises:
        NoValue: When it cannot be computed or certified within the limits.
    """
    value, is_hiding = certified(node, point)
    if is_hiding:
        raise NoValue("terms of scales too far apart")
    return value


def certified(
    node: Node,
    point: Mapping[str, Number],
    *,
    is_real: bool = False,
    noted: Choices | None = None,
    frozen: Choices | None = None,
) -> tuple[Number, bool]:
    """The value, narrow, and whether a term is hidden in it. The arguments are those of a `Walk`.

    Raises:
        NoValue: When there is none within the limits.
    """
    for bits in PRECISIONS:
        walk = Walk(point, bits, is_real, noted, frozen)
        try:
            if bits == 0:
                value = walk.value(node)
            else:
                with balls().precision(bits):
                    value = walk.value(node)
                    value = value if is_exact(value) else _narrow(value, bits)
        except NeedsBalls:
            continue
        except NoValue:
            raise
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise NoValue(str(error)) from error
        except Unclear:
            continue
        return value, walk.hidden > HIDDEN
    raise NoValue("not clear within the limits")


def _narrow(value: Number, bits: int) -> Number:
    """The ball, with parts that are zero as far as can be seen made zero.

    Raises:
        Unclear: When it is not narrow enough.
    """
    if not value.is_finite():
        raise NoValue("not finite")
    if not balls().is_complex(value):
        return _narrow_real(value, bits)
    real, imaginary = balls().parts(value)
    if real.contains(0) and imaginary.contains(0):
        return _zero(value, bits)
    real, imaginary = _part(real, value), _part(imaginary, value)
    return real if is_zero(imaginary) else balls().complex_number(real, imaginary)


def _narrow_real(value: Number, bits: int) -> Number:
    if value.contains(0):
        return _zero(value, bits)
    if value.rel_accuracy_bits() < ACCURATE:
        raise Unclear("digits")
    return value


def _zero(value: Number, bits: int) -> int:
    """Zero, of a ball around it: the terms have cancelled to twice the accuracy of a value."""
    if bits <= ACCURATE * 2 or not balls().is_small(value, ACCURATE + 100):
        raise Unclear("zero")
    return 0


def _part(part: Number, whole: Number) -> Number:
    """One part of a complex number: zero when it is as small beside the whole as can be seen."""
    if part.contains(0):
        if not part.is_zero() and not balls().is_small(part / abs(whole), ACCURATE):
            raise Unclear("a part")
        return 0
    if part.rel_accuracy_bits() < ACCURATE:
        raise Unclear("digits")
    return part


def ratio(a: Number, b: Number) -> Number:
    """The quotient of two certified values."""
    if is_exact(a) and is_exact(b):
        return div(a, b)
    with balls().precision(PRECISIONS[1]):
        return div(a, b)
