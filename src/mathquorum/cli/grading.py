"""`mathquorum grade`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mathquorum.cli.arguments import unmarked
from mathquorum.cli.options import Json
from mathquorum.errors import visible

__all__ = ["add_grade"]


def add_grade(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(grade)


def grade(
    gold: Annotated[str, typer.Argument(help="The reference answer.")],
    answer: Annotated[str, typer.Argument(help="An answer, or a text that holds one.")],
    as_json: Json = False,
) -> None:
    """Is the answer right, and by which rule? Exit code 0 when it is, 1 when it is not."""
    from mathquorum.answers.equivalence import explain_match

    verdict = explain_match(unmarked(gold), unmarked(answer))
    typer.echo(json.dumps({"equal": verdict.equal, "rule": verdict.rule}) if as_json else visible(str(verdict)))
    raise typer.Exit(0 if verdict.equal else 1)
