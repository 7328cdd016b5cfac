"""What always holds of datasets, whatever the rows."""

from __future__ import annotations

import json
import string
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.datasets import jsonl, math_shepherd, prm800k
from mathquorum.datasets.contamination import normalize_text
from mathquorum.datasets.reading import Reading, Tally, step_lines
from mathquorum.datasets.samples import read_samples
from mathquorum.datasets.union import draw_problems, join, take_weight
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution, Problem

KEYS = [
    "problem",
    "id",
    "text",
    "question",
    "answer",
    "solution",
    "level",
    "prompt",
    "completion",
    "completions",
    "label",
    "labels",
    "chosen",
    "rejected",
    "messages",
    "conversations",
    "role",
    "content",
    "from",
    "value",
    "instruction",
    "output",
    "input",
    "samples",
    "candidates",
    "scores",
    "gt",
    "code",
    "pred",
    "pred_score",
    "score",
    "session_id",
    "debug_result",
    "ground_truth",
    "generation",
    "expected_answer",
    "unique_id",
    "steps",
    "human_completion",
    "chosen_completion",
    "rating",
    "6b_finetuning",
    "problem_id",
    "correct",
    "ratings",
    "data_source",
    "reward_model",
    "final_answer",
    *(
        "resps",
        "filtered_resps",
        "doc",
        "target",
        "model_response",
        "epoch",
        "input",
        "custom_id",
        "response",
        "choices",
    ),
    *(
        "scores",
        "answers",
        "finish_reason",
        "model",
        "responses",
        "role",
        "content",
        "message",
        "choices",
        "gold_index",
    ),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(allow_nan=False)
    | st.text("ab1 \\${}#<>\n", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), min_size=1, max_size=3)
WORDS = st.lists(st.text(string.ascii_lowercase + string.digits + "+-=^", min_size=1, max_size=8), max_size=6)


def with_file(rows: list[dict[str, Any]], read: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        try:
            read(path)
        except DataError as error:
            assert "line " in str(error)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_any_row_is_read_or_refused_by_its_line(rows: list[dict[str, Any]]) -> None:
    with_file(rows, jsonl.read)
    with_file(rows, read_samples)
    with_file([{"question": {"problem": "?"}, "label": row} for row in rows], prm800k.read)
    with_file(rows, math_shepherd.read)


@given(st.lists(st.text(max_size=20), max_size=6))
def test_steps_joined_are_lines(steps: list[str]) -> None:
    assert "".join(step_lines(steps)) == "\n".join(step.strip() for step in steps)


@given(WORDS)
def test_spaces_dollars_and_case_never_hide_a_text(words: list[str]) -> None:
    assert normalize_text("  \n".join(f"${word.upper()}$" for word in words) + " .\n") == normalize_text(
        " ".join(words)
    )


def reading(numbers: list[int]) -> Reading:
    problems = tuple(Problem(f"p/{n}", f"What is {n}?", str(n), f"\\boxed{{{n}}}") for n in sorted(set(numbers)))
    solutions = tuple(LabeledSolution(p.id, p.text, p.solution or "", True) for p in problems)
    return Reading(problems, solutions, Tally("solutions", len(solutions), len(solutions)))


NUMBERS = st.lists(st.integers(0, 99), min_size=3, max_size=30)


@given(NUMBERS, st.randoms(use_true_random=False), st.integers(0, 5), st.integers(1, 10))
def test_draws_do_not_depend_on_the_order_of_the_rows(numbers: list[int], random: Any, seed: int, size: int) -> None:
    given_order = reading(numbers)
    shuffled = list(given_order.problems)
    random.shuffle(shuffled)
    other = Reading(tuple(shuffled), given_order.solutions, given_order.tally)
    assert set(draw_problems(given_order, size, seed).problems) == set(draw_problems(other, size, seed).problems)


@given(NUMBERS, st.integers(0, 5), st.integers(1, 10))
def test_a_larger_limit_keeps_what_a_smaller_drew(numbers: list[int], seed: int, size: int) -> None:
    whole = reading(numbers)
    assert set(draw_problems(whole, size, seed).problems) <= set(draw_problems(whole, size + 1, seed).problems)


@given(NUMBERS, st.integers(0, 5), st.floats(0.01, 4))
def test_weights_give_their_share(numbers: list[int], seed: int, weight: float) -> None:
    solutions = reading(numbers).solutions
    taken = take_weight(solutions, weight, seed)
    assert abs(len(taken) - weight * len(solutions)) <= 0.5 + 1e-9
    counts = [taken.count(solution) for solution in solutions]
    assert max(counts) - min(counts) <= 1


@given(NUMBERS, NUMBERS)
def test_a_union_has_each_text_once_and_every_solution_its_problem(first: list[int], second: list[int]) -> None:
    union = join([reading(first), reading(second)])
    assert len({normalize_text(p.text) for p in union.problems}) == len(union.problems)
    ids = {p.id for p in union.problems}
    assert all(s.problem_id in ids for part in union.solutions for s in part)
    assert union.num_joined == len(set(first) & set(second))
