"""Foresight: the end of sampling and scoring simulated from what has been seen, and two rules that stop by it. Our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mathquorum.errors import SettingsError
from mathquorum.selection.outlook import Outlook, known_logprobs, text_rates, tilts
from mathquorum.selection.supply import NO_ANSWER, Stopped, Supply

__all__ = ["SureChoice", "Worthwhile"]

Floats = npt.NDArray[np.float64]

Doubt = Callable[[Floats, int], float]
"""Of simulated ends, (simulations, clusters) in weights per candidate, and the leader: how much speaks for going on."""


@dataclass(frozen=True)
class SureChoice:
    """Stops when neither more votes nor more scores are likely to change what would be chosen in the end.

    After every window, the end is simulated from what is known (`_Foresight`). If the cluster that leads in expectation wins in
    `confidence` of the simulated ends, it is chosen. Otherwise the doubt that is larger is removed: a text of the two
    closest clusters is scored, or the next window is sampled.

    Args:
        confidence: In (0, 1). It looks many times, and stops at the first look that is sure enough: of problems drawn from its own
            assumptions, 12% end otherwise at 0.9.
        window: Candidates between two looks.
        outlook: What the simulation starts from.
    """

    confidence: float = 0.9
    window: int = 4
    outlook: Outlook = field(default_factory=Outlook)
    needs_scores = True

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise SettingsError(f"confidence must be between 0 and 1. Got {self.confidence!r} instead.")
        _check_window(self.window)

    @property
    def name(self) -> str:
        return f"sure choice, {self.confidence:g}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        return _look_ahead(supply, seed, self.outlook, self.window, _share_changed, 1 - self.confidence)


@dataclass(frozen=True)
class Worthwhile:
    """Stops when going on to the end would hardly make the choice likelier to be right.

    As `SureChoice`, but a change counts only for what it gains: the chance that the end's choice is right less the chance that
    the present one is (`Outlook.chance`), mean over simulated ends. So it stops, too, where any choice would be a guess.

    Args:
        least_gain: In (0, 1): the chance to be right that going on must gain.
        window: Candidates between two looks.
        outlook: What the simulation starts from.
    """

    least_gain: float = 0.01
    window: int = 4
    outlook: Outlook = field(default_factory=Outlook)
    needs_scores = True

    def __post_init__(self) -> None:
        if not 0 < self.least_gain < 1:
            raise SettingsError(f"least_gain must be between 0 and 1. Got {self.least_gain!r} instead.")
        _check_window(self.window)

    @property
    def name(self) -> str:
        return f"worthwhile, {self.least_gain:g}"

    def choose(self, supply: Supply, seed: str) -> Stopped:
        return _look_ahead(supply, seed, self.outlook, self.window, self._gain, self.least_gain)

    def _gain(self, ends: Floats, leader: int) -> float:
        chances = self.outlook.chance.of(ends)
        return float((chances.max(axis=1) - chances[:, leader]).mean())


def _check_window(window: int) -> None:
    if window < 1:
        raise SettingsError(f"window must be an int of at least 1. Got {window!r} instead.")


def _share_changed(ends: Floats, leader: int) -> float:
    return float((ends.max(axis=1) > ends[:, leader]).mean())


def _look_ahead(supply: Supply, seed: str, outlook: Outlook, window: int, doubt: Doubt, most_doubt: float) -> Stopped:
    """Samples and scores until there is no more doubt than `most_doubt`, or nothing left to ask for."""
    if supply.limit == 0:
        return Stopped(NO_ANSWER, 0, 0, 0)
    foresight = _Foresight(supply, outlook, np.random.default_rng(list(seed.encode())))
    number = min(window, supply.limit)
    foresight.see(number)
    while True:
        everything = number == supply.limit
        votes_doubt, all_doubt = 1.0, 0.0  # no answer seen: only more candidates can help
        if foresight.leader != NO_ANSWER:
            by_votes, by_both = foresight.ends()
            votes_doubt, all_doubt = doubt(by_votes, foresight.place), doubt(by_both, foresight.place)
        unscored = foresight.next_text(of_any=everything)
        if max(votes_doubt, all_doubt) <= most_doubt or (everything and unscored is None):
            return Stopped(foresight.leader, number, supply.num_tokens(number), foresight.num_scored)
        if unscored is not None and (all_doubt > votes_doubt or everything):
            foresight.score(unscored)
        else:
            number = min(number + window, supply.limit)
            foresight.see(number)


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


class _Foresight:
    """What has been seen of a problem, and its ends simulated from there.

    - How often a text will come again is known from its likelihood and its count together. What else comes is new: texts of the
      clusters seen, each as often as it has texts that came once, or of a cluster not yet seen.
    - What the evaluator will say of a text is its score where it has one, or a draw about the level of its cluster
      (`ScorePrior`).
    - A candidate's weight is its score, tilted by its likelihood (`Outlook.likelihood_weight`).

    Draws are made once per window, so that a score changes the ends by what it tells and by nothing else.

    Attributes:
        clusters: Numbers of those seen, in the order of their appearance. Below, a cluster is named by its place here.
    """

    def __init__(self, supply: Supply, outlook: Outlook, rng: np.random.Generator) -> None:
        self._supply, self._outlook, self._rng = supply, outlook, rng
        self.clusters: list[int] = []
        self._texts: list[int] = []  # numbers, in the order of their appearance; arrays of texts are in this order
        self._scores = np.empty(0)  # 0 where not asked for
        self._asked = np.empty(0, dtype=bool)

    def see(self, number: int) -> None:
        """Takes in the first `number` candidates, and draws what may come after them."""
        texts = self._supply.texts(number)
        first = {text: place for place, text in reversed(list(enumerate(texts)))}
        self._texts = list(dict.fromkeys(texts))
        clusters = self._supply.clusters(number)
        self.clusters = list(dict.fromkeys(cluster for cluster in clusters if cluster != NO_ANSWER))
        of_texts = [clusters[first[text]] for text in self._texts]
        self._members = np.equal.outer(np.array(of_texts), np.array(self.clusters)).astype(float)  # (texts, clusters)
        counts = Counter(texts)
        self._counts = np.array([counts[text] for text in self._texts], dtype=float)
        new = len(self._texts) - len(self._scores)
        self._scores, self._asked = (
            np.append(self._scores, np.zeros(new)),
            np.append(self._asked, np.zeros(new, dtype=bool)),
        )
        logprobs = known_logprobs(self._supply.logprobs(number))
        self._draw(None if logprobs is None else logprobs[[first[text] for text in self._texts]], number)
        self._judge()

    def score(self, text: int) -> None:
        """Asks for the score of the text at this place."""
        (self._scores[text],) = self._supply.score([self._texts[text]])
        self._asked[text] = True
        self._judge()

    @property
    def num_scored(self) -> int:
        return int(self._asked.sum())

    @property
    def place(self) -> int:
        """Of the cluster that leads in expectation, where there is one."""
        return int(self._ranking[0])

    @property
    def leader(self) -> int:
        """Its number; `NO_ANSWER` where there is none."""
        return self.clusters[self.place] if self.clusters else NO_ANSWER

    def ends(self) -> tuple[Floats, Floats]:
        """Weights per candidate at the end, (simulations, clusters + 1), the last for all that is not yet seen, taken as one cluster.
        First as if only the votes to come were uncertain, then with the scores not asked for uncertain, too."""
        prior = self._outlook.scores
        seen = self._counts + self._coming[:, : len(self._texts)]
        new = self._coming[:, len(self._texts) :] * self._new_tilt
        by_votes = new * np.append(self._means, self._level)
        by_votes[:, :-1] += seen @ (self._members * (self._expected * self._tilts)[:, None])
        levels = np.append(self._means, self._level) + np.append(self._spreads, prior.of_clusters) * self._level_noise
        texts = (levels[:, :-1] @ self._members.T + prior.of_texts * self._text_noise).clip(0, 1)
        texts = np.where(self._asked, self._scores, texts)
        by_both = new * levels.clip(0, 1)
        by_both[:, :-1] += (seen * texts * self._tilts) @ self._members
        return by_votes / self._supply.limit, by_both / self._supply.limit

    def next_text(self, *, of_any: bool) -> int | None:
        """The text whose score says most: of the one of the two leading clusters with fewer scored texts, the commonest. Where they are
        all scored, with `of_any` one of the cluster that comes next, else None."""
        open_texts = (self._members.T > 0) & ~self._asked  # (clusters, texts)
        waiting = open_texts.any(axis=1)
        places = [place for place in self._ranking[:2] if waiting[place]]
        if not places and of_any:
            places = [place for place in self._ranking if waiting[place]][:1]
        if not places:
            return None
        place = min(places, key=lambda found: self._members[:, found] @ self._asked)
        return int(np.argmax(np.where(open_texts[place], self._to_be, -1.0)))

    def _draw(self, logprobs: Floats | None, number: int) -> None:
        """How often each text, and each cluster's new texts, may come among the candidates left; and the noise of scores."""
        rng, size, left = self._rng, (_NUM_SIMULATIONS, len(self._texts)), self._supply.limit - number
        once = self._counts == 1
        if logprobs is None:  # the share of what is new is the share of what came once (Good 1953)
            shapes, rates, newness = self._counts, self._counts / number, float(once.sum()) / number
        else:
            shapes = _RATE_CERTAINTY + self._counts
            rates = shapes / (_RATE_CERTAINTY / text_rates(logprobs, self._outlook.rate_exponent) + number)
            newness = 1 - float(rates.sum())
        # Counts have a say, too: likelihoods may be of another temperature than the outlook's.
        newness = min(max(newness, 0.5 / number), (float(once.sum()) + 2) / (number + 2))
        rates *= (1 - newness) / float(rates.sum())
        weight = self._outlook.likelihood_weight
        self._tilts = tilts(logprobs, weight) if weight and logprobs is not None else np.ones(len(self._texts))
        self._new_tilt = float(self._tilts[once].mean() if once.any() else self._tilts.min())

        # New texts are of the clusters seen, of one not yet seen, or without an answer.
        single = self._members.T @ self._counts == 1  # clusters
        silent = float(once @ (self._members.sum(axis=1) == 0))
        split = np.array([*(self._members.T @ once - single + _NEW_TEXT), single.sum() + _NEW_CLUSTER, silent + _TINY])
        drawn_rates = rng.gamma(shapes, size=size) * (rates / shapes)
        drawn_new = rng.dirichlet(split, size=len(drawn_rates)) * newness
        drawn_new *= rng.gamma(_NEWNESS_SHAPE, 1 / _NEWNESS_SHAPE, size=(len(drawn_rates), 1))
        drawn = np.append(drawn_rates, drawn_new, axis=1)
        self._coming = rng.multinomial(left, drawn / drawn.sum(axis=1, keepdims=True))[:, :-1].astype(float)
        self._to_be = self._counts + left * rates
        self._new_to_be = left * newness * split[:-2] / split.sum()
        self._level_noise = rng.standard_normal((len(drawn), len(self.clusters) + 1))
        self._text_noise = rng.standard_normal(size)

    def _judge(self) -> None:
        """What the scores tell of the clusters' levels, and the clusters by their expected weight at the end."""
        counts, sums = self._members.T @ self._asked, self._members.T @ self._scores
        self._level, self._means, self._spreads = self._outlook.scores.after(counts, sums)
        self._expected = np.where(self._asked, self._scores, self._members @ self._means)
        weights = self._members.T @ (self._expected * self._tilts * self._to_be)
        weights += self._new_to_be * self._means * self._new_tilt
        self._ranking = np.lexsort((-(self._members.T @ self._counts), -weights))  # ties as in `Strategy`
