"""What is known of a generator's candidates and an evaluator's scores before any is seen: where foresight starts from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev, variance
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mathquorum.config import Settings, build
from mathquorum.errors import DataError, SettingsError
from mathquorum.stopping.supply import NO_ANSWER, Sampled
from mathquorum.store import read_json

__all__ = ["Chance", "Outlook", "ScorePrior", "known_logprobs", "read_outlook", "text_rates", "tilts"]

Floats = npt.NDArray[np.float64]


class ScorePrior(Settings):
    """What is known of an evaluator's scores before any is seen: normal about a level of the problem, a level of the cluster about
    that, and single texts about the latter.

    The defaults were measured on validation problems of minimath with a cross-entropy evaluator (docs/study.md).
    """

    mean: float = Field(default=0.4, ge=0, le=1)
    """Of the problems' levels."""
    of_problems: float = Field(default=0.16, gt=0)
    """Standard deviation of the problems' levels; so too the next two."""
    of_clusters: float = Field(default=0.28, gt=0)
    of_texts: float = Field(default=0.13, gt=0)

    @classmethod
    def fitted(cls, pools: Iterable[Sampled]) -> ScorePrior:
        """The outlook by the spread of these pools' scores, each text counted once. Levels are observed means, with the noise of what they are
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


class Chance(Settings):
    """How likely a cluster is right that has so much weight: w^a / (w_1^a + ... + w_K^a + u^a), where w_k is the sum of the weights
    of cluster k's members over the number of candidates. The rest is the chance that none is right.

    The defaults were fitted to validation problems of minimath (docs/study.md).
    """

    sharpness: float = Field(default=1.5, gt=0)
    """a."""
    none_right: float = Field(default=0.04, gt=0)
    """u."""

    def of(self, weights: Floats) -> Floats:
        """Along the last axis, which has the clusters."""
        powers = weights**self.sharpness
        chances: Floats = powers / (powers.sum(axis=-1, keepdims=True) + self.none_right**self.sharpness)
        return chances


class Outlook(Settings):
    """All that foresight starts from."""

    scores: ScorePrior = ScorePrior()
    """How the evaluator's scores spread."""
    rate_exponent: float = Field(default=0.85, gt=0)
    """A text of log-likelihood l comes at a rate of exp(rate_exponent * l) per candidate. 1 for candidates sampled at temperature 1
    and top-p 1; 0.85 was measured on minimath at 0.8 and 0.95."""
    likelihood_weight: float = Field(default=0.0, ge=0)
    """What a nat of log-likelihood adds to the logarithm of a candidate's weight in the choice; 0 is W.RR. Long solutions differ by
    many nats: leave it at 0 unless it was fitted to your generator."""
    chance: Chance = Chance()
    """How likely a cluster is right."""

    @classmethod
    def fitted(cls, pools: Sequence[Sampled], right: Sequence[Collection[int]] = ()) -> Outlook:
        """The outlook by these pools, of problems that are neither trained nor tested on.

        Args:
            pools: With all their scores.
            right: Per pool the numbers of its right clusters. Without them, `likelihood_weight` and `chance` stay as they are by
                default.
        """
        found = cls(scores=ScorePrior.fitted(pools), rate_exponent=_rate_exponent(pools) or Outlook().rate_exponent)
        answered = [(p, r) for p, r in zip(pools, right, strict=bool(right)) if max(p.cluster_numbers, default=-1) >= 0]
        return _with_chances(found, answered) if answered else found


def read_outlook(path: Path) -> Outlook:
    """Reads an outlook as a study's report holds it.

    Raises:
        DataError: If the file cannot be read, or holds no JSON object.
        SettingsError: If it holds something else than an outlook.
    """
    held = read_json(path)
    if not isinstance(held, Mapping):
        raise DataError(
            f"{path} holds a {type(held).__name__}, not an outlook. Give the outlook.json of a study's report."
        )
    try:
        return build(Outlook, held)
    except SettingsError as error:
        raise SettingsError(f"{path} is no outlook: {error} Give the outlook.json of a study's report.") from error


# --- fitting ----------------------------------------------------------------------------------------------------------

_EXPONENTS = np.arange(0.5, 2.001, 0.05)
_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
_SHARPNESS = (0.75, 1.0, 1.5, 2.0, 3.0)
_NONE_RIGHT = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2)


