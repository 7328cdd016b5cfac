"""PRM800K: which paths become solutions, and what is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum.answers import extract_answer, matches_reference
from mathquorum.datasets import math_shepherd
from mathquorum.datasets.prm800k import Prm800k, load, read
from mathquorum.errors import DataError


def step(*texts: tuple[str, int | None], chosen: int | None = 0, human: str | None = None) -> dict[str, Any]:
    return {
        "completions": [{"text": text, "rating": rating, "flagged": False} for text, rating in texts] or None,
        "human_completion": None if human is None else {"text": human, "rating": None, "source": "human"},
        "chosen_completion": chosen,
    }


def record(*steps: dict[str, Any], answer: str | None = "5", reason: str = "solution", **flags: bool) -> dict[str, Any]:
    return {
        "is_quality_control_question": False,
        "is_initial_screening_question": False,
        **flags,
        "question": {"problem": "What is $2+3$?", "ground_truth_answer": answer},
        "label": {"steps": list(steps), "finish_reason": reason},
    }


RIGHT = record(step(("Add.", 1)), step(("Hm.", 0), ("So 5.\n\n# Answer\n\n5", 1), chosen=1))
NEUTRAL = record(step(("Hm.", 0)), step(("So 5.\n\n# Answer\n\n5", 1)))


def write(tmp_path: Path, *records: dict[str, Any]) -> Path:
    path = tmp_path / "phase2_train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in records))
    return path


def test_the_chosen_path_becomes_a_solution(tmp_path: Path) -> None:
    reading = read(write(tmp_path, RIGHT))
    (solution,) = reading.solutions
    assert solution.solution == "Add.\nSo 5.\nThe answer is $\\boxed{5}$."
    assert solution.steps == ("Add.\n", "So 5.\nThe answer is $\\boxed{5}$.")
    assert (solution.ratings, solution.correct) == ((1, 1), True)
    assert extract_answer(solution.solution) == reading.problems[0].answer == "5"
    assert solution.problem_id == reading.problems[0].id


def test_a_human_step_is_followed_and_counts_as_good(tmp_path: Path) -> None:
    (solution,) = read(
        write(tmp_path, record(step(("No.", -1), chosen=None, human="Add."), step(("# Answer\n\n5", 1))))
    ).solutions
    assert solution.solution == "Add.\nThe answer is $\\boxed{5}$."
    assert solution.ratings == (1, 1)


def test_neutral_steps_are_kept_or_dropped_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, NEUTRAL)
    assert read(path).solutions[0].ratings == (0, 1)
    without = read(path, settings=Prm800k(neutral="drop"))
    assert (without.solutions, without.tally.dropped) == ((), {"neutral step": 1})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (record(step(("So 6.\n\n# Answer\n\n6", 1))), "wrong final answer"),
        (record(step(("So 5.", 1))), "no final answer"),
        (record(step(("So 5.\n\n# Answer\n\n", 1))), "no final answer"),
        (record(step(("Add.", 1)), step(("Bad.", -1), chosen=None), reason="found_error"), "found_error"),
        (record(step(("Add.", 1)), step(chosen=None), reason="give_up"), "give_up"),
        (record(step(("Bad.", -1)), step(("# Answer\n\n5", 1))), "bad step chosen"),
        (record(step(("# Answer\n\n5", 1)), answer=None), "no ground truth answer"),
        (record(), "no steps"),
        (record(step(("  ", 1)), step(("# Answer\n\n5", 1))), "empty step"),
        (record(step(("# Answer\n\n5", 1)), is_quality_control_question=True), "control question"),
        (record(step(("# Answer\n\n5", 1)), is_initial_screening_question=True), "control question"),
    ],
)
def test_what_is_no_correct_solution_is_counted(row: dict[str, Any], why: str, tmp_path: Path) -> None:
    reading = read(write(tmp_path, row))
    assert (reading.solutions, reading.tally.read, reading.tally.kept) == ((), 1, 0)
    assert reading.tally.dropped == {why: 1}


def test_control_questions_can_be_kept(tmp_path: Path) -> None:
    row = record(step(("# Answer\n\n5", 1)), is_quality_control_question=True)
    assert len(read(write(tmp_path, row), settings=Prm800k(control_questions="keep")).solutions) == 1


def test_several_solutions_per_problem_up_to_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path, RIGHT, NEUTRAL, RIGHT)
    everything = read(path)
    assert len(everything.problems) == 1
    assert [s.ratings for s in everything.solutions] == [(1, 1), (0, 1)]
    assert everything.tally.dropped == {"same text twice": 1}
    one = read(path, settings=Prm800k(max_correct=1))
    assert len(one.solutions) == 1
    assert one.tally.dropped == {"beyond max_correct": 1, "same text twice": 1}


def test_wrong_solutions_end_at_their_bad_step(tmp_path: Path) -> None:
    row = record(
        step(("Add.", 1), ("Multiply.", -1)),
        step(("So 6.\n\n# Answer\n\n6", -1), ("Lucky.\n\n# Answer\n\n5", -1), ("So 5.\n\n# Answer\n\n5", 1), chosen=2),
    )
    reading = read(write(tmp_path, row), settings=Prm800k(max_wrong=None))
    wrong = [s for s in reading.solutions if not s.correct]
    assert [s.solution for s in wrong] == ["Multiply.", "Add.\nSo 6.\nThe answer is $\\boxed{6}$."]
    assert [s.ratings for s in wrong] == [(-1,), (1, -1)]
    assert reading.tally.dropped == {"bad step with the right answer": 1}
    limited = read(write(tmp_path, row), settings=Prm800k(max_wrong=1))
    assert sum(not s.correct for s in limited.solutions) == 1
    assert limited.tally.dropped["beyond max_wrong"] == 1


def test_equivalent_answers_count_as_right(tmp_path: Path) -> None:
    row = record(step(("# Answer\n\n$-\\frac{7}{2}$", 1)), answer="-3.5")
    assert read(write(tmp_path, row)).solutions[0].solution == "The answer is $\\boxed{-\\frac{7}{2}}$."


def test_an_answer_that_breaks_the_box_is_dropped(tmp_path: Path) -> None:
    reading = read(write(tmp_path, record(step(("# Answer\n\n5}", 1)), answer="5}")))
    assert reading.tally.dropped == {"answer does not fit into a box": 1}


def test_the_native_sample(real_data: Path) -> None:
    reading = read(real_data / "prm800k" / "native_sample.jsonl")
    assert len(reading.problems) == 8
    assert reading.tally.dropped == {"control question": 1, "found_error": 1, "give_up": 2}
    assert (reading.tally.read, reading.tally.kept) == (8, 4)


def test_the_reconstructed_files(real_data: Path, whole: bool) -> None:
    path = real_data / "prm800k" / "phase1_train_native_reconstructed.jsonl.gz"
    reading = read(path, settings=Prm800k(max_wrong=2))
    correct = [s for s in reading.solutions if s.correct]
    assert len(reading.problems) == len(list(load(path))) == (900 if whole else 12)
    assert not whole or 790 <= len(correct) <= 808, "of 808 that end in a solution, few are wrong"
    assert correct
    answers = {p.id: p.answer for p in reading.problems}
    assert all(matches_reference(answers[s.problem_id] or "", extract_answer(s.solution) or "") for s in correct)
    for solution in reading.solutions:
        assert "".join(solution.steps) == solution.solution
        assert len(solution.steps) == len(solution.ratings)
        assert solution.correct or solution.ratings[-1] == -1
    assert reading.tally.read == reading.tally.kept + sum(reading.tally.dropped.values())


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"prompt": "x"}, "not a PRM800K record: 'question' must hold a 'problem'. Columns there: prompt"),
        ({"question": {"problem": "x"}, "label": 3}, "'label' must hold a list 'steps'"),
        (record({"completions": [{"rating": 1}], "chosen_completion": 0}), "line 1, step 1: not a step of PRM800K"),
        (record(step(("a", 1), chosen=4)), "line 1, step 1: not a step of PRM800K"),
    ],
)
def test_what_is_not_prm800k_is_refused(row: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=text):
        read(write(tmp_path, row))


def test_math_shepherd_signs_become_ratings(real_data: Path) -> None:
    reading = math_shepherd.read(real_data / "prm800k" / "math_shepherd_sample.jsonl")
    first = reading.solutions[0]
    assert first.ratings == (1, 1, 1, 1, -1)
    assert not first.correct
    assert first.problem.endswith("in a year?")
    assert all("".join(s.steps) == s.solution and "<<" not in s.solution for s in reading.solutions)


def test_math_shepherd_without_signs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"label": "How many? Step 1: Four."}\n')
    with pytest.raises(DataError, match=r"line 1: field 'label' must be a problem and steps"):
        math_shepherd.read(path)
