"""What is seen of a problem after each window of candidates, and draws of what may come after it. Foresight judges by these."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mathquorum.stopping.outlook import Outlook, known_logprobs, text_rates, tilts
from mathquorum.stopping.supply import NO_ANSWER, Supply

__all__ = ["Window", "Windows"]

Floats = npt.NDArray[np.float64]

# A text's likelihood tells its rate as well as so many candidates do: how far counts were from these rates on minimath. The rules
# do as well with 5 and with 30.
_RATE_CERTAINTY = 12.0
# Weights of a new text of a cluster, and of a cluster not yet seen, where one that came once has 1. Our choice; 1 for the second
# spends a little more, for nothing.
_NEW_TEXT, _NEW_CLUSTER = 0.3, 0.5
# Shape of the gamma distribution of how much is new: it varies by a half. Our choice.
_NEWNESS_SHAPE = 4.0
_TINY = 1e-6  # where a weight may not be 0
# With 128 the mean gain is known to half a percent, and looks that are content by chance cost accuracy; 512 take twice as long.
_NUM_SIMULATIONS = 512


@dataclass(frozen=True)
class Window:
    """What the first `number` candidates show, and what may come after them. No score has a part in it.

    How often a text will come again is known from its likelihood and its count together. What else comes is new: texts of the
    clusters seen, each as often as it has texts that came once, or of a cluster not yet seen.

    Attributes:
        texts: Numbers of those seen, in the order of their appearance; arrays of texts are in this order.
        clusters: Likewise.
        members: (texts, clusters), 1 where the text is of the cluster.
        counts: (texts,): how often each came.
        tilts: (texts,): what the likelihood multiplies a score by.
        new_tilt: The same for a new text.
        coming: (simulations, texts + clusters + 1): how often each text, and each cluster's new texts, the last a cluster not yet
            seen, come among the candidates left.
        to_be: (texts,): expected counts at the end.
        new_to_be: (clusters,): expected counts of new texts.
        level_noise: (simulations, clusters + 1), standard normal.
        text_noise: (simulations, texts), standard normal.
    """

    number: int
    texts: list[int]
    clusters: list[int]
    members: Floats
    counts: Floats
    tilts: Floats
    new_tilt: float
    coming: Floats
    to_be: Floats
    new_to_be: Floats
    level_noise: Floats
    text_noise: Floats


class Windows:
    """The windows of a problem one after the other, each drawn once, however many rules look at it.

    Args:
        size: Candidates per window.
        seed: Of the draws.
    """

    def __init__(self, supply: Supply, outlook: Outlook, size: int, seed: str) -> None:
        self._supply, self._outlook, self._size = supply, outlook, size
        self._rng = np.random.default_rng(list(seed.encode()))
        self._drawn: list[Window] = []

    def __getitem__(self, place: int) -> Window:
        """The window of that number, from 0. The last is the one that holds all candidates."""
        while len(self._drawn) <= place:
            number = min((len(self._drawn) + 1) * self._size, self._supply.limit)
            self._drawn.append(_draw(self._supply, self._outlook, number, self._rng))
        return self._drawn[place]


def _draw(supply: Supply, outlook: Outlook, number: int, rng: np.random.Generator) -> Window:
    written, of_candidates = supply.texts(number), supply.clusters(number)
    first = {text: place for place, text in reversed(list(enumerate(written)))}
    texts = list(dict.fromkeys(written))
    clusters = list(dict.fromkeys(cluster for cluster in of_candidates if cluster != NO_ANSWER))
    of_texts = [of_candidates[first[text]] for text in texts]
    members = np.equal.outer(np.array(of_texts), np.array(clusters)).astype(float)
    found = Counter(written)
    counts = np.array([found[text] for text in texts], dtype=float)
    logprobs = known_logprobs(supply.logprobs(number))
    if logprobs is not None:
        logprobs = logprobs[[first[text] for text in texts]]

    # How often the texts come again, and how much is new
    once, left = counts == 1, supply.limit - number
    if logprobs is None:  # the share of what is new is the share of what came once (Good 1953)
        shapes, rates, newness = counts, counts / number, float(once.sum()) / number
    else:
        shapes = _RATE_CERTAINTY + counts
        rates = shapes / (_RATE_CERTAINTY / text_rates(logprobs, outlook.rate_exponent) + number)
        newness = 1 - float(rates.sum())
    # Counts have a say, too: likelihoods may be of another temperature than the outlook's.
    newness = min(max(newness, 0.5 / number), (float(once.sum()) + 2) / (number + 2))
    rates *= (1 - newness) / float(rates.sum())
    weight = outlook.likelihood_weight
    tilted = tilts(logprobs, weight) if weight and logprobs is not None else np.ones(len(texts))

    # New texts are of the clusters seen, of one not yet seen, or without an answer.
    single = members.T @ counts == 1  # clusters
    silent = float(once @ (members.sum(axis=1) == 0))
    split = np.array([*(members.T @ once - single + _NEW_TEXT), single.sum() + _NEW_CLUSTER, silent + _TINY])
    drawn_rates = rng.gamma(shapes, size=(_NUM_SIMULATIONS, len(texts))) * (rates / shapes)
    drawn_new = rng.dirichlet(split, size=_NUM_SIMULATIONS) * newness
    drawn_new *= rng.gamma(_NEWNESS_SHAPE, 1 / _NEWNESS_SHAPE, size=(_NUM_SIMULATIONS, 1))
    drawn = np.append(drawn_rates, drawn_new, axis=1)
    return Window(
        number=number,
        texts=texts,
        clusters=clusters,
        members=members,
        counts=counts,
        tilts=tilted,
        new_tilt=float(tilted[once].mean() if once.any() else tilted.min()),
        coming=rng.multinomial(left, drawn / drawn.sum(axis=1, keepdims=True))[:, :-1].astype(float),
        to_be=counts + left * rates,
        new_to_be=left * newness * split[:-2] / split.sum(),
        level_noise=rng.standard_normal((_NUM_SIMULATIONS, len(clusters) + 1)),
        text_noise=rng.standard_normal((_NUM_SIMULATIONS, len(texts))),
    )
