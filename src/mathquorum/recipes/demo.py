"""The paper's method in miniature: the embedded base and suite, on two CPU cores in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from mathquorum.assets import tiny_base_path
from mathquorum.config import Runtime
from mathquorum.engines.base import Sampling
from mathquorum.recipes.paper import paper
from mathquorum.recipes.paper_settings import AnySource, EvaluatorSettings, MtsftSettings, Paper, Sources
from mathquorum.run import Run
from mathquorum.stages.prepare import Source
from mathquorum.training.settings import Training

__all__ = ["Demo", "demo"]

_TRAIN = 2500
_EVALUATOR = 700


def _minimath(style: str, limit: int) -> tuple[Source, ...]:
    return (Source(dataset="minimath", split="train", style=style, limit=limit),)


def _short(steps: int, learning_rate: float) -> Training:
    return Training(steps=steps, learning_rate=learning_rate, max_length=512, checkpoint_steps=20)


class Demo(Paper):
    """The recipe `paper` with other defaults: terse and fine solutions stand for MATH's and PRM800K's."""

    base: str = str(tiny_base_path())
    train: dict[str, Sources] = {"terse": _minimath("terse", _TRAIN), "fine": _minimath("fine", _TRAIN)}
    test: AnySource = Source(dataset="minimath", split="test", limit=100)
    num_candidates: int = Field(default=24, ge=1)
    sampling: Sampling = Sampling(temperature=0.8, max_tokens=160)
    generator: Training = _short(70, 5e-4)
    evaluator: EvaluatorSettings = EvaluatorSettings(
        problems=Source(dataset="minimath", split="evaluator", limit=_EVALUATOR),
        num_candidates=8,
        training=_short(60, 3e-4),
    )
    mtsft: MtsftSettings = MtsftSettings(
        objectives=("margin",),
        evaluator=_short(24, 3e-4),
        generator=_short(24, 3e-4),
    )
    workers: Annotated[int, Runtime()] = Field(default=2, ge=1)


def demo(run: Run, settings: Demo) -> Path:
    """Follows the paper's recipe."""
    return paper(run, settings)
