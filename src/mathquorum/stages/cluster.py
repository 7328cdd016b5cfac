"""Group candidates by the mathematical equivalence of their answers, and grade each group once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.answers import cluster_candidates
from mathquorum.config import InputPath, Runtime, Settings, Told
from mathquorum.metrics.pool_files import by_problem, read_candidates
from mathquorum.processes import Handler, Tell
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.spreading import Workers, spread_units
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_records

__all__ = ["Cluster"]

_PROBLEMS_PER_UNIT = 16
_WORTH_A_PROCESS = 20_000  # candidates: a second of work, about what a process costs before it begins

_Unit = list[tuple[str, str | None, list[Candidate]]]


class Cluster(Settings):
    """Makes clusters.jsonl: the clusters of each problem, largest first."""

    problems: InputPath
    """problems.jsonl; its answers are the references."""
    candidates: InputPath
    """candidates.jsonl."""
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes, at most; few candidates are not worth more than one."""
    cluster: Annotated[str | None, Runtime(), Told()] = None
    """A Ray cluster whose machines share the work where it is worth it, as the run was told."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        references = {problem.id: problem.answer for problem in read_records(self.problems, Problem)}
        # Without the text, so that a million candidates fit into memory.
        of_problem = by_problem(
            Candidate(c.problem_id, c.index, "", c.answer) for c in read_candidates(self.candidates)
        )
        waiting = iter((name, references[name], candidates) for name, candidates in of_problem.items())
        units = list(iter(lambda: list(islice(waiting, _PROBLEMS_PER_UNIT)), []))
        found: list[list[AnswerCluster]] = [[] for _ in units]
        num_done = 0
        total = sum(map(len, of_problem.values()))
        for place, clusters in spread_units(_clusterer, units, self._workers(total)):
            found[place] = clusters
            num_done += len(units[place])
            progress(num_done, len(of_problem))
        ordered = [cluster for clusters in found for cluster in clusters]
        write_records(out / "clusters.jsonl", ordered)
        return {
            "problems": len(of_problem),
            "clusters": len(ordered),
            "problems without a reference": sum(references[name] is None for name in of_problem),
            "problems without any answer": len(of_problem) - len({c.problem_id for c in ordered}),
        }

    def _workers(self, num_candidates: int) -> Workers:
        worth = 1 + num_candidates // _WORTH_A_PROCESS
        return Workers(min(self.workers, worth), self.cluster if worth > 1 else None)


def _clusterer() -> Handler[_Unit, list[AnswerCluster]]:
    return _clusters


def _clusters(unit: _Unit, tell: Tell) -> list[AnswerCluster]:
    return [c for name, reference, candidates in unit for c in cluster_candidates(name, candidates, reference)]
