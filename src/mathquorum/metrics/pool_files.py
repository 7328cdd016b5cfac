"""The files of a pool, read once: candidates, their clusters and their scores, put together by problem."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from mathquorum.errors import DataError
from mathquorum.metrics.pools import Pool
from mathquorum.records import AnswerCluster, Candidate, Problem, Score, largest_first
from mathquorum.store import read_records

__all__ = ["PoolFiles", "Scores", "StoredPool", "by_problem", "read_candidates", "read_pool", "read_scores"]

R = TypeVar("R", Candidate, AnswerCluster, Score)

Scores = Mapping[str, Mapping[int, float]]
"""By problem, then by candidate."""


@dataclass(frozen=True)
class PoolFiles:
    """The files of a generator's pool: each a file, or the directory of the stage that made it.

    Attributes:
        candidates: candidates.jsonl.
        clusters: clusters.jsonl, of these candidates.
        greedy: clusters.jsonl of one greedy solution per problem.
        scores: scores.jsonl, of these candidates, by evaluator.
    """

    candidates: Path
    clusters: Path
    greedy: Path | None = None
    scores: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredPool:
    """The candidates of one generator, trained with one seed, on all problems.

    Attributes:
        pools: Without scores; of the problems that have a reference answer and candidates.
        answers: Per problem with answers those of the candidates as they were written, by index.
        tokens: Per problem the candidates' lengths in tokens, in sampling order.
        texts: Per problem the number of each candidate's text, in sampling order: equal ones are one call of the evaluator.
        logprobs: Per problem the candidates' log-likelihoods in nats, in sampling order; None where not known.
        scores: By evaluator.
        unsampled: Problems without candidates.
        candidates_print: Equal where the candidates, problem by problem, have equal texts.
    """

    pools: Sequence[Pool]
    answers: Mapping[str, Mapping[int, str]]
    tokens: Mapping[str, Sequence[int]]
    texts: Mapping[str, Sequence[int]]
    logprobs: Mapping[str, Sequence[float | None]]
    scores: Mapping[str, Scores] = field(default_factory=dict)
    unsampled: Sequence[str] = ()
    candidates_print: str = ""

    def first(self, number: int) -> StoredPool:
        """The pool as if only the first `number` candidates of each problem had been sampled."""
        return StoredPool(
            pools=[
                replace(p, num_candidates=min(number, p.num_candidates), clusters=_first(p.clusters, number))
                for p in self.pools
            ],
            answers=_below(self.answers, number),
            tokens={p: found[:number] for p, found in self.tokens.items()},
            texts={p: found[:number] for p, found in self.texts.items()},
            logprobs={p: found[:number] for p, found in self.logprobs.items()},
            scores={name: _below(of_all, number) for name, of_all in self.scores.items()},
            unsampled=self.unsampled,
        )

    def scored(self, evaluator: str) -> list[Pool]:
        """The pools with that evaluator's scores."""
        scores = self.scores[evaluator]
        return [replace(pool, scores=scores.get(pool.problem_id, {})) for pool in self.pools]


V = TypeVar("V")


def _below(found: Mapping[str, Mapping[int, V]], number: int) -> dict[str, dict[int, V]]:
    return {p: {i: value for i, value in values.items() if i < number} for p, values in found.items()}


def _first(clusters: Sequence[AnswerCluster], number: int) -> list[AnswerCluster]:
    left = [replace(c, members=tuple(i for i in c.members if i < number)) for c in clusters]
    return sorted((c for c in left if c.members), key=lambda c: largest_first(c.members))


def read_pool(files: PoolFiles, problems: Iterable[Problem]) -> StoredPool:
    """Reads each file once. The texts are not kept.

    Args:
        problems: Those that are measured, in this order; what the files hold of others is left out.

    Raises:
        DataError: If a file cannot be read, a candidate stands in it twice, or problems have clusters but no candidates.
    """
    clusters = by_problem(read_records(_file(files.clusters, "clusters"), AnswerCluster))
    greedy = by_problem(read_records(_file(files.greedy, "clusters"), AnswerCluster)) if files.greedy else None
    answers: dict[str, dict[int, str]] = {}
    tokens: dict[str, list[int]] = {}
    texts: dict[str, list[int]] = {}
    logprobs: dict[str, list[float | None]] = {}
    numbers: dict[str, dict[str, int]] = {}
    digest = hashlib.sha256()
    for c in read_candidates(_file(files.candidates, "candidates")):
        digest.update(f"{c.problem_id}\0{c.index}\0{c.text}\0".encode("utf-8", "surrogatepass"))
        of_problem = numbers.setdefault(c.problem_id, {})
        texts.setdefault(c.problem_id, []).append(of_problem.setdefault(c.text, len(of_problem)))
        tokens.setdefault(c.problem_id, []).append(c.num_tokens or 0)
        logprobs.setdefault(c.problem_id, []).append(c.logprob)
        if c.answer is not None:
            answers.setdefault(c.problem_id, {})[c.index] = c.answer
    asked = list(problems)
    _refuse_strangers(clusters, texts)
    pools = [
        Pool(
            p.id,
            len(texts[p.id]),
            clusters.get(p.id, []),
            greedy_correct=None if greedy is None else any(c.correct for c in greedy.get(p.id, ())),
        )
        for p in asked
        if p.answer is not None and p.id in texts
    ]
    scores = {name: read_scores(_file(path, "scores")) for name, path in files.scores.items()}
    unsampled = [p.id for p in asked if p.id not in texts]
    return StoredPool(pools, answers, tokens, texts, logprobs, scores, unsampled, digest.hexdigest()[:16])


def _refuse_strangers(clusters: Mapping[str, object], candidates: Mapping[str, object]) -> None:
    strangers = [problem for problem in clusters if problem not in candidates]
    if strangers:
        raise DataError(
            f"clusters: {len(strangers)} problems have clusters but no candidates (first: {strangers[0]}). "
            "Give the clusters that were made of these candidates."
        )


def by_problem(records: Iterable[R]) -> dict[str, list[R]]:
    """The records of each problem in their order, problems in the order of their first record."""
    groups: dict[str, list[R]] = {}
    for record in records:
        groups.setdefault(record.problem_id, []).append(record)
    return groups


def read_candidates(path: Path) -> Iterator[Candidate]:
    """The candidates of a candidates.jsonl.

    Raises:
        DataError: If the file cannot be read, or holds a candidate twice.
    """
    seen: dict[str, set[int]] = {}
    for candidate in read_records(path, Candidate):
        indices = seen.setdefault(candidate.problem_id, set())
        if candidate.index in indices:
            raise DataError(
                f"{path}: candidate {candidate.index} of problem {candidate.problem_id!r} stands in the file twice. "
                "Were the files of two runs put into one? Give one of them."
            )
        indices.add(candidate.index)
        yield candidate


def read_scores(path: Path) -> dict[str, dict[int, float]]:
    """The scores of a scores.jsonl, by problem, then by candidate.

    Raises:
        DataError: If the file cannot be read.
    """
    scores: dict[str, dict[int, float]] = {}
    for score in read_records(path, Score):
        scores.setdefault(score.problem_id, {})[score.index] = score.value
    return scores


def _file(path: Path, kind: str) -> Path:
    return path / f"{kind}.jsonl" if path.is_dir() else path
