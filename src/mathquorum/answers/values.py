"""Keys of expressions: equal keys are equal values, at every value of the variables.

A variable stands for a fixed integer that its name chooses, so that two expressions in variables are equal exactly when
their values at those points are: integers, because then factorials, binomials and signs such as (-1)^n mean what they say.
"""

from __future__ import annotations

import zlib
from typing import Any

from mathquorum.answers.evaluation import Node, value_at, variables
from mathquorum.answers.number_keys import number_key

__all__ = ["Point", "value_key"]


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
    """Where a variable lies: a fixed integer that its name and the number of the point choose.

    n is a few hundred and k smaller, so that factorials and binomials of them are exact and not zero; other names have
    four digits. Each name is even at one of the points 1 and 2 and odd at the other.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, name: str) -> int:
        seed = zlib.crc32(f"{abs(self.number)}:{name}".encode())
        low, width = _RANGES.get(name[0], (1009, 7919))
        value = 2 * (low // 2 + seed % (width // 2)) + (self.number + zlib.crc32(name.encode())) % 2
        self[name] = value = -value if self.number < 0 else value
        return value


_RANGES = {**dict.fromkeys("nN", (301, 250)), **dict.fromkeys("kmrjpq", (23, 120))}


def _has_abs(node: Node) -> bool:
    return node[0] == "abs" or any(_has_abs(n) for n in node[1:] if type(n) is tuple)
