"""The command line: a thin door to recipes and to single answers.

Heavy packages are imported inside the commands that need them, so that help answers at once and `vote`, `grade` and
`report` never load torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mathquorum.errors import MathquorumError

__all__ = ["app", "main"]

app = typer.Typer(
    name="mathquorum",
    help="Fine-tune on step-by-step solutions, sample many, cluster by equivalent answers, vote and re-rank.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_OPEN_ENDED = {"allow_extra_args": True, "ignore_unknown_options": True}

_Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]


@app.command(context_settings=_OPEN_ENDED)
def run(
    context: typer.Context,
    recipe: Annotated[str, typer.Argument(help="paper, demo or tiny-base.")],
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory. Default: runs/RECIPE.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the settings and the plan, and stop.")] = False,
    as_json: _Json = False,
) -> None:
    """Run a recipe: every stage of it, or what is left of it. Any setting: --sampling.temperature 0.7"""
    from mathquorum.recipes import follow

    follow(recipe, config, context.args, out, show=show, as_json=as_json)


@app.command(context_settings=_OPEN_ENDED)
def demo(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Run directory. Default: runs/demo.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the settings and the plan, and stop.")] = False,
    as_json: _Json = False,
) -> None:
    """The paper's whole method on the embedded model, in minutes on a laptop. The same as: run demo"""
    from mathquorum.recipes import follow

    follow("demo", None, context.args, out, show=show, as_json=as_json)


@app.command()
def grade(
    gold: Annotated[str, typer.Argument(help="The reference answer.")],
    answer: Annotated[str, typer.Argument(help="An answer, or a text that holds one.")],
    as_json: _Json = False,
) -> None:
    """Is the answer right, and by which rule? Exit code 0 when it is, 1 when it is not."""
    from mathquorum.answers import explain_grade

    verdict = explain_grade(gold, answer)
    if as_json:
        typer.echo(json.dumps({"equal": verdict.equal, "rule": verdict.rule}))
    else:
        typer.echo(str(verdict))
    raise typer.Exit(0 if verdict.equal else 1)


def main() -> None:
    """The `mathquorum` command. Exit codes: 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C."""
    try:
        app(standalone_mode=False)
    except MathquorumError as error:
        typer.echo(f"mathquorum: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("\nStopped. Run the same command again to continue.", err=True)
        sys.exit(130)
