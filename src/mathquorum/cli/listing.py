"""`mathquorum settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mathquorum.config.listing import Listed

__all__ = ["add_settings"]


def add_settings(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(settings)


def settings(
    recipe: Annotated[
        str, typer.Argument(help="A recipe (paper, demo, study-small, ...) or a part (sample, train-generator, ...).")
    ],
) -> None:
    """List every setting of a recipe: its default as it would be given, its meaning and its choices."""
    from rich.console import Console
    from rich.padding import Padding

    from mathquorum.config.listing import describe
    from mathquorum.recipes import recipe as named

    console = Console()
    for listed in describe(named(recipe).settings):
        console.print(
            heading(listed), markup=False, highlight=False, style="bold" if listed.words else None, soft_wrap=True
        )
        told = " ".join(filter(None, [listed.meaning, listed.admits]))
        if told:
            console.print(Padding(told, (0, 0, 0, 4)), markup=False, highlight=False)


def heading(listed: Listed) -> str:
    """The line of a setting: words that can be pasted, or a heading, which they follow."""
    if listed.words:
        return listed.words
    if listed.required:
        return f"{listed.name}: required"
    return f"{listed.name}: as {listed.like}, but for what follows" if listed.like else f"{listed.name}:"
