"""The records that every part of mathquorum speaks in: frozen, and standard library only.

They follow the straight line of the method: a `Problem` gets N `Candidate` solutions, candidates with equivalent
answers form an `AnswerCluster`, an evaluator gives each candidate a `Score`, a strategy makes a `Selection`, and
selections over many problems make an `Estimate`. `LabeledSolution` is the one training record: solution fine-tuning
takes the correct ones, cross-entropy takes all, the margin loss pairs correct with incorrect of one problem.

`mathquorum.store` writes them as JSON Lines, one file per kind, and reads them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AnswerCluster",
    "Candidate",
    "Confidence",
    "Estimate",
    "LabeledSolution",
    "Problem",
    "Score",
    "Selection",
    "largest_first",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, and what its dataset knows of it.

    Attributes:
        id: Stable and unique, for example "math/test/algebra/24".
        text: The problem as it is shown to the model.
        answer: The reference answer; None where the dataset has none.
        solution: The reference solution, step by step.
        subject: For example "Algebra".
        level: The difficulty, 1 (easy) to 5 (hard) in MATH.
    """

    id: str
    text: str
    answer: str | None = None
    solution: str | None = None
    subject: str | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a generator was of one solution, by its own probabilities while it wrote (`engines.confidence`). Higher is surer.

    Attributes:
        mean: Over tokens: minus the mean log-probability of a token's 20 likeliest alternatives, in nats (arXiv 2508.15260).
        lowest: That of the least sure group of consecutive tokens.
        bottom: That of the least sure tenth of the groups.
        tail: That of the last group.
        certainty: Self-certainty: the mean divergence of the uniform distribution from the model's, in nats (arXiv 2502.18581);
            None where the source tells of the likeliest tokens alone.
    """

    mean: float
    lowest: float
    bottom: float
    tail: float
    certainty: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sampled solution.

    Attributes:
        problem_id: The `Problem.id` that it answers.
        index: 0..N-1, in sampling order.
        text: The solution as the model wrote it, without the prompt and without the end-of-sequence mark.
        answer: The final answer found in the text; None when none could be extracted.
        logprob: Sum over the tokens of their log-probability in nats, under the model's own distribution
            (temperature 1, nothing cut off); None where the source does not tell.
        num_tokens: Sampled tokens, the end-of-sequence mark included; None where the source does not tell.
        finished: False when the solution was cut off by a limit.
        seed: The seed of this candidate's own random draws; None for greedy decoding or where the source does not tell.
        confidence: How sure the generator was; None where the source does not tell.
    """

    problem_id: str
    index: int
    text: str
    answer: str | None = None
    logprob: float | None = None
    num_tokens: int | None = None
    finished: bool = True
    seed: int | None = None
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class AnswerCluster:
    """Candidates of one problem whose answers are equivalent (PAPER.md section 2.1).

    The clusters of a problem are in the order of `largest_first`, and every strategy relies on it. Correctness belongs to the cluster, so that a vote and a pass@k can never
    disagree about one answer.

    Attributes:
        answer: The answer as the earliest member wrote it.
        members: `Candidate.index` of each member, ascending.
        correct: Whether the answer is equivalent to the reference; None without a reference.
    """

    problem_id: str
    answer: str
    members: tuple[int, ...]
    correct: bool | None = None


def largest_first(members: Sequence[int]) -> tuple[int, int]:
    """The key that orders the clusters of a problem by their ascending members: largest first, ties by earliest member.

    Example:
        >>> sorted([[4], [1], [0, 3], [2, 5]], key=largest_first)
        [[0, 3], [2, 5], [1], [4]]
    """
    return -len(members), members[0]


@dataclass(frozen=True, slots=True)
class Score:
    """The evaluator's P(correct), in [0, 1], for one candidate (Eq. 7)."""

    problem_id: str
    index: int
    value: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer that a strategy chose for a problem; None when no candidate had an answer."""

    problem_id: str
    strategy: str
    answer: str | None
    correct: bool | None = None


@dataclass(frozen=True, slots=True)
class LabeledSolution:
    """A solution with the label that training needs.

    Attributes:
        problem: The problem's text.
        solution: The solution's text.
        correct: Whether it reaches the right answer.
        style: A short tag of how it is written ("terse", "fine"), shown to the model in the prompt; None shows no tag.
            The tag is our choice: the paper mixes its two styles untagged.
        steps: The solution cut into steps, where the data has them; joined without a separator they are the solution.
        ratings: One rating per step: 1 good, 0 neutral, -1 bad (PRM800K).
    """

    problem_id: str
    problem: str
    solution: str
    correct: bool
    style: str | None = None
    steps: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured fraction with its 95% interval.

    Attributes:
        name: As in the paper: "pass@1", "maj1@64", "rr.top8", "w.rr".
        value: In [0, 1] for an accuracy; a difference may be negative.
        low: Lower end of the 95% interval, clustered by problem.
        high: Upper end.
        count: Number of problems.
    """

    name: str
    value: float
    low: float
    high: float
    count: int
