"""The value of an expression: exact where arithmetic stays rational, to 60 digits where it does not.

An expression is a tree of tuples made by `grammar`. Numbers stay `int` or `Fraction` as long as they can. Roots, pi, e,
logarithms and angles become 60-digit numbers. A variable stands for a fixed integer that its name chooses, so that two
expressions in variables are equal exactly when their values at those points are: integers, because then factorials,
binomials and signs such as (-1)^n mean what they say.

`value_key` turns an expression into something hashable: equal keys are equal values. A 60-digit number that is within
1e-40 of a fraction with a small denominator becomes that fraction, so that `\\log_2 8` and `3` meet.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

__all__ = ["NoValue", "Node", "Number", "Point", "exact_or_none", "number_key", "value_at", "value_key", "variables"]

Node = tuple[Any, ...]
Number = Any  # int | Fraction, or a number of mpmath

DIGITS = 60  # carried
KEPT = 36  # compared
MAX_BITS = 40_000  # of an exact integer
MAX_MAGNITUDE = 10**12  # bits before the point of a 60-digit number
MAX_TERMS = 2_000  # of a finite sum or product
MAX_FACTORIAL = 3_000


class NoValue(Exception):
    """The expression has no value that can be computed here: too large, undefined, or not a number."""


_local = threading.local()


def _mp() -> Any:
    """This thread's own 60-digit context: a shared one would change precision under another thread's hands."""
    context = getattr(_local, "mp", None)
    if context is None:
        from mpmath import MPContext  # lazy: 60 ms, and most answers are rational

        context = _local.mp = MPContext()
        context.dps = DIGITS
    return context


def exact_or_none(node: Node) -> int | Fraction | None:
    """The rational value of a constant expression; None when it is not rational or holds a variable."""
    try:
        value = _eval(node, {})
    except (NoValue, ArithmeticError, ValueError):
        return None
    return value if isinstance(value, (int, Fraction)) else None


def value_at(node: Node, point: Mapping[str, Number]) -> Number:
    """The value with variables read from `point`, or else from their names.

    Raises:
        NoValue: When it cannot be computed within the limits.
    """
    try:
        value = _eval(node, point)
    except NoValue:
        raise
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise NoValue(str(error)) from error
    if not isinstance(value, (int, Fraction)) and not _mp().isfinite(value):
        raise NoValue("not finite")
    return value


def variables(node: Node) -> frozenset[str]:
    """The names of the free variables, unknown functions included."""
    if node[0] == "var":
        return frozenset((node[1],))
    if node[0] == "call":
        return frozenset((node[1] + "()",)).union(*(variables(n) for n in node[2]))
    if node[0] in ("sum", "prod"):
        inner = variables(node[4]) - {node[1]}
        return inner | variables(node[2]) | variables(node[3])
    return frozenset().union(*(variables(n) for n in node[1:] if type(n) is tuple))


def value_key(node: Node) -> tuple[Any, ...]:
    """A hashable key: equal keys are equal values.

    Raises:
        NoValue: When a value cannot be computed within the limits.
    """
    names = variables(node)
    first = number_key(value_at(node, Point(1)))
    if not names:
        return ("n", first)
    second = number_key(value_at(node, Point(2)))
    if first == second and number_key(value_at(node, Point(3))) == first:
        return ("n", first)
    if _has_abs(node):
        return ("x", first, second, number_key(value_at(node, Point(-1))))
    return ("x", first, second)


class Point(dict[str, int]):
    """Where a variable lies: a fixed integer of four digits that its name and the number of the point choose."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, name: str) -> int:
        seed = zlib.crc32(f"{abs(self.number)}:{name}".encode())
        value = 1009 + seed % 7919 * 2 + (self.number % 2)
        self[name] = value = -value if self.number < 0 else value
        return value


def _has_abs(node: Node) -> bool:
    return node[0] == "abs" or any(_has_abs(n) for n in node[1:] if type(n) is tuple)


def number_key(value: Number) -> tuple[Any, ...]:
    if isinstance(value, int):
        return (value, 1)
    if isinstance(value, Fraction):
        return (value.numerator, value.denominator)
    mp = _mp()
    if hasattr(value, "_mpc_"):
        size = abs(value)
        real, imag = value.real, value.imag
        if abs(imag) <= size * mp.mpf(10) ** -40:
            return _real_key(real)
        if abs(real) <= size * mp.mpf(10) ** -40:
            return ("c", (0, 1), _real_key(imag))
        return ("c", _real_key(real), _real_key(imag))
    return _real_key(value)


