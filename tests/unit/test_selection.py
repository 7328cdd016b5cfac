"""Strategies on one pool that can be followed by hand."""

from __future__ import annotations

import pytest

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection import default_strategies, strategy

CLUSTERS = [
    AnswerCluster("p", "12", (0, 2, 3, 6), False),
    AnswerCluster("p", "15", (1, 4, 7), True),
    AnswerCluster("p", "9", (5,), False),
]
SCORES = {0: 0.2, 1: 0.7, 2: 0.3, 3: 0.1, 4: 0.8, 5: 0.9, 6: 0.2, 7: 0.6}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("maj1", "12"),  # 4 votes
        ("rr.all", "9"),  # candidate 5 has 0.9
        ("rr.top2", "15"),  # candidate 4 has 0.8
        ("w.rr", "15"),  # 2.1 against 0.8 and 0.9
        ("w.rr.top1", "12"),
        ("maj1.top3", "15"),  # candidates 5, 4, 1 are kept
        ("pv", "15"),  # 0.700 - 0.260 against 0.2 - 0.208 and 0.9 - 0.520
        ("pv.alpha0", "9"),
        ("deepconf.keep10", "9"),  # one of eight is kept: candidate 5
        ("deepconf.keep50", "15"),  # candidates 5, 4, 1, 7: 0.9 against 2.1
        (
            "borda",
            "15",
        ),  # votes 8 for 5, 7 for 4, 6 for 1, 5 for 7, 4 for 2, 2.5 each for 0 and 6: 18 against 10 and 8
        ("borda.p0", "12"),
        ("borda.p9", "9"),  # 8^9 = 134 million against 7^9 + 6^9 + 5^9 = 52 million
    ],
)
def test_each_strategy_by_hand(name: str, answer: str) -> None:
    chosen = strategy(name).select(CLUSTERS, SCORES)
    assert chosen is not None
    assert chosen.answer == answer


def test_equal_best_scores_go_to_the_larger_sum() -> None:
    clusters = [AnswerCluster("p", "a", (0, 1)), AnswerCluster("p", "b", (2, 3))]
    assert strategy("rr.all").select(clusters, {0: 0.9, 1: 0.1, 2: 0.9, 3: 0.4}) is clusters[1]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"Unknown strategy 'rr\.tpo8'\. Did you mean 'rr\.top8'\?"):
        strategy("rr.tpo8")


def test_a_percentage_above_100_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"kept_percent must be an int from 1 to 100\. Got 120 instead\."):
        strategy("deepconf.keep120")


@pytest.mark.parametrize("name", ["rr.top0", "maj1.top0", "w.rr.top0"])
def test_a_count_of_zero_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"must be an int of at least 1\. Got 0 instead\."):
        strategy(name)


def test_without_scores_only_the_vote_is_a_default() -> None:
    assert [s.name for s in default_strategies(with_scores=False)] == ["maj1"]
    assert {"rr.all", "rr.top8", "w.rr"} <= {s.name for s in default_strategies(with_scores=True)}
