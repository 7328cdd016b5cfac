"""What a stage is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

__all__ = ["Asking", "Measurable", "Parallel", "Placed", "Progress", "Stage", "Summary", "no_progress"]


class Progress(Protocol):
    """Told of how much is done and how much there is to do, in whatever unit the stage counts."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """note: what else moves meanwhile, in words ("1,234 tokens, 84 a second")."""
        ...


Summary = Mapping[str, int | float | str]
"""What a stage wants shown when it has ended: counts of what was made, left out or cut off."""


class Stage(Protocol):
    """Frozen settings that can be run. All concrete stages are `mathquorum.config.Settings`.

    The files that a stage reads are fields declared as `InputPath`, and models that may have a hub id as `InputModel`, so that
    the run's ledger can tell when one changed. What a stage may be besides is said by the protocols below.
    Called again on a directory that holds a part of its work, a stage goes on from there and ends in the same bytes.
    """

    def run(self, out: Path, progress: Progress) -> Summary:
        """Does the work and leaves its files in the existing directory `out`."""
        ...


@runtime_checkable
class Placed(Protocol):
    """A stage whose bytes depend on where it runs, so that it is not begun in one place and continued in another."""

    def place(self) -> str | None:
        """Device and number type ("cpu, float32"), or what an engine has instead; None where no model runs after all."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A stage that asks a model, which may be far away."""

    @property
    def by_name(self) -> bool:
        """Whether the model's name is all that is known of it, where no folder here has it."""
        ...


@runtime_checkable
class Parallel(Protocol):
    """A stage that shares its work among processes: as many as it says, or fewer if a run has none to spare."""

    @property
    def workers(self) -> int: ...


@runtime_checkable
class Measurable(Protocol):
    """A stage that can tell how much work it is, so that those of its kind can be compared: for a forecast only."""

    def amount(self) -> int | None:
        """The amount in a unit of the kind's own, such as candidates; None while a file that decides it is not there."""
        ...


def no_progress(done: int, total: int, note: str = "") -> None:
    """Does nothing: for callers that do not want to know."""
