"""When to stop: rules that spend fewer candidates and fewer evaluator calls where the choice is already clear.

A rule asks a `Supply` for candidates and scores, and sees only what it asked for. The supply is a live model
(`solve.solve_sparingly`) or stored candidates in the order in which they were sampled (`Sampled`), which makes a replay honest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, fsum, sqrt
from statistics import fmean, stdev, variance
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mathquorum.errors import SettingsError, suggest

__all__ = [
    "AdaptiveConsistency",
    "EarlyStopping",
    "FixedBudget",
    "Sampled",
    "ScorePrior",
    "Settled",
    "Stopped",
    "StoppingRule",
    "Supply",
    "SureChoice",
    "stopping_rule",
]

NO_ANSWER = -1

Floats = npt.NDArray[np.float64]


class Supply(Protocol):
    """Where a rule gets the candidates and scores of one problem."""

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

    def num_tokens(self, number: int) -> int:
        """Of the first `number` candidates together."""
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
    """

    cluster_numbers: Sequence[int]
    scores: Sequence[float]
    text_numbers: Sequence[int]
    tokens: Sequence[int]

    @property
    def limit(self) -> int:
        """See `Supply`; so too the methods."""
        return len(self.cluster_numbers)

    def clusters(self, number: int) -> Sequence[int]:
        return self.cluster_numbers[:number]

    def texts(self, number: int) -> Sequence[int]:
        return self.text_numbers[:number]

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


@dataclass(frozen=True)
class FixedBudget:
    """The first `num_candidates`, then the vote, or with `weighted` the vote weighted by scores (W.RR)."""

    num_candidates: int
    weighted: bool = False

    @property
    def needs_scores(self) -> bool:
        """See `StoppingRule`."""
        return self.weighted

    @property
    def name(self) -> str:
        return f"{'w.rr' if self.weighted else 'maj1'}, first {self.num_candidates}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        number = min(self.num_candidates, supply.limit)
        if not self.weighted:
            return _by_vote(supply, number)
        clusters, texts = supply.clusters(number), supply.texts(number)
        answered = list(dict.fromkeys(t for t, c in zip(texts, clusters, strict=True) if c != NO_ANSWER))
        scores = dict(zip(answered, supply.score(answered), strict=True))
        weights = [scores.get(text, 0.0) for text in texts]
        return Stopped(_largest(clusters, weights), number, supply.num_tokens(number), len(answered))


@dataclass(frozen=True)
class AdaptiveConsistency:
    """Stops when the leader's majority over the runner-up is likely enough (Aggarwal et al. 2023, arXiv 2305.11860).

    With counts a and b of the two: P(Beta(a + 1, b + 1) > 1/2) >= confidence, after every candidate. Chooses by vote.
    """

    confidence: float = 0.95  # the authors'
    needs_scores = False

    @property
    def name(self) -> str:
        return f"adaptive consistency, {self.confidence:g}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        counts: dict[int, int] = {}
        for number in range(1, supply.limit + 1):
            cluster = supply.clusters(number)[-1]
            if cluster != NO_ANSWER:
                counts[cluster] = counts.get(cluster, 0) + 1
                first, second = (*sorted(counts.values(), reverse=True), 0)[:2]
                if _beta_above_half(first, second) >= self.confidence:
                    return _by_vote(supply, number)
        return _by_vote(supply, supply.limit)


@dataclass(frozen=True)
class EarlyStopping:
    """Samples in windows and stops when one is unanimous (Li et al. 2024, arXiv 2401.10480). Chooses by vote."""

    window: int = 5  # the authors'
    needs_scores = False

    @property
    def name(self) -> str:
        return f"early stopping, window {self.window}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        for start in range(0, supply.limit, self.window):
            end = min(start + self.window, supply.limit)
            window = set(supply.clusters(end)[start:])
            if len(window) == 1 and NO_ANSWER not in window:
                return _by_vote(supply, end)
        return _by_vote(supply, supply.limit)


