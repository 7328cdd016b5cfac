"""Which problems and clusters are shown, and what of them."""

from __future__ import annotations

from mathquorum.metrics import Pool
from mathquorum.metrics.choices import Choices
from mathquorum.records import AnswerCluster, Problem
from mathquorum.report.inspection import InspectedProblem, inspect_problems
from mathquorum.selection import Majority, Rerank


def inspected(limit: int = 9) -> list[InspectedProblem]:
    scores = dict.fromkeys(range(12), 0.1)
    lost = Pool("lost", 4, [AnswerCluster("lost", "1", (0, 1, 3)), AnswerCluster("lost", "2", (2,), True)], scores)
    won = Pool("won", 3, [AnswerCluster("won", "1", (0, 1, 2), True)], scores)
    small = [AnswerCluster("parted", str(i), (i,), i == 11) for i in range(2, 12)]
    parted = Pool("parted", 13, [AnswerCluster("parted", "1", (0, 1), False), *small], scores | {11: 1.0})
    problems = {name: Problem(name, f"Text of {name}", "7") for name in ("lost", "won", "parted")}
    solutions = {"won": {0: "x" * 5000}}
    answers = {"won": {0: "1", 1: "\\frac{2}{2}", 2: "1"}}
    return inspect_problems(Choices([won, lost, parted]), [Majority(), Rerank()], problems, solutions, answers, limit)


def test_problems_on_which_strategies_part_come_first_then_lost_ones() -> None:
    assert [problem.problem_id for problem in inspected()] == ["parted", "lost", "won"]
    assert [problem.problem_id for problem in inspected(limit=1)] == ["parted"]


def test_a_right_or_chosen_cluster_is_shown_however_small() -> None:
    parted = inspected()[0]
    assert len(parted.clusters) == 9
    assert parted.num_more == 2
    assert (parted.clusters[0].chosen_by, parted.clusters[-1].chosen_by) == (("maj1",), ("rr.all",))
    assert parted.clusters[-1].correct
    assert parted.num_unanswered == 1


def test_counts_scores_and_text_of_a_cluster() -> None:
    won = inspected()[2].clusters[0]
    assert (won.count, won.share, won.best_score) == (3, 1.0, 0.1)
    assert len(won.solution) == 4000


def test_a_cluster_says_why_its_members_are_together_and_how_it_was_graded() -> None:
    won = inspected()[2].clusters[0]
    assert [form for form, _ in won.joined] == ["\\frac{2}{2}"] and "same number" in won.joined[0][1]
    assert won.graded
