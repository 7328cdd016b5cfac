"""Matching a reference: what an answer may leave to the form of the reference.

Equivalence alone cannot know that `204` answers a question asked in base 5, or that `2:30` answers one whose reference
says `2:30 PM`: then `2:30 AM` and `2:30 PM` would be one answer. These few rules use the reference's form. They look at
keys alone, so that answers with equal keys get the same verdict, but for two that need what a key does not hold: the order in which a list is
written (against a point), and whether a number is written with one letter behind it (against a number).
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from mathquorum.answers.formula_rules import FORMULA_RULES
from mathquorum.answers.number_keys import real_value
from mathquorum.answers.numerals import totals_of
from mathquorum.answers.reading import Answer
from mathquorum.answers.sets import members
from mathquorum.answers.value_keys import value_key

__all__ = ["matching_rule"]

Key = tuple[Any, ...]

FLOAT_DIGITS = 10  # decimals from which a number looks like a float's print-out
FLOAT_TOLERANCE = Fraction(1, 10**9)
LARGEST = 10**60  # of a number whose spelling matters: a unit, a comma of thousands
_UNITS = (
    *(("var", letter) for letter in ("m", "g", "s", "h", "L", "l", "t", "W", "N", "J", "V", "K")),
    *(("pow", ("var", "m"), ("num", power)) for power in (2, 3)),
)

_MULTIPLYING = (("k", 10**3), ("K", 10**3), ("M", 10**6), ("B", 10**9))


def matching_rule(reference: Answer, answer: Answer) -> str | None:
    """The rule by which an answer that is not equivalent to the reference matches it all the same; None without one."""
    rules = (_float_print,) if answer.kind == reference.kind == "number" else _RULES
    for rule in rules:
        if rule in (_unit_letter, _letter_of_thousands) and not answer.has_unit_letter:
            continue
        if rule(answer.key, reference.key):
            return rule.__doc__
    for listed, point in ((answer, reference), (reference, answer)):
        if listed.source and _coordinates(point.key) and _ordered_list(listed.written or listed.key, point.key):
            return _ordered_list.__doc__
    return None


def _base_left_out(a: Key, r: Key) -> bool:
    """the digits are right, and the base that the reference gives was left out"""
    for numeral, number in ((r, a), (a, r)):
        if numeral[0] == "base" and numeral[2].lstrip("-").isdigit() and number == ("n", (int(numeral[2]), 1)):
            return numeral is r or numeral[1] == 10
    return False


def _meridiem_left_out(a: Key, r: Key) -> bool:
    """the time is right and only one side says a.m. or p.m."""
    return a[0] == r[0] == "colon" and a[1] == r[1] and a[2] != r[2] and "" in (a[2], r[2])


def _clock_of_24_hours(a: Key, r: Key) -> bool:
    """the time is right, on a clock of 24 hours on one side: 16:45 and 4:45 PM"""
    for half, whole in ((a, r), (r, a)):
        if half[0] == whole[0] == "colon" and half[2] == "pm" and not whole[2] and half[1][1:] == whole[1][1:]:
            hour, other = half[1][0], whole[1][0]
            return bool(
                hour[0] == other[0] == "n" and hour[1][1:] == other[1][1:] == (1,) and hour[1][0] + 12 == other[1][0]
            )
    return False


def _total(a: Key, r: Key) -> bool:
    """a measure of several units and its total in one of them: 2 hours 45 minutes and 165 minutes"""
    for compound, number in ((a, r), (r, a)):
        if compound[0] == "compound":
            is_money = any(unit == "dollar" for unit, _ in compound[1])
            totals = totals_of(compound) if compound is r or is_money else totals_of(compound)[-1:]
            if number[0] == "n" and len(number[1]) == 2:
                return Fraction(*number[1]) in totals
            return number[0] == "x" and any(_unit_letter(number, ("n", (t.numerator, t.denominator))) for t in totals)
    return False


def _clock_as_number(a: Key, r: Key) -> bool:
    """a full hour, written as a time or as a number"""
    for clock, number in ((a, r), (r, a)):
        if clock[0] == "colon" and len(clock[1]) == 2 and clock[1][1] == ("n", (0, 1)) and clock[1][0] == number:
            return True
    return False


def _ratio(a: Key, r: Key) -> bool:
    """equal ratios, one of them not in lowest terms or written as a fraction"""
    if "colon" not in (a[0], r[0]) or (_may_be_time(a) and _may_be_time(r)):
        return False
    x, y = _proportion(a), _proportion(r)
    return x is not None and x == y


def _may_be_time(key: Key) -> bool:
    """2:30, where the second part has two digits: as a time it is not 1:15."""
    return key[0] == "colon" and len(key[1]) == 2 and key[1][1] in _MINUTES


_MINUTES = frozenset(("n", (minute, 1)) for minute in range(10, 60))


def _duration_as_clock(a: Key, r: Key) -> bool:
    """hours and minutes, or minutes and seconds, in words and with a colon: 2 hours 30 minutes and 2:30"""
    for words, clock in ((a, r), (r, a)):
        if words[0] == "compound" and clock[0] == "colon" and not clock[2]:
            units = tuple(unit for unit, _ in words[1])
            parts = tuple(("n", (value, 1)) for _, value in words[1])
            if units in (("h", "min"), ("min", "s"), ("h", "min", "s")) and parts == clock[1]:
                return True
    return False


def _proportion(key: Key) -> Fraction | None:
    if key[0] == "n" and len(key[1]) == 2 and key[1][1] != 1:
        return Fraction(*key[1])
    if key[0] == "colon" and len(key[1]) == 2 and not key[2] and all(k[0] == "n" and len(k[1]) == 2 for k in key[1]):
        top, bottom = (Fraction(*k[1]) for k in key[1])
        return top / bottom if bottom else None
    return None


def _float_print(a: Key, r: Key) -> bool:
    """equal to all the digits of a floating-point number"""
    if a[0] != "n" or r[0] != "n" or len(a[1]) != 2 or a[1][1] < 10 ** (FLOAT_DIGITS - 2):
        return False
    value = Fraction(*a[1])
    if 10**30 % value.denominator:
        return False
    target = real_value(r[1])
    return target is not None and abs(value - target) <= FLOAT_TOLERANCE * abs(target)


def _unit_letter(a: Key, r: Key) -> bool:
    """the number is right and carries a unit of one letter, or its square or cube"""
    if r[0] != "n" or a[0] != "x" or len(r[1]) != 2 or max(abs(r[1][0]), r[1][1]) > LARGEST:
        return False
    number = ("num", Fraction(*r[1]))
    return any(value_key(("mul", number, unit)) == a for unit in _UNITS)


def _letter_of_thousands(a: Key, r: Key) -> bool:
    """the number is right, its thousands, millions or billions written as one letter: 300K"""
    if r[0] != "n" or a[0] != "x" or r[1][1:] != (1,) or abs(r[1][0]) > LARGEST:
        return False
    return any(
        value_key(("mul", ("num", Fraction(r[1][0], size)), ("var", letter))) == a for letter, size in _MULTIPLYING
    )


def _ordered_list(listed: Key, point: Key) -> bool:
    """the coordinates are right and in order, one side without brackets"""
    return listed[0] == "list" and tuple(members(listed)) == _coordinates(point)


def _choice(a: Key, r: Key) -> bool:
    """the letter of the choice is right, or the text that stands with it"""
    for one, other in ((a, r), (r, a)):
        if one[0] == "choice" and other in one[1:]:
            return True
    return bool(a[0] == r[0] == "choice" and a[1] == r[1])


def _coordinates(key: Key) -> tuple[Key, ...] | None:
    """The coordinates of a point in round brackets."""
    if key[0] == "pair" and key[1:3] == ("(", ")"):
        return key[3:]
    return key[1] if key[0] == "tuple" else None


def _repeated(a: Key, r: Key) -> bool:
    """the reference's items, some of them twice"""
    if a[0] != "list" or r[0] != "list":
        return False
    given, wanted = Counter(members(a)), Counter(members(r))
    return given.keys() == wanted.keys() and wanted <= given