@dataclass(frozen=True)
class ScorePrior:
    """What is known of an evaluator's scores before any is seen: normal about a level of the problem, a level of the cluster about
    that, and single texts about the latter.

    The defaults were measured on validation problems of minimath with a cross-entropy evaluator (docs/study.md).

    Attributes:
        mean: Of the problems' levels, in [0, 1].
        of_problems, of_clusters, of_texts: Standard deviations, above 0.
    """

    mean: float = 0.4
    of_problems: float = 0.16
    of_clusters: float = 0.28
    of_texts: float = 0.13

    def __post_init__(self) -> None:
        if not 0 <= self.mean <= 1 or min(self.of_problems, self.of_clusters, self.of_texts) <= 0:
            raise SettingsError(f"mean must be in [0, 1] and the spreads above 0. Got {self} instead.")

    @classmethod
    def fitted(cls, pools: Iterable[Sampled]) -> ScorePrior:
        """As the scores of these pools spread, each text counted once. Levels are observed means, with the noise of what they are
        means of, so that the spreads are rather too wide. What the pools cannot tell stays as it is by default."""
        levels: list[float] = []
        of_clusters: list[float] = []
        of_texts: list[float] = []
        for pool in pools:
            found: dict[int, dict[int, float]] = {}
            for cluster, text, score in zip(pool.cluster_numbers, pool.text_numbers, pool.scores, strict=True):
                if cluster != NO_ANSWER:
                    found.setdefault(cluster, {})[text] = score
            means = [fmean(scores.values()) for scores in found.values()]
            levels += [fmean(means)] if means else []
            of_clusters += [variance(means)] if len(means) > 1 else []
            of_texts += [variance(scores.values()) for scores in found.values() if len(scores) > 1]
        known = cls()
        return cls(
            mean=fmean(levels) if levels else known.mean,
            of_problems=max(_LEAST_SPREAD, stdev(levels)) if len(levels) > 1 else known.of_problems,
            of_clusters=max(_LEAST_SPREAD, sqrt(fmean(of_clusters))) if of_clusters else known.of_clusters,
            of_texts=max(_LEAST_SPREAD, sqrt(fmean(of_texts))) if of_texts else known.of_texts,
        )

    def after(self, counts: Floats, sums: Floats) -> tuple[float, Floats, Floats]:
        """The level of the problem, and mean and standard deviation (given that level) of the level of each cluster, once so many
        of its texts have scores that sum up to so much."""
        scored = counts > 0
        weights = 1 / (self.of_clusters**2 + self.of_texts**2 / counts[scored])
        seen = float((weights * sums[scored] / counts[scored]).sum())
        level = (self.mean / self.of_problems**2 + seen) / (1 / self.of_problems**2 + float(weights.sum()))
        precisions = 1 / self.of_clusters**2 + counts / self.of_texts**2
        means = (level / self.of_clusters**2 + sums / self.of_texts**2) / precisions
        return level, means, precisions**-0.5


_LEAST_SPREAD = 0.01  # a spread of 0 would be certain of what it has seen once


@dataclass(frozen=True)
class SureChoice:
    """Stops when neither more votes nor more scores are likely to change what W.RR would choose in the end.

    After every window, the end is simulated from what is known: the shares of the clusters (a Dirichlet posterior with a
    little room for answers not yet seen) give the candidates still to come, and the mean score of each cluster, known from
    few scored texts or from none, is drawn from a normal posterior. If the cluster that leads in expectation wins in
    `confidence` of the simulated ends, it is chosen. Otherwise the doubt that is larger is removed: a text of the two
    closest clusters is scored, or the next window is sampled. Our own rule.

    Args:
        confidence: In (0, 1).
        window: Candidates between two looks.
        prior: Of the scores.
    """

    confidence: float = 0.9
    window: int = 4
    prior: ScorePrior = ScorePrior()
    num_simulations: int = 256
    needs_scores = True

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise SettingsError(f"confidence must be between 0 and 1. Got {self.confidence!r} instead.")
        if self.window < 1:
            raise SettingsError(f"window must be an int of at least 1. Got {self.window!r} instead.")

    @property
    def name(self) -> str:
        return f"sure choice, {self.confidence:g}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        rng = np.random.default_rng(list(seed.encode()))
        known = _Known(self)
        number = min(self.window, supply.limit)
        known.see(supply, number)
        while True:
            leader, rival, by_votes, by_scores = known.look(supply.limit - number, rng)
            unscored = known.next_text(leader, rival) if leader != NO_ANSWER else None
            sure = min(by_votes, by_scores) >= self.confidence
            if sure or (number == supply.limit and unscored is None):
                return Stopped(leader, number, supply.num_tokens(number), len(known.scores))
            if unscored is not None and (by_scores <= by_votes or number == supply.limit):
                (known.scores[unscored],) = supply.score([unscored])
            else:
                number = min(number + self.window, supply.limit)
                known.see(supply, number)


