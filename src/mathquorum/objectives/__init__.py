"""The losses, by the name that settings use. See `objectives.base.Objective`."""

from __future__ import annotations

from typing import Annotated

from mathquorum.config.kinds import tag_of
from mathquorum.config.unions import OrOwn
from mathquorum.objectives.contrastive import ContrastiveLoss
from mathquorum.objectives.cross_entropy import CrossEntropyLoss
from mathquorum.objectives.margin import MarginLoss
from mathquorum.objectives.own import OwnObjective, kind_of_objectives
from mathquorum.objectives.pairwise import PairwiseLoss
from mathquorum.objectives.solution import SolutionLoss
from mathquorum.objectives.steps import StepLoss

__all__ = [
    "AnyObjective",
    "ContrastiveLoss",
    "CrossEntropyLoss",
    "MarginLoss",
    "OwnObjective",
    "PairwiseLoss",
    "SolutionLoss",
    "StepLoss",
]

_NAMES = [
    str(tag_of(kind)) for kind in (SolutionLoss, CrossEntropyLoss, MarginLoss, PairwiseLoss, ContrastiveLoss, StepLoss)
]

AnyObjective = Annotated[
    SolutionLoss | CrossEntropyLoss | MarginLoss | PairwiseLoss | ContrastiveLoss | StepLoss | OwnObjective,
    OrOwn(kind_of_objectives(_NAMES)),
]
"""One of ours, told by its name, or {name: "MODULE:CLASS", ...}."""