def _real_key(value: Number) -> tuple[Any, ...]:
    sign, man, exp, bits = value._mpf_
    if not man:
        return (0, 1)
    man = int(man)
    if sign:
        man = -man
    if -400 < exp + bits < 400:
        fraction = _near_fraction(man, exp)
        if fraction is not None:
            return fraction
    # KEPT significant digits, trailing zeros stripped so that noise at a power of ten cannot matter.
    ten = int((exp + bits) * 0.30102999566398120)
    mp = _mp()
    digits = int(mp.nint(value * mp.mpf(10) ** (KEPT - ten)))
    while digits and digits % 10 == 0:
        digits //= 10
        ten += 1
    return ("r", digits, ten)


def _near_fraction(man: int, exp: int) -> tuple[int, int] | None:
    """The fraction of denominator below 1e12 within 1e-40 of the number (relative), by continued fractions."""
    if exp >= 0:
        return (man << exp, 1)
    top, bottom = man, 1 << -exp
    p0, q0, p1, q1 = 0, 1, 1, 0
    for _ in range(40):
        whole, rest = divmod(top, bottom)
        p0, p1 = p1, whole * p1 + p0
        q0, q1 = q1, whole * q1 + q0
        if q1 > 10**12:
            return None
        # |number - p1/q1| = |man*q1 - p1*2^-exp| / (q1 * 2^-exp)
        if p1 and abs(man * q1 - (p1 << -exp)) * 10**42 <= abs(man) * q1:
            return (p1, q1)
        if rest == 0:
            return (p1, q1)
        top, bottom = bottom, rest
    return None


# --- evaluation ------------------------------------------------------------------------------------------------------


def _eval(node: Node, point: Mapping[str, Number]) -> Number:
    kind = node[0]
    if kind == "num":
        return node[1]
    if kind == "var":
        return point[node[1]]
    if kind == "add":
        total = _eval(node[1], point)
        for part in node[2:]:
            total = _add(total, _eval(part, point))
        return total
    if kind == "mul":
        product = _eval(node[1], point)
        for part in node[2:]:
            product = _mul(product, _eval(part, point))
        return product
    if kind == "neg":
        return -_eval(node[1], point)
    if kind == "div":
        return _div(_eval(node[1], point), _eval(node[2], point))
    if kind == "pow":
        return _pow(_eval(node[1], point), _eval(node[2], point))
    if kind == "root":
        return _root(_eval(node[2], point), _eval(node[1], point))
    if kind == "deg":
        return _eval(node[1], point)
    handler = _FUNCTIONS.get(kind)
    if handler is None:
        raise NoValue(kind)
    return handler(node, point)


def _real(value: Number) -> Number:
    """The same number as 60 digits."""
    if isinstance(value, Fraction):
        mp = _mp()
        return mp.mpf(value.numerator) / value.denominator
    if isinstance(value, int):
        return _mp().mpf(value)
    return value


def _add(a: Number, b: Number) -> Number:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return a + b
    a, b = _real(a), _real(b)
    total = a + b
    size = max(abs(a), abs(b))
    if abs(total) <= size * _mp().mpf(10) ** -45:
        return 0  # what is left of 60 digits after 45 cancelled is noise
    return total


def _mul(a: Number, b: Number) -> Number:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        product = a * b
        if product.numerator.bit_length() > MAX_BITS or product.denominator.bit_length() > MAX_BITS:
            raise NoValue("too many digits")
        return _tidy(product)
    if a == 0 or b == 0:
        return 0
    return _checked(_real(a) * _real(b))


def _div(a: Number, b: Number) -> Number:
    if b == 0:
        raise NoValue("division by zero")
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return _tidy(Fraction(a) / b)
    return _checked(_real(a) / _real(b))