@dataclass(frozen=True)
class Settled:
    """W.RR exactly, without the candidates and the scores that can no longer change its choice.

    A score is between 0 and 1. So a cluster is chosen as soon as the scores that it has for certain outweigh all that any
    other can still get: its unscored members and every candidate still to come, each with a score of 1. The commonest text
    is asked about first.
    """

    num_candidates: int = 64  # as in the paper
    window: int = 4
    needs_scores = True

    @property
    def name(self) -> str:
        return f"w.rr, first {self.num_candidates}, settled"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        limit = min(self.num_candidates, supply.limit)
        number = 0
        scores: dict[int, float] = {}
        texts: dict[int, Counter[int]] = {}  # by cluster, in the order of their appearance
        while True:
            to_come = limit - number
            sure = {c: fsum(scores[t] for t in found.elements() if t in scores) for c, found in texts.items()}
            most = {c: sure[c] + sum(n for t, n in found.items() if t not in scores) for c, found in texts.items()}
            leader = max(most, key=most.__getitem__, default=NO_ANSWER)
            rivals = [value + to_come for c, value in most.items() if c != leader] + [to_come] * bool(to_come)
            if leader != NO_ANSWER and all(sure[leader] > rival for rival in rivals):
                return Stopped(leader, number, supply.num_tokens(number), len(scores))
            if to_come and (leader == NO_ANSWER or most[leader] <= max(rivals)):
                number = min(number + self.window, limit)
                texts = _texts_by_cluster(supply, number)
                continue
            asked = [leader] if to_come else sorted(most, key=most.__getitem__, reverse=True)
            waiting = next((left for c in asked if (left := _unscored(texts[c], scores))), None)
            if waiting is None:
                chosen = max(sure, key=lambda c: (sure[c], texts[c].total()), default=NO_ANSWER)
                return Stopped(chosen, number, supply.num_tokens(number), len(scores))
            text = max(waiting, key=waiting.__getitem__)
            (scores[text],) = supply.score([text])


def _unscored(texts: Counter[int], scores: Mapping[int, float]) -> dict[int, int]:
    return {text: count for text, count in texts.items() if text not in scores}


def _texts_by_cluster(supply: Supply, number: int) -> dict[int, Counter[int]]:
    texts: dict[int, Counter[int]] = {}
    for cluster, text in zip(supply.clusters(number), supply.texts(number), strict=True):
        if cluster != NO_ANSWER:
            texts.setdefault(cluster, Counter())[text] += 1
    return texts


