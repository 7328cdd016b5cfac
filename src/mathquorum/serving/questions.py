"""From what a client sends to what the model is asked: defaults, limits, and the problem in a conversation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from mathquorum.config import build
from mathquorum.engines.base import Sampling
from mathquorum.errors import SettingsError
from mathquorum.prompts import Chat, Message, Prompt, Shown
from mathquorum.selection import Strategy, strategy
from mathquorum.serving.refusals import Refused
from mathquorum.serving.settings import Limits
from mathquorum.serving.wire import Asked, AskedChat, AskedText
from mathquorum.serving.work import Question
from mathquorum.solving.settings import Quorum

__all__ = ["Served"]


@dataclass(frozen=True)
class Served:
    """A model as clients know it.

    Attributes:
        name: Of the quorum, or with `raw` of the generator alone.
        quorum: Who is asked; defaults of what a request leaves open.
        turn: As in `settings.Listening`.
        raw: Whether there is no quorum.
    """

    name: str
    quorum: Quorum
    limits: Limits
    turn: int
    raw: bool = False

    def question(self, asked: AskedChat | AskedText) -> Question:
        """What the model is to be asked.

        Raises:
            Refused: If it asks for more than the limits, or for what this model does not do.
        """
        wording = self._wording(asked)
        problem, prompt = self._put(asked, wording)
        sampling = self._sampling(asked)
        chooser = self._strategy(asked)
        num_candidates = asked.number if self.raw else self._num_candidates(asked, sampling)
        if max(asked.number, num_candidates) > self.limits.candidates:
            raise Refused(
                400, f"A request may ask for {self.limits.candidates} candidates at most.", "too_many_candidates", "n"
            )
        if asked.number > num_candidates:
            raise Refused(
                400, f"n must be at most the number of candidates, which is {num_candidates}.", "invalid_value", "n"
            )
        seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
        return Question(
            prompt, problem, wording, chooser, sampling, asked.number, num_candidates, seed, asked.stops, asked.likeliest, self.turn
        )  # fmt: skip

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def _sampling(self, asked: Asked) -> Sampling:
        most = asked.max_tokens
        if isinstance(asked, AskedChat) and asked.max_completion_tokens is not None:
            most = asked.max_completion_tokens
        if most is not None and most > self.limits.max_tokens:
            raise Refused(400, f"max_tokens must be at most {self.limits.max_tokens}.", "invalid_value", "max_tokens")
        given = {"temperature": asked.temperature, "top_p": asked.top_p, "max_tokens": most}
        return build(
            Sampling, {**self.quorum.sampling.model_dump(), **{k: v for k, v in given.items() if v is not None}}
        )

    def _num_candidates(self, asked: Asked, sampling: Sampling) -> int:
        if sampling.temperature == 0:
            return asked.number  # all candidates would be the same
        best_of = asked.best_of if isinstance(asked, AskedText) else None
        return asked.mathquorum.num_candidates or best_of or self.quorum.num_candidates

    def _strategy(self, asked: Asked) -> Strategy:
        name = asked.mathquorum.strategy
        try:
            chooser = strategy(name) if name and name != self.quorum.strategy else self.quorum.chooser
        except SettingsError:
            raise Refused(
                400, "mathquorum.strategy is none that is known.", "invalid_value", "mathquorum.strategy"
            ) from None
        if chooser.needs_scores and not self.quorum.scored:
            raise Refused(
                400,
                "This strategy needs scores, and this model has no evaluator.",
                "invalid_value",
                "mathquorum.strategy",
            )
        return chooser

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _wording(self, asked: Asked) -> Prompt:
        wording = self.quorum.prompt
        options = asked.chat_template_kwargs if isinstance(asked, AskedChat) else None
        if options is None or options.enable_thinking is None:
            return wording
        if wording.template == "plain":
            raise Refused(
                400,
                "This model is asked in plain text, which knows no thinking.",
                "unsupported",
                "chat_template_kwargs",
            )
        return wording.model_copy(update={"thinking": options.enable_thinking})

    def _put(self, asked: AskedChat | AskedText, wording: Prompt) -> tuple[str, Shown]:
        """The problem, and the generator's prompt."""
        style = asked.mathquorum.style or self.quorum.style
        if isinstance(asked, AskedText):
            return asked.text, asked.text if self.raw else wording.generator(_not_empty(asked.text, "prompt"), style)
        turns = [Message("system" if t.role == "developer" else t.role, t.text) for t in asked.messages]
        if turns[-1].role != "user":
            raise Refused(400, "The last message must be the user's.", "invalid_value", "messages")
        problem = _not_empty(turns[-1].content, "messages")
        if self.raw and wording.template == "chat":
            return problem, Chat(tuple(turns), wording.thinking)
        if wording.template == "chat":
            return problem, _conversation(turns, wording, style)
        if len(turns) > 1:
            raise Refused(
                400,
                "This model is asked in plain text, one problem at a time: send one user message, without a system message or earlier turns.",
                "unsupported",
                "messages",
            )
        return problem, wording.generator(problem, style)


def _conversation(turns: list[Message], wording: Prompt, style: str | None) -> Chat:
    """The turns as they are, with the last one put as a problem is put, and our system message where the client has none."""
    posed = wording.generator(turns[-1].content, style)
    assert isinstance(posed, Chat)
    ours = [message for message in posed.messages if message.role == "system"]
    first = [] if any(turn.role == "system" for turn in turns) else ours
    return Chat((*first, *turns[:-1], posed.messages[-1]), wording.thinking)


def _not_empty(text: str, param: str) -> str:
    if not text.strip():
        raise Refused(400, "The problem is empty.", "invalid_value", param)
    return text
