"""The seam of stopping: where a rule gets candidates and scores, and what it gives back.

A rule sees only what it asked for. The supply is a live model (`solve.solve_sparingly`) or stored candidates in the order in
which they were sampled (`Sampled`), which makes a replay honest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

__all__ = ["NO_ANSWER", "Sampled", "Stopped", "StoppingRule", "Supply"]

NO_ANSWER = -1


class Supply(Protocol):
    """The source from which a rule gets the candidates and scores of one problem."""

    @property
    def limit(self) -> int:
        """Candidates that can be had."""
        ...

    def clusters(self, number: int) -> Sequence[int]:
        """The cluster of each of the first `number` candidates, which are sampled if need be; `NO_ANSWER` where it has none.

        A cluster keeps its number when more candidates come."""
        ...

    def texts(self, number: int) -> Sequence[int]:
        """The number of each one's text: equal texts are scored once."""
        ...

    def logprobs(self, number: int) -> Sequence[float | None]:
        """The log-likelihood of each, in nats, under the model's own distribution (`Candidate.logprob`); None where it is not
        known. It comes with a candidate and costs nothing."""
        ...

    def num_tokens(self, number: int) -> int:
        """Tokens of the first `number` candidates together."""
        ...

    def score(self, texts: Sequence[int]) -> Sequence[float]:
        """The evaluator's P(correct) of each text, in [0, 1]."""
        ...


@dataclass(frozen=True)
class Sampled:
    """The stored candidates of one problem, in sampling order.

    Attributes:
        cluster_numbers: The number of each one's cluster; `NO_ANSWER` where it has none.
        scores: The evaluator's P(correct) of each, in [0, 1].
        text_numbers: The number of each one's text.
        tokens: The length of each.
        candidate_logprobs: The log-likelihood of each, in nats; None where it is not known, or for all of them.
    """

    cluster_numbers: Sequence[int]
    scores: Sequence[float]
    text_numbers: Sequence[int]
    tokens: Sequence[int]
    candidate_logprobs: Sequence[float | None] | None = None

    @property
    def limit(self) -> int:
        """See `Supply`; so too the methods."""
        return len(self.cluster_numbers)

    def clusters(self, number: int) -> Sequence[int]:
        return self.cluster_numbers[:number]

    def texts(self, number: int) -> Sequence[int]:
        return self.text_numbers[:number]

    def logprobs(self, number: int) -> Sequence[float | None]:
        return [None] * number if self.candidate_logprobs is None else self.candidate_logprobs[:number]

    def num_tokens(self, number: int) -> int:
        return sum(self.tokens[:number])

    def score(self, texts: Sequence[int]) -> Sequence[float]:
        known = self._score_of
        return [known[text] for text in texts]

    @cached_property
    def _score_of(self) -> dict[int, float]:
        return dict(zip(self.text_numbers, self.scores, strict=True))


@dataclass(frozen=True)
class Stopped:
    """What a rule chose, and what it spent.

    Attributes:
        cluster: The chosen cluster's number; `NO_ANSWER` where no candidate had an answer.
        num_candidates: Sampled until then.
        num_tokens: Of these candidates.
        num_calls: Texts that the evaluator was asked about.
    """

    cluster: int
    num_candidates: int
    num_tokens: int
    num_calls: int


class StoppingRule(Protocol):
    """A rule for when to stop, and what to choose then."""

    @property
    def name(self) -> str: ...

    @property
    def needs_scores(self) -> bool:
        """Whether it may ask for scores."""
        ...

    def choose(self, supply: Supply, seed: str) -> Stopped:
        """Asks for candidates and scores until the choice is clear. Equal supplies and seeds give equal results; `seed` is
        for rules that simulate."""
        ...
