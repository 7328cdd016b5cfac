"""`mathquorum memory`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mathquorum.cli.options import Json

__all__ = ["add_memory"]


def add_memory(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(memory)


def memory(
    model: Annotated[str, typer.Argument(help="Folder, hub id, GGUF file, adapter's folder or BASE+ADAPTER.")],
    tokens: Annotated[int, typer.Option(min=1, help="Of one forward pass in training.")] = 2048,
    rows: Annotated[int, typer.Option(min=1, help="Candidates sampled together.")] = 64,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of each candidate.")] = 512,
    as_json: Json = False,
) -> None:
    """What a model's name is read as, and the memory that its uses would take. Nothing is loaded."""
    from mathquorum.models import Hardware
    from mathquorum.models.footprint import gigabytes, memory_of
    from mathquorum.planning.memory import loading_notice, peaks

    hardware = Hardware()
    found, there = peaks(model, hardware, tokens, rows, max_tokens), memory_of(hardware.torch_device())
    if as_json:
        typer.echo(
            json.dumps({"memory_gb": round(there / 1e9, 3)} | {name: round(size / 1e9, 3) for name, size in found})
        )
        return
    typer.echo(loading_notice(model, hardware))
    for name, size in found:
        typer.echo(f"  {name}: {gigabytes(size)}" + ("" if size <= there else " (more than there is)"))
    typer.echo(f"There are {gigabytes(there)}.")
