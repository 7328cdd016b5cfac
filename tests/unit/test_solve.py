"""The method for one problem, with the scripted engine."""

from __future__ import annotations

import pytest

from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.errors import MathquorumError
from mathquorum.prompts import generator_prompt
from mathquorum.records import LabeledSolution, Problem
from mathquorum.selection import strategy
from mathquorum.solve import solve

PROBLEM = Problem("p", "What is $1/4+1/4$?")


def texts(*answers: str) -> ScriptedEngine:
    """An engine whose candidates end in these answers, one after the other."""
    left = list(answers)
    return ScriptedEngine(lambda prompt, seed: f"It is \\boxed{{{left.pop(0)}}}.", lambda p: 0.9 if "2}" in p else 0.1)


def test_equivalent_answers_vote_together() -> None:
    solved = solve(PROBLEM, texts("2", "0.5", "\\frac{1}{2}", "2", "1/2"), strategy("maj1"), num_candidates=5)
    assert solved.chosen is not None and solved.chosen.members == (1, 2, 4)
    assert [cluster.members for cluster in solved.clusters] == [(1, 2, 4), (0, 3)]


def test_an_evaluator_can_outvote_the_majority() -> None:
    generator = texts("1", "1", "1", "2")
    solved = solve(PROBLEM, generator, strategy("rr.all"), generator, num_candidates=4)
    assert solved.chosen is not None and solved.chosen.answer == "2"
    assert solved.scores == {0: 0.1, 1: 0.1, 2: 0.1, 3: 0.9}


def test_no_answer_at_all_is_no_choice() -> None:
    silent = ScriptedEngine(lambda prompt, seed: "I do not know")
    assert solve(PROBLEM, silent, strategy("maj1"), num_candidates=3).chosen is None


def test_a_strategy_that_needs_scores_says_so_without_an_evaluator() -> None:
    with pytest.raises(MathquorumError):
        solve(PROBLEM, texts("1", "2"), strategy("w.rr"), num_candidates=2)


def test_demonstrations_come_before_the_problem_in_the_form_that_is_asked_for() -> None:
    shown = [LabeledSolution("a", "1+1?", "\\boxed{2}", True, "fine"), LabeledSolution("b", "2+2?", "\\boxed{4}", True)]
    assert generator_prompt("3+3?", "fine", shown) == (
        "Problem:\n1+1?\n\nSolution (fine):\n\\boxed{2}\n\nProblem:\n2+2?\n\nSolution:\n\\boxed{4}\n\n"
        "Problem:\n3+3?\n\nSolution (fine):\n"
    )
