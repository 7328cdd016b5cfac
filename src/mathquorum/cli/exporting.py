"""`mathquorum export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["add_export"]


def add_export(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(export)


def export(
    run: Annotated[Path, typer.Argument(help="A run's directory.")],
    out: Annotated[Path, typer.Option(help="Folder for the model; it must not exist.")],
    stage: Annotated[str | None, typer.Option(help="The stage whose model is taken, for example mtsft.margin.")] = None,
    name: Annotated[str | None, typer.Option(help="What the card calls the model. Default: the folder's name.")] = None,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Upload it to this repository of the hub.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="With --push: anyone may read it.")] = False,
) -> None:
    """Write a model of a run as a folder that transformers and vLLM load, with a model card: figures, data, versions, commands."""
    from mathquorum.sharing import export as write
    from mathquorum.sharing import push as upload

    found = write(run, out, stage, name or push)
    typer.echo(f"{found.stage} is in {out}: a whole model with its card, README.md.")
    if push:
        typer.echo(f"It is on the hub: {upload(out, push, private=not public)}")
