"""The laws of the `Strategy` seam, over every member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mathquorum.errors import DataError
from mathquorum.metrics import Pool
from mathquorum.metrics.draws import drawn_shares
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import Strategy, WeightedVote, strategy
from mathquorum.selection.figures import figures
from mathquorum.selection.subsets import Subsets

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


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
@given(pool=scored_clusters(), data=st.data())
def test_what_is_sure_of_many_subsets_is_what_the_choice_of_each_is(
    member: Strategy, pool: tuple[list[AnswerCluster], dict[int, float]], data: st.DataObject
) -> None:
    clusters, scores = pool
    count = sum(len(cluster.members) for cluster in clusters)
    assume(count)
    rows = data.draw(
        st.lists(st.lists(st.booleans(), min_size=count, max_size=count).filter(any), min_size=1, max_size=4)
    )
    subsets = Subsets(clusters, scores, np.array(rows))
    of_clusters = figures(member, subsets)
    assert of_clusters is not None
    right, sure = subsets.right(of_clusters)
    for row in np.flatnonzero(sure).tolist():
        chosen = member.select(subsets.clusters(row), scores)
        assert chosen is not None and right[row] == chosen.correct


@pytest.mark.parametrize("member", MEMBERS, ids=NAMES)
def test_a_strategy_is_sure_where_no_scores_are_equal(member: Strategy) -> None:
    clusters = [AnswerCluster("p", "a", (0, 1, 2, 5), False), AnswerCluster("p", "b", (3, 4, 6), True)]
    scores = dict(enumerate([0.11, 0.23, 0.37, 0.41, 0.53, 0.02, 0.89]))
    rows = np.array(
        [[True] * 7, [True, True, False, True, True, True, True], [False, True, True, True, True, True, True]]
    )
    subsets = Subsets(clusters, scores, rows)
    of_clusters = figures(member, subsets)
    assert of_clusters is not None and subsets.right(of_clusters)[1].all()


def test_a_strategy_that_changes_a_built_in_one_is_asked_about_each_subset() -> None:
    class Reversed(WeightedVote):
        def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
            return min(clusters, key=lambda cluster: sum(scores[i] for i in cluster.members), default=None)

    clusters = [AnswerCluster("p", "a", (0, 1), True), AnswerCluster("p", "b", (2, 3), False)]
    pool = Pool("p", 4, clusters, {0: 0.9, 1: 0.8, 2: 0.1, 3: 0.2})
    shares = drawn_shares(pool, [WeightedVote(), Reversed(top_clusters=2)], [2], seed=0, num_draws=200)
    assert shares["w.rr"][0] > 0.7 and shares["w.rr.top2"][0] < 0.3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("w.rr", [0.3, 0.2, 0.1, 0.1, 0.2, 0.3]),  # equal sums, which are unequal as floats are added one by one
        ("maj1.top1", [0.5, 0.1, 0.1, 0.5, 0.1, 0.1]),  # equal scores on both sides of the cut
        ("deepconf.keep10", [0.5, 0.1, 0.1, 0.5, 0.1, 0.1]),
    ],
)
def test_what_only_the_tie_rules_can_tell_is_never_sure(name: str, values: list[float]) -> None:
    clusters = [AnswerCluster("p", "a", (0, 1, 2), False), AnswerCluster("p", "b", (3, 4, 5), True)]
    subsets = Subsets(clusters, dict(enumerate(values)), np.ones((1, 6), dtype=bool))
    of_clusters = figures(strategy(name), subsets)
    assert of_clusters is not None and not subsets.right(of_clusters)[1].any()
