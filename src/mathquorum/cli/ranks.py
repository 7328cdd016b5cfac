"""A command under a launcher: the first of its processes runs it, the others help it train."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from mathquorum.errors import MathquorumError, visible_lines
from mathquorum.training.ranks import rank

__all__ = ["run_as_rank"]


def run_as_rank(command: Callable[[], None]) -> None:
    """Runs the command, or helps the process that does.

    Args:
        command: Prints and exits by itself.
    """
    from mathquorum.launched import attend, end_with_launcher
    from mathquorum.training.bulletin import close

    end_with_launcher()
    if rank() > 0:
        try:
            attend()
        except MathquorumError as error:
            typer.echo(f"mathquorum, process {rank()}: {visible_lines(str(error))}", err=True)
            sys.exit(error.exit_code)
        return
    try:
        command()
    except SystemExit as stop:
        close(in_peace=not stop.code)
        raise
    close(in_peace=True)
