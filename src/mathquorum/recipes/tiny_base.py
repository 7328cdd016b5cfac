"""The embedded bases, made from nothing: Llamas of about a million parameters, pre-trained on minimath.

`mathquorum run tiny-base` makes the weights that ship in `assets/tiny-base` again, in two parts: solving and checking
together, then a shorter one with many single equations. `mathquorum run mini-base` makes the smaller ones.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from mathquorum.config import Settings
from mathquorum.pretraining.corpus import CorpusMix
from mathquorum.run import Run
from mathquorum.stages.pretrain import MiniBase, TinyBase

__all__ = ["MiniBase", "TwoPartBase", "mini_base", "tiny_base"]


class TwoPartBase(Settings):
    """The settings of the larger embedded base."""

    base: TinyBase = TinyBase()
    checks: TinyBase | None = TinyBase(
        seed=1,
        num_tokens=5_000_000,
        matrix_learning_rate=2e-3,
        other_learning_rate=1.3e-3,
        learning_rate=((0.0, 1.0), (0.3, 1.0), (0.7, 0.5), (1.0, 0.0)),
        mixes={
            0: CorpusMix(
                solve=0.12, equations=0.50, lines=0.13, questions=0.25, verdict_weight=20.0, question_weight=40.0
            )
        },
    )
    """The second part, which goes on from the first: half of its documents are lists of single equations. It raised
    checks of held-out equations from 82 to 87%. None leaves it out."""

    @model_validator(mode="after")
    def _one_start(self) -> TwoPartBase:
        if self.checks is not None and self.checks.start is not None:
            raise ValueError("checks.start is the first part's model: set base.start, or leave it out.")
        return self


def tiny_base(run: Run, settings: TwoPartBase) -> Path:
    """Makes the larger base in the run, and returns its Hugging Face folder."""
    base = run.do("base", settings.base) / "model"
    if settings.checks is None:
        return base
    return run.do("checks", settings.checks.model_copy(update={"start": str(base)})) / "model"


def mini_base(run: Run, settings: MiniBase) -> Path:
    """Makes the smaller base in the run, and returns its Hugging Face folder."""
    return run.do("base", settings) / "model"
