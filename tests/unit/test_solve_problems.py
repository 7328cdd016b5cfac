"""What is said of a choice, and many problems from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.errors import DataError, MathquorumError, RunError, SettingsError
from mathquorum.processes import not_told
from mathquorum.prompts import PLAIN
from mathquorum.records import Problem
from mathquorum.selection import strategy
from mathquorum.solving import Solved, solve, solve_in_turns
from mathquorum.solving.problems import Standing, problems_of, solve_problems, source_of
from mathquorum.solving.verdict import solved_json, verdict

PROBLEM = Problem("p", "What is $1/4+1/4$?")


def solved(*answers: str | None, evaluator: ScriptedEngine | None = None, limit: int = 512) -> Solved:
    left = list(answers)
    said = ScriptedEngine(lambda prompt, seed: "" if (a := left.pop(0)) is None else f"So \\boxed{{{a}}}")
    return solve(PROBLEM, said, strategy("w.rr" if evaluator else "maj1"), evaluator, num_candidates=len(answers))


def test_a_tie_is_told_by_how_many_share_the_most_votes() -> None:
    assert verdict(solved("1", "2", "1", "2", "3")).words() == [
        "A two-way tie: two answers have 2 votes each; the answer that came first was taken."
    ]
    assert verdict(solved("1", "2", "3")).words() == [
        "A three-way tie: three answers have 1 vote each; the answer that came first was taken."
    ]
    judge = ScriptedEngine(lambda prompt, seed: "", lambda prompt: 0.9 if "{2}" in prompt else 0.1)
    scored = solved("1", "2", evaluator=judge)
    assert scored.chosen is not None and scored.chosen.answer == "2"
    assert "the scores decided" in verdict(scored).words()[0]
    assert verdict(solved("1", "1", "2")).words() == []


def test_candidates_without_an_answer_are_told_when_they_are_most() -> None:
    assert verdict(solved("1", None, None)).words() == ["Most candidates had no answer: 2 of 3."]
    assert verdict(solved("1", "1", None)).words() == []
    assert verdict(solved("1", None)).words() == []


def test_what_was_cut_off_is_told_where_it_may_be_the_reason() -> None:
    def long(prompt: str, seed: int | None) -> str:
        return "one two three four"

    from mathquorum.engines.base import Sampling

    cut = solve(PROBLEM, ScriptedEngine(long), strategy("maj1"), num_candidates=2, sampling=Sampling(max_tokens=2))
    assert verdict(cut).words() == ["2 were cut off: more tokens (max_tokens) may help."]


def test_the_solution_is_the_best_scored_of_the_chosen_cluster() -> None:
    left = ["weak \\boxed{1}", "good \\boxed{1}", "weak \\boxed{2}"]
    said = ScriptedEngine(lambda prompt, seed: left.pop(0), lambda prompt: 0.9 if "good" in prompt else 0.2)
    held = solved_json(solve(PROBLEM, said, strategy("w.rr"), said, num_candidates=3), "w.rr")
    assert held["solution"] == "good \\boxed{1}" and held["candidate"] == 1
    assert held["clusters"][0] == {
        "answer": "1", "votes": 2, "score": 1.1, "mean_score": 0.55, "correct": None, "chosen": True
    }  # fmt: skip


def test_turns_do_not_change_what_comes_out() -> None:
    said = ScriptedEngine(lambda prompt, seed: f"\\boxed{{{(seed or 0) % 5}}}", lambda prompt: len(prompt) % 7 / 10)
    whole = solve(PROBLEM, said, strategy("w.rr"), said, num_candidates=13)
    turns = solve_in_turns(
        PROBLEM, said, strategy("w.rr"), said, num_candidates=13, sampling=None, prompt=PLAIN.generator(PROBLEM.text),
        wording=PLAIN, seed=0, turn=4, tell=not_told,
    )  # fmt: skip
    there = []
    while True:
        try:
            there.append(next(turns))
        except StopIteration as end:
            assert end.value == whole
            break
    assert there[:4] == [4, 8, 12, 13]


def test_a_strategy_that_needs_scores_is_refused_before_anything_is_sampled() -> None:
    def never(prompt: str, seed: int | None) -> str:
        raise AssertionError

    with pytest.raises(SettingsError, match="needs scores"):
        solve(PROBLEM, ScriptedEngine(never), strategy("w.rr"))


# --- files ------------------------------------------------------------------------------------------------------------

PROBLEMS = [Problem(f"p/{n}", f"What is {n}+0?", str(n)) for n in range(4)]


def run(out: Path, asked: list[str], problems: list[Problem] = PROBLEMS, settings: str = "a") -> list[Standing]:
    def answer(problem: Problem) -> Solved:
        asked.append(problem.id)
        said = ScriptedEngine(lambda prompt, seed: "\\boxed{2}" if problem.id != "p/3" else "")
        return solve(problem, said, strategy("maj1"), num_candidates=2)

    return [standing for standing, _ in solve_problems(problems, answer, "maj1", out, {"model": settings})]


def test_a_stopped_file_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "p.solved.jsonl"
    run(out, first := [])
    whole = out.read_bytes()
    lines = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:2]) + lines[2][:17])
    standings = run(out, again := [])
    assert first == [p.id for p in PROBLEMS] and again == ["p/2", "p/3"]
    assert out.read_bytes() == whole
    assert standings[0].num_done == 2
    assert standings[-1] == Standing(4, 4, num_answered=3, num_tied=0, num_graded=4, num_correct=1)
    assert standings[-1].words() == "4 problems: 3 answered, 1 without an answer, 1 of 4 correct."


def test_answers_of_other_settings_or_problems_are_not_mixed(tmp_path: Path) -> None:
    out = tmp_path / "p.solved.jsonl"
    run(out, [])
    with pytest.raises(RunError, match=r"made with other settings \(model\)"):
        run(out, [], settings="b")
    with pytest.raises(RunError, match="answers to other problems"):
        run(out, [], [Problem("p/0", "another text"), *PROBLEMS[1:]])


def test_a_file_is_told_from_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(json.dumps({"question": "1+1?", "answer": "so #### 2"}) + "\n")
    found = source_of(str(file))
    assert found is not None and [p.answer for p in problems_of(found)] == ["2"]
    gsm8k = source_of(f"gsm8k:{file}")
    assert gsm8k is not None and gsm8k.dataset == "gsm8k"
    assert source_of("Find x: 3x = 6.") is None
    assert source_of("math: what is 2/3?") is None
    assert source_of("x" * 5000) is None and source_of("a\x00b") is None
    with pytest.raises(SettingsError, match="There is no file"):
        source_of("absent.jsonl")


@pytest.mark.parametrize("content", ['{"foo": 1}\n', "# words\n", ""])
def test_a_file_that_holds_no_problems_is_an_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "readme.jsonl").write_text(content)
    found = source_of(str(tmp_path / "readme.jsonl"))
    assert found is not None
    with pytest.raises(DataError):
        problems_of(found)


def test_a_file_of_something_else_is_not_taken_for_answers(tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    out.write_text('{"question": "1+1?"}\n')
    with pytest.raises(MathquorumError):
        run(out, [])
    assert out.read_text() == '{"question": "1+1?"}\n'
