"""Who is asked, and how the answer is chosen: the settings that `solve` and `serve` share."""

from __future__ import annotations

from pydantic import Field, model_validator

from mathquorum.config import InputModel, Settings
from mathquorum.engines import AnyEngine
from mathquorum.engines.base import Engine, Sampling
from mathquorum.engines.settings import ModelUse
from mathquorum.errors import SettingsError
from mathquorum.evaluator import Judge
from mathquorum.models import Hardware
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.scorers import AnyOwnScorer
from mathquorum.selection import Strategy
from mathquorum.selection.own import StrategyName, any_strategy

__all__ = ["Quorum"]


class Quorum(Settings):
    """A generator, an evaluator if there is one, and the rule that chooses."""

    model: InputModel
    """Generator: a folder, hub id, GGUF file or adapter, or the name that a server knows."""
    evaluator: InputModel | None = None
    """Evaluator, in like manner. None votes."""
    scorer: AnyOwnScorer | None = None
    """A scorer of your own, MODULE:CLASS, in place of an evaluator."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 as in the paper."""
    strategy: StrategyName | None = None
    """How the answer is chosen, as `vote` names it; your own as MODULE:CLASS. None: w.rr with an evaluator or a scorer, else maj1."""
    sampling: Sampling = Sampling()
    style: str | None = None
    """The style tag shown in the prompt; None for a generator that was trained without."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the models; as when they were fine-tuned."""
    seed: int = 0
    engine: AnyEngine | None = None
    """What writes. None: the model in this process, by whatever opens it quickest."""
    evaluator_engine: AnyEngine | None = None
    """What judges. None: as `engine`."""
    hardware: Hardware = Hardware()
    """Where an engine that is named works, if it works here."""

    @model_validator(mode="after")
    def _one_judge(self) -> Quorum:
        if self.evaluator is not None and self.scorer is not None:
            raise ValueError("give evaluator or scorer: one of them scores.")
        return self

    @property
    def scored(self) -> bool:
        """Whether anybody gives scores."""
        return self.evaluator is not None or self.scorer is not None

    @property
    def chooser(self) -> Strategy:
        """The strategy.

        Raises:
            SettingsError: If there is none of that name, or it needs scores that nobody gives.
        """
        found = any_strategy(self.strategy or ("w.rr" if self.scored else "maj1"))
        if found.needs_scores and not self.scored:
            raise SettingsError(
                f"--strategy {found.name} needs scores: give --evaluator or --scorer, or --strategy maj1."
            )
        return found

    def open(self) -> tuple[Engine, Judge | None]:
        """The generator, and the evaluator or scorer, ready to be asked.

        Raises:
            ModelError: If one cannot be used.
        """
        from mathquorum.engines.opening import open_engine, open_engines

        judging = self.evaluator_engine or self.engine
        if self.engine is None and judging is None:
            generator, evaluator = open_engines(self.model, self.evaluator, self.prompt)
            return generator, self.scorer or evaluator

        def opened(engine: AnyEngine | None, model: str) -> Engine:
            return (
                engine.open(ModelUse(model, self.prompt, self.hardware)) if engine else open_engine(model, self.prompt)
            )

        return opened(self.engine, self.model), opened(judging, self.evaluator) if self.evaluator else self.scorer
