"""Intervals and their unions: bounds in order, brackets, infinities.

An interval is ("pair", open bracket, close bracket, low, high), the same key as an ordered pair: `(0, 1)` is read the same
way whether the problem wanted a point or a range, and its brackets tell `(0, 1)` from `[0, 1]`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mathquorum.answers.number_keys import real_value

__all__ = [
    "MINUS_INFINITY",
    "PLUS_INFINITY",
    "REALS",
    "Interval",
    "complement",
    "integers",
    "intersect",
    "intervals_of",
    "members",
    "union",
]

Key = tuple[Any, ...]

PLUS_INFINITY: Key = ("infinity", 1)
MINUS_INFINITY: Key = ("infinity", -1)


@dataclass(frozen=True)
class Interval:
    """Bounds as value keys; an infinite bound is always open."""

    low: Key
    high: Key
    low_closed: bool = False
    high_closed: bool = False

    def key(self) -> Key:
        left = "[" if self.low_closed and self.low != MINUS_INFINITY else "("
        right = "]" if self.high_closed and self.high != PLUS_INFINITY else ")"
        return ("pair", left, right, self.low, self.high)


REALS = Interval(MINUS_INFINITY, PLUS_INFINITY)


def size(bound: Key) -> float | Fraction | None:
    """The place of a bound on the line; None when it is not a real constant."""
    if bound == PLUS_INFINITY:
        return float("inf")
    if bound == MINUS_INFINITY:
        return float("-inf")
    if bound[0] != "n":
        return None
    return real_value(bound[1])


def members(key: Key) -> list[Key]:
    """The items of a list, repetitions included; of anything else, itself."""
    if key[0] != "list":
        return [key]
    if isinstance(key[1], tuple):
        return list(key[1])
    return [item for item, count in key[1] for _ in range(count)]


def intervals_of(key: Key) -> list[Interval] | None:
    """The intervals that a key stands for; None when it is no set of reals."""
    if key[0] == "pair":
        _, left, right, low, high = key
        return [Interval(low, high, left == "[", right == "]")]
    if key[0] == "union":
        return [interval for part in key[1] for interval in intervals_of(part) or []]
    if key[0] == "list":
        return [Interval(item, item, True, True) for item in members(key)]
    if key[0] == "n":
        return [Interval(key, key, True, True)]
    if key == ("text", "nosolution"):
        return []
    return None


def union(parts: Iterable[Interval]) -> Key:
    """One key for a union: in order, with intervals that touch or overlap made one."""
    known = [p for p in parts if size(p.low) is not None and size(p.high) is not None]
    other = [p for p in parts if size(p.low) is None or size(p.high) is None]
    known.sort(key=lambda p: (size(p.low), not p.low_closed))
    merged: list[Interval] = []
    for part in known:
        if merged and _touch(merged[-1], part):
            merged[-1] = _join(merged[-1], part)
        elif not _is_empty(part):
            merged.append(part)
    keys = [_as_key(p) for p in merged] + [p.key() for p in other]
    if not keys:
        return ("text", "nosolution")
    if len(keys) == 1:
        return keys[0]
    if all(k[0] == "n" for k in keys):
        return ("list", frozenset((k, 1) for k in keys))
    return ("union", frozenset(keys))


def _as_key(part: Interval) -> Key:
    return part.low if part.low == part.high and part.low_closed else part.key()


def _is_empty(part: Interval) -> bool:
    low, high = size(part.low), size(part.high)
    assert low is not None
    assert high is not None
    return low > high or (low == high and not (part.low_closed and part.high_closed))


def _touch(left: Interval, right: Interval) -> bool:
    end, start = size(left.high), size(right.low)
    assert end is not None
    assert start is not None
    return start < end or (start == end and (left.high_closed or right.low_closed))


def _join(left: Interval, right: Interval) -> Interval:
    a, b = size(left.high), size(right.high)
    assert a is not None
    assert b is not None
    if a > b:
        return left
    closed = right.high_closed or (a == b and left.high_closed)
    return Interval(left.low, right.high, left.low_closed or (left.low == right.low and right.low_closed), closed)


def complement(parts: Sequence[Interval]) -> Key | None:
    """The real line without the given intervals."""
    if any(size(p.low) is None or size(p.high) is None for p in parts):
        return None
    gaps = []
    low, low_closed = MINUS_INFINITY, False
    for part in sorted(parts, key=lambda p: (size(p.low), not p.low_closed)):
        gaps.append(Interval(low, part.low, low_closed, not part.low_closed))
        low, low_closed = part.high, not part.high_closed
    gaps.append(Interval(low, PLUS_INFINITY, low_closed, False))
    return union(gaps)


def intersect(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval] | None:
    """The intervals common to both; None when a bound is not a real constant."""
    result = []
    measured = [[(part, size(part.low), size(part.high)) for part in parts] for parts in (left, right)]
    if any(low is None or high is None for parts in measured for _, low, high in parts):
        return None
    for a, al, ah in measured[0]:
        for b, bl, bh in measured[1]:
            assert al is not None and ah is not None and bl is not None and bh is not None
            if al > bh or bl > ah:
                continue
            low = a if al > bl or (al == bl and not a.low_closed) else b
            high = a if ah < bh or (ah == bh and not a.high_closed) else b
            part = Interval(low.low, high.high, low.low_closed, high.high_closed)
            if not _is_empty(part):
                result.append(part)
    return result


def integers(parts: Sequence[Interval], lowest: int | None, most: int) -> list[int] | None:
    """The integers in intervals, in order; None when there are more than `most`, or a bound is no real constant."""
    found: set[int] = set()
    for part in parts:
        low, high = size(part.low), size(part.high)
        if low is None or high is None:
            return None
        if low == float("-inf") and lowest is not None:
            low = Fraction(lowest)
        if abs(low) == float("inf") or abs(high) == float("inf") or high - low > most:
            return None
        first, last = math.ceil(low), math.floor(high)
        first += first == low and not part.low_closed and part.low != MINUS_INFINITY
        last -= last == high and not part.high_closed
        found.update(n for n in range(first, last + 1) if lowest is None or n >= lowest)
    return sorted(found)
