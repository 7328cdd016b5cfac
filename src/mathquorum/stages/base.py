"""What a stage is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

__all__ = ["Measurable", "Progress", "Stage", "Summary", "no_progress"]

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is to do, in whatever unit the stage counts."""

Summary = Mapping[str, int | float | str]
"""What a stage wants shown when it has ended: counts of what was made, left out or cut off."""


class Stage(Protocol):
    """Frozen settings that can be run. All concrete stages are `mathquorum.config.Settings`.

    The files that a stage reads are fields declared as `InputPath`, so that the run's ledger can tell when one changed.
    Called again on a directory that holds a part of its work, a stage goes on from there and ends in the same bytes.
    """

    def run(self, out: Path, progress: Progress) -> Summary:
        """Does the work and leaves its files in the existing directory `out`."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A stage that can tell how much work it is, so that those of its kind can be compared: for a forecast only."""

    def amount(self) -> int | None:
        """In a unit of the kind's own, such as candidates; None while a file that decides it is not there."""
        ...


def no_progress(done: int, total: int) -> None:
    """For callers that do not want to know."""
