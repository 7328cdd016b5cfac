"""How a model is read for a score: the paper's question with its two label words, a reward model's number, or a verdict on each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mathquorum.config import InputModel, Settings
from mathquorum.config.unions import OrOwn
from mathquorum.prompts import AnyPrompt
from mathquorum.scorers.own import SCORERS, OwnScorer

__all__ = ["AnyReading", "AnyScorer", "ProcessReward", "Question", "Reward", "Scorer", "Together", "check_names"]

Together = Literal["product", "minimum", "last", "mean"]


class Question(Settings):
    """Asks whether the solution is correct, and reads the probability of the label word (PAPER.md Eq. 7)."""

    kind: Literal["question"] = "question"


class Reward(Settings):
    """Reads the head of a reward model (sequence classification) at the end of problem and solution: the sigmoid of its one number, as
    trained by Bradley-Terry, or the probability of its last class."""

    kind: Literal["reward"] = "reward"
    prompt: AnyPrompt | None = None
    """How problems are put to the model. None: in its chat template where it has one, without an instruction; else as they are, with the
    solution right after, as TRL's trainers join them."""


class ProcessReward(Settings):
    """Reads the head of a process reward model (token classification) after each step of the solution, and puts the steps together. The last
    class is that of a good step."""

    kind: Literal["process"] = "process"
    separator: str = Field(default="\n", min_length=1)
    """What stands between steps in a solution, and after each of them in what the model reads, where its verdict is. A line break as in TRL's
    PRMTrainer; models trained by other rules want theirs, often two line breaks."""
    together: Together = "product"
    """The score of the steps' probabilities: their product (arXiv 2305.20050), minimum (arXiv 2312.08935), the last one, or their mean."""
    prompt: AnyPrompt | None = None
    """As in `Reward`."""


AnyReading = Annotated[Question | Reward | ProcessReward, Field(discriminator="kind")]


class Scorer(Settings):
    """A model of somebody else's that scores the candidates, as a row of every table."""

    model: InputModel
    """Local folder or hub id."""
    name: str | None = Field(default=None, min_length=1, pattern=r"^[^/\\]+$")
    """Under which it is shown. None: the last part of the model's name."""
    reads: AnyReading | None = None
    """How it is read. None: by the head that its config names; a model without one is asked the paper's question."""

    @property
    def shown_as(self) -> str:
        return self.name or Path(self.model).name


AnyScorer = Annotated[Scorer | OwnScorer, OrOwn(SCORERS, text="model")]
"""A model's name alone stands for a scorer of it; one of your own is {name: "MODULE:CLASS", ...}, or the text of it."""


def check_names(scorers: Sequence[Scorer | OwnScorer], taken: Iterable[str]) -> None:
    """Makes sure that every row has a name of its own.

    Raises:
        ValueError: If a name is there twice.
    """
    names = [*taken, *(scorer.shown_as for scorer in scorers)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ValueError(
            f"two scores would be called {twice[0]!r}. Give the scorer another name: {{model: ..., name: ...}}, or "
            "{name: MODULE:CLASS, label: ...} to one of your own."
        )
