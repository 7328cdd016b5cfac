"""Group candidates by the mathematical equivalence of their answers, and grade each group once."""

from __future__ import annotations

from pathlib import Path

from mathquorum.answers import cluster_candidates
from mathquorum.config import InputPath, Settings
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_records

__all__ = ["Cluster"]


class Cluster(Settings):
    """Makes clusters.jsonl: the clusters of each problem, largest first."""

    problems: InputPath
    """problems.jsonl; its answers are the references."""
    candidates: InputPath
    """candidates.jsonl."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        problems = {problem.id: problem for problem in read_records(self.problems, Problem)}
        of_problem: dict[str, list[Candidate]] = {}
        for candidate in read_records(self.candidates, Candidate):
            of_problem.setdefault(candidate.problem_id, []).append(candidate)
        clusters: list[AnswerCluster] = []
        for number, (problem_id, candidates) in enumerate(of_problem.items(), start=1):
            clusters.extend(cluster_candidates(problem_id, candidates, problems[problem_id].answer))
            progress(number, len(of_problem))
        write_records(out / "clusters.jsonl", clusters)
        return {
            "problems": len(of_problem),
            "clusters": len(clusters),
            "problems without a reference": sum(problems[name].answer is None for name in of_problem),
            "problems without any answer": len(of_problem) - len({c.problem_id for c in clusters}),
        }
