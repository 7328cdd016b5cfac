"""Answers by hand: the door, extraction, and the laws of clusters."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mathquorum.answers import (
    cluster_answers,
    cluster_candidates,
    equivalent,
    explain,
    explain_match,
    extract_answer,
    find_answer,
    grade,
    matches_reference,
)
from mathquorum.records import Candidate


def test_importing_answers_loads_nothing_heavy() -> None:
    heavy = (
        "import sys, mathquorum.answers; print([m for m in ('sympy', 'torch', 'mpmath', 'numpy') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", heavy]
    assert subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout == "[]\n"


def test_the_last_box_wins_and_the_place_is_told() -> None:
    found = find_answer(r"So we get \boxed{41}, wait, no: \boxed{\frac{1}{2}}.")
    assert found is not None
    assert (found.answer, found.reason) == (r"\frac{1}{2}", "boxed")


def test_the_span_of_an_extraction_is_the_answer() -> None:
    text = r"Hence $x = \boxed{\frac{1}{2}}$, done."
    found = find_answer(text)
    assert found is not None
    assert text[found.start : found.end] == found.answer


def test_boxes_joined_by_and_are_one_answer() -> None:
    assert extract_answer(r"\boxed{1} and \boxed{2}") == "1, 2"


def test_marks_other_than_boxes() -> None:
    assert extract_answer("6 * 7 = <<6*7=42>>42\n#### 42") == "42"
    assert extract_answer("The answer is 42.") == "42"
    assert extract_answer("Final Answer: The final answer is $[2,5)$. I hope it is correct.") == "[2,5)"
    assert extract_answer(r"so it is \boxed 2") == "2"
    assert extract_answer('{"reasoning": "...", "answer": "\\frac{1}{2}"}') == r"\frac{1}{2}"
    assert extract_answer("La respuesta es 12.") == "12"


def test_a_text_without_a_mark_has_no_answer() -> None:
    assert extract_answer("First we compute 3 + 4 and then") is None
    assert extract_answer("") is None
    assert extract_answer(r"\boxed{}") is None


def test_a_text_that_was_cut_off_has_only_what_a_mark_closed() -> None:
    text = "He buys 3 and then 4.\nSo he has 7 apples."
    assert matches_reference("7", extract_answer(text, finished=True) or "")
    assert extract_answer(text, finished=False) is None
    assert extract_answer(r"It is \boxed{7}. Let me check: 3", finished=False) == "7"


def test_explain_names_the_rule() -> None:
    assert str(explain("3", r"\log_2 8")) == "equal: the same number, 3"
    assert not explain("(1,2)", "[1,2]").equal


def test_a_reference_may_give_the_base() -> None:
    assert matches_reference("204_5", "204")
    assert not equivalent("204", "204_5")


def test_clusters_come_largest_first_and_ties_by_earliest_member() -> None:
    assert cluster_answers(["2", "0.5", None, "1/2", r"\frac{4}{2}", "7"]) == [[0, 4], [1, 3], [5]]


@pytest.mark.parametrize(
    ("answers", "clusters"),
    [
        (["(C) 14", "C", "14", "A"], [[0, 1, 2], [3]]),
        ([r"\text{(C)}", "A", "C. 14", "14.0"], [[0, 2, 3], [1]]),
        (["C", "14"], [[0], [1]]),  # nobody says that C is 14
        (["(C) 14", "(C) 15", "C"], [[0], [1], [2]]),
        (["(C) 14", "(D) 14", "14"], [[0], [1], [2]]),
        (["(a) 5, (b) 7", "(a) 5, (b) 8", "a"], [[0], [1], [2]]),
        (["(A) B", "A", "B", "(B) C"], [[0], [1], [2], [3]]),
    ],
)
def test_a_letter_joins_the_text_that_an_answer_gives_it(answers: list[str], clusters: list[list[int]]) -> None:
    assert cluster_answers(answers) == clusters


@pytest.mark.parametrize(
    "text",
    ["...", "…", "?", "N/A", "no idea", "I don't know.", r"\boxed{\ldots}", r"\boxed{\text{no idea}}", "#### ...", "Answer: ?",
     "The answer is unknown.", "<answer>not sure</answer>", "Answer: I cannot determine it"],
)  # fmt: skip
def test_who_says_that_there_is_no_answer_gives_none(text: str) -> None:
    assert extract_answer(text) is None
    assert extract_answer(text, finished=True) is None


@pytest.mark.parametrize(
    "text", ["no solution", "none", r"\boxed{\text{undefined}}", r"\boxed{n/a}", r"\boxed{\emptyset}"]
)
def test_an_answer_in_words_is_one(text: str) -> None:
    assert extract_answer(text) is not None


def test_a_cluster_is_correct_as_a_whole() -> None:
    candidates = [Candidate("p", i, "", answer) for i, answer in enumerate(["1/2", "0.5", None, "3"])]
    clusters = cluster_candidates("p", candidates, r"\frac{1}{2}")
    assert [(c.answer, c.members, c.correct) for c in clusters] == [("1/2", (0, 1), True), ("3", (3,), False)]
    assert [c.correct for c in cluster_candidates("p", candidates, None)] == [None, None]


def test_the_examples_of_the_docs_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "equivalence.md"
    assert doctest.testfile(str(page), module_relative=False).failed == 0


def test_the_reference_comes_first_wherever_an_answer_is_judged() -> None:
    """204 answers a question asked in base 5; 204_5 does not answer one whose reference is 204."""
    for judge in (grade, matches_reference, lambda *pair: explain_match(*pair).equal):
        assert judge("204_5", "204") and not judge("204", "204_5")
