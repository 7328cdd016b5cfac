"""Stopping rules, replayed by hand."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import WeightedVote
from mathquorum.stopping.foresight import SureChoice, Worthwhile
from mathquorum.stopping.outlook import Outlook
from mathquorum.stopping.rules import AdaptiveConsistency, EarlyStopping, FixedBudget, Settled, stopping_rule
from mathquorum.stopping.supply import NO_ANSWER, Sampled, Stopped


def sampled(clusters: list[int], scores: list[float] | None = None, texts: list[int] | None = None) -> Sampled:
    size = len(clusters)
    return Sampled(clusters, scores or [0.5] * size, texts or list(range(size)), [10] * size)


ANSWERS = st.lists(st.sampled_from([NO_ANSWER, 0, 0, 0, 1, 1, 2]), max_size=40)


@given(ANSWERS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_settled_chooses_what_the_whole_weighted_vote_would(clusters: list[int], rng: Random, texts: int) -> None:
    numbers = [cluster * 10 + rng.randrange(texts) for cluster in clusters]
    scores = {text: rng.choice((0.0, 0.3, 0.5, 0.9, 1.0)) for text in numbers}
    one = sampled(clusters, [scores[text] for text in numbers], numbers)
    whole, sparing = FixedBudget(64, weighted=True).choose(one, "p"), Settled(64).choose(one, "p")
    members = {c: tuple(i for i, found in enumerate(clusters) if found == c) for c in dict.fromkeys(clusters)}
    pool = [AnswerCluster("p", str(c), found) for c, found in members.items() if c != NO_ANSWER]
    pool.sort(key=lambda cluster: largest_first(cluster.members))
    chosen = WeightedVote().select(pool, dict(enumerate(one.scores)))
    assert sparing.cluster == whole.cluster == (int(chosen.answer) if chosen else NO_ANSWER)
    assert sparing.num_candidates <= whole.num_candidates and sparing.num_calls <= whole.num_calls


def test_settled_spends_little_where_the_choice_is_early_beyond_doubt() -> None:
    alike = Settled(64).choose(sampled([0] * 64, [0.9] * 64, [7] * 64), "p")
    assert alike == Stopped(0, 36, 360, 1)  # 36 votes of 0.9 outweigh 28 of 1
    both = Settled(2).choose(sampled([0, 0], [0.4, 0.4]), "p")
    assert both.num_calls == 0  # there is no other cluster, and none can come
    apart = Settled(64).choose(sampled([0] * 50 + [1] * 14, [1.0] * 64), "p")
    assert apart.cluster == 0 and apart.num_calls < 50


def test_adaptive_consistency_stops_at_four_equal_answers_and_not_at_three() -> None:
    """P(Beta(4, 1) > 1/2) = 15/16 < 0.95 <= 31/32 = P(Beta(5, 1) > 1/2)."""
    assert AdaptiveConsistency().choose(sampled([0] * 10), "p").num_candidates == 4


def test_early_stopping_stops_after_the_first_unanimous_window() -> None:
    assert EarlyStopping(3).choose(sampled([0, 1, 0, 1, 1, 1, 0, 0, 0]), "p").num_candidates == 6
    assert EarlyStopping(3).choose(sampled([0, 1, 0, 1, 1, 1, 0, 0, 0]), "p").cluster == 1


def test_a_window_without_answers_is_not_unanimous() -> None:
    assert EarlyStopping(2).choose(sampled([NO_ANSWER, NO_ANSWER, 0, 0]), "p").num_candidates == 4


def test_with_a_likelihood_weight_likelier_candidates_weigh_more() -> None:
    one = replace(sampled([0, 0, 1]), candidate_logprobs=[-9.0, -9.0, -1.0])
    assert FixedBudget(3, weighted=True).choose(one, "p").cluster == 0
    assert FixedBudget(3, weighted=True, likelihood_weight=0.05).choose(one, "p").cluster == 0  # 2 exp(-0.4) > 1
    assert FixedBudget(3, weighted=True, likelihood_weight=0.1).choose(one, "p").cluster == 1  # 2 exp(-0.8) < 1


def test_without_all_likelihoods_there_is_no_weight_in_them() -> None:
    one = replace(sampled([0, 0, 1]), candidate_logprobs=[-9.0, None, -1.0])
    assert FixedBudget(3, weighted=True, likelihood_weight=9.0).choose(one, "p").cluster == 0


def test_an_outlook_is_for_rules_that_look_ahead() -> None:
    known = Outlook(likelihood_weight=0.2)
    assert stopping_rule("sure", outlook=known) == SureChoice(outlook=known)
    assert stopping_rule("worthwhile") == Worthwhile()
    with pytest.raises(SettingsError, match=r"'settled' has no use for an outlook: sure and worthwhile do"):
        stopping_rule("settled", outlook=known)
    with pytest.raises(SettingsError, match="worthwhile"):
        stopping_rule("worthwile")
