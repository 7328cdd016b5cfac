"""The method for one problem: sample, cluster, score, select. The file to read first."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mathquorum.answers import cluster_answers, cluster_candidates, extract_answer
from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.errors import SettingsError
from mathquorum.evaluator import Judge, judged_scores
from mathquorum.processes import Tell, not_told
from mathquorum.prompts import PLAIN, STOP_STRINGS, Prompt, Shown
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.selection import Strategy
from mathquorum.stopping.supply import NO_ANSWER, StoppingRule

__all__ = ["Solved", "solve", "solve_in_turns", "solve_sparingly"]

T = TypeVar("T")

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
        completions: The candidates as the engine wrote them, where all were asked for.
    """

    problem: Problem
    chosen: AnswerCluster | None
    clusters: Sequence[AnswerCluster]
    candidates: Sequence[Candidate]
    scores: dict[int, float]
    completions: Sequence[Completion] = ()

    @property
    def answer(self) -> str | None:
        """The chosen answer; None when no candidate had one."""
        return self.chosen.answer if self.chosen else None

    @property
    def best(self) -> Candidate | None:
        """The candidate that shows the answer: the best-scored of the chosen cluster, or its earliest."""
        return self.best_of(self.chosen) if self.chosen else None

    def best_of(self, cluster: AnswerCluster) -> Candidate:
        """The best-scored member of a cluster; equals by order."""
        place = max(cluster.members, key=lambda index: (self.scores.get(index, 0.0), -index))
        return next(candidate for candidate in self.candidates if candidate.index == place)


def solve(
    problem: Problem,
    generator: Engine,
    strategy: Strategy,
    evaluator: Judge | None = None,
    *,
    num_candidates: int = 64,
    sampling: Sampling | None = None,
    style: str | None = None,
    wording: Prompt = PLAIN,
    seed: int = 0,
    tell: Tell = not_told,
) -> Solved:
    """Samples candidates, groups them by equivalent answers, scores them where there is an evaluator, and chooses.

    Args:
        tell: Told of tokens as they are written.

    Raises:
        SettingsError: If the strategy needs scores and there is no evaluator.
    """
    turns = solve_in_turns(
        problem,
        generator,
        strategy,
        evaluator,
        num_candidates=num_candidates,
        sampling=sampling,
        prompt=wording.generator(problem.text, style),
        wording=wording,
        seed=seed,
        tell=tell,
    )
    while True:
        try:
            next(turns)
        except StopIteration as end:
            solved: Solved = end.value
            return solved


def solve_in_turns(
    problem: Problem,
    generator: Engine,
    strategy: Strategy,
    evaluator: Judge | None,
    *,
    num_candidates: int,
    sampling: Sampling | None,
    prompt: Shown,
    wording: Prompt,
    seed: int,
    turn: int | None = None,
    stop: Sequence[str] = (),
    tell: Tell = not_told,
) -> Generator[int, None, Solved]:
    """Works as `solve` does, a turn at a time, so that others can have theirs in between. Yields the number of candidates that there are.

    Args:
        prompt: What the generator goes on from.
        turn: Candidates that are sampled, or texts that are scored, in one turn; None for all. It is part of what fixes the last
            digits of a probability.
        stop: Texts that end a candidate, besides `STOP_STRINGS`.

    Raises:
        SettingsError: If the strategy needs scores and there is no evaluator.
    """
    if strategy.needs_scores and evaluator is None:
        raise SettingsError(f"Strategy {strategy.name} needs scores. Give an evaluator, or take one that votes: maj1.")
    source = _Source(problem, generator, sampling or Sampling(), prompt, seed, (*STOP_STRINGS, *stop))
    completions: list[Completion] = []
    for indices in _cut(range(num_candidates), turn):
        completions += source.write(indices, tell)
        yield len(completions)
    candidates = source.candidates(range(num_candidates), completions)
    clusters = cluster_candidates(problem.id, candidates, problem.answer)
    scores: dict[int, float] = {}
    for same in _cut(_by_text(candidates, strategy.wanted(clusters) if evaluator else ()), turn):
        assert evaluator is not None
        asked = [candidate for candidates in same for candidate in candidates]
        scores.update({score.index: score.value for score in judged_scores(evaluator, problem, asked, wording)})
        yield len(candidates)
    chosen = strategy.select(clusters, scores)
    return Solved(problem, chosen, clusters, candidates, dict(sorted(scores.items())), completions)


def _cut(items: Sequence[T], size: int | None) -> list[Sequence[T]]:
    return [items[first : first + (size or len(items))] for first in range(0, len(items), size or len(items) or 1)]


def _by_text(candidates: Sequence[Candidate], wanted: Sequence[int]) -> list[list[Candidate]]:
    """Those that are wanted, equal texts together."""
    chosen, same = set(wanted), dict[str, list[Candidate]]()
    for candidate in candidates:
        if candidate.index in chosen:
            same.setdefault(candidate.text, []).append(candidate)
    return list(same.values())


def solve_sparingly(
    problem: Problem,
    generator: Engine,
    rule: StoppingRule,
    evaluator: Judge | None = None,
    *,
    num_candidates: int = 64,
    sampling: Sampling | None = None,
    style: str | None = None,
    wording: Prompt = PLAIN,
    seed: int = 0,
    tell: Tell = not_told,
) -> Solved:
    """Works as `solve` does, but samples and scores only until the rule's choice is clear.

    The candidates are the first ones of those that `solve` would sample with the same seed.

    Raises:
        SettingsError: If the rule asks for scores and there is no evaluator.
    """
    source = _Source(problem, generator, sampling or Sampling(), wording.generator(problem.text, style), seed)
    supply = _Live(source, evaluator, num_candidates, wording, tell)
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
    prompt: Shown
    seed: int
    stop: Sequence[str] = STOP_STRINGS

    def sample(self, indices: Sequence[int], tell: Tell) -> list[Candidate]:
        return self.candidates(indices, self.write(indices, tell))

    def write(self, indices: Sequence[int], tell: Tell) -> list[Completion]:
        request = Request(self.prompt, self._seeds(indices))
        (completions,) = self.generator.generate([request], self.sampling, self.stop, tell)
        return completions

    def _seeds(self, indices: Sequence[int]) -> tuple[int, ...]:
        return tuple(candidate_seed(self.seed, self.problem.id, index) for index in indices)

    def candidates(self, indices: Sequence[int], completions: Sequence[Completion]) -> list[Candidate]:
        return [
            Candidate(
                self.problem.id,
                i,
                c.text,
                extract_answer(c.text, c.finished),
                c.logprob,
                c.num_tokens,
                c.finished,
                s if c.seeded else None,
                c.confidence,
            )
            for i, c, s in zip(indices, completions, self._seeds(indices), strict=True)
        ]


class _Live:
    """A `Supply` that samples and scores when it is asked."""

    def __init__(self, source: _Source, evaluator: Judge | None, limit: int, wording: Prompt, tell: Tell) -> None:
        self.limit = limit
        self.candidates: list[Candidate] = []
        self.scores: dict[str, float] = {}  # by text
        self._source, self._evaluator, self._wording, self._tell = source, evaluator, wording, tell

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
        found = judged_scores(self._evaluator, self._source.problem, asked, self._wording)
        self.scores.update({c.text: score.value for c, score in zip(asked, found, strict=True)})
        return [self.scores[c.text] for c in asked]

    def _sample(self, number: int) -> None:
        have = len(self.candidates)
        if number > have:
            self.candidates += self._source.sample(
                range(have, min(max(number, have + _AT_ONCE), self.limit)), self._tell
            )
