"""The study in miniature, in two sizes: what is measured is the same, how much of it is not."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from mathquorum.assets import mini_base_path, tiny_base_path
from mathquorum.config import InputModel, Runtime
from mathquorum.engines.base import Sampling
from mathquorum.objectives import CrossEntropyLoss, MarginLoss, PairwiseLoss
from mathquorum.recipes.paper_settings import AnySource, Sources, named_sources
from mathquorum.recipes.study.settings import MEAN, EvaluatorVariant, Study, StudyEvaluators, StudyMtsft
from mathquorum.stages.prepare import Source
from mathquorum.training.settings import Training

__all__ = ["FullStudy", "SmallStudy"]


def _minimath(split: str, limit: int, style: str | None = None) -> Source:
    return Source(dataset="minimath", split=split, limit=limit, style=style)


_LENGTH = 512


def _short(steps: int, learning_rate: float) -> Training:
    return Training(steps=steps, learning_rate=learning_rate, max_length=_LENGTH, checkpoint_steps=25)


class SmallStudy(Study):
    """The study in miniature: two embedded bases, two cores, about an hour."""

    bases: dict[str, InputModel] = {"S": str(mini_base_path()), "L": str(tiny_base_path())}
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)] = {
        "terse": (_minimath("train", 2500, "terse"),),
        "fine": (_minimath("train", 2500, "fine"),),
        "both": (_minimath("train", 2500, "fine"), _minimath("train", 2500, "terse")),
    }
    validation: AnySource = _minimath("validation", 40)
    test: AnySource = _minimath("test", 120)
    num_candidates: int = Field(default=32, ge=2)
    """32, for the sake of more problems in the same time; 64 in the paper and in the full study."""
    main_candidates: int | None = Field(default=64, ge=2)
    """N of the paper, where strategies are compared."""
    sampling: Sampling = Sampling(temperature=0.8, max_tokens=160)
    generator: Training = _short(80, 5e-4)
    evaluators: StudyEvaluators = StudyEvaluators(
        problems=_minimath("evaluator", 2000),
        variants={
            "margin": EvaluatorVariant(objective=MarginLoss(), start="base"),
            "cross_entropy": EvaluatorVariant(objective=CrossEntropyLoss(), start="base"),
            "from_generator": EvaluatorVariant(objective=CrossEntropyLoss(), start="generator", roles="largest"),
            "with_likelihood": EvaluatorVariant(
                objective=CrossEntropyLoss(), start="base", likelihood_weight=1.0, roles="largest"
            ),
            "pairwise": EvaluatorVariant(objective=PairwiseLoss(), start="base", roles="largest"),
        },
        averaged=("cross_entropy", "from_generator", "with_likelihood", "pairwise"),
        combined=("cross_entropy", "pairwise", MEAN),
        training=_short(100, 3e-4),
    )
    mtsft: StudyMtsft = StudyMtsft(evaluator=_short(30, 3e-4), generator=_short(30, 3e-4))
    title: str = "The study in miniature (small)"
    workers: Annotated[int, Runtime()] = Field(default=2, ge=1)


class FullStudy(SmallStudy):
    """The same with more of everything: a night on two cores."""

    validation: AnySource = _minimath("validation", 200)
    test: AnySource = _minimath("test", 500)
    num_candidates: int = Field(default=64, ge=2)
    """N; 64 in the paper."""
    generator: Training = _short(250, 5e-4)
    evaluators: StudyEvaluators = SmallStudy.model_fields["evaluators"].default.model_copy(
        update={"problems": _minimath("evaluator", 6000), "training": _short(400, 3e-4)}
    )
    mtsft: StudyMtsft = StudyMtsft(evaluator=_short(200, 3e-4), generator=_short(200, 3e-4))
    title: str = "The study in miniature (full)"