def _vector(a: Key, r: Key) -> bool:
    """the coordinates are right, one side as a column or row and the other as a point"""
    for matrix, other in ((a, r), (r, a)):
        if matrix[0] == "matrix" and (len(matrix[1]) == 1 or len(matrix[1][0]) == 1):
            return tuple(k for row in matrix[1] for k in row) == _coordinates(other)
    return False


def _thousands_as_list(a: Key, r: Key) -> bool:
    """one comma read as separating two items on one side, and thousands on the other: 81, 256 and 81,256"""
    for number, items in ((a, r), (r, a)):
        if number[0] == "n" and items[0] == "list" and number[1][1:] == (1,) and abs(number[1][0]) < LARGEST:
            parts = f"{number[1][0]:,}".split(",")
            if len(parts) < 2 or any(p[0] == "0" for p in parts[1:]):
                return False
            return Counter(members(items)) == Counter(("n", (int(p), 1)) for p in parts)
    return False


_RULES = (
    _base_left_out,
    _meridiem_left_out,
    _clock_of_24_hours,
    _total,
    _clock_as_number,
    _duration_as_clock,
    _ratio,
    _float_print,
    _unit_letter,
    _letter_of_thousands,
    _repeated,
    _vector,
    _choice,
    _thousands_as_list,
    *FORMULA_RULES,
)
