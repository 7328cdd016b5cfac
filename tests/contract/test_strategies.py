"""The laws of the `Strategy` seam, over every member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathquorum.errors import DataError
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import Strategy, strategy

NAMES = [
    *("maj1", "rr.all", "rr.top1", "rr.top3", "w.rr", "w.rr.top3", "maj1.top1", "maj1.top5", "pv", "pv.alpha0.25"),
    *("deepconf.keep10", "deepconf.keep90", "borda", "borda.p0.5"),
]
MEMBERS = [strategy(name) for name in NAMES]


@st.composite
def scored_clusters(draw: st.DrawFn) -> tuple[list[AnswerCluster], dict[int, float]]:
    """Clusters in their declared order, and a score for every candidate; ties of both kinds are common."""
    answers = draw(st.lists(st.sampled_from(["1", "2", "3", "4", None]), max_size=14))
    members: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            members.setdefault(answer, []).append(index)
    clusters = [AnswerCluster("p", answer, tuple(indices), answer == "1") for answer, indices in members.items()]
    clusters.sort(key=lambda cluster: largest_first(cluster.members))
    values = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
    return clusters, {index: draw(values) for index in range(len(answers))}


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
@given(pool=scored_clusters())
def test_the_choice_is_one_of_the_clusters(
    member: Strategy, pool: tuple[list[AnswerCluster], dict[int, float]]
) -> None:
    clusters, scores = pool
    chosen = member.select(clusters, scores)
    assert chosen in clusters if clusters else chosen is None


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
def test_the_name_leads_back_to_the_strategy(member: Strategy) -> None:
    assert strategy(member.name) == member


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
def test_one_cluster_is_always_chosen(member: Strategy) -> None:
    only = AnswerCluster("p", "7", (2, 5), True)
    assert member.select([only], {2: 0.1, 5: 0.0}) is only


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
def test_equal_evidence_goes_to_the_earlier_cluster(member: Strategy) -> None:
    clusters = [AnswerCluster("p", "a", (0, 3)), AnswerCluster("p", "b", (1, 2))]
    assert member.select(clusters, dict.fromkeys(range(4), 0.5)) is clusters[0]


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
def test_a_missing_score_is_an_error_that_counts_unless_scores_are_not_needed(member: Strategy) -> None:
    clusters: Sequence[AnswerCluster] = [AnswerCluster("p", "a", (0, 3)), AnswerCluster("p", "b", (1,))]
    scores: Mapping[int, float] = {1: 0.5}
    if member.wanted(clusters):  # rr.top1 has no choice, and so no need
        with pytest.raises(DataError, match=r"p: 2 of \d candidates .* no score \(first: candidate 0\)"):
            member.select(clusters, scores)
    else:
        assert member.select(clusters, {}) is clusters[0]


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
@given(pool=scored_clusters())
def test_candidates_without_an_answer_have_no_say(
    member: Strategy, pool: tuple[list[AnswerCluster], dict[int, float]]
) -> None:
    clusters, scores = pool
    answered = {index for cluster in clusters for index in cluster.members}
    without = {index: value for index, value in scores.items() if index in answered}
    assert member.select(clusters, scores) is member.select(clusters, without)


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
@given(pool=scored_clusters())
def test_the_wanted_scores_are_all_that_the_choice_needs(
    member: Strategy, pool: tuple[list[AnswerCluster], dict[int, float]]
) -> None:
    clusters, scores = pool
    wanted = member.wanted(clusters)
    assert member.select(clusters, {index: scores[index] for index in wanted}) == member.select(clusters, scores)
    assert member.needs_scores or not wanted
