"""What a reference may leave open in a formula: the names of bound variables and arbitrary constants, and the form of an equation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["FORMULA_RULES"]

Key = tuple[Any, ...]


def _letter_of_constant(a: Key, r: Key) -> bool:
    """the same family, with another letter for the constant of integration"""
    return any(
        one[0] == "family" and other[0] == "family member" and one[1] == other[2] for one, other in ((a, r), (r, a))
    )


def _variable_renamed(a: Key, r: Key) -> bool:
    """the same function, with another name for its variable, or without its name"""
    if a[0] == r[0] == "function":
        return bool(a[1] == r[1])
    return any(one[0] == "function" and other in one[1:] for one, other in ((a, r), (r, a)))


def _value_of_quantity(a: Key, r: Key) -> bool:
    """the same value, on one side with the quantity that has it"""
    return any(one[0] == "equation" and one[2] is not None and one[2] == other for one, other in ((a, r), (r, a)))


def _solved_form(a: Key, r: Key) -> bool:
    """the same curve, one side solved for a coordinate"""
    return any(one[0] == "equation" and one[3] is not None and one[3] == other for one, other in ((a, r), (r, a)))


def _residue_with_modulus(a: Key, r: Key) -> bool:
    """the remainder, and what it is a remainder of"""
    return any(one[0] == "residue" and other == ("n", (one[1], 1)) for one, other in ((a, r), (r, a)))


def _ratio_of_several(a: Key, r: Key) -> bool:
    """equal ratios of several numbers, one of them not in lowest terms"""
    if a[0] != "colon" or r[0] != "colon" or a[2] or r[2] or len(a[1]) != len(r[1]) or len(a[1]) < 3:
        return False
    if not all(k[0] == "n" and len(k[1]) == 2 and k[1][0] for k in (*a[1], *r[1])):
        return False
    return len({Fraction(*x[1]) / Fraction(*y[1]) for x, y in zip(a[1], r[1], strict=True)}) == 1


FORMULA_RULES = (
    _ratio_of_several,
    _residue_with_modulus,
    _letter_of_constant,
    _variable_renamed,
    _value_of_quantity,
    _solved_form,
)
