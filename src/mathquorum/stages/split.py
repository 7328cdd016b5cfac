"""Deal problems out to the parts of a study that must not share any: generator, evaluator, validation."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.config import InputPath, Runtime, Settings
from mathquorum.datasets.contamination import text_fingerprint
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_records

__all__ = ["Split"]


class Split(Settings):
    """Makes a directory per part with problems.jsonl and labeled.jsonl; what the named parts do not take is the rest.

    Problems with the same normalised text go to the same part, so that a second solution of a problem, from whatever
    source, never stands on the other side.
    """

    problems: InputPath
    labeled: InputPath
    parts: dict[str, int]
    """Number of distinct problems of each named part."""
    at_most: float | None = Field(default=None, gt=0, lt=1)
    """Share of the problems that the parts get together at most: where they ask for more, each gets as much less. None refuses then."""
    asked_by: Annotated[str, Runtime()] = "parts"
    """The setting that the numbers come from, which an error names."""
    rest: str = "generator"
    """The name of the part that gets all others."""
    seed: int = 0

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If the parts ask for as many problems as there are, or more, or there are too few for each to get one.
        """
        problems = list(read_records(self.problems, Problem))
        prints = {problem.id: text_fingerprint(problem.text) for problem in problems}
        labeled = list(read_records(self.labeled, LabeledSolution))
        prints.update({s.problem_id: text_fingerprint(s.problem) for s in labeled if s.problem_id not in prints})
        order = sorted(set(prints.values()))
        random.Random(self.seed).shuffle(order)
        parts = self._sizes(len(order))
        part_of = dict.fromkeys(order, self.rest)
        start = 0
        for name, number in parts.items():
            part_of.update(dict.fromkeys(order[start : start + number], name))
            start += number
        summary: dict[str, int | float | str] = {}
        for name in (*self.parts, self.rest):
            (out / name).mkdir(exist_ok=True)
            mine = [problem for problem in problems if part_of[prints[problem.id]] == name]
            summary[f"{name} problems"] = write_records(out / name / "problems.jsonl", mine)
            solutions = [item for item in labeled if part_of[prints[item.problem_id]] == name]
            summary[f"{name} solutions"] = write_records(out / name / "labeled.jsonl", solutions)
        return summary

    def _sizes(self, num_problems: int) -> dict[str, int]:
        """How many problems each part gets of so many."""
        wanted = sum(self.parts.values())
        there = num_problems if self.at_most is None else int(num_problems * self.at_most)
        if self.at_most is not None and wanted > there:
            sizes = {name: number * there // wanted for name, number in self.parts.items()}
        else:
            sizes = dict(self.parts)
        if sum(sizes.values()) >= num_problems or not all(sizes.values()):
            asked = ", ".join(f"{name} {number}" for name, number in self.parts.items())
            raise DataError(
                f"{self.asked_by} asks for {wanted} problems ({asked}) and there are {num_problems} different ones; "
                f"{self.rest!r} must get some too. Give a lower {self.asked_by}, or more problems."
            )
        return sizes
