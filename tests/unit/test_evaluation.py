"""The table of figures of an evaluation, and its curves."""

from __future__ import annotations

import pytest

from mathquorum.errors import DataError, SettingsError
from mathquorum.metrics import Pool
from mathquorum.metrics.evaluation import evaluate, measure, outcomes
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import SCORED_STRATEGIES, Majority, Rerank, default_strategies


def make_pools(num_problems: int = 12, size: int = 16, scored: bool = True) -> list[Pool]:
    """Problems of rising difficulty; the last has no answer at all."""
    pools = []
    for number in range(num_problems):
        name = f"p{number}"
        answers = [(i * 7 + number * 3) % (number + 1) if number < num_problems - 1 else None for i in range(size)]
        members: dict[int, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None:
                members.setdefault(answer, []).append(index)
        clusters = [AnswerCluster(name, str(a), tuple(m), a == number % 3) for a, m in members.items()]
        clusters.sort(key=lambda cluster: largest_first(cluster.members))
        scores = {i: ((i * 5 + number) % 16) / 16 for i in range(size)} if scored else {}
        pools.append(Pool(name, size, clusters, scores, greedy_correct=number % 2 == 0))
    return pools


def test_figures_come_in_the_order_and_under_the_names_of_the_paper() -> None:
    names = [estimate.name for estimate in measure(make_pools(), default_strategies(with_scores=True))]
    assert names == [
        *["pass@1.greedy", "pass@1", "maj1@16", "rr.all", "rr.top8", "w.rr", "w.rr.top8", "maj1.top5", "pv"],
        *["deepconf.keep10", "deepconf.keep90", "borda"],
        *["maj8@16", "pass@16"],
    ]


def test_a_problem_without_any_answer_counts_as_incorrect() -> None:
    pools = make_pools()
    table = outcomes(pools, [Majority(), Rerank()])
    assert all(len(values) == len(pools) for values in table.values())
    assert [table[name][-1] for name in ("pass@1", "maj1@16", "rr.all", "pass@16")] == [0.0] * 4
    evaluation = evaluate(pools, [Majority()], num_draws=32)
    assert evaluation.statistics["num_problems_without_answer"] == 1
    last = [selection for selection in evaluation.selections if selection.problem_id == "p11"]
    assert [(selection.answer, selection.correct) for selection in last] == [(None, False)]


def test_curves_end_where_the_table_stands() -> None:
    evaluation = evaluate(make_pools(), default_strategies(with_scores=True), num_draws=64)
    value = {estimate.name: estimate.value for estimate in evaluation.estimates}
    last = {curve.name: curve.points[-1].value for curve in evaluation.curves.candidates}
    assert last["pass"] == value["pass@16"]
    assert last["maj1"] == value["maj1@16"]
    for name in SCORED_STRATEGIES:
        assert last[name] == value[name]
    firsts = [curve.points[0].value for curve in evaluation.curves.candidates]
    assert firsts == pytest.approx([value["pass@1"]] * len(firsts))
    by_clusters = {curve.name: curve.points for curve in evaluation.curves.clusters}
    assert {points[0].value for points in by_clusters.values()} == {value["maj1@16"]}
    assert by_clusters["maj"][-1].value == value["pass@16"]
    assert by_clusters["rr.top"][-1].value == value["rr.all"]
    assert by_clusters["w.rr.top"][-1].value == value["w.rr"]
    (kept,) = evaluation.curves.kept
    assert (kept.points[0].value, kept.points[-1].value) == (value["rr.all"], value["maj1@16"])
    assert evaluation.curves.calls.points[-1].value == 1.0


def test_the_order_of_the_problems_changes_no_figure() -> None:
    pools = make_pools()
    forward, backward = (evaluate(p, default_strategies(True), num_draws=64) for p in (pools, pools[::-1]))
    assert forward.estimates == backward.estimates
    assert [c.points[2].value for c in forward.curves.candidates] == pytest.approx(
        [c.points[2].value for c in backward.curves.candidates]
    )


def test_without_scores_there_is_only_the_vote() -> None:
    evaluation = evaluate(make_pools(scored=False), default_strategies(with_scores=False), num_draws=32)
    assert evaluation.evaluator == ()
    assert evaluation.curves.kept == ()
    with pytest.raises(SettingsError, match=r"rr\.all need scores, and none were given"):
        measure(make_pools(scored=False), [Majority(), Rerank()])


def test_pools_that_cannot_be_measured_are_refused() -> None:
    cluster = AnswerCluster("p", "7", (0, 1), True)
    with pytest.raises(DataError, match="no problem with a reference answer"):
        measure([], [Majority()])
    with pytest.raises(DataError, match=r"1 of 1 problems have no candidates \(first: p\)"):
        measure([Pool("p", 0, [])], [Majority()])
    with pytest.raises(DataError, match="there are only 1"):
        measure([Pool("p", 1, [cluster])], [Majority()])
    with pytest.raises(DataError, match="Give reference answers"):
        measure([Pool("p", 2, [AnswerCluster("p", "7", (0, 1))])], [Majority()])
    with pytest.raises(DataError, match=r"1 of 2 candidates with an answer have no score \(first: p, candidate 1\)"):
        measure([Pool("p", 2, [cluster], {0: 0.5})], [Rerank()])
    for odd in (float("nan"), 1.5, -0.1):
        with pytest.raises(DataError, match=r"1 scores are not in \[0, 1\] \(first: p, candidate 1"):
            measure([Pool("p", 2, [cluster], {0: 0.5, 1: odd})], [Rerank()])
