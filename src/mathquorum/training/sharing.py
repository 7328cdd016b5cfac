"""How the examples of a step are shared among the processes of a launch.

Which examples make a step is planned before, and is the same for any number of processes (`training.batches.plan_steps`). Here is
decided only who computes them. An example is never cut: both solutions of a pair lie in one, and so with one process.
"""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.objectives.examples import Example

__all__ = ["Owned", "Pass", "passes"]

Owned = tuple[int, Example]
"""The task that an example belongs to, and the example."""

Pass = list[Owned]
"""What one process puts through the model at once; empty where it has nothing left while others have."""


def passes(examples: Sequence[Owned], batch_tokens: int, world: int) -> list[list[Pass]]:
    """The passes of each process. All have as many: gradients, and weights that are sharded, are exchanged in every one.

    Args:
        examples: Those of a step.
        batch_tokens: A pass holds no more tokens, or one example, where that is longer.
        world: Number of processes.
    """
    found = [_cut(share, batch_tokens) for share in _deal(examples, world)]
    most = max(map(len, found))
    return [of_one + [[] for _ in range(most - len(of_one))] for of_one in found]


def _deal(examples: Sequence[Owned], world: int) -> list[list[Owned]]:
    """The longest example first, each to the process that has the fewest tokens so far; each keeps the order of the step."""
    shares: list[list[int]] = [[] for _ in range(world)]
    tokens = [0] * world
    for place in sorted(range(len(examples)), key=lambda place: -examples[place][1].num_tokens):
        least = tokens.index(min(tokens))
        shares[least].append(place)
        tokens[least] += examples[place][1].num_tokens
    return [[examples[place] for place in sorted(share)] for share in shares]


def _cut(share: Sequence[Owned], batch_tokens: int) -> list[Pass]:
    found: list[Pass] = []
    size = 0
    for owned in share:
        tokens = owned[1].num_tokens
        if not found or size + tokens > batch_tokens:
            found.append([])
            size = 0
        found[-1].append(owned)
        size += tokens
    return found
