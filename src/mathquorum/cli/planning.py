"""`mathquorum plan`: what a recipe will take, before anything is spent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from mathquorum.cli.options import OPEN_ENDED, Config, Json
from mathquorum.cli.parts import From
from mathquorum.cli.running import study_of
from mathquorum.errors import SettingsError

__all__ = ["add_plan", "calibrations"]


def add_plan(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command(context_settings=OPEN_ENDED)(plan)


def calibrations() -> Path:
    """Where speeds that were measured on this machine are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mathquorum" / "calibrations"


def plan(
    context: typer.Context,
    recipe: Annotated[str, typer.Argument(help="As for run: paper, demo, study, sample, score, train-generator, ...")],
    size: Annotated[
        str | None,
        typer.Option(help="With study: small, full or own. Default: own where settings are given, else small."),
    ] = None,
    config: Config = None,
    out: Annotated[Path | None, typer.Option(help="Run directory. Default: runs/RECIPE.")] = None,
    source: From = None,
    assume: Annotated[
        str | None,
        typer.Option(
            help="What is not here to be looked at: a YAML file, or '{sizes: {problems.test: 500}, prompt_price: 0.1}'. "
            "docs/scale.md has all."
        ),
    ] = None,
    calibration: Annotated[
        bool, typer.Option(help="Measure each model here for some seconds, unless that was done before.")
    ] = True,
    commands: Annotated[
        bool, typer.Option("--commands", help="Print one shell command for each stage instead.")
    ] = False,
    shards: Annotated[int, typer.Option(min=1, help="With --commands: parts of sampling and scoring.")] = 1,
    stages: Annotated[
        bool, typer.Option("--stages", help="A line for each stage, where they are more than twelve.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tokens, calls, memory, disk, time and price of a recipe: together, by kind of work, and of each stage. Nothing is trained or sampled."""
    from rich.console import Console

    from mathquorum.cli.following import dry_run, settings_of
    from mathquorum.cli.planned import plan_json, show_plan, workers_of
    from mathquorum.config import build, read_mapping
    from mathquorum.planning.assumptions import Assumptions
    from mathquorum.planning.commands import commands_of
    from mathquorum.planning.plan import make_plan

    if recipe == "study":
        recipe = study_of(size or ("own" if config or context.args else "small"))
    elif size:
        raise SettingsError(f"--size goes with study, not with {recipe}.")
    settings = settings_of(recipe, config, context.args)
    assumed = build(Assumptions, read_mapping(assume, "--assume") if assume else {})
    directory = out or Path("runs") / recipe
    dry = dry_run(recipe, settings, directory, source, on_paper=True)
    if commands:
        given = [recipe, *(["--config", str(config)] if config else []), *context.args, "--out", str(directory)]
        for line in commands_of(dry.plan, given, directory, shards):
            typer.echo(line)
        return
    if shards > 1:
        raise SettingsError("--shards goes with --commands.")
    found = make_plan(dry.plan, directory, assumed, workers_of(settings), calibrations(), calibration)
    if as_json:
        typer.echo(json.dumps(plan_json(found)))
        return
    show_plan(found, dry.plan, Console(), one_by_one=stages)
