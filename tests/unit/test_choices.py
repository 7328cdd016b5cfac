"""A strategy is asked once about each pool, however much is made of its choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from mathquorum.metrics import Pool
from mathquorum.metrics.choices import Choices
from mathquorum.metrics.curves import curves_over_candidates
from mathquorum.metrics.evaluation import evaluate
from mathquorum.records import AnswerCluster
from mathquorum.selection import WeightedVote

RIGHT, WRONG = AnswerCluster("p", "1", (0, 2, 3), True), AnswerCluster("p", "2", (1, 5), False)
SCORES = {0: 0.2, 1: 0.9, 2: 0.3, 3: 0.1, 5: 0.8}


class Watched(WeightedVote):
    """Counts what it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "asked", Counter())  # a strategy is frozen

    asked: Counter[tuple[int, ...]]

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        self.asked[tuple(index for cluster in clusters for index in cluster.members)] += 1
        return super().select(clusters, scores)


def test_table_selections_and_curves_are_made_of_one_choice() -> None:
    strategy = Watched()
    evaluation = evaluate([Pool("p", 6, [RIGHT, WRONG], SCORES)], [strategy], num_draws=8)
    assert strategy.asked[0, 2, 3, 1, 5] == 1
    assert [s.answer for s in evaluation.selections] == ["2"] and evaluation.outcomes["w.rr"] == [0.0]


@pytest.mark.parametrize("correct", [True, False])
def test_subsets_where_any_choice_is_as_right_as_any_other_need_none(correct: bool) -> None:
    clusters = [AnswerCluster("p", "1", (0, 2, 3), correct), AnswerCluster("p", "2", (1, 5), correct)]
    strategy = Watched()
    (_, curve) = curves_over_candidates(Choices([Pool("p", 6, clusters, SCORES)]), [strategy], num_draws=64)
    assert list(strategy.asked) == [(0, 2, 3, 1, 5)]
    assert curve.points[1].value == pytest.approx(14 / 15, abs=0.08) if correct else curve.points[1].value == 0.0
