"""Stages listed before any is called, so that each begins as soon as what it reads is there and no process waits for the last of a kind."""

from __future__ import annotations

from pathlib import Path

from mathquorum.errors import SettingsError
from mathquorum.stages.base import Stage

__all__ = ["Listing"]


class Listing:
    """Stages by name, in the order in which they begin when several could; each after those whose files it reads.

    Args:
        directory: Of the run.

    Example:
        listing = Listing(run.directory)
        problems = listing.add("problems", Prepare(sources=(...,)))
        listing.add("candidates", Sample(problems=problems / "problems.jsonl", model="...", num_candidates=64))
        run.do_together(listing.stages)
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._suffix = ""
        self.stages: dict[str, Stage] = {}

    def suffixed(self, suffix: str) -> Listing:
        """The same list, to which stages are added with a suffix to their names: once more with another seed."""
        other = Listing(self._directory)
        other._suffix, other.stages = self._suffix + suffix, self.stages
        return other

    def add(self, name: str, stage: Stage) -> Path:
        """The place where its results will be.

        Raises:
            SettingsError: If there is a stage of that name.
        """
        name += self._suffix
        if name in self.stages:
            raise SettingsError(
                f"Two stages would be called {name!r}. Give the source, the evaluator or its variant another name."
            )
        self.stages[name] = stage
        return self._directory / name
