"""Which examples make an optimizer step, and how they lie in tensors: packed rows, several texts to a row.

The plan of a training run is made before it starts, from the examples' lengths and a seed alone, so that a resumed run
goes on with the very batches of the interrupted one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mathquorum.examples import Example, TokenSequence

if TYPE_CHECKING:
    import torch

__all__ = ["Chunk", "Part", "Step", "plan_steps", "read_logprobs", "step_chunks"]

_ROW_TOKENS = 256  # rows shorter than this waste nothing on a GPU and keep the attention of short texts cheap on a CPU


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step: for each task the examples it sees."""

    examples: tuple[tuple[Example, ...], ...]

    @property
    def num_tokens(self) -> int:
        return sum(example.num_tokens for of_task in self.examples for example in of_task)

    def totals(self) -> tuple[int, ...]:
        """Per task what its summed loss is divided by."""
        return tuple(max(sum(e.count for e in of_task), 1) for of_task in self.examples)


@dataclass(frozen=True, slots=True)
class Part:
    """The examples of one task within a chunk."""

    task: int
    num_examples: int
    total: int
    """The count of the whole step: the sum of an example's loss is divided by it, in whichever chunk it lies."""


@dataclass(frozen=True)
class Chunk:
    """What goes through the model at once. `tensors` hold input_ids and position_ids (rows, length), and for each read
    its place in the flattened rows, its token and its slot."""

    tensors: dict[str, torch.Tensor]
    parts: tuple[Part, ...]


def plan_steps(
    tasks: Sequence[Sequence[Example]],
    batch_sizes: Sequence[int],
    num_steps: int,
    seed: int,
    num_tokens: int | None = None,
) -> list[Step]:
    """The steps of a run.

    Each task goes through its examples in an order of its own, shuffled anew for every pass.

    Args:
        tasks: The examples of each task.
        batch_sizes: Examples per step of each task.
        num_steps: How many steps.
        seed: Of the shuffles.
        num_tokens: When given, steps take examples until their share of this total is reached, in place of a fixed number,
            so that two runs can be compared at equal steps and equal tokens. For a single task.
    """
    streams = [_passes(examples, seed, task) for task, examples in enumerate(tasks)]
    steps = []
    used = 0
    for number in range(num_steps):
        if num_tokens is None:
            drawn = tuple(tuple(next(s) for _ in range(size)) for s, size in zip(streams, batch_sizes, strict=True))
        else:
            goal = num_tokens * (number + 1) // num_steps
            group = [next(streams[0])]
            used += group[0].num_tokens
            while used < goal:
                group.append(next(streams[0]))
                used += group[-1].num_tokens
            drawn = (tuple(group),)
        steps.append(Step(drawn))
    return steps


def _passes(examples: Sequence[Example], seed: int, task: int) -> Iterator[Example]:
    turn = 0
    while True:
        order = list(range(len(examples)))
        random.Random(f"{seed}/{task}/{turn}").shuffle(order)
        yield from (examples[place] for place in order)
        turn += 1


def step_chunks(step: Step, slots: Sequence[int], batch_tokens: int, rank: int = 0, world: int = 1) -> list[Chunk]:
    """The share of a step that one process computes, cut so that no forward pass holds more than `batch_tokens` tokens
    (or one example, where that is longer).

    Args:
        step: The examples of all tasks.
        slots: `Objective.num_slots` of each task.
        batch_tokens: At most so many tokens at once.
        rank: This process's number.
        world: Number of processes that share the step.
    """
    totals = step.totals()
    mine = [(task, e) for task, of_task in enumerate(step.examples) for e in of_task[rank::world]]
    chunks = []
    waiting: list[tuple[int, Example]] = []
    size = 0
    for task, example in mine:
        if waiting and size + example.num_tokens > batch_tokens:
            chunks.append(_chunk(waiting, slots, totals))
            waiting, size = [], 0
        waiting.append((task, example))
        size += example.num_tokens
    if waiting:
        chunks.append(_chunk(waiting, slots, totals))
    return chunks


def _chunk(examples: Sequence[tuple[int, Example]], slots: Sequence[int], totals: Sequence[int]) -> Chunk:
    import torch

    sequences: list[tuple[TokenSequence, int]] = []
    first_slot = 0
    for task, example in examples:
        sequences.extend((sequence, first_slot) for sequence in example.sequences)
        first_slot += slots[task]
    rows = _pack([len(sequence.ids) for sequence, _ in sequences])
    length = max(sum(len(sequences[place][0].ids) for place in row) for row in rows)
    ids = torch.zeros((len(rows), length), dtype=torch.long)
    positions = torch.zeros((len(rows), length), dtype=torch.long)
    places, tokens, owners = [], [], []
    for number, row in enumerate(rows):
        start = 0
        for place in row:
            sequence, offset = sequences[place]
            end = start + len(sequence.ids)
            ids[number, start:end] = torch.tensor(sequence.ids)
            positions[number, start:end] = torch.arange(end - start)
            for read in sequence.reads:
                places.append(number * length + start + read.position)
                tokens.append(read.token)
                owners.append(offset + read.slot)
            start = end
        positions[number, start:] = torch.arange(length - start)  # padding is a text of its own that nobody reads
    tasks = sorted({task for task, _ in examples})
    parts = tuple(Part(task, sum(t == task for t, _ in examples), totals[task]) for task in tasks)
    tensors = {
        "input_ids": ids,
        "position_ids": positions,
        "places": torch.tensor(places),
        "tokens": torch.tensor(tokens),
        "owners": torch.tensor(owners),
    }
    return Chunk(tensors, parts)


def _pack(lengths: Sequence[int]) -> list[list[int]]:
    """Places of the sequences, row by row: longest first, each into the first row with room."""
    room = max(*lengths, _ROW_TOKENS) if len(lengths) > 1 else lengths[0]
    rows: list[list[int]] = []
    left: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        fitting = next((number for number, free in enumerate(left) if free >= lengths[place]), None)
        if fitting is None:
            rows.append([])
            left.append(room)
            fitting = len(rows) - 1
        rows[fitting].append(place)
        left[fitting] -= lengths[place]
    return rows


def read_logprobs(model: Any, tensors: dict[str, torch.Tensor], num_slots: int) -> torch.Tensor:
    """The summed log-probabilities that the chunk's slots ask for: (num_slots,), float32, in nats.

    Texts in a row are kept apart by their positions, which transformers turns into a mask. That holds only without a cache:
    with one, the second text of a row attends to the first.
    """
    import torch

    logits = model(
        input_ids=tensors["input_ids"], position_ids=tensors["position_ids"], use_cache=False
    ).logits  # (rows, length, vocabulary)
    wanted = logits.flatten(0, 1).index_select(0, tensors["places"]).float()  # (reads, vocabulary)
    logprobs = torch.log_softmax(wanted, dim=-1).gather(-1, tensors["tokens"].unsqueeze(-1)).squeeze(-1)
    return logprobs.new_zeros(num_slots).index_add(0, tensors["owners"], logprobs)
