"""The examples that make an optimizer step, and how they lie in tensors: one row without padding, or padded rows of several texts.

The plan of a training run is made before it starts, from the examples' lengths and a seed alone, so that a resumed run
goes on with the very batches of the interrupted one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mathquorum.models.trees import PrefixTree
from mathquorum.objectives.examples import Example, Read
from mathquorum.training.sharing import passes

if TYPE_CHECKING:
    import torch

    from mathquorum.training.grouped_attention import Groups

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
    """What goes through the model at once.

    Attributes:
        tensors: input_ids and position_ids, (rows, length), and for each read its place in the flattened rows, its token and
            its slot.
        parts: Whose examples they are. None where the process takes part in a pass of the others and nothing of it counts.
        groups: Where the texts lie in one row without padding, who attends to whom; None for padded rows.
    """

    tensors: dict[str, torch.Tensor]
    parts: tuple[Part, ...]
    groups: Groups | None

    def to(self, device: torch.device) -> Chunk:
        tensors = {name: tensor.to(device) for name, tensor in self.tensors.items()}
        return replace(self, tensors=tensors, groups=self.groups and self.groups.to(device))


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
    longest_grouped: int = 0,
    packs: bool = True,
) -> list[Chunk]:
    """The share of a step that one process computes (`training.sharing`), cut so that no forward pass holds more than `batch_tokens`
    tokens (or one example, where that is longer). All processes get as many chunks.

    Args:
        step: The examples of all tasks.
        slots: `Objective.num_slots` of each task.
        batch_tokens: At most so many tokens at once.
        rank: This process's number.
        world: Number of processes that share the step.
        longest_grouped: Where no text of a chunk is longer, they lie in one row without padding, and those of an example share
            what they have in common at their beginning (`training.logprobs.LogprobReader.longest_grouped`).
        packs: Whether several texts may share a padded row (`training.logprobs.LogprobReader.packs`).
    """
    totals = step.totals()
    of_step = [(task, example) for task, of_task in enumerate(step.examples) for example in of_task]
    shortest = min(of_step, key=lambda owned: owned[1].num_tokens)
    chunks = []
    for of_pass in passes(of_step, batch_tokens, world)[rank]:
        chunk = _chunk(of_pass or [shortest], slots, totals, longest_grouped, packs)
        chunks.append(chunk if of_pass else replace(chunk, parts=()))
    return chunks


@dataclass(frozen=True)
class _Placed:
    """Texts that lie together, with what is read of them: places of the tree, slots of the chunk."""

    tree: PrefixTree
    reads: list[Read]


def _chunk(
    examples: Sequence[tuple[int, Example]],
    slots: Sequence[int],
    totals: Sequence[int],
    longest_grouped: int,
    packs: bool,
) -> Chunk:
    grouped = max(len(s.ids) for _, example in examples for s in example.sequences) <= longest_grouped
    placed = []
    first_slot = 0
    for task, example in examples:
        for sequences in [example.sequences] if grouped else [(sequence,) for sequence in example.sequences]:
            tree, reads = PrefixTree(), []
            for sequence in sequences:
                path = tree.add(sequence.ids)
                reads += [Read(path[r.position], r.token, first_slot + r.slot) for r in sequence.reads]
            placed.append(_Placed(tree, reads))
        first_slot += slots[task]
    tasks = sorted({task for task, _ in examples})
    parts = tuple(Part(task, sum(t == task for t, _ in examples), totals[task]) for task in tasks)
    if grouped:
        return _grouped_chunk(placed, parts)
    lengths = [len(item.tree.ids) for item in placed]
    rows = _pack(lengths) if packs else [[place] for place in range(len(placed))]
    return _padded_chunk([[placed[place] for place in row] for row in rows], parts)


def _grouped_chunk(placed: Sequence[_Placed], parts: tuple[Part, ...]) -> Chunk:
    """A row without padding, the longest first."""
    from mathquorum.training.grouped_attention import Groups

    placed = sorted(placed, key=lambda item: -len(item.tree.ids))
    ids: list[int] = []
    depths: list[int] = []
    found = []
    for item in placed:
        found += [Read(len(ids) + r.position, r.token, r.slot) for r in item.reads]
        ids += item.tree.ids
        depths += item.tree.depths
    return Chunk(_tensors([ids], [depths], found), parts, Groups.of([item.tree for item in placed]))


def _padded_chunk(rows: Sequence[Sequence[_Placed]], parts: tuple[Part, ...]) -> Chunk:
    """Rows of several texts each. Padding is a text of its own that nobody reads."""
    length = max(sum(len(item.tree.ids) for item in row) for row in rows)
    all_ids, all_depths, found = [], [], []
    for number, row in enumerate(rows):
        ids: list[int] = []
        depths: list[int] = []
        for item in row:
            found += [Read(number * length + len(ids) + r.position, r.token, r.slot) for r in item.reads]
            ids += item.tree.ids
            depths += item.tree.depths
        missing = length - len(ids)
        all_ids.append(ids + [0] * missing)
        all_depths.append(depths + list(range(missing)))
    return Chunk(_tensors(all_ids, all_depths, found), parts, None)


def _tensors(ids: list[list[int]], depths: list[list[int]], reads: Sequence[Read]) -> dict[str, torch.Tensor]:
    import torch

    return {
        "input_ids": torch.tensor(ids),
        "position_ids": torch.tensor(depths),
        "places": torch.tensor([read.position for read in reads]),
        "tokens": torch.tensor([read.token for read in reads]),
        "owners": torch.tensor([read.slot for read in reads]),
    }


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