def _rate_exponent(pools: Sequence[Sampled]) -> float | None:
    """The likeliest, where the count of a text that came at all is a Poisson variable above 0; None without likelihoods."""
    found: list[tuple[float, int, int]] = []
    for pool in pools:
        first = {text: place for place, text in reversed(list(enumerate(pool.text_numbers)))}
        logprobs = pool.logprobs(pool.limit)
        for text, count in zip(*np.unique(pool.text_numbers, return_counts=True), strict=True):
            logprob = logprobs[first[int(text)]]
            if logprob is not None:
                found.append((logprob, int(count), pool.limit))
    if not found:
        return None
    logprobs_, counts, sizes = np.array(found, dtype=float).T

    def likelihood(exponent: float) -> float:
        means = sizes * text_rates(logprobs_, exponent)
        return float((counts * np.log(means) - means - np.log(-np.expm1(-means))).sum())

    return float(max(_EXPONENTS, key=likelihood))


def known_logprobs(logprobs: Sequence[float | None]) -> Floats | None:
    """The log-likelihoods; None where one is not known or not finite, since likelihoods only mean something beside each other."""
    found = np.array(logprobs, dtype=float)  # None becomes nan
    return found if found.size and np.isfinite(found).all() else None


def text_rates(logprobs: Floats, exponent: float) -> Floats:
    """How often texts come, per candidate: see `Outlook.rate_exponent`. Kept inside (0, 1)."""
    rates: Floats = np.exp(np.clip(exponent * logprobs, -30.0, -0.02))
    return rates


class _Weights(NamedTuple):
    """Weights of clusters over the number of candidates: (pools, clusters), 0 beyond a pool's own, and which are right."""

    values: Floats
    right: npt.NDArray[np.bool_]


def _with_chances(outlook: Outlook, pools: Sequence[tuple[Sampled, Collection[int]]]) -> Outlook:
    """The likelihood weight that makes what is right likeliest after a quarter of the candidates, about where a rule stops; and,
    with it, the chances that do so after all of them."""
    weights = _WEIGHTS if all(known_logprobs(pool.logprobs(pool.limit)) is not None for pool, _ in pools) else (0.0,)
    weight = max(weights, key=lambda weight: _likeliest(_cluster_weights(pools, 4, weight)).log_likelihood)
    chance = _likeliest(_cluster_weights(pools, 1, weight)).chance
    return outlook.model_copy(update={"likelihood_weight": weight, "chance": chance})


class _Fit(NamedTuple):
    log_likelihood: float
    chance: Chance


def _likeliest(weights: _Weights) -> _Fit:
    chances = (
        Chance(sharpness=sharpness, none_right=none_right) for sharpness, none_right in product(_SHARPNESS, _NONE_RIGHT)
    )
    return max(
        (_Fit(_log_likelihood(chance, weights), chance) for chance in chances), key=lambda fit: fit.log_likelihood
    )


def _cluster_weights(pools: Sequence[tuple[Sampled, Collection[int]]], share: int, weight: float) -> _Weights:
    """What is known after the first of `share` equal parts of the candidates."""
    size = 1 + max(max(pool.cluster_numbers) for pool, _ in pools)
    values, right = np.zeros((len(pools), size)), np.zeros((len(pools), size), dtype=bool)
    for row, (pool, right_ones) in enumerate(pools):
        number = max(1, pool.limit // share)
        clusters = np.array(pool.clusters(number))
        given = np.array(pool.scores[:number])
        if weight:
            given = given * tilts(np.array(pool.logprobs(number), dtype=float), weight)
        answered = clusters != NO_ANSWER
        values[row] = np.bincount(clusters[answered], given[answered], size) / number
        right[row, list(right_ones)] = True
    return _Weights(values, right)


def tilts(logprobs: Floats, weight: float) -> Floats:
    """What the likelihoods of candidates multiply their scores by: 1 for the likeliest."""
    tilted: Floats = np.exp(weight * (logprobs - logprobs.max()))
    return tilted


def _log_likelihood(chance: Chance, weights: _Weights) -> float:
    chances = chance.of(weights.values)
    right = (chances * weights.right).sum(axis=1)
    none = 1 - chances.sum(axis=1)
    return float(np.log(np.where(right > 0, right, none).clip(1e-9)).sum())
