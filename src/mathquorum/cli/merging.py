"""`mathquorum merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["add_merge"]


def add_merge(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(merge)


def merge(
    model: Annotated[str, typer.Argument(help="An adapter's folder, or BASE+ADAPTER.")],
    out: Annotated[Path, typer.Option(help="Folder for the whole model; it must not exist.")],
) -> None:
    """Add a LoRA adapter's change to its base's weights, and save a model like any other."""
    from mathquorum.models import merge_adapter

    merge_adapter(model, out)
    typer.echo(f"Merged into {out}.")
