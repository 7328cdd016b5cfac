"""Foresight: the end of sampling and scoring simulated from what has been seen, and two rules that stop by it. Our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mathquorum.errors import SettingsError
from mathquorum.stopping.outlook import Outlook
from mathquorum.stopping.supply import NO_ANSWER, Stopped, Supply
from mathquorum.stopping.windows import Window, Windows

__all__ = ["LooksAhead", "SureChoice", "Worthwhile", "choose_each"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SureChoice:
    """Stops when neither more votes nor more scores are likely to change what would be chosen in the end.

    After every window, the end is simulated from what is known (`Window`). If the cluster that leads in expectation wins in
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
        return choose_each([self], supply, seed)[0]

    @property
    def most_doubt(self) -> float:
        """Up to which it stops."""
        return 1 - self.confidence

    def doubt(self, ends: Floats, leader: int) -> float:
        """The share of ends in which another cluster wins."""
        return float((ends.max(axis=1) > ends[:, leader]).mean())


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
        return choose_each([self], supply, seed)[0]

    @property
    def most_doubt(self) -> float:
        """Up to which it stops."""
        return self.least_gain

    def doubt(self, ends: Floats, leader: int) -> float:
        """What the chance to be right would gain in the end."""
        chances = self.outlook.chance.of(ends)
        return float((chances.max(axis=1) - chances[:, leader]).mean())


def _check_window(window: int) -> None:
    if window < 1:
        raise SettingsError(f"window must be an int of at least 1. Got {window!r} instead.")


LooksAhead = SureChoice | Worthwhile


def choose_each(rules: Sequence[LooksAhead], supply: Supply, seed: str) -> list[Stopped]:
    """What each rule chooses, as it would alone.

    Rules that differ only in how much doubt they bear take the same looks, and the surer ones take more of them: one walk serves
    them all. All rules see the same draws.
    """
    alike: dict[tuple[type[LooksAhead], int, Outlook], list[LooksAhead]] = {}
    for rule in rules:
        alike.setdefault((type(rule), rule.window, rule.outlook), []).append(rule)
    windows: dict[tuple[int, Outlook], Windows] = {}
    found: dict[LooksAhead, Stopped] = {}
    for (_, size, outlook), of_kind in alike.items():
        shared = windows.setdefault((size, outlook), Windows(supply, outlook, size, seed))
        found |= _look_ahead(supply, shared, of_kind)
    return [found[rule] for rule in rules]


def _look_ahead(supply: Supply, windows: Windows, rules: Sequence[LooksAhead]) -> dict[LooksAhead, Stopped]:
    """Samples and scores until there is no more doubt than any of the rules bears, or nothing left to ask for."""
    if supply.limit == 0:
        return dict.fromkeys(rules, Stopped(NO_ANSWER, 0, 0, 0))
    rule, place, stopped = rules[0], 0, dict[LooksAhead, Stopped]()
    foresight = _Foresight(supply, rule.outlook)
    foresight.see(windows[place])
    while True:
        everything = foresight.number == supply.limit
        votes_doubt, all_doubt = 1.0, 0.0  # no answer seen: only more candidates can help
        if foresight.leader != NO_ANSWER:
            by_votes, by_both = foresight.ends()
            votes_doubt, all_doubt = rule.doubt(by_votes, foresight.place), rule.doubt(by_both, foresight.place)
        unscored = foresight.next_text(of_any=everything)
        at_end = everything and unscored is None
        for other in rules:
            if other not in stopped and (at_end or max(votes_doubt, all_doubt) <= other.most_doubt):
                stopped[other] = foresight.stop()
        if len(stopped) == len(set(rules)):
            return stopped
        if unscored is not None and (all_doubt > votes_doubt or everything):
            foresight.score(unscored)
        else:
            place += 1
            foresight.see(windows[place])


