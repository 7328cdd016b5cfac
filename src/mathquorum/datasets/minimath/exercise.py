"""A problem together with the way to solve it: what every subject's generators return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.worksheet import Worksheet

__all__ = ["Exercise", "Maker"]


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem's text and its solver, which works on any worksheet: clean or flawed, terse or fine."""

    text: str
    solve: Callable[[Worksheet], Answer]


Maker = Callable[[Random], Exercise]
