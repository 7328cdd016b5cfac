"""Many subsets of one problem's candidates at once, as arrays: a strategy that tells its figures of them is asked once, not for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import compress

import numpy as np
import numpy.typing as npt

from mathquorum.records import AnswerCluster, largest_first

__all__ = ["Subsets"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NEAR = 1e-9  # figures nearer than this may be equal, since arrays add floats in another order than `fsum`


class Subsets:
    """Subsets of the candidates with an answer, which stand in the order of their clusters.

    Args:
        clusters: Of the whole problem, in the order that `AnswerCluster` declares, with `correct` known.
        scores: By `Candidate.index`.
        drawn: (subsets, candidates), whether a subset holds a candidate; each holds one at least.
    """

    def __init__(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float], drawn: Bools) -> None:
        members = [index for cluster in clusters for index in cluster.members]
        sizes = np.array([len(cluster.members) for cluster in clusters])
        self.drawn = drawn
        self.scores = np.array([scores.get(index, np.nan) for index in members])  # (candidates,)
        self._clusters, self._members = clusters, np.array(members)
        self._starts = np.cumsum(sizes) - sizes
        self._correct = np.array([bool(cluster.correct) for cluster in clusters])
        self._rows: dict[int, list[AnswerCluster]] = {}

    def sums(self, values: Floats) -> Floats:
        """The sums over each cluster's drawn candidates, (subsets, clusters), of values for each candidate."""
        found: Floats = np.add.reduceat(np.where(self.drawn, values, 0.0), self._starts, axis=1)
        return found

    def highest(self, values: Floats) -> Floats:
        """As `sums`, the highest."""
        found: Floats = np.maximum.reduceat(np.where(self.drawn, values, -np.inf), self._starts, axis=1)
        return found

    @cached_property
    def num_drawn(self) -> Floats:
        """Candidates of each subset, (subsets, 1)."""
        counts: Floats = self.drawn.sum(axis=1, keepdims=True, dtype=np.float64)
        return counts

    @cached_property
    def sizes(self) -> Floats:
        """Drawn candidates of each cluster, (subsets, clusters)."""
        return self.sums(np.ones(1))

    @cached_property
    def order(self) -> Floats:
        """Numbers in [0, 1), (subsets, clusters), that put the clusters of each subset in their order: the higher the earlier."""
        end = int(self._members.max()) + 1
        earliest = -self.highest(-self._members.astype(np.float64))
        numbers: Floats = self.sizes * end + (end - 1 - np.minimum(earliest, end))
        return numbers / (end * (len(self._members) + 1))

    def among(self, top_clusters: int | None, figures: Floats) -> Floats:
        """The figures of each subset's largest clusters; -inf for the others."""
        if top_clusters is None or top_clusters >= figures.shape[1]:
            return figures
        last = np.partition(self.order, -top_clusters, axis=1)[:, -top_clusters, None]
        return np.where(self.order >= last, figures, -np.inf)

    @cached_property
    def ranks(self) -> tuple[Floats, Floats]:
        """For each candidate how many of its subset have a higher score, and how many one as high at least; (subsets, candidates)."""
        falling = np.argsort(-self.scores, kind="stable")
        ordered = -self.scores[falling]
        counts = np.zeros((len(self.drawn), len(falling) + 1))
        np.cumsum(self.drawn[:, falling], axis=1, out=counts[:, 1:])
        above, up_to = (np.searchsorted(ordered, -self.scores, side) for side in ("left", "right"))
        return counts[:, above], counts[:, up_to]

    def kept(self, number: Floats | int) -> Floats:
        """1 for each of a subset's so many best-scored candidates, 0 for the others; NaN in a subset where equal scores lie on both
        sides of the cut, so that the tie rules tell which of them are kept."""
        above, up_to = self.ranks
        cut = self.drawn & (above < number) & (up_to > number)
        return np.where(cut.any(axis=1, keepdims=True), np.nan, (up_to <= number).astype(np.float64))

    def right(self, figures: Floats) -> tuple[Bools, Bools]:
        """Whether the cluster with the highest figure is correct, and whether that is sure: not where the best correct and the best
        incorrect one are too near each other to be told apart, or a figure is NaN. Both (subsets,)."""
        figures = np.where(self.sizes > 0, figures, -np.inf)
        right, wrong = (figures[:, side].max(axis=1, initial=-np.inf) for side in (self._correct, ~self._correct))
        above, below = (a > b + _NEAR * (1 + np.abs(a)) for a, b in ((right, wrong), (wrong, right)))
        return above, above | below

    def clusters(self, row: int) -> list[AnswerCluster]:
        """The clusters of one subset."""
        if row not in self._rows:
            drawn = self.drawn[row].tolist()
            parts = (compress(c.members, drawn[start:]) for c, start in zip(self._clusters, self._starts, strict=True))
            left = ((c, tuple(members)) for c, members in zip(self._clusters, parts, strict=True))
            found = [AnswerCluster(c.problem_id, c.answer, members, c.correct) for c, members in left if members]
            self._rows[row] = sorted(found, key=lambda cluster: largest_first(cluster.members))
        return self._rows[row]
