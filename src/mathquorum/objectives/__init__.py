"""The losses, by the name that settings use. See `objectives.base.Objective`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mathquorum.objectives.contrastive import ContrastiveLoss
from mathquorum.objectives.cross_entropy import CrossEntropyLoss
from mathquorum.objectives.margin import MarginLoss
from mathquorum.objectives.pairwise import PairwiseLoss
from mathquorum.objectives.solution import SolutionLoss
from mathquorum.objectives.steps import StepLoss

__all__ = [
    "AnyObjective",
    "ContrastiveLoss",
    "CrossEntropyLoss",
    "MarginLoss",
    "PairwiseLoss",
    "SolutionLoss",
    "StepLoss",
]

AnyObjective = Annotated[
    SolutionLoss | CrossEntropyLoss | MarginLoss | PairwiseLoss | ContrastiveLoss | StepLoss,
    Field(discriminator="name"),
]
