"""Which examples make an optimizer step, and how they lie in tensors: packed rows, several texts to a row.

The plan of a training run is made before it starts, from the examples' lengths and a seed alone, so that a resumed run
goes on with the very batches of the interrupted one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mathquorum.examples import Example, Read
from mathquorum.trees import PrefixTree

if TYPE_CHECKING:
    import torch

__all__ = ["Chunk", "Part", "Step", "plan_steps", "step_chunks"]

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
    """What goes through the model at once. `tensors` hold input_ids and position_ids (rows, length), for each read its
    place in the flattened rows, its token and its slot, and where texts share beginnings a mask (rows, length, length)."""

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


def step_chunks(
    step: Step,
    slots: Sequence[int],
    batch_tokens: int,
    rank: int = 0,
    world: int = 1,
    *,
    widest_tree: int = 0,
    packs: bool = True,
) -> list[Chunk]:
    """The share of a step that one process computes, cut so that no forward pass holds more than `batch_tokens` tokens
    (or one example, where that is longer).

    Args:
        step: The examples of all tasks.
        slots: `Objective.num_slots` of each task.
        batch_tokens: At most so many tokens at once.
        rank: This process's number.
        world: Number of processes that share the step.
        widest_tree: The texts of an example that has none longer share what they have in common at their beginning; 0 for
            models that take no mask of our own (`logprobs.LogprobReader.widest_tree`).
        packs: Whether several texts may share a row (`logprobs.LogprobReader.packs`).
    """
    totals = step.totals()
    mine = [(task, e) for task, of_task in enumerate(step.examples) for e in of_task[rank::world]]
    chunks = []
    waiting: list[tuple[int, Example]] = []
    size = 0
    for task, example in mine:
        if waiting and size + example.num_tokens > batch_tokens:
            chunks.append(_chunk(waiting, slots, totals, widest_tree, packs))
            waiting, size = [], 0
        waiting.append((task, example))
        size += example.num_tokens
    if waiting:
        chunks.append(_chunk(waiting, slots, totals, widest_tree, packs))
    return chunks


def _chunk(
    examples: Sequence[tuple[int, Example]],
    slots: Sequence[int],
    totals: Sequence[int],
    widest_tree: int,
    packs: bool,
) -> Chunk:
    import torch

    trees: list[tuple[PrefixTree, list[Read]]] = []  # reads with places of the tree, and slots of the chunk
    first_slot = 0
    for task, example in examples:
        shares = len(example.sequences) > 1 and max(len(s.ids) for s in example.sequences) <= widest_tree
        for sequences in [example.sequences] if shares else [(sequence,) for sequence in example.sequences]:
            tree, reads = PrefixTree(), []
            for sequence in sequences:
                path = tree.add(sequence.ids)
                reads += [Read(path[r.position], r.token, first_slot + r.slot) for r in sequence.reads]
            trees.append((tree, reads))
        first_slot += slots[task]
    rows = _pack([len(tree.ids) for tree, _ in trees]) if packs else [[place] for place in range(len(trees))]
    length = max(sum(len(trees[place][0].ids) for place in row) for row in rows)
    ids = torch.zeros((len(rows), length), dtype=torch.long)
    positions = torch.zeros((len(rows), length), dtype=torch.long)
    sight = torch.eye(length, dtype=torch.bool).repeat(len(rows), 1, 1)
    found: list[Read] = []
    for number, row in enumerate(rows):
        start = 0
        for place in row:
            tree, reads = trees[place]
            end = start + len(tree.ids)
            ids[number, start:end] = torch.tensor(tree.ids)
            positions[number, start:end] = torch.tensor(tree.depths)
            sight[number, start:end, start:end] = torch.from_numpy(tree.sight())
            found += [Read(number * length + start + r.position, r.token, r.slot) for r in reads]
            start = end
        positions[number, start:] = torch.arange(length - start)  # padding is a text of its own that nobody reads
    tasks = sorted({task for task, _ in examples})
    parts = tuple(Part(task, sum(t == task for t, _ in examples), totals[task]) for task in tasks)
    tensors = {
        "input_ids": ids,
        "position_ids": positions,
        "places": torch.tensor([read.position for read in found]),
        "tokens": torch.tensor([read.token for read in found]),
        "owners": torch.tensor([read.slot for read in found]),
    }
    if any(tree.is_branched for tree, _ in trees):
        tensors["mask"] = sight
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
