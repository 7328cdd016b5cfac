"""`mathquorum settings`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["add_settings"]


def add_settings(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(settings)


def settings(
    recipe: Annotated[
        str, typer.Argument(help="paper, measure, demo, study-small, study-full, study, mini-base or tiny-base.")
    ],
) -> None:
    """List every setting of a recipe with its default and meaning."""
    from mathquorum.cli.following import list_settings

    list_settings(recipe)
