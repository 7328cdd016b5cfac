"""Pre-train an embedded base from nothing, or go on from another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mathquorum.pretraining.corpus import MIXES, CorpusMix
from mathquorum.pretraining.settings import Pretraining
from mathquorum.stages.base import Progress, Summary

if TYPE_CHECKING:
    from mathquorum.pretraining import loop

__all__ = ["MiniBase", "TinyBase"]


class TinyBase(Pretraining):
    """Makes model/, a Hugging Face folder. The defaults made the first part of the shipped weights."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        import torch

        from mathquorum.models import silence_transformers
        from mathquorum.pretraining.loop import pretrain

        torch.set_num_threads(1)
        silence_transformers()
        losses = []

        def hear(report: loop.Progress) -> None:
            losses.append(report.loss)
            progress(report.step, report.num_steps)

        pretrain(self, out, hear)
        return {"steps": self.num_steps, "final loss": round(losses[-1], 4) if losses else "not reported"}


class MiniBase(TinyBase):
    """The smaller base, in the role of PaLM 2-S* in the study: half the weights and fewer tokens."""

    size: Literal["nano", "mini", "tiny", "small"] = "mini"
    seed: int = 2
    num_tokens: int = Field(default=9_000_000, ge=1)
    mixes: dict[int, CorpusMix] = dict(zip((0, 3_000_000, 5_400_000), MIXES.values(), strict=True))
