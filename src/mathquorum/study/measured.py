"""What a study measured: pools of candidates by generator and training seed, and each problem's outcome under every rule."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np

from mathquorum.errors import DataError
from mathquorum.metrics import Pool, check_pools
from mathquorum.metrics.choices import is_right
from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.curves import oracle
from mathquorum.metrics.differences import Difference, seeded_difference, seeded_p_value
from mathquorum.metrics.intervals import Floats
from mathquorum.metrics.pool_files import StoredPool
from mathquorum.metrics.scores import auc, evaluator_estimates, scores_and_labels
from mathquorum.records import Estimate, largest_first
from mathquorum.selection import Strategy

__all__ = ["Generator", "Measured", "Rows", "difference", "is_signal", "p_value", "string_vote"]

Rows = Floats
"""(seeds, problems): one row of values in [0, 1] per training seed."""


class Generator:
    """One generator over its training seeds, with outcomes computed once.

    Args:
        seeds: By training seed. A model that was not trained, as the few-shot base, has one.

    Raises:
        DataError: If the seeds were measured on different problems.
    """

    def __init__(self, name: str, seeds: Mapping[int, StoredPool]) -> None:
        self.name = name
        self.seeds = seeds
        problems = {tuple(pool.problem_id for pool in stored.pools) for stored in seeds.values()}
        if len(problems) != 1:
            raise DataError(f"{name}: its seeds were measured on different problems, so they cannot be put together.")
        for stored in seeds.values():
            check_pools(stored.pools)
        self._rows: dict[Hashable, Rows] = {}

    @property
    def num_candidates(self) -> int:
        return max(pool.num_candidates for stored in self.seeds.values() for pool in stored.pools)

    @property
    def evaluators(self) -> list[str]:
        """Those that scored every seed's candidates."""
        names = [set(stored.scores) for stored in self.seeds.values()]
        first = next(iter(self.seeds.values()))
        return [name for name in first.scores if all(name in held for held in names)]

    def figure(self, name: str) -> Rows:
        """pass@1.greedy, pass@1 or pass@N."""
        rules: dict[str, Callable[[Pool], float]] = {
            "pass@1.greedy": lambda pool: float(bool(pool.greedy_correct)),
            "pass@1": lambda pool: pool.num_correct / pool.num_candidates,
            "pass@N": oracle,
        }
        return self._of_pools(name, rules[name])

    def strategy(self, strategy: Strategy, evaluator: str | None = None) -> Rows:
        """What the strategy chooses; with the scores of an evaluator, where it reads scores."""
        return self._of_pools((strategy, evaluator), lambda pool: is_right(strategy, pool), evaluator)

    def oracle(self, top_clusters: int) -> Rows:
        """MajK@N."""
        return self._of_pools(("oracle", top_clusters), lambda pool: oracle(pool, top_clusters))

    def calls(self, top_clusters: int) -> Rows:
        """Share of the candidates with an answer that RR.MajK must have scored."""
        return self._of_pools(
            ("calls", top_clusters),
            lambda pool: sum(len(c.members) for c in pool.clusters[:top_clusters]) / max(1, pool.num_answered),
        )

    def string_vote(self) -> Rows:
        """The vote by raw answer string, as it would be without clusters."""
        return self._stored(
            "string vote", lambda stored, pool: string_vote(stored.answers.get(pool.problem_id, {}), pool)
        )

    def within_auc(self, evaluator: str) -> Estimate | None:
        """The evaluator's AUC within a problem: mean over problems, on each over the seeds where it has both labels.

        The interval is over problems and seeds, as that of every other figure of several seeds.
        """
        rows = self._of_pools(("auc.within", evaluator), _within_auc, evaluator)
        return None if np.isnan(rows).all() else seeded_mean("auc.within", rows)

    def evaluator_figures(self, evaluator: str) -> list[Mapping[str, float]]:
        """Per seed every figure of `metrics.evaluator_estimates`."""
        return [
            {e.name: e.value for e in evaluator_estimates(stored.scored(evaluator))} for stored in self.seeds.values()
        ]

    def _of_pools(self, key: Hashable, rule: Callable[[Pool], float], evaluator: str | None = None) -> Rows:
        if key not in self._rows:
            pools = [stored.scored(evaluator) if evaluator else stored.pools for stored in self.seeds.values()]
            self._rows[key] = np.array([[rule(pool) for pool in of_seed] for of_seed in pools])
        return self._rows[key]

    def _stored(self, key: Hashable, rule: Callable[[StoredPool, Pool], float]) -> Rows:
        if key not in self._rows:
            self._rows[key] = np.array([[rule(s, pool) for pool in s.pools] for s in self.seeds.values()])
        return self._rows[key]


@dataclass(frozen=True)
class Measured:
    """All generators of a study on one set of problems, by (role, name)."""

    generators: Mapping[tuple[str, str], Generator]

    def get(self, role: str, name: str) -> Generator | None:
        return self.generators.get((role, name))

    def evened(self) -> Measured:
        """All generators with as many candidates as the one that has fewest, so that they can be compared."""
        fewest = min((g.num_candidates for g in self.generators.values()), default=0)
        if all(g.num_candidates == fewest for g in self.generators.values()):
            return self
        return Measured(
            {
                key: Generator(g.name, {seed: stored.first(fewest) for seed, stored in g.seeds.items()})
                for key, g in self.generators.items()
            }
        )


def is_signal(evaluator: str) -> bool:
    """Whether scores are the generator's own: those of an evaluator have the role of its model before a dot."""
    return "." not in evaluator


def difference(name: str, first: Rows, second: Rows) -> Difference:
    """Paired by problem and nested by seed. A side with one row, an untrained model, is the same for every seed.

    Raises:
        DataError: If both have several seeds, and not equally many.
    """
    return seeded_difference(name, *_paired(name, first, second))


def p_value(name: str, first: Rows, second: Rows) -> float:
    """That of `difference`, problems and seeds both counted (`metrics.differences.seeded_p_value`).

    Raises:
        DataError: As `difference`.
    """
    return seeded_p_value(*_paired(name, first, second))


def _paired(name: str, first: Rows, second: Rows) -> tuple[Rows, Rows]:
    seeds = max(len(first), len(second))
    if {len(first), len(second)} - {1, seeds}:
        raise DataError(f"{name}: {len(first)} seeds cannot be paired with {len(second)}.")
    return np.broadcast_to(first, (seeds, first.shape[1])), np.broadcast_to(second, (seeds, second.shape[1]))


def _within_auc(pool: Pool) -> float:
    """NaN where the candidates of a problem are all right or all wrong."""
    scores, labels = scores_and_labels(pool)
    return auc(scores, labels) if 0 < labels.sum() < len(labels) else nan


def string_vote(answers: Mapping[int, str], pool: Pool) -> float:
    """1 where the most frequent string of answers by candidate, the earliest among equals, is correct."""
    counts: dict[str, list[int]] = {}
    for index in sorted(answers):
        counts.setdefault(answers[index], []).append(index)
    if not counts:
        return 0.0
    chosen = min(counts.values(), key=largest_first)
    return float(any(cluster.correct and chosen[0] in cluster.members for cluster in pool.clusters))
