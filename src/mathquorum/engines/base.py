"""What every engine can do: write solutions for prompts, and weigh the next words of a text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.processes import Tell, not_told
from mathquorum.prompts import Shown
from mathquorum.records import Confidence

__all__ = ["Completion", "Engine", "Request", "Sampling", "candidate_seed"]


class Sampling(Settings):
    """How tokens are drawn."""

    temperature: float = Field(default=0.9, ge=0.0)
    """0 takes the likeliest token (greedy). 0.9 is what a reading note of the paper gives; the paper's value is unsettled
    (PAPER.md section 4)."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """Nucleus sampling: only the likeliest tokens that together hold this probability. 0.95 as in the paper."""
    max_tokens: int = Field(default=512, ge=1)
    """Tokens after which a solution is cut off. Our choice: MATH solutions average 250 (PAPER.md Table 1)."""
    confidence_window: int = Field(default=32, ge=1)
    """Tokens of a group whose confidence is looked at (`records.Confidence`). Our choice, about a line of a solution: the 2,048 of
    arXiv 2508.15260 are for solutions of tens of thousands of tokens. It changes no text."""


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt, to be completed once per seed. A seed of None is for greedy decoding."""

    prompt: Shown
    seeds: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that a model wrote after a prompt; the fields are those of `records.Candidate`, but the last two.

    Attributes:
        seeded: Whether the seed that was asked for decided the draws; an engine far away need not honour it.
        tokens: Ids, of an engine that has them (`engines.tokens`); the end-of-sequence mark and what a stop text cut away included.
    """

    text: str
    logprob: float | None
    num_tokens: int | None
    finished: bool
    confidence: Confidence | None = None
    seeded: bool = True
    tokens: tuple[int, ...] = ()


class Engine(Protocol):
    """A model that can be asked. `tests/contract/test_engines.py` holds the laws of those that runs use."""

    @property
    def notice(self) -> str | None:
        """What a user should know of how it works with this model, such as that it is slower; None for nothing."""
        ...

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, stop: Sequence[str], tell: Tell = not_told
    ) -> list[list[Completion]]:
        """Per request one completion per seed, in order. Equal arguments give equal results. Tells of tokens as they are written.

        A completion ends at the model's end-of-sequence mark or before the first of the `stop` texts.
        """
        ...

    def label_probabilities(self, prompts: Sequence[Shown], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt the probability of each label as its continuation, renormalised over the labels (Eq. 7).

        A prompt that does not fit the model's context gets an empty list.
        """
        ...


def candidate_seed(run_seed: int, problem_id: str, index: int) -> int:
    """The seed of one candidate's own draws: below 2**53, so that every JSON reader keeps it exactly."""
    digest = hashlib.sha256(f"{run_seed}/{problem_id}/{index}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 11
