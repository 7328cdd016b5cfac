"""`mathquorum version`."""

from __future__ import annotations

import typer

__all__ = ["add_version"]


def add_version(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(version)


def version() -> None:
    """Print the versions that a bug report should name."""
    from mathquorum.run import library_versions

    for library, number in library_versions().items():
        typer.echo(f"{library} {number}")
