"""What holds for every problem of the suite, however it is worked out."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.answers import equivalent, extract_answer
from mathquorum.datasets import minimath
from mathquorum.datasets.minimath.numbers import near_miss

POSED = list(islice(minimath.pose("train", 400), 400))
posed = st.sampled_from(POSED)
styles = st.sampled_from(minimath.STYLES)
seeds = st.integers(0, 10**6).map(str)


@given(posed, styles, seeds)
@settings(max_examples=300, deadline=None)
def test_a_clean_solution_has_the_right_answer_in_its_last_box(item, style, seed) -> None:
    right = minimath.work_out(item.exercise, "reference").answer
    worked = minimath.work_out(item.exercise, seed, style)
    assert worked.answer.value == right.value
    assert all(step.good for step in worked.steps)
    answer = extract_answer(worked.text)
    assert answer == worked.written
    assert worked.text.endswith(f"\\boxed{{{answer}}}")
    assert equivalent(answer, right.forms()[0])


@given(posed)
@settings(max_examples=200, deadline=None)
def test_all_forms_of_an_answer_are_equivalent(item) -> None:
    forms = minimath.work_out(item.exercise, "reference").answer.forms()
    assert len(set(forms)) == len(forms)
    assert all(equivalent(forms[0], form) for form in forms)


@given(posed, styles, seeds, st.floats(0, 0.5), st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_a_wrong_answer_has_a_wrong_step_and_its_label_agrees(item, style, seed, slip_rate, habit_rate) -> None:
    right = minimath.work_out(item.exercise, "reference").answer
    worked = minimath.work_out(item.exercise, seed, style, slip_rate, habit_rate)
    correct = worked.answer.value == right.value
    assert correct or not all(step.good for step in worked.steps)
    answer = extract_answer(worked.text)
    assert answer is not None
    assert equivalent(answer, right.forms()[0]) == correct


@given(st.integers(0, 50), styles)
@settings(max_examples=30, deadline=None)
def test_steps_join_to_the_solution_and_every_step_has_a_rating(seed, style) -> None:
    for item in minimath.load_flawed("train", style, 8, seed, num_solutions=2):
        assert "".join(item.steps) == item.solution
        assert len(item.ratings) == len(item.steps)
        assert set(item.ratings) <= {1, 0, -1}
        if -1 in item.ratings:
            first = item.ratings.index(-1)
            assert set(item.ratings[:first]) <= {1}
            assert 1 not in item.ratings[first:]
        else:
            assert item.correct


@given(st.fractions(max_denominator=50), st.integers(0, 10**6))
def test_a_near_miss_misses(value: Fraction, seed: int) -> None:
    assert near_miss(value, Random(seed)) != value
