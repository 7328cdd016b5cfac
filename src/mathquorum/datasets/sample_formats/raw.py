"""Solutions and problems as a file has them, before answers are extracted, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import value_at

__all__ = ["ROLES", "Columns", "Format", "RawSample", "RawSamples", "Role", "columns_in"]

Role = Literal[
    "id", "problem", "reference", "samples", "answers", "scores", "correct", "model", "finished", "tokens", "logprob",
    "solution", "subject", "level",
]  # fmt: skip
"""What a column can hold. `samples` are the solutions; `answers`, `scores`, `correct`, `finished`, `model`, `tokens`
and `logprob` are of each solution, in lists beside them."""

ROLES: tuple[Role, ...] = Role.__args__  # type: ignore[attr-defined]
Columns = Mapping[Role, str]
"""Which column of a row holds what; a dot reaches into an object."""


@dataclass(frozen=True, slots=True)
class RawSample:
    """One solution as the file has it.

    Attributes:
        answer: The answer that its maker extracted.
        scores: Its score, or one per step; empty where there is none, or it is no finite number.
        correct: What the file says of it.
        finished: False when it was cut off by a limit; None where the file does not say.
    """

    text: str
    answer: str | None = None
    scores: tuple[float, ...] = ()
    correct: bool | None = None
    finished: bool | None = None
    num_tokens: int | None = None
    logprob: float | None = None
    seed: int | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class RawSamples:
    """The problem of a row and its solutions.

    Attributes:
        view: Of files that write the same solutions down several times, such as once per answer filter, which time.
        num_failed: Requests that brought no solution.
        alternatives: Further references that the file would accept.
    """

    id: str | None
    problem: str | None
    reference: str | None
    samples: tuple[RawSample, ...]
    solution: str | None = None
    subject: str | None = None
    level: int | None = None
    view: str | None = None
    num_failed: int = 0
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write samples down. It is recognised by columns that must be there.

    Attributes:
        needs: Columns that must hold something.
        places: For each role the columns in which it may stand; the first that holds something is read.
        read: From a row and its columns.
    """

    name: str
    needs: frozenset[str]
    places: Mapping[Role, tuple[str, ...]]
    read: Callable[[Row, Columns], RawSamples]


def columns_in(row: Row, places: Mapping[Role, tuple[str, ...]]) -> dict[Role, str]:
    """The columns of a row that hold something, one per role. A column has one role, the first that asks for it."""
    found: dict[Role, str] = {}
    taken: set[str] = set()
    for role, names in places.items():
        for name in names:
            if name not in taken and value_at(row.values, name) is not None:
                found[role] = name
                taken.add(name)
                break
    return found
