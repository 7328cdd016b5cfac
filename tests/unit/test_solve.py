"""The method for one problem, with the scripted engine."""

from __future__ import annotations

import pytest

from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.errors import MathquorumError
from mathquorum.prompts import generator_prompt
from mathquorum.records import LabeledSolution, Problem
from mathquorum.selection import strategy
from mathquorum.solving import solve, solve_sparingly
from mathquorum.stopping.foresight import SureChoice
from mathquorum.stopping.rules import AdaptiveConsistency, FixedBudget, stopping_rule
from mathquorum.stopping.supply import Sampled

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


def test_a_rule_stops_sampling_when_all_agree() -> None:
    solved = solve_sparingly(PROBLEM, texts(*["1/2"] * 64), AdaptiveConsistency(), num_candidates=64)
    assert solved.chosen is not None and solved.chosen.answer == "1/2"
    assert len(solved.candidates) == 8  # four would do; eight are sampled at once


def test_a_rule_that_asks_for_everything_chooses_as_the_strategy_does() -> None:
    answers = ("1", "0.5", "2", "1/2", "1", "1", "2", "2", "2", "1")
    whole = solve(PROBLEM, texts(*answers), strategy("w.rr"), texts(), num_candidates=10)
    rule = FixedBudget(10, weighted=True)
    live = solve_sparingly(PROBLEM, texts(*answers), rule, texts(), num_candidates=10)
    assert live.chosen == whole.chosen and live.candidates == whole.candidates and live.scores == whole.scores


def test_a_sure_choice_scores_few_texts_and_tells_which() -> None:
    answers = ["2", "1", "2.0", "02", "1.0", "+2", "2.00", "1"] * 8
    generator = texts(*answers)
    solved = solve_sparingly(PROBLEM, generator, SureChoice(0.9), generator, num_candidates=64)
    assert solved.chosen is not None and solved.chosen.answer == "2"
    assert len(solved.candidates) < 64
    asked = {candidate.text for candidate in solved.candidates if candidate.index in solved.scores}
    assert 0 < len(asked) < len({candidate.text for candidate in solved.candidates})
    assert set(solved.scores) <= {c.index for c in solved.candidates}


@pytest.mark.parametrize("name", ["sure", "worthwhile", "settled"])
def test_rules_stop_live_where_they_would_on_stored_candidates(name: str) -> None:
    answers = [*["2"] * 30, *["1", "2", "3"] * 8, *["2"] * 10]
    whole = solve(PROBLEM, texts(*answers), strategy("w.rr"), texts(), num_candidates=64)
    live = solve_sparingly(PROBLEM, texts(*answers), stopping_rule(name), texts(), num_candidates=64)
    assert live.chosen is not None and whole.chosen is not None and live.chosen.answer == whole.chosen.answer
    stored = Sampled(
        [0 if a == "2" else int(a) for a in answers],
        [0.9 if a == "2" else 0.1 for a in answers],
        [int(a) for a in answers],
        [1] * 64,
        [-3.0] * 64,  # as the scripted engine says
    )
    stopped = stopping_rule(name).choose(stored, f"0/{PROBLEM.id}")
    assert 0 <= len(live.candidates) - stopped.num_candidates < 8 and stopped.num_candidates < 64
    assert len({c.text for c in live.candidates if c.index in live.scores}) == stopped.num_calls


def test_a_rule_that_needs_scores_says_so_without_an_evaluator() -> None:
    with pytest.raises(MathquorumError, match="evaluator"):
        solve_sparingly(PROBLEM, texts(*["1", "2"] * 32), SureChoice(0.99))


def test_a_rule_without_any_answer_chooses_nothing() -> None:
    silent = ScriptedEngine(lambda prompt, seed: "I do not know")
    assert solve_sparingly(PROBLEM, silent, AdaptiveConsistency(), num_candidates=9).chosen is None


def test_demonstrations_come_before_the_problem_in_the_form_that_is_asked_for() -> None:
    shown = [LabeledSolution("a", "1+1?", "\\boxed{2}", True, "fine"), LabeledSolution("b", "2+2?", "\\boxed{4}", True)]
    assert generator_prompt("3+3?", "fine", shown) == (
        "Problem:\n1+1?\n\nSolution (fine):\n\\boxed{2}\n\nProblem:\n2+2?\n\nSolution:\n\\boxed{4}\n\n"
        "Problem:\n3+3?\n\nSolution (fine):\n"
    )
