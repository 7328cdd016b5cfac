"""`mathquorum run`, and recipes that are commands of their own: `demo` and `study`."""

from __future__ import annotations

from typing import Annotated

import typer

from mathquorum.cli.options import OPEN_ENDED, Config, Json, Out, Show
from mathquorum.cli.parts import ClusterOption, From, Only, ShardOption
from mathquorum.errors import SettingsError

__all__ = ["add_running", "study_of"]


def add_running(app: typer.Typer) -> None:
    """Gives the command line these commands."""
    app.command(context_settings=OPEN_ENDED)(run)
    app.command(context_settings=OPEN_ENDED)(demo)
    app.command(context_settings=OPEN_ENDED)(study)


def run(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="paper, measure, demo, study-small, study-full, study, mini-base or tiny-base.")
    ],
    config: Config = None,
    out: Out = None,
    source: From = None,
    only: Only = None,
    shard: ShardOption = None,
    cluster: ClusterOption = None,
    show: Show = False,
    as_json: Json = False,
) -> None:
    """Run a recipe, or what is left of it. Any setting: --sampling.temperature 0.7"""
    from mathquorum.cli.following import Part, follow

    follow(
        recipe, config, context.args, out, show=show, as_json=as_json, part=Part(source, only, shard), cluster=cluster
    )


def demo(
    context: typer.Context,
    config: Config = None,
    out: Out = None,
    cluster: ClusterOption = None,
    show: Show = False,
    as_json: Json = False,
) -> None:
    """The paper's whole method on the embedded model, in minutes on a laptop. The same as: run demo"""
    from mathquorum.cli.following import follow

    follow("demo", config, context.args, out, show=show, as_json=as_json, cluster=cluster)


def study(
    context: typer.Context,
    size: Annotated[
        str, typer.Option(help="small (about an hour on two cores), full (a night), or own: your models and data.")
    ] = "small",
    config: Config = None,
    out: Out = None,
    cluster: ClusterOption = None,
    show: Show = False,
    as_json: Json = False,
) -> None:
    """Every table of the paper, with its claims checked and the controls that it lacks."""
    from mathquorum.cli.following import follow

    follow(study_of(size), config, context.args, out, show=show, as_json=as_json, cluster=cluster)


def study_of(size: str) -> str:
    """The recipe of a study of that size.

    Raises:
        SettingsError: If there is none.
    """
    recipes = {"small": "study-small", "full": "study-full", "own": "study"}
    if size not in recipes:
        raise SettingsError(f"--size must be small, full or own. Got {size!r} instead.")
    return recipes[size]
