"""Deal problems out to the parts of a study that must not share any: generator, evaluator, validation."""

from __future__ import annotations

import random
from pathlib import Path

from mathquorum.config import InputPath, Settings
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
    rest: str = "generator"
    """The name of the part that gets all others."""
    seed: int = 0

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If the parts ask for as many problems as there are, or more.
        """
        problems = list(read_records(self.problems, Problem))
        prints = {problem.id: text_fingerprint(problem.text) for problem in problems}
        labeled = list(read_records(self.labeled, LabeledSolution))
        prints.update({s.problem_id: text_fingerprint(s.problem) for s in labeled if s.problem_id not in prints})
        order = sorted(set(prints.values()))
        random.Random(self.seed).shuffle(order)
        wanted = sum(self.parts.values())
        if wanted >= len(order):
            asked = ", ".join(f"{name} {number}" for name, number in self.parts.items())
            raise DataError(
                f"The parts ask for {wanted} problems ({asked}) and there are {len(order)} different ones; "
                f"{self.rest!r} must get some too. Lower the numbers, or add problems."
            )
        part_of = dict.fromkeys(order, self.rest)
        start = 0
        for name, number in self.parts.items():
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
