"""The evaluator trained on step ratings (PRM800K, Lightman et al. 2023): is the solution right so far?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Example, Examples, keep_fitting, verdict_sequences
from mathquorum.objectives.verdict import log_score
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["StepLoss"]


class StepLoss(Settings):
    """Cross-entropy of the verdict on a solution's beginnings: correct as long as no step was rated bad.

    The prompt is the evaluator's own, with the steps so far in place of the solution, so that the score of a whole solution
    stays Eq. 7. Solutions without ratings are left out and counted.
    """

    name: Literal["steps"] = "steps"
    neutral: Literal["good", "bad"] = "good"
    """What a step rated 0 counts as. Converters of PRM800K differ; good is our choice."""
    steps_per_solution: int = Field(default=4, ge=1)
    """Beginnings drawn from each solution, the first bad step always among them. Our choice, to bound the cost."""

    @property
    def num_slots(self) -> int:
        return 2

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`."""
        rated = [item for item in solutions if item.ratings]
        examples = []
        for number, item in enumerate(rated):
            draws = random.Random(f"{seed}/{item.problem_id}/{number}")
            for beginning, good in self._beginnings(item, draws):
                slots = (0, 1) if good else (1, 0)
                examples.append(Example(verdict_sequences(codec, item.problem, beginning, slots), count=1))
        return keep_fitting(examples, max_length, {"without step ratings": len(solutions) - len(rated)})

    def _beginnings(self, item: LabeledSolution, draws: random.Random) -> Iterator[tuple[str, bool]]:
        worst = 0 if self.neutral == "good" else 1
        good = [all(rating >= worst for rating in item.ratings[: end + 1]) for end in range(len(item.ratings))]
        places = list(range(len(good)))
        first_bad = good.index(False) if False in good else None
        chosen = set(draws.sample(places, min(self.steps_per_solution, len(places))))
        if first_bad is not None and first_bad not in chosen:
            chosen.discard(min(chosen))
            chosen.add(first_bad)
        for place in sorted(chosen):
            yield "".join(item.steps[: place + 1]).rstrip(), good[place]

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. Slot 0 is the right verdict, slot 1 the wrong one."""
        return -log_score(logprobs[:, 0], logprobs[:, 1])
