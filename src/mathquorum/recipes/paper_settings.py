"""What the recipe `paper` can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import InputModel, Runtime, Settings
from mathquorum.datasets.source import AnySource, Sources
from mathquorum.engines import AnyEngine, Embedded, Server, Vllm
from mathquorum.engines.base import Sampling
from mathquorum.evaluator import Signal
from mathquorum.models import Hardware
from mathquorum.objectives import AnyObjective, CrossEntropyLoss, MarginLoss
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.scorers import AnyScorer, check_names
from mathquorum.selection.own import StrategyNames
from mathquorum.training.settings import Training

__all__ = [
    "AnySource",
    "EvaluatorSettings",
    "MtsftSettings",
    "Paper",
    "Sources",
    "check_one_server",
    "check_serves_trained",
    "named_sources",
]


EVALUATOR_PROBLEMS = 2000
EVALUATOR_SHARE = 1 / 3


def named_sources(value: Any) -> Any:
    """A single source, or a list of them, is the one generator "main"."""
    return value if isinstance(value, Mapping) and "dataset" not in value else {"main": value}


def check_one_server(engine: AnyEngine, workers: int) -> None:
    """Makes sure that stages do not run side by side, each with a server on the same GPU.

    Raises:
        ValueError: If they would.
    """
    if isinstance(engine, Vllm) and workers > 1:
        raise ValueError(
            f"workers is {workers}, so that stages side by side would each start a vLLM on the same GPU. Set workers to 1."
        )


def check_serves_trained(engine: AnyEngine, signals: Sequence[Signal]) -> None:
    """Makes sure that an engine can be asked for models that a recipe trains, and tells what their own signals need.

    Raises:
        ValueError: If it has models of its own alone, or tells too few tokens.
    """
    if isinstance(engine, Server):
        raise ValueError(
            "engine.kind server cannot serve the models that this recipe trains. Use embedded or vllm, which opens them; or measure "
            "the server's own model, with `mathquorum run measure`."
        )
    if isinstance(engine, Vllm) and "certainty" in signals:
        raise ValueError(
            "signals has 'certainty', which needs the whole distribution of each token, and vLLM tells the 20 likeliest. "
            "Set signals to [likelihood, confidence]."
        )


class EvaluatorSettings(Settings):
    """The evaluator of SCR."""

    problems: AnySource | None = None
    """Where its problems come from. None puts `num_problems` of the main generator's aside, which the generator is then
    not fine-tuned on: it solves problems that it was trained on better than fresh ones, and labels would tell the wrong
    thing. The paper does not say which it took."""
    num_problems: int | None = Field(default=None, ge=1)
    """How many to put aside when `problems` is None. null follows the data: 2,000 different ones, and a third where that is less."""
    num_candidates: int = Field(default=16, ge=2)
    """Sampled per problem to be labelled. The paper draws 10 examples from 64; many problems with few candidates teach
    more than the reverse."""
    objectives: dict[str, AnyObjective] = {"margin": MarginLoss(), "cross_entropy": CrossEntropyLoss()}
    """An evaluator is trained with each (Table 3)."""
    training: Training = Training(epochs=2)
    batch_size: int = Field(default=16, ge=1)


class MtsftSettings(Settings):
    """Multi-task sequential fine-tuning: evaluator stage with a likelihood term, then generator again (PAPER.md section 3)."""

    objectives: tuple[str, ...] | None = None
    """Which of the evaluator's objectives. None: of margin and cross_entropy (Table 4) those that the evaluator has; an empty list leaves
    MTSFT and its control out."""
    likelihood_weight: float = Field(default=1.0, ge=0)
    """alpha_2 and alpha_3 of Eq. 12 and 13. The paper does not give them."""
    evaluator: Training = Training(epochs=1)
    generator: Training = Training(steps=200)
    """The third stage; best after about 200 steps in the paper."""


class Paper(Settings):
    """Everything that the recipe can be told."""

    base: InputModel
    """The model: a local folder or a hub id."""
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)]
    """The solutions of each generator, by its name, for example {math: ..., prm800k: ..., both: [..., ...]}. The last one is
    the main generator, which SCR and MTSFT go on from. A path alone makes one generator, "main"."""
    test: AnySource
    few_shot: bool = True
    """Measure the base with demonstrations of each generator's data. Without, the base gets the bare prompt."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 in the paper."""
    sampling: Sampling = Sampling()
    generator: Training = Training(epochs=3)
    batch_size: int = Field(default=32, ge=1)
    """Solutions per optimizer step."""
    evaluator: EvaluatorSettings = EvaluatorSettings()
    signals: tuple[Signal, ...] = Field(default=("likelihood", "confidence", "certainty"), min_length=1)
    """The generator's own signals that its candidates are scored by, too: what every evaluator must beat. The report's strategies are
    shown under the first."""
    strategies: StrategyNames = ()
    """Further strategies, beside those of the paper's tables: other numbers (w.rr.top3), or MODULE:CLASS of your own."""
    scorer: tuple[AnyScorer, ...] = ()
    """Models of somebody else's that score the main generator's candidates, too: reward models, process reward models, evaluators."""
    mtsft: MtsftSettings = MtsftSettings()
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    """What to do with training problems that are test problems too: refuse, drop or allow."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model, throughout: as plain text, or in its chat template."""
    seed: int = 0
    seeds: int = Field(default=1, ge=1)
    """Training runs: with more than one, everything that is trained is trained and sampled again with the next seeds, and the
    report's intervals are over problems and training runs. The paper has one run of each."""
    hardware: Hardware = Hardware()
    scoring_hardware: Hardware | None = None
    """Where candidates are scored; null: as hardware. Scores want float32 where candidates are written in bfloat16 (docs/models.md)."""
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes side by side: of sampling and scoring, and of stages that do not depend on each other."""
    engine: AnyEngine = Embedded()
    """What samples and scores with the models that the recipe trains. vllm starts a server for each; a server that somebody else started has
    its own models, which the recipe measure asks."""

    @model_validator(mode="after")
    def _serves_what_is_trained(self) -> Paper:
        check_serves_trained(self.engine, self.signals)
        check_one_server(self.engine, self.workers)
        return self

    @model_validator(mode="after")
    def _a_name_for_each_score(self) -> Paper:
        check_names(self.scorer, [*self.signals, *self.evaluator.objectives])
        return self

    @property
    def sequential(self) -> tuple[str, ...]:
        """Objectives of sequential fine-tuning, by their names in `evaluator.objectives`."""
        if self.mtsft.objectives is not None:
            return self.mtsft.objectives
        return tuple(name for name in ("margin", "cross_entropy") if name in self.evaluator.objectives)

    @model_validator(mode="after")
    def _known_objectives(self) -> Paper:
        unknown = [name for name in self.sequential if name not in self.evaluator.objectives]
        if unknown:
            known = ", ".join(self.evaluator.objectives)
            raise ValueError(
                f"mtsft.objectives names {unknown[0]!r}, which evaluator.objectives has not. Known: {known}."
            )
        taken = [name for name in self.evaluator.objectives if name in self.signals]
        if taken:
            raise ValueError(
                f"evaluator.objectives has {taken[0]!r}, which is the name of a signal. Give it another name."
            )
        return self

    @property
    def main(self) -> str:
        """The name of the main generator."""
        return list(self.train)[-1]