class _Known:
    """What a rule has seen of a problem."""

    def __init__(self, rule: SureChoice) -> None:
        self._rule = rule
        self._order: list[int] = []  # clusters as they appeared
        self._texts: list[dict[int, int]] = []  # per cluster: text -> how many candidates have it
        self._number = 0
        self.scores: dict[int, float] = {}  # by text

    def see(self, supply: Supply, number: int) -> None:
        new = zip(supply.clusters(number)[self._number :], supply.texts(number)[self._number :], strict=True)
        for cluster, text in new:
            if cluster == NO_ANSWER:
                continue
            if cluster not in self._order:
                self._order.append(cluster)
                self._texts.append({})
            texts = self._texts[self._order.index(cluster)]
            texts[text] = texts.get(text, 0) + 1
        self._number = number

    def look(self, left: int, rng: np.random.Generator) -> tuple[int, int, float, float]:
        """Leader, rival, and how often the leader wins when only the votes to come are uncertain, and when the scores are
        uncertain too. With no answer seen: no leader, and no certainty."""
        if not self._order:
            return NO_ANSWER, NO_ANSWER, 0.0, 1.0
        rule, size = self._rule, len(self._order)
        counts = np.array([sum(texts.values()) for texts in self._texts], dtype=float)
        found = [[(self.scores[t], n) for t, n in texts.items() if t in self.scores] for texts in self._texts]
        known = np.array([sum(score * n for score, n in of_one) for of_one in found])
        open_counts = counts - np.array([sum(n for _, n in of_one) for of_one in found])
        num_scored = np.array([len(of_one) for of_one in found], dtype=float)
        sums = np.array([sum(score for score, _ in of_one) for of_one in found])
        level, means, spreads = rule.prior.after(num_scored, sums)
        shares = (counts + 0.1) / (counts.sum() + 0.1 * size + _UNSEEN)
        expected = known + (open_counts + left * shares) * means
        ranking = np.argsort(-expected, kind="stable")
        leader = int(ranking[0])
        if size == 1 and not left:
            return self._order[leader], NO_ANSWER, 1.0, 1.0
        weights = rng.gamma(np.append(counts + 0.1, _UNSEEN), size=(rule.num_simulations, size + 1))
        coming = rng.multinomial(left, weights / weights.sum(axis=1, keepdims=True)).astype(float)
        drawn = np.clip(rng.normal(means, spreads, size=(rule.num_simulations, size)), 0, 1)
        unseen = coming[:, -1:] * np.clip(rng.normal(level, rule.prior.of_clusters, (len(coming), 1)), 0, 1)
        by_votes = np.append(known + (open_counts + coming[:, :-1]) * means, coming[:, -1:] * level, axis=1)
        by_both = np.append(known + (open_counts + coming[:, :-1]) * drawn, unseen, axis=1)
        rival = self._order[int(ranking[1])] if size > 1 else NO_ANSWER
        return self._order[leader], rival, _share_won(by_votes, leader), _share_won(by_both, leader)

    def next_text(self, leader: int, rival: int) -> int | None:
        """The text whose score says most: of the one of the two clusters with fewer scored texts, the commonest."""
        waiting = []
        for cluster in (leader, rival):
            if cluster != NO_ANSWER:
                texts = self._texts[self._order.index(cluster)]
                left = [(-n, text) for text, n in texts.items() if text not in self.scores]
                if left:
                    waiting.append((len(texts) - len(left), min(left)[1]))
        return min(waiting)[1] if waiting else None


_UNSEEN = 0.5  # weight of answers not yet seen, where a seen one has its count


def _share_won(ends: Floats, leader: int) -> float:
    return float((ends.argmax(axis=1) == leader).mean())


def _largest(clusters: Sequence[int], weights: Sequence[float]) -> int:
    """The cluster with the largest sum of weights; ties to the larger one, then to the earliest, as in `Strategy`."""
    found: dict[int, list[float]] = {}
    for cluster, weight in zip(clusters, weights, strict=True):
        if cluster != NO_ANSWER:
            found.setdefault(cluster, []).append(weight)
    return max(found, key=lambda cluster: (fsum(found[cluster]), len(found[cluster])), default=NO_ANSWER)


def _by_vote(supply: Supply, number: int) -> Stopped:
    return Stopped(_largest(supply.clusters(number), [1.0] * number), number, supply.num_tokens(number), 0)


def _beta_above_half(first: int, second: int) -> float:
    """P(Beta(first + 1, second + 1) > 1/2), by the binomial sum that it equals."""
    total = first + second + 1
    return float(sum(comb(total, i) for i in range(first + 1)) / 2**total)


def stopping_rule(name: str, num_candidates: int = 64) -> StoppingRule:
    """The rule of that name with its own default settings, for so many candidates at most.

    Raises:
        SettingsError: If there is none.
    """
    rules: dict[str, Callable[[], StoppingRule]] = {
        "sure": SureChoice,
        "adaptive": AdaptiveConsistency,
        "early": EarlyStopping,
        "settled": lambda: Settled(num_candidates),
    }
    if name not in rules:
        raise SettingsError(f"Unknown stopping rule {name!r}. {suggest(name, rules)}")
    return rules[name]()
