"""`mathquorum prompt`."""

from __future__ import annotations

from typing import Annotated

import typer

from mathquorum.cli.prompting import Instruction, Style, System, Template, Thinking, wording_of
from mathquorum.errors import visible_lines

__all__ = ["add_prompt"]


def add_prompt(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(prompt)


def prompt(
    model: Annotated[str, typer.Option(help="Folder, hub id, GGUF file or adapter.")],
    problem: Annotated[str, typer.Option(help="The problem's text.")] = "What is $2+3$?",
    solution: Annotated[
        str | None, typer.Option(help="Show the evaluator's question about this solution instead.")
    ] = None,
    style: Style = None,
    template: Template = None,
    system: System = None,
    instruction: Instruction = None,
    thinking: Thinking = None,
) -> None:
    """Print what a model is shown for one problem, exactly, with its special tokens; characters that cannot be seen are written out."""
    wording = wording_of(template, system, instruction, thinking)
    from mathquorum.models import check_model, load_codec

    check_model(model, wording)
    shown = wording.generator(problem, style) if solution is None else wording.evaluator(problem, solution)
    typer.echo(visible_lines(load_codec(model, wording).exactly(shown)))
