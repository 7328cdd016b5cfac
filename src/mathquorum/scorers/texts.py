"""What a reward model reads: how a problem and its solution are joined, as tokens. No weight is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mathquorum.models import load_codec, load_config, load_tokenizer
from mathquorum.models.codec import Codec
from mathquorum.prompts import Prompt
from mathquorum.scorers.settings import AnyReading, ProcessReward, Question, Reward

__all__ = ["RewardText", "reading_of"]

_HEADS: dict[str, type[Reward | ProcessReward]] = {
    "ForSequenceClassification": Reward,
    "ForTokenClassification": ProcessReward,
}


def reading_of(model: str) -> AnyReading:
    """How a model wants to be read, by the head that its config names: a reward model's, a process reward model's, or the paper's question.

    Raises:
        ModelError: If its config cannot be read.
    """
    names = [str(name) for name in getattr(load_config(model), "architectures", None) or ()]
    found = [kind for ending, kind in _HEADS.items() for name in names if name.endswith(ending)]
    return found[0]() if found else Question()


@dataclass(frozen=True)
class RewardText:
    """Problem and solution for one model.

    Attributes:
        codec: The model's.
        bare: Whether the solution follows right after the problem, without any words around them.
    """

    codec: Codec
    bare: bool

    @classmethod
    def of(cls, reading: Reward | ProcessReward, model: str) -> RewardText:
        """For a model that is read so.

        Raises:
            ModelError: If its tokenizer cannot be read.
        """
        chat = bool(load_tokenizer(model).chat_template)
        wording = reading.prompt or Prompt(template="chat" if chat else "plain", instruction="")
        return cls(load_codec(model, wording), bare=reading.prompt is None and not chat)

    def ids(self, problem: str, solution: str) -> list[int]:
        """Both, and the mark that ends a solution, at which a reward is read."""
        return [*self._begun(problem), *self.codec.written(solution), self.codec.end]

    def steps(self, problem: str, solution: str, separator: str) -> tuple[list[int], list[int]]:
        """Both, the separator after each step, and the place of the last token after each, where a verdict is read."""
        after = self.codec.written(separator)
        ids, places = self._begun(problem), []
        for step in _steps(solution, separator):
            ids += [*self.codec.written(step), *after]
            places.append(len(ids) - 1)
        return ids, places

    def exactly(self, reading: Reward | ProcessReward, problem: str, solution: str) -> str:
        """What the model reads, special tokens and all."""
        if isinstance(reading, Reward):
            ids = self.ids(problem, solution)
        else:
            ids, _ = self.steps(problem, solution, reading.separator)
        text: str = self.codec.tokenizer.decode(ids)
        return text

    def _begun(self, problem: str) -> list[int]:
        return list(self.codec.prompt(problem if self.bare else self.codec.wording.generator(problem)))


def _steps(solution: str, separator: str) -> Sequence[str]:
    """Those that hold something; the whole of a solution that holds nothing."""
    return [step for step in solution.split(separator) if step.strip()] or [solution]
