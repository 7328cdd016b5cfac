"""A step's examples, dealt to the processes of a launch."""

from __future__ import annotations

import random

import pytest

from mathquorum.objectives.examples import Example, TokenSequence
from mathquorum.training.batches import Step, step_chunks
from mathquorum.training.sharing import Owned, passes


def pair(first: int, second: int) -> Example:
    """Two texts of so many tokens."""
    return Example(tuple(TokenSequence((1,) * length, ()) for length in (first, second)), count=1)


def drawn(number: int, seed: int = 0) -> list[Owned]:
    draw = random.Random(seed)
    return [(draw.randrange(2), pair(draw.randint(10, 60), draw.randint(10, 60))) for _ in range(number)]


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_every_example_is_computed_once_by_whatever_number_of_processes(world: int) -> None:
    examples = drawn(20)
    found = [owned for of_one in passes(examples, 150, world) for of_pass in of_one for owned in of_pass]
    assert sorted(map(id, found)) == sorted(map(id, examples))


@pytest.mark.parametrize("world", [2, 3, 8])
def test_processes_get_nearly_equal_tokens(world: int) -> None:
    tokens = [sum(e.num_tokens for of_pass in p for _, e in of_pass) for p in passes(drawn(40), 150, world)]
    assert max(tokens) - min(tokens) <= 60  # twice the shortest example


@pytest.mark.parametrize("number", [1, 2, 7])
def test_all_processes_make_as_many_passes_and_none_is_over_the_limit(number: int) -> None:
    """Some have nothing to do, and take part all the same."""
    found = passes(drawn(number), 130, 3)
    assert len({len(of_one) for of_one in found}) == 1 and len(found) == 3
    sizes = [[sum(e.num_tokens for _, e in of_pass) for of_pass in of_one] for of_one in found]
    assert all(size <= 130 for of_one in sizes for size in of_one)
    assert (min(map(sum, sizes)) == 0) == (number < 3)


def test_one_process_computes_the_step_in_its_own_order() -> None:
    examples = drawn(9)
    (alone,) = passes(examples, 10**6, 1)
    assert [owned for of_pass in alone for owned in of_pass] == examples


def test_a_process_with_nothing_to_do_gets_a_chunk_of_which_nothing_counts() -> None:
    step = Step(((pair(4, 5), pair(3, 3)),))
    (busy,), (also_busy,), (idle,) = (step_chunks(step, [4], 100, rank, 3) for rank in range(3))
    assert [chunk.parts != () for chunk in (busy, also_busy, idle)] == [True, True, False]
    assert idle.tensors["input_ids"].numel() <= 6  # the shortest: what it computes is thrown away