def _tidy(value: int | Fraction) -> int | Fraction:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _checked(value: Number) -> Number:
    """The number, unless its magnitude is beyond what the rest of the computation can carry."""
    if not _mp().isfinite(value):
        raise NoValue("not finite")
    parts = (value.real, value.imag) if hasattr(value, "_mpc_") else (value,)
    for part in parts:
        _, man, exp, bits = part._mpf_
        if man and abs(exp + bits) > MAX_MAGNITUDE:
            raise NoValue("too large")
    return value


def _pow(base: Number, exponent: Number) -> Number:
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
        return _pow(_root(base, exponent.denominator), exponent.numerator)
    if base == 0:
        raise NoValue("power of zero")
    mp = _mp()
    x, y = _real(base), _real(exponent)
    if abs(y) > 10**15 or abs(mp.log(abs(x))) * abs(y) > MAX_MAGNITUDE:
        raise NoValue("too large")
    if isinstance(exponent, Fraction) and exponent.denominator % 2 and not hasattr(x, "_mpc_") and x < 0:
        power = abs(x) ** y  # the real root: (-8)^{1/3} is -2
        return _checked(-power if exponent.numerator % 2 else power)
    return _checked(x**y)


def _root(value: Number, degree: Number) -> Number:
    if not isinstance(degree, int):
        return _pow(value, _div(1, degree))
    if degree == 0:
        raise NoValue("root of degree 0")
    if degree < 0:
        return _div(1, _root(value, -degree))
    if isinstance(value, (int, Fraction)):
        if value < 0:
            if degree % 2:
                return -_root(-value, degree)
            if degree == 2:
                return _mul(_i(), _root(-value, 2))
        top, bottom = _int_root(value.numerator, degree), _int_root(value.denominator, degree)
        if top is not None and bottom is not None:
            return _tidy(Fraction(top, bottom))
    mp = _mp()
    x = _real(value)
    if degree == 2:
        return mp.sqrt(x)
    if degree % 2 and not hasattr(x, "_mpc_") and x < 0:
        return -_checked(mp.power(-x, mp.mpf(1) / degree))
    return _checked(mp.power(x, mp.mpf(1) / degree))


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


def _i() -> Number:
    return _mp().mpc(0, 1)


def _call(node: Node, point: Mapping[str, Number]) -> Number:
    """An unknown function: a number fixed by its name and the values of its arguments."""
    arguments = [number_key(_eval(n, point)) for n in node[2]]
    return 1009 + zlib.crc32(f"{node[1]}{arguments}".encode()) % 10**6


def _factorial(n: Number) -> Number:
    if isinstance(n, int):
        if n < 0:
            raise NoValue("factorial of a negative number")
        if n <= MAX_FACTORIAL:
            return math.factorial(n)
        if n > 10**6:
            raise NoValue("too large")
        return _mp().gamma(_mp().mpf(n) + 1)
    value = _real(n)
    if abs(value) > 10**6:
        raise NoValue("too large")
    return _checked(_mp().gamma(value + 1))


def _binomial(n: Number, k: Number) -> Number:
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
            product = _div(_mul(product, _add(n, -j)), j + 1)
        return product
    return _div(_factorial(n), _mul(_factorial(k), _factorial(_add(n, -_real(k)))))


def _angle(node: Node, point: Mapping[str, Number]) -> Number:
    """The argument of a trigonometric function, in radians; degrees are converted here and nowhere else."""
    value = _eval(node, point)
    if _in_degrees(node):
        return _mul(value, _mp().pi / 180)
    return value


def _in_degrees(node: Node) -> bool:
    if node[0] == "deg":
        return True
    return node[0] in ("add", "neg", "mul", "div") and any(_in_degrees(n) for n in node[1:] if type(n) is tuple)


def _trig(node: Node, point: Mapping[str, Number]) -> Number:
    mp = _mp()
    name, angle = node[0], _real(_angle(node[1], point))
    if abs(angle) > mp.mpf(10) ** 15:
        raise NoValue("angle too large")
    sine, cosine = _noise(mp.sin(angle)), _noise(mp.cos(angle))
    if name == "sin":
        return sine
    if name == "cos":
        return cosine
    if name == "tan":
        return _div(sine, cosine)
    if name == "cot":
        return _div(cosine, sine)
    return _div(1, cosine if name == "sec" else sine)


def _noise(value: Number) -> Number:
    return 0 if abs(value) < _mp().mpf(10) ** -45 else value


