"""Rules of when to stop, that spend fewer candidates and fewer evaluator calls where the choice is already clear.

Here are fixed budgets, the published rules and `Settled`; `foresight` has ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, fsum

from mathquorum.errors import SettingsError, suggest
from mathquorum.stopping.foresight import SureChoice, Worthwhile
from mathquorum.stopping.outlook import Outlook, known_logprobs, tilts
from mathquorum.stopping.supply import NO_ANSWER, Stopped, StoppingRule, Supply

__all__ = ["AdaptiveConsistency", "EarlyStopping", "FixedBudget", "Settled", "stopping_rule"]


@dataclass(frozen=True)
class FixedBudget:
    """The first `num_candidates`, then the vote, or with `weighted` the vote weighted by scores (W.RR).

    Args:
        likelihood_weight: As in `Outlook`; without effect where a likelihood is not known.
    """

    num_candidates: int
    weighted: bool = False
    likelihood_weight: float = 0.0

    @property
    def needs_scores(self) -> bool:
        """See `StoppingRule`."""
        return self.weighted

    @property
    def name(self) -> str:
        kind = "maj1" if not self.weighted else "w.rr with likelihood" if self.likelihood_weight else "w.rr"
        return f"{kind}, first {self.num_candidates}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        number = min(self.num_candidates, supply.limit)
        if not self.weighted:
            return _by_vote(supply, number)
        clusters, texts = supply.clusters(number), supply.texts(number)
        answered = list(dict.fromkeys(t for t, c in zip(texts, clusters, strict=True) if c != NO_ANSWER))
        scores = dict(zip(answered, supply.score(answered), strict=True))
        weights = [scores.get(text, 0.0) for text in texts]
        logprobs = known_logprobs(supply.logprobs(number))
        if self.likelihood_weight and logprobs is not None:
            tilted = tilts(logprobs, self.likelihood_weight)
            weights = [weight * float(tilt) for weight, tilt in zip(weights, tilted, strict=True)]
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


def stopping_rule(name: str, num_candidates: int = 64, outlook: Outlook | None = None) -> StoppingRule:
    """The rule of that name with its own default settings, for so many candidates at most.

    Args:
        outlook: What the rules with foresight start from; None for the defaults.

    Raises:
        SettingsError: If there is none, or if it has no use for an outlook.
    """
    rules: dict[str, Callable[[], StoppingRule]] = {
        "adaptive": AdaptiveConsistency,
        "early": EarlyStopping,
        "settled": lambda: Settled(num_candidates),
    }
    looking_ahead: dict[str, Callable[[Outlook], StoppingRule]] = {
        "sure": lambda known: SureChoice(outlook=known),
        "worthwhile": lambda known: Worthwhile(outlook=known),
    }
    if name in looking_ahead:
        return looking_ahead[name](outlook or Outlook())
    if name not in rules:
        raise SettingsError(f"Unknown stopping rule {name!r}. {suggest(name, [*rules, *looking_ahead])}")
    if outlook:
        raise SettingsError(f"The stopping rule {name!r} has no use for an outlook: {' and '.join(looking_ahead)} do.")
    return rules[name]()
