"""What a model is shown: the generator's prompt, few-shot demonstrations, and the evaluator's question.

The generator's wording is our choice (the paper does not give its template); the evaluator's is the paper's (PAPER.md
section 2.2), with line breaks between its sentences, which the paper leaves open.

`Prompt` is the setting that says how all this is put to one model: as plain text, or as messages in the model's chat template.
It is the same in training, sampling and scoring. Texts are joined, never formatted: braces and template syntax in them stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from mathquorum.config import Settings
from mathquorum.records import LabeledSolution

__all__ = [
    "CORRECT",
    "INCORRECT",
    "INSTRUCTION",
    "PLAIN",
    "STOP_STRINGS",
    "AnyPrompt",
    "Chat",
    "Message",
    "Prompt",
    "Shown",
    "evaluator_prompt",
    "generator_prompt",
    "words_of",
]

CORRECT = " correct"
INCORRECT = " incorrect"

STOP_STRINGS = ("\n\nProblem:",)
"""Where a solution ends besides the end-of-sequence mark: a base model that was shown demonstrations goes on to a
problem of its own."""

_DEMONSTRATION_BREAK = "\n\n"


def generator_prompt(
    problem: str,
    style: str | None = None,
    demonstrations: Sequence[LabeledSolution] = (),
    instruction: str | None = None,
) -> str:
    """The text after which the generator writes a solution.

    Args:
        problem: The problem's text.
        style: A tag of how the solution is to be written, as in `LabeledSolution.style`; None leaves it open.
        demonstrations: Solved problems to show first (few-shot prompting, PAPER.md Table 5), each under its own style.
        instruction: What is said after each problem.

    Example:
        >>> print(generator_prompt("What is $2+3$?", style="fine"))
        Problem:
        What is $2+3$?
        <BLANKLINE>
        Solution (fine):
        <BLANKLINE>
    """
    shown = [
        generator_prompt(d.problem, d.style, instruction=instruction) + d.solution + _DEMONSTRATION_BREAK
        for d in demonstrations
    ]
    heading = "Solution" if style is None else f"Solution ({style})"
    posed = f"{problem}\n{instruction}" if instruction else problem
    return "".join(shown) + f"Problem:\n{posed}\n\n{heading}:\n"


def evaluator_prompt(problem: str, solution: str) -> str:
    """The unfinished sentence T(P, X) whose next word is the verdict, `CORRECT` or `INCORRECT` (PAPER.md section 2.2).

    Everything before the solution depends on the problem alone, so that it can be computed once for all its candidates.
    """
    return f"{_judged(problem, solution)}\nThe above candidate solution is"


def _judged(problem: str, solution: str) -> str:
    return f"Here is a math problem: {problem}\nHere is a candidate solution: {solution}"


# --- as settings ------------------------------------------------------------------------------------------------------

INSTRUCTION = "Reason step by step, and put the final answer in \\boxed{}."
"""What an instruction model is asked for where nothing else is set: the form that MATH's solutions have, and that answers are found in."""

_QUESTION = "Is the above candidate solution correct or incorrect? Answer with that one word."


@dataclass(frozen=True, slots=True)
class Message:
    """A turn of a conversation. role: "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation that the model is to go on with as the assistant.

    Attributes:
        messages: The last one is the user's.
        thinking: What templates that know `enable_thinking` are told; None leaves it to them.
    """

    messages: tuple[Message, ...]
    thinking: bool | None = None


Shown = str | Chat
"""What a model is shown: a text that it goes on with, or a conversation."""


def words_of(shown: Shown) -> str:
    """What is said, without the marks of any model: a conversation as its turns under their roles."""
    if isinstance(shown, str):
        return shown
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in shown.messages)


class Prompt(Settings):
    """How problems are put to a model, in training, sampling and scoring alike."""

    template: Literal["plain", "chat"] = "plain"
    """Plain text, for base models and what was fine-tuned from them; or messages in the model's own chat template."""
    instruction: str | None = None
    """What is said after the problem. None: `INSTRUCTION` in a chat, nothing in plain text. An empty text leaves it out."""
    system: str | None = None
    """The system message of a chat. None leaves it to the template, which may have one of its own."""
    thinking: bool | None = None
    """Switches thinking on or off in chat templates that know `enable_thinking` (Qwen3 and its relatives). None leaves it to them."""

    @model_validator(mode="after")
    def _only_in_a_chat(self) -> Prompt:
        for name in ("system", "thinking"):
            if self.template == "plain" and getattr(self, name) is not None:
                raise ValueError(f"{name} needs template 'chat'. Give it too, or leave {name} out.")
        return self

    def generator(
        self, problem: str, style: str | None = None, demonstrations: Sequence[LabeledSolution] = ()
    ) -> Shown:
        """What the generator goes on from; arguments as in `generator_prompt`. Demonstrations are turns of a chat."""
        if self.template == "plain":
            return generator_prompt(problem, style, demonstrations, self.instruction)
        turns = [
            message
            for shown in demonstrations
            for message in (
                Message("user", self._posed(shown.problem, shown.style)),
                Message("assistant", shown.solution),
            )
        ]
        return self._chat([*turns, Message("user", self._posed(problem, style))])

    def evaluator(self, problem: str, solution: str) -> Shown:
        """What the evaluator is asked; arguments as in `evaluator_prompt`. In a chat the sentence is a question."""
        if self.template == "plain":
            return evaluator_prompt(problem, solution)
        return self._chat([Message("user", f"{_judged(problem, solution)}\n{_QUESTION}")])

    @property
    def labels(self) -> tuple[str, str]:
        """The words for a correct and an incorrect solution, as they go on from `evaluator`: in a chat they begin the answer."""
        return (CORRECT, INCORRECT) if self.template == "plain" else (CORRECT.strip(), INCORRECT.strip())

    def _posed(self, problem: str, style: str | None) -> str:
        instruction = INSTRUCTION if self.instruction is None else self.instruction
        tag = f"Style: {style}." if style else ""
        return "\n\n".join(part for part in (problem, instruction, tag) if part)

    def _chat(self, turns: Sequence[Message]) -> Chat:
        first = [] if self.system is None else [Message("system", self.system)]
        return Chat((*first, *turns), self.thinking)


PLAIN = Prompt()
"""Plain text, without an instruction: what a base model is shown."""


def _named(value: Any) -> Any:
    """A template's name alone stands for a prompt in it."""
    return {"template": value} if isinstance(value, str) else value


AnyPrompt = Annotated[Prompt, BeforeValidator(_named)]
