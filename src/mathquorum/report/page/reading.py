"""The page's pools from the files of a run: what the inspector and the charts of scores are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mathquorum.metrics import Pool
from mathquorum.metrics.pool_files import Scores as ScoreTable
from mathquorum.metrics.pool_files import by_problem, read_candidates, read_scores
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.report.page.inspector import InspectedPool, look_at
from mathquorum.selection import Strategy
from mathquorum.store import read_records

__all__ = ["PoolPlace", "ReadPool", "read_places"]


@dataclass(frozen=True)
class PoolPlace:
    """The files of a generator's candidates.

    Attributes:
        scores: By scorer.
        strategies: By scorer, "" for none.
    """

    problems: Path
    candidates: Path
    clusters: Path
    scores: Mapping[str, Path]
    strategies: Mapping[str, Sequence[Strategy]]


@dataclass(frozen=True)
class ReadPool:
    """A generator's candidates.

    Attributes:
        problems: By id, all that the file has.
        pools: Of the problems with a reference and candidates, without scores.
        num_texts: Different texts among a problem's candidates, mean over problems: evaluator calls per problem.
    """

    name: str
    problems: Mapping[str, Problem]
    pools: Sequence[Pool]
    scores: Mapping[str, ScoreTable]
    inspected: InspectedPool
    num_texts: float

    def scored(self, scorer: str) -> list[Pool]:
        """The pools with that scorer's scores."""
        return [replace(pool, scores=self.scores[scorer].get(pool.problem_id, {})) for pool in self.pools]


def read_places(places: Mapping[str, PoolPlace]) -> list[ReadPool]:
    """Reads the files of each generator; a problems file is read once.

    Raises:
        DataError: If a file cannot be read.
    """
    known: dict[Path, dict[str, Problem]] = {}
    read = []
    for name, place in places.items():
        if place.problems not in known:
            known[place.problems] = {p.id: p for p in read_records(_file(place.problems, "problems"), Problem)}
        read.append(_read(name, place, known[place.problems]))
    return read


def _read(name: str, place: PoolPlace, problems: Mapping[str, Problem]) -> ReadPool:
    candidates: dict[str, list[Candidate]] = {}
    for candidate in read_candidates(_file(place.candidates, "candidates")):
        candidates.setdefault(candidate.problem_id, []).append(candidate)
    clusters = by_problem(read_records(_file(place.clusters, "clusters"), AnswerCluster))
    scores = {scorer: read_scores(_file(path, "scores")) for scorer, path in place.scores.items()}
    looked = [
        look_at(
            problem,
            len(candidates[problem.id]),
            clusters.get(problem.id, []),
            candidates[problem.id],
            {scorer: found.get(problem.id, {}) for scorer, found in scores.items()},
            place.strategies,
        )
        for problem in problems.values()
        if problem.id in candidates
    ]
    pools = [
        Pool(item.problem.id, item.num_candidates, item.clusters) for item in looked if item.problem.answer is not None
    ]
    texts = [len({c.text for c in found}) for found in candidates.values()]
    inspected = InspectedPool(name, list(place.strategies), looked)
    return ReadPool(name, problems, pools, scores, inspected, sum(texts) / max(1, len(texts)))


def _file(path: Path, kind: str) -> Path:
    return path / f"{kind}.jsonl" if path.is_dir() else path