def _mp_function(node: Node, point: Mapping[str, Number]) -> Number:
    value = _real(_eval(node[1], point))
    if node[0] in ("sinh", "cosh", "tanh") and abs(value) > 10**9:
        raise NoValue("too large")
    if node[0] == "acot":
        return _mp().acot(value)
    return _noise(_checked(getattr(_mp(), node[0])(value)))


def _exp(node: Node, point: Mapping[str, Number]) -> Number:
    return _pow(_mp().e, _eval(node[1], point))


def _log(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if value == 0:
        raise NoValue("logarithm of zero")
    base = _eval(node[2], point)
    mp = _mp()
    if base == 0 or base == 1:
        raise NoValue("logarithm to base 0 or 1")
    return _div(_noise(mp.log(_real(value))), mp.log(_real(base)))


def _ln(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if value == 0:
        raise NoValue("logarithm of zero")
    return _noise(_mp().log(_real(value)))


def _rounded(node: Node, point: Mapping[str, Number]) -> Number:
    value = _eval(node[1], point)
    if isinstance(value, (int, Fraction)):
        return math.floor(value) if node[0] == "floor" else math.ceil(value)
    key = number_key(value)
    if len(key) == 2:
        return _rounded((node[0], ("num", Fraction(*key))), point)
    if key[0] != "r" or abs(value) > 10**30:
        raise NoValue("cannot be rounded")
    return int(_mp().floor(value) if node[0] == "floor" else _mp().ceil(value))


def _whole(node: Node, point: Mapping[str, Number]) -> Number:
    values = [_eval(n, point) for n in node[1:]]
    if not values or not all(isinstance(v, int) for v in values):
        raise NoValue("not whole numbers")
    if node[0] == "gcd":
        return math.gcd(*values)
    if node[0] == "lcm":
        return math.lcm(*values)
    if values[1] == 0:
        raise NoValue("division by zero")
    return values[0] % values[1]


def _best(node: Node, point: Mapping[str, Number]) -> Number:
    values = [_eval(n, point) for n in node[1:]]
    if any(hasattr(v, "_mpc_") for v in values):
        raise NoValue("not ordered")
    return max(values, key=_real) if node[0] == "max" else min(values, key=_real)


def _series(node: Node, point: Mapping[str, Number]) -> Number:
    kind, name, low_node, high_node, term = node
    low, high = _eval(low_node, point), _eval(high_node, point)
    if not isinstance(low, int) or not isinstance(high, int):
        raise NoValue("open bounds")
    if high - low >= MAX_TERMS * 10:
        raise NoValue("too many terms")
    total: Number = 0 if kind == "sum" else 1
    inner = _Inner(point)
    for index in range(low, high + 1):
        inner[name] = index
        value = _eval(term, inner)
        total = _add(total, value) if kind == "sum" else _mul(total, value)
    return total


class _Inner(dict[str, Any]):
    """A point with one more variable bound."""

    def __init__(self, outer: Mapping[str, Number]) -> None:
        super().__init__()
        self.outer = outer

    def __missing__(self, name: str) -> Number:
        return self.outer[name]


def _abs(node: Node, point: Mapping[str, Number]) -> Number:
    return abs(_eval(node[1], point))


_FUNCTIONS: dict[str, Any] = {
    "pi": lambda node, point: +_mp().pi,
    "e": lambda node, point: +_mp().e,
    "i": lambda node, point: _i(),
    "call": _call,
    "abs": _abs,
    "fact": lambda node, point: _factorial(_eval(node[1], point)),
    "binom": lambda node, point: _binomial(_eval(node[1], point), _eval(node[2], point)),
    "log": _log,
    "ln": _ln,
    "exp": _exp,
    "floor": _rounded,
    "ceil": _rounded,
    "gcd": _whole,
    "lcm": _whole,
    "mod": _whole,
    "max": _best,
    "min": _best,
    "sum": _series,
    "prod": _series,
    **dict.fromkeys(("sin", "cos", "tan", "cot", "sec", "csc"), _trig),
    **dict.fromkeys(("asin", "acos", "atan", "acot", "sinh", "cosh", "tanh"), _mp_function),
    "conj": lambda node, point: _mp().conj(_real(_eval(node[1], point))),
}
