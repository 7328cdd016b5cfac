"""The command line: a thin door to recipes and to single answers.

Heavy packages are imported inside the commands that need them, so that help answers at once and `vote` and `grade` never
load torch.
"""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from mathquorum.cli.arguments import arguments_of
from mathquorum.cli.exporting import add_export
from mathquorum.cli.grading import add_grade
from mathquorum.cli.listing import add_settings
from mathquorum.cli.memory import add_memory
from mathquorum.cli.merging import add_merge
from mathquorum.cli.parts import add_parts
from mathquorum.cli.planning import add_plan
from mathquorum.cli.prompts import add_prompt
from mathquorum.cli.ranks import run_as_rank
from mathquorum.cli.running import add_running
from mathquorum.cli.serving import add_serve
from mathquorum.cli.solving import add_solve
from mathquorum.cli.versions import add_version
from mathquorum.cli.voting import add_vote
from mathquorum.errors import MathquorumError, visible_lines
from mathquorum.training.ranks import world

__all__ = ["app", "main"]

app = typer.Typer(
    name="mathquorum",
    help="Fine-tune on step-by-step solutions, sample many, cluster by equivalent answers, vote and re-rank.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 failed (grade: not equal), 2 misuse, 3 no answer (solve), 130 stopped by Ctrl-C.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mathquorum {metadata.version('mathquorum')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


# One line a command, in the order of --help.
add_running(app)
add_plan(app)
add_settings(app)
add_vote(app)
add_prompt(app)
add_grade(app)
add_memory(app)
add_merge(app)
add_export(app)
add_version(app)
add_parts(app)
add_solve(app)
add_serve(app)


def main() -> None:
    """The `mathquorum` command.

    Exit codes: 0 done, 1 failed (of `grade`: not equal), 2 misuse, 3 no answer (of `solve`), 130 stopped by Ctrl-C.
    """
    if world() > 1:
        run_as_rank(_run)
    else:
        _run()


def _run() -> None:
    try:
        app(arguments_of(sys.argv[1:]))
    except MathquorumError as error:
        typer.echo(f"mathquorum: {visible_lines(str(error))}", err=True)  # it may quote a file
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != 130:  # which typer makes of Ctrl-C, without a word
            raise
        typer.echo("\nStopped. Run the same command again to continue.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as in `mathquorum vote ... | head -1`
        sys.stderr.close()
        sys.exit(1)