class _Foresight:
    """What has been seen of a problem, and its ends simulated from there.

    - What the evaluator will say of a text is its score where it has one, or a draw about the level of its cluster
      (`ScorePrior`).
    - A candidate's weight is its score, tilted by its likelihood (`Outlook.likelihood_weight`).

    Draws are made once per window, so that a score changes the ends by what it tells and by nothing else. Below, a cluster or a text
    is named by its place in the window.
    """

    _window: Window

    def __init__(self, supply: Supply, outlook: Outlook) -> None:
        self._supply, self._outlook = supply, outlook
        self._scores = np.empty(0)  # 0 where not asked for
        self._asked = np.empty(0, dtype=bool)

    def see(self, window: Window) -> None:
        """Goes on to a later window."""
        new = len(window.texts) - len(self._scores)
        self._window = window
        self._scores = np.append(self._scores, np.zeros(new))
        self._asked = np.append(self._asked, np.zeros(new, dtype=bool))
        self._judge()

    def score(self, text: int) -> None:
        """Asks for the score of the text at this place."""
        (self._scores[text],) = self._supply.score([self._window.texts[text]])
        self._asked[text] = True
        self._judge()

    def stop(self) -> Stopped:
        """Stops with the leader."""
        return Stopped(self.leader, self.number, self._supply.num_tokens(self.number), int(self._asked.sum()))

    @property
    def number(self) -> int:
        """Candidates seen."""
        return self._window.number

    @property
    def place(self) -> int:
        """The place of the cluster that leads in expectation, where there is one."""
        return int(self._ranking[0])

    @property
    def leader(self) -> int:
        """Its number; `NO_ANSWER` where there is none."""
        return self._window.clusters[self.place] if self._window.clusters else NO_ANSWER

    def ends(self) -> tuple[Floats, Floats]:
        """Weights per candidate at the end, (simulations, clusters + 1), the last for all that is not yet seen, taken as one cluster.
        First as if only the votes to come were uncertain, then with the scores not asked for uncertain, too."""
        w, prior = self._window, self._outlook.scores
        seen = w.counts + w.coming[:, : len(w.texts)]
        new = w.coming[:, len(w.texts) :] * w.new_tilt
        by_votes = new * np.append(self._means, self._level)
        by_votes[:, :-1] += seen @ (w.members * (self._expected * w.tilts)[:, None])
        levels = np.append(self._means, self._level) + np.append(self._spreads, prior.of_clusters) * w.level_noise
        texts = (levels[:, :-1] @ w.members.T + prior.of_texts * w.text_noise).clip(0, 1)
        texts = np.where(self._asked, self._scores, texts)
        by_both = new * levels.clip(0, 1)
        by_both[:, :-1] += (seen * texts * w.tilts) @ w.members
        return by_votes / self._supply.limit, by_both / self._supply.limit

    def next_text(self, *, of_any: bool) -> int | None:
        """The text whose score says most: of the one of the two leading clusters with fewer scored texts, the commonest. Where they are
        all scored, with `of_any` one of the cluster that comes next, else None."""
        w = self._window
        open_texts = (w.members.T > 0) & ~self._asked  # (clusters, texts)
        waiting = np.logical_or.reduce(open_texts, axis=1)
        places = [place for place in self._ranking[:2] if waiting[place]]
        if not places and of_any:
            places = [place for place in self._ranking if waiting[place]][:1]
        if not places:
            return None
        place = min(places, key=lambda found: w.members[:, found] @ self._asked)
        return int(np.argmax(np.where(open_texts[place], w.to_be, -1.0)))

    def _judge(self) -> None:
        """What the scores tell of the clusters' levels, and the clusters by their expected weight at the end."""
        w = self._window
        counts, sums = w.members.T @ self._asked, w.members.T @ self._scores
        self._level, self._means, self._spreads = self._outlook.scores.after(counts, sums)
        self._expected = np.where(self._asked, self._scores, w.members @ self._means)
        weights = w.members.T @ (self._expected * w.tilts * w.to_be)
        weights += w.new_to_be * self._means * w.new_tilt
        self._ranking = np.lexsort((-(w.members.T @ w.counts), -weights))  # ties as in `Strategy`
