"""Stopping rules, replayed by hand."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection import WeightedVote
from mathquorum.selection.stopping import (
    NO_ANSWER,
    AdaptiveConsistency,
    EarlyStopping,
    FixedBudget,
    Sampled,
    ScorePrior,
    Settled,
    Stopped,
    StoppingRule,
    SureChoice,
)


def sampled(clusters: list[int], scores: list[float] | None = None, texts: list[int] | None = None) -> Sampled:
    size = len(clusters)
    return Sampled(clusters, scores or [0.5] * size, texts or list(range(size)), [10] * size)


RULES: list[StoppingRule] = [
    FixedBudget(64),
    FixedBudget(64, weighted=True),
    AdaptiveConsistency(),
    EarlyStopping(),
    SureChoice(),
    Settled(),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestEveryRule:
    def test_without_a_single_answer_nothing_is_chosen_and_all_is_spent(self, rule: StoppingRule) -> None:
        stopped = rule.choose(sampled([NO_ANSWER] * 20), "p")
        assert (stopped.cluster, stopped.num_candidates, stopped.num_tokens) == (NO_ANSWER, 20, 200)
        assert stopped.num_calls == 0

    def test_where_all_agree_that_is_the_choice(self, rule: StoppingRule) -> None:
        assert rule.choose(sampled([0] * 64), "p").cluster == 0

    def test_equal_arguments_give_equal_results(self, rule: StoppingRule) -> None:
        one = sampled([0, 1, 2, 0, 1, 1, 0, 3] * 8, [0.9, 0.2, 0.1, 0.8, 0.6, 0.5, 0.7, 0.1] * 8)
        assert rule.choose(one, "p") == rule.choose(one, "p")

    def test_what_comes_after_it_stopped_changes_nothing(self, rule: StoppingRule) -> None:
        """A rule sees only what it would have seen."""
        one = sampled([0, 0, 1, 0, 0, 0, 0, 0, 0, 0] + [1] * 54)
        stopped = rule.choose(one, "p")
        later = [5] * (64 - stopped.num_candidates)
        other = replace(one, cluster_numbers=[*one.cluster_numbers[: stopped.num_candidates], *later])
        assert rule.choose(other, "p") == stopped


ANSWERS = st.lists(st.sampled_from([NO_ANSWER, 0, 0, 0, 1, 1, 2]), max_size=40)


@given(ANSWERS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_settled_chooses_what_the_whole_weighted_vote_would(clusters: list[int], rng: Random, texts: int) -> None:
    numbers = [cluster * 10 + rng.randrange(texts) for cluster in clusters]
    scores = {text: rng.choice((0.0, 0.3, 0.5, 0.9, 1.0)) for text in numbers}
    one = sampled(clusters, [scores[text] for text in numbers], numbers)
    whole, sparing = FixedBudget(64, weighted=True).choose(one, "p"), Settled(64).choose(one, "p")
    members = {c: tuple(i for i, found in enumerate(clusters) if found == c) for c in dict.fromkeys(clusters)}
    pool = [AnswerCluster("p", str(c), found) for c, found in members.items() if c != NO_ANSWER]
    pool.sort(key=lambda cluster: (-len(cluster.members), cluster.members[0]))
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


def test_a_sure_choice_saves_candidates_and_calls_where_all_agree() -> None:
    stopped = SureChoice(0.9).choose(sampled([0] * 64), "p")
    assert stopped.num_candidates <= 8 and stopped.num_calls <= 1


def test_a_sure_choice_asks_the_evaluator_where_votes_are_close_and_follows_it() -> None:
    """The second cluster has almost as many votes and far better scores."""
    clusters = [0, 1] * 16 + [0, 0]
    scores = [0.05 if cluster == 0 else 0.95 for cluster in clusters]
    stopped = SureChoice(0.95).choose(sampled(clusters, scores), "p")
    assert stopped.cluster == 1 and 0 < stopped.num_calls < 34


def test_equal_texts_are_asked_about_once() -> None:
    clusters = [0, 1] * 8
    stopped = SureChoice(0.999).choose(sampled(clusters, [0.5] * 16, clusters), "p")
    assert stopped.num_calls <= 2


def test_a_sure_choice_that_is_never_sure_is_w_rr() -> None:
    """With everything sampled and scored, up to ties."""
    clusters = [0, 1, 2, 1, 0, 2, 2, 1]
    scores = [0.9, 0.3, 0.5, 0.4, 0.8, 0.5, 0.5, 0.3]
    rule = SureChoice(1 - 1e-12, window=3)
    weighted = FixedBudget(8, weighted=True).choose(sampled(clusters, scores), "p")
    assert rule.choose(sampled(clusters, scores), "p").cluster == weighted.cluster == 0


def test_confidence_outside_its_range_is_an_error_in_words() -> None:
    with pytest.raises(SettingsError, match=r"confidence must be between 0 and 1\. Got 1"):
        SureChoice(1)


def test_the_prior_of_scores_is_measured_from_scored_pools() -> None:
    rng = Random(0)
    pools = []
    for _ in range(400):
        level = rng.gauss(0.5, 0.1)
        means = [rng.gauss(level, 0.05) for _ in range(4)]
        clusters = [place % 4 for place in range(40)]
        pools.append(sampled(clusters, [rng.gauss(means[c], 0.02) for c in clusters], list(range(40))))
    found = ScorePrior.fitted(pools)
    assert found.mean == pytest.approx(0.5, abs=0.02)
    assert (found.of_problems, found.of_clusters, found.of_texts) == pytest.approx((0.103, 0.05, 0.02), rel=0.1)
    assert ScorePrior.fitted([]) == ScorePrior()
    assert ScorePrior.fitted([sampled([0, NO_ANSWER], [0.7, 0.1])]).mean == 0.7


def test_scores_of_a_problem_tell_of_its_other_clusters_and_leave_little_doubt_of_their_own() -> None:
    prior = ScorePrior(mean=0.4, of_problems=0.2, of_clusters=0.2, of_texts=0.1)
    level, means, spreads = prior.after(np.zeros(2), np.zeros(2))
    assert (level, *means) == pytest.approx((0.4, 0.4, 0.4)) and spreads == pytest.approx([0.2, 0.2])
    level, means, spreads = prior.after(np.array([4.0, 0.0]), np.array([3.6, 0.0]))
    assert 0.4 < level < 0.9 and means[1] == pytest.approx(level)
    assert 0.8 < means[0] < 0.9 and spreads[0] < 0.05 < spreads[1]


@pytest.mark.parametrize("wrong", [{"mean": 1.5}, {"of_texts": 0.0}])
def test_a_prior_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        ScorePrior(**wrong)
