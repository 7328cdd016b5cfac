"""Options that say how problems are put to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mathquorum.prompts import Prompt

__all__ = ["Instruction", "Style", "System", "Template", "Thinking", "wording_of"]

Template = Annotated[str | None, typer.Option(help="plain (default), or chat for the model's own chat template.")]
System = Annotated[str | None, typer.Option(help="System message of a chat.")]
Instruction = Annotated[
    str | None,
    typer.Option(
        help="Said after the problem. Default: in a chat, to reason and to box the answer; in plain text, nothing."
    ),
]
Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="For chat templates that know enable_thinking.")
]
Style = Annotated[str | None, typer.Option(help="Style tag of the prompt.")]


def wording_of(template: str | None, system: str | None, instruction: str | None, thinking: bool | None) -> Prompt:
    """The setting that the options make."""
    from mathquorum.config import build
    from mathquorum.prompts import Prompt

    given = {"template": template or "plain", "system": system, "instruction": instruction, "thinking": thinking}
    return build(Prompt, given)
