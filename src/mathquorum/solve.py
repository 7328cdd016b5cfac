"""The method for one problem: sample, cluster, score, select. The file to read first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mathquorum.answers import cluster_answers, cluster_candidates, extract_answer
from mathquorum.engines.base import Engine, Request, Sampling, candidate_seed
from mathquorum.errors import SettingsError
from mathquorum.evaluator import evaluator_scores
from mathquorum.prompts import PLAIN, STOP_STRINGS, Prompt, Shown
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.selection import Strategy
from mathquorum.stopping.supply import NO_ANSWER, StoppingRule

__all__ = ["Solved", "solve", "solve_sparingly"]

# Candidates that a live supply samples together: a few more than a rule asks for cost less than asking often.
_AT_ONCE = 8


@dataclass(frozen=True)
class Solved:
    """A problem with what led to its answer.

    Attributes:
        chosen: The cluster that the strategy chose; None when no candidate had an answer.
        clusters: All clusters, largest first.
        candidates: All candidates.
        scores: P(correct) by candidate index, of those whose scores the choice depends on; empty without an evaluator.
    """

    problem: Problem
    chosen: AnswerCluster | None
    clusters: Sequence[AnswerCluster]
    candidates: Sequence[Candidate]
    scores: dict[int, float]


def solve(
    problem: Problem,
    generator: Engine,
    strategy: Strategy,
    evaluator: Engine | None = None,
    *,
    num_candidates: int = 64,
    sampling: Sampling | None = None,
    style: str | None = None,
    wording: Prompt = PLAIN,
    seed: int = 0,
) -> Solved:
    """Samples candidates, groups them by equivalent answers, scores them where there is an evaluator, and chooses.

    Raises:
        SettingsError: If the strategy needs scores and there is no evaluator.
    """
    source = _Source(problem, generator, sampling or Sampling(), style, wording, seed)
    candidates = source.sample(range(num_candidates))
    clusters = cluster_candidates(problem.id, candidates, problem.answer)
    wanted = set(strategy.wanted(clusters)) if evaluator else ()
    scores = (
        evaluator_scores(evaluator, problem, [c for c in candidates if c.index in wanted], wording) if evaluator else []
    )
    values = {score.index: score.value for score in scores}
    return Solved(problem, strategy.select(clusters, values), clusters, candidates, values)


def solve_sparingly(
    problem: Problem,
    generator: Engine,
    rule: StoppingRule,
    evaluator: Engine | None = None,
    *,
    num_candidates: int = 64,
    sampling: Sampling | None = None,
    style: str | None = None,
    wording: Prompt = PLAIN,
    seed: int = 0,
) -> Solved:
    """Works as `solve` does, but samples and scores only until the rule's choice is clear.

    The candidates are the first ones of those that `solve` would sample with the same seed.

    Raises:
        SettingsError: If the rule asks for scores and there is no evaluator.
    """
    supply = _Live(_Source(problem, generator, sampling or Sampling(), style, wording, seed), evaluator, num_candidates)
    stopped = rule.choose(supply, f"{seed}/{problem.id}")
    candidates = supply.candidates
    clusters = cluster_candidates(problem.id, candidates, problem.answer)
    values = {c.index: supply.scores[c.text] for c in candidates if c.text in supply.scores}
    chosen = next((c for c in clusters if stopped.cluster != NO_ANSWER and stopped.cluster in c.members), None)
    return Solved(problem, chosen, clusters, candidates, values)


@dataclass(frozen=True)
class _Source:
    """Candidates of one problem, each a function of its index alone."""

    problem: Problem
    generator: Engine
    sampling: Sampling
    style: str | None
    wording: Prompt
    seed: int

    @cached_property
    def prompt(self) -> Shown:
        return self.wording.generator(self.problem.text, self.style)

    def sample(self, indices: Sequence[int]) -> list[Candidate]:
        name = self.problem.id
        seeds = tuple(candidate_seed(self.seed, name, index) for index in indices)
        (completions,) = self.generator.generate([Request(self.prompt, seeds)], self.sampling, STOP_STRINGS)
        return [
            Candidate(
                name,
                i,
                c.text,
                extract_answer(c.text, c.finished),
                c.logprob,
                c.num_tokens,
                c.finished,
                s if c.seeded else None,
                c.confidence,
            )
            for i, c, s in zip(indices, completions, seeds, strict=True)
        ]


class _Live:
    """A `Supply` that samples and scores when it is asked."""

    def __init__(self, source: _Source, evaluator: Engine | None, limit: int) -> None:
        self.limit = limit
        self.candidates: list[Candidate] = []
        self.scores: dict[str, float] = {}  # by text
        self._source, self._evaluator = source, evaluator

    def clusters(self, number: int) -> list[int]:
        """A cluster's number is the index of its first member, which stays when others join."""
        self._sample(number)
        numbers = [NO_ANSWER] * len(self.candidates)
        for members in cluster_answers([candidate.answer for candidate in self.candidates]):
            for member in members:
                numbers[member] = members[0]
        return numbers[:number]

    def texts(self, number: int) -> list[int]:
        self._sample(number)
        first: dict[str, int] = {}
        return [first.setdefault(c.text, c.index) for c in self.candidates[:number]]

    def logprobs(self, number: int) -> list[float | None]:
        self._sample(number)
        return [candidate.logprob for candidate in self.candidates[:number]]

    def num_tokens(self, number: int) -> int:
        return sum(candidate.num_tokens or 0 for candidate in self.candidates[:number])

    def score(self, texts: Sequence[int]) -> list[float]:
        if self._evaluator is None:
            raise SettingsError("This stopping rule asks for scores. Give an evaluator, or take one that only votes.")
        asked = [self.candidates[text] for text in texts]
        found = evaluator_scores(self._evaluator, self._source.problem, asked, self._source.wording)
        self.scores.update({c.text: score.value for c, score in zip(asked, found, strict=True)})
        return [self.scores[c.text] for c in asked]

    def _sample(self, number: int) -> None:
        have = len(self.candidates)
        if number > have:
            self.candidates += self._source.sample(range(have, min(max(number, have + _AT_ONCE), self.limit)))
