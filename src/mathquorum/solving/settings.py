"""Who is asked, and how the answer is chosen: the settings that `solve` and `serve` share."""

from __future__ import annotations

from pydantic import Field

from mathquorum.config import InputModel, Settings
from mathquorum.engines import AnyEngine
from mathquorum.engines.base import Engine, Sampling
from mathquorum.engines.settings import ModelUse
from mathquorum.errors import SettingsError
from mathquorum.models import Hardware
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.selection import Strategy
from mathquorum.selection.own import StrategyName, any_strategy

__all__ = ["Quorum"]


class Quorum(Settings):
    """A generator, an evaluator if there is one, and the rule that chooses."""

    model: InputModel
    """Generator: a folder, hub id, GGUF file or adapter, or the name that a server knows."""
    evaluator: InputModel | None = None
    """Evaluator, in like manner. None votes."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 as in the paper."""
    strategy: StrategyName | None = None
    """How the answer is chosen, as `vote` names it; your own as MODULE:CLASS. None: w.rr with an evaluator, else maj1."""
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

    @property
    def chooser(self) -> Strategy:
        """The strategy.

        Raises:
            SettingsError: If there is none of that name, or it needs scores that nobody gives.
        """
        found = any_strategy(self.strategy or ("w.rr" if self.evaluator else "maj1"))
        if found.needs_scores and not self.evaluator:
            raise SettingsError(f"--strategy {found.name} needs scores: give --evaluator, or --strategy maj1.")
        return found

    def open(self) -> tuple[Engine, Engine | None]:
        """The generator and the evaluator, ready to be asked.

        Raises:
            ModelError: If one cannot be used.
        """
        from mathquorum.engines.opening import open_engine, open_engines

        judging = self.evaluator_engine or self.engine
        if self.engine is None and judging is None:
            return open_engines(self.model, self.evaluator, self.prompt)

        def opened(engine: AnyEngine | None, model: str) -> Engine:
            return (
                engine.open(ModelUse(model, self.prompt, self.hardware)) if engine else open_engine(model, self.prompt)
            )

        return opened(self.engine, self.model), opened(judging, self.evaluator) if self.evaluator else None
