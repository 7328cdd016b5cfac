"""The end points at which strategies must coincide (PAPER.md section 2.4, read off Figure 1)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mathquorum.metrics import Pool
from mathquorum.metrics.choices import is_right
from mathquorum.metrics.curves import oracle
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import (
    BordaVote,
    ConfidentVote,
    Majority,
    PessimisticVerification,
    Rerank,
    TopScored,
    WeightedVote,
)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    answers = draw(st.lists(st.sampled_from([None, "1", "2", "3", "4", "5"]), min_size=1, max_size=16))
    correct = draw(st.sets(st.sampled_from(["1", "2", "3", "4", "5"]), max_size=2))
    members: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            members.setdefault(answer, []).append(index)
    clusters = [AnswerCluster("p", answer, tuple(m), answer in correct) for answer, m in members.items()]
    clusters.sort(key=lambda cluster: largest_first(cluster.members))
    values = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
    return Pool("p", len(answers), clusters, {index: draw(values) for index in range(len(answers))})


@given(pools())
def test_one_cluster_of_rerank_is_the_majority(pool: Pool) -> None:
    majority = Majority().select(pool.clusters, pool.scores)
    assert Rerank(1).select(pool.clusters, pool.scores) is majority
    assert WeightedVote(1).select(pool.clusters, pool.scores) is majority


@given(pools())
def test_all_clusters_of_rerank_is_rerank(pool: Pool) -> None:
    every = max(1, len(pool.clusters))
    for rule in (Rerank, WeightedVote):
        assert rule(every).select(pool.clusters, pool.scores) is rule().select(pool.clusters, pool.scores)


@given(pools(), st.floats(0, 1))
def test_equal_scores_make_the_weighted_vote_the_majority(pool: Pool, score: float) -> None:
    scores = dict.fromkeys(pool.scores, score)
    majority = Majority().select(pool.clusters, scores)
    assert WeightedVote().select(pool.clusters, scores) is majority
    assert Rerank().select(pool.clusters, scores) is majority


@given(pools())
def test_the_vote_of_the_best_scored_candidate_is_rerank(pool: Pool) -> None:
    assert TopScored(1).select(pool.clusters, pool.scores) is Rerank().select(pool.clusters, pool.scores)


@given(pools())
def test_the_vote_of_all_candidates_is_the_majority(pool: Pool) -> None:
    majority = Majority().select(pool.clusters, pool.scores)
    assert TopScored(pool.num_candidates).select(pool.clusters, pool.scores) is majority


@given(pools())
def test_the_end_points_of_the_votes_by_confidence(pool: Pool) -> None:
    best = Rerank().select(pool.clusters, pool.scores)
    assert ConfidentVote(1).select(pool.clusters, pool.scores) is best, "one of at most 16 candidates is kept"
    assert ConfidentVote(100).select(pool.clusters, pool.scores) is WeightedVote().select(pool.clusters, pool.scores)


@given(pools(), st.floats(0, 1), st.floats(0, 4))
def test_equal_scores_make_the_borda_count_the_majority(pool: Pool, score: float, power: float) -> None:
    scores = dict.fromkeys(pool.scores, score)
    assert BordaVote(power).select(pool.clusters, scores) is Majority().select(pool.clusters, scores)


@given(pools())
def test_the_borda_count_reads_the_order_of_the_scores_alone(pool: Pool) -> None:
    doubled = {index: 2 * value for index, value in pool.scores.items()}
    assert BordaVote().select(pool.clusters, doubled) is BordaVote().select(pool.clusters, pool.scores)


@given(pools())
def test_the_oracle_ends_at_the_majority_and_at_pass_n(pool: Pool) -> None:
    assert oracle(pool, 1) == is_right(Majority(), pool)
    assert oracle(pool, max(1, len(pool.clusters))) == oracle(pool) == float(pool.num_correct > 0)


@given(pools())
def test_a_heavy_penalty_makes_pessimistic_verification_choose_a_largest_cluster(pool: Pool) -> None:
    chosen = PessimisticVerification(1e6).select(pool.clusters, pool.scores)
    if chosen is not None:
        assert len(chosen.members) == len(pool.clusters[0].members)


@given(pools())
def test_no_strategy_beats_the_oracle(pool: Pool) -> None:
    for rule in (
        Majority(),
        Rerank(),
        Rerank(2),
        WeightedVote(),
        TopScored(3),
        PessimisticVerification(),
        ConfidentVote(50),
        BordaVote(),
    ):
        assert is_right(rule, pool) <= oracle(pool)
