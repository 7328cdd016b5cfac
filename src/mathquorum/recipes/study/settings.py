"""What the recipe `study` can be told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import InputModel, Runtime, Settings
from mathquorum.engines import AnyEngine, Embedded
from mathquorum.engines.base import Sampling
from mathquorum.evaluator import Signal
from mathquorum.models import Hardware
from mathquorum.objectives import AnyObjective, CrossEntropyLoss, MarginLoss
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.recipes.paper_settings import (
    AnySource,
    Sources,
    check_one_server,
    check_serves_trained,
    named_sources,
)
from mathquorum.training.settings import Training

__all__ = ["MEAN", "EvaluatorVariant", "Study", "StudyEvaluators", "StudyMtsft"]

MEAN = "mean"
"""The evaluator that averages others."""


class EvaluatorVariant(Settings):
    """One way to train an evaluator."""

    objective: AnyObjective
    start: Literal["base", "generator"] = "generator"
    """The model that it is trained from. The paper does not say."""
    likelihood_weight: float = Field(default=0.0, ge=0)
    """alpha of a likelihood term on the generator's solutions trained along (Eq. 12, 13); 0 leaves it out."""
    roles: Literal["all", "largest"] = "all"
    """The models that get it."""


class StudyEvaluators(Settings):
    """The evaluators and what they are trained on."""

    problems: AnySource
    """Problems that no generator is fine-tuned on."""
    num_candidates: int = Field(default=8, ge=2)
    """Per problem. Many problems with few candidates teach more than the reverse. 8, since candidates that begin alike are computed
    as one: 8 of a tuned generator are 2.5 times the tokens of one (minimath)."""
    variants: dict[str, EvaluatorVariant] = {
        "margin": EvaluatorVariant(objective=MarginLoss()),
        "cross_entropy": EvaluatorVariant(objective=CrossEntropyLoss()),
    }
    losses: tuple[str, ...] = ("margin", "cross_entropy")
    """The variants of Tables 3 and 7."""
    transferred: str = "cross_entropy"
    """The variant of Table 6, of Figure 1, and on the candidates of sequential training."""
    averaged: tuple[str, ...] = ()
    """The variants whose scores are averaged, as logits, into those of one more evaluator, "mean", of the largest model."""
    combined: tuple[str, ...] = ()
    """The variants, or "mean", whose scores are measured, too, together with the generator's likelihood."""
    likelihood_weight: float = Field(default=0.6, ge=0)
    """See `CombineScores`."""
    training: Training = Training(epochs=2)
    batch_size: int = Field(default=16, ge=1)


class StudyMtsft(Settings):
    """Sequential fine-tuning and its controls."""

    losses: tuple[str, ...] = ("margin", "cross_entropy")
    """Of the evaluators' variants. None leaves Table 4 out."""
    roles: Literal["all", "largest"] = "largest"
    """The paper reports the larger model only."""
    likelihood_weight: float = Field(default=1.0, ge=0)
    """alpha_2 and alpha_3 of Eq. 12 and 13. The paper does not give them."""
    evaluator: Training = Training(epochs=1)
    generator: Training = Training(steps=200)
    """The third stage; best after about 200 steps in the paper."""
    mixed: bool = True
    """Measure, too, both tasks trained at once for the steps of both stages."""


class Study(Settings):
    """Everything that the study can be told. Bases run from the smaller to the larger."""

    bases: dict[str, InputModel] = Field(min_length=1)
    """Models by role. The first stands for PaLM 2-S*, the last for PaLM 2-L; one alone stands for L."""
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)]
    """Solutions by source: the first terse, as MATH's are, the second fine, as PRM800K's, the last the main generator's."""
    validation: AnySource
    """Problems on which K and N' are chosen."""
    test: AnySource
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    num_candidates: int = Field(default=64, ge=2)
    """N; 64 in the paper."""
    main_candidates: int | None = Field(default=None, ge=2)
    """More than N for the main generator of the largest model, for the tables of strategies and of stopping. Where generators
    are compared, the first N count. None: as many as for the others."""
    sampling: Sampling = Sampling()
    generator: Training = Training(epochs=3)
    batch_size: int = Field(default=32, ge=1)
    evaluators: StudyEvaluators
    signals: tuple[Signal, ...] = ("likelihood", "confidence", "certainty")
    """The main generators' own signals that their candidates are scored by, too: what every evaluator must beat."""
    mtsft: StudyMtsft = StudyMtsft()
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    prompt: AnyPrompt = Prompt()
    title: str = "The study"
    hardware: Hardware = Hardware()
    scoring_hardware: Hardware | None = None
    """Where candidates are scored; null: as hardware. Scores want float32 where candidates are written in bfloat16 (docs/models.md)."""
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes at most: stages side by side, or those of one stage. One per graphics card, or per core."""
    engine: AnyEngine = Embedded()
    """What samples and scores with the models that the study trains, as in the recipe `paper`."""

    @model_validator(mode="after")
    def _serves_what_is_trained(self) -> Study:
        check_serves_trained(self.engine, self.signals)
        check_one_server(self.engine, self.workers)
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Study:
        known = self.evaluators.variants
        for field, names in (
            ("evaluators.losses", self.evaluators.losses),
            ("evaluators.transferred", (self.evaluators.transferred,)),
            ("evaluators.averaged", self.evaluators.averaged),
            ("evaluators.combined", [name for name in self.evaluators.combined if name != MEAN]),
            ("mtsft.losses", self.mtsft.losses),
        ):
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ValueError(
                    f"{field} names {unknown[0]!r}, which evaluators.variants has not: {', '.join(known)}."
                )
        if MEAN in known:
            raise ValueError(f"evaluators.variants has {MEAN!r}, which is the name of the average: choose another.")
        if MEAN in self.evaluators.combined and not self.evaluators.averaged:
            raise ValueError(f"evaluators.combined names {MEAN!r}, but evaluators.averaged is empty.")
        if self.main_candidates is not None and self.main_candidates < self.num_candidates:
            raise ValueError(
                f"main_candidates must be at least num_candidates. Got {self.main_candidates} and {self.num_candidates}: "
                "raise it, or set it to null."
            )
        return self

    @property
    def main(self) -> str:
        return list(self.train)[-1]

    @property
    def largest(self) -> str:
        return list(self.bases)[-1]
