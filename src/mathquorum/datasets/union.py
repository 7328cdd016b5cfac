"""Several datasets as one: problems that are the same joined, parts drawn by a seed, solutions taken by weight.

What is drawn depends on the seed and the ids, not on the order of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from mathquorum.datasets.contamination import normalize_text
from mathquorum.datasets.reading import Reading
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution, Problem

__all__ = ["Union", "draw_problems", "join", "take_weight"]


@dataclass(frozen=True)
class Union:
    """Problems of all sources, each once, and the solutions of each source.

    Attributes:
        solutions: One tuple per source; their `problem_id` is that of a problem here.
        num_joined: Problems of later sources that an earlier source has too.
    """

    problems: tuple[Problem, ...]
    solutions: tuple[tuple[LabeledSolution, ...], ...]
    num_joined: int

    def without(self, problem_ids: Set[str]) -> Union:
        """The union without some problems and their solutions."""
        return replace(
            self,
            problems=tuple(p for p in self.problems if p.id not in problem_ids),
            solutions=tuple(tuple(s for s in part if s.problem_id not in problem_ids) for part in self.solutions),
        )


def join(readings: Iterable[Reading]) -> Union:
    """Puts readings together. A problem whose normalised text an earlier source has takes that problem's id, so that all
    its solutions stand under one; within one source problems stay as they are.

    Raises:
        DataError: If two sources use one id for different problems.
    """
    problems: dict[str, Problem] = {}
    earlier: dict[str, str] = {}
    solutions = []
    num_joined = 0
    for reading in readings:
        ids: dict[str, str] = {}
        fresh: dict[str, str] = {}
        for problem in reading.problems:
            text = normalize_text(problem.text)
            known = earlier.get(text)
            if known is not None:
                num_joined += 1
                ids[problem.id] = known
                first = problems[known]
                problems[known] = replace(
                    first,
                    answer=problem.answer if first.answer is None else first.answer,
                    solution=problem.solution if first.solution is None else first.solution,
                )
            elif problem.id in problems:
                raise DataError(
                    f"Problem id {problem.id!r} stands for two different problems, in one source or in two: "
                    f"{problems[problem.id].text!r:.60} and {problem.text!r:.60}."
                )
            else:
                problems[problem.id] = problem
                fresh.setdefault(text, problem.id)
                ids[problem.id] = problem.id
        earlier.update(fresh)
        solutions.append(tuple(replace(s, problem_id=ids[s.problem_id]) for s in reading.solutions))
    return Union(tuple(problems.values()), tuple(solutions), num_joined)


def draw_problems(reading: Reading, limit: int | None, seed: int) -> Reading:
    """Draws at most `limit` problems by the seed, in their old order, with their solutions."""
    if limit is None or len(reading.problems) <= limit:
        return reading
    kept = set(sorted((p.id for p in reading.problems), key=lambda name: _place(seed, "limit", name))[:limit])
    problems = tuple(p for p in reading.problems if p.id in kept)
    solutions = tuple(s for s in reading.solutions if s.problem_id in kept)
    return Reading(problems, solutions, reading.tally)


def take_weight(solutions: Sequence[LabeledSolution], weight: float, seed: int) -> list[LabeledSolution]:
    """Every solution as often as the weight says: all of them for its whole part, and for the rest a share drawn by the
    seed. Weight 2.5 gives each solution twice, and half of them once more.
    """
    whole = int(weight)
    size = round((weight - whole) * len(solutions))
    order = sorted(range(len(solutions)), key=lambda i: _place(seed, f"weight/{i}", solutions[i].solution))
    return list(solutions) * whole + [solutions[i] for i in sorted(order[:size])]


def _place(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{purpose}/{name}".encode("utf-8", "surrogatepass")).digest()
