"""Commands for parts of a recipe: one stage alone, and shards put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mathquorum.cli.options import OPEN_ENDED, Config, Out, Show
from mathquorum.errors import SettingsError, suggest

__all__ = ["ClusterOption", "From", "Only", "ShardOption", "add_parts"]

From = Annotated[
    Path | None,
    typer.Option("--from", help="An earlier run: results of the same stages, settings and inputs are taken over."),
]
Only = Annotated[str | None, typer.Option(help="One stage of the recipe; what it reads must be there.")]
ShardOption = Annotated[
    str | None, typer.Option(help="A part of a sampling or scoring stage: 3/16 is the third of sixteen.")
]

ClusterOption = Annotated[
    str | None,
    typer.Option(help="Ray cluster to share the work among: auto, or HOST:PORT. Changes no byte of the results."),
]


def add_parts(app: typer.Typer) -> None:
    """Gives the command line these commands."""
    for command in (prepare, sample, score, train, gather):
        app.command(context_settings=OPEN_ENDED)(command)


def prepare(context: typer.Context, config: Config = None, out: Out = None, show: Show = False) -> None:
    """Problems and solutions from datasets: --sources math:math500.jsonl. Writes problems/problems.jsonl and labeled.jsonl."""
    from mathquorum.cli.following import follow

    follow("prepare", config, context.args, out, show=show, as_json=False)


def sample(
    context: typer.Context,
    config: Config = None,
    out: Out = None,
    source: From = None,
    shard: ShardOption = None,
    cluster: ClusterOption = None,
    show: Show = False,
) -> None:
    """Sample candidates: --problems problems.jsonl --model MODEL --num-candidates 64. Writes candidates/candidates.jsonl.

    A higher --num-candidates in the same directory, or --from another, keeps those that are there. All settings: mathquorum settings
    sample.
    """
    from mathquorum.cli.following import Part, follow

    follow(
        "sample", config, context.args, out, show=show, as_json=False, part=Part(source, shard=shard), cluster=cluster
    )


def score(
    context: typer.Context,
    config: Config = None,
    out: Out = None,
    source: From = None,
    shard: ShardOption = None,
    cluster: ClusterOption = None,
    show: Show = False,
) -> None:
    """Score candidates: --problems problems.jsonl --candidates candidates.jsonl --model EVALUATOR. Writes scores/scores.jsonl.

    Without --model by the generator's own likelihood. All settings: mathquorum settings score.
    """
    from mathquorum.cli.following import Part, follow

    follow(
        "score", config, context.args, out, show=show, as_json=False, part=Part(source, shard=shard), cluster=cluster
    )


def train(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="generator or evaluator.")],
    config: Config = None,
    out: Annotated[Path | None, typer.Option(help="Run directory. Default: runs/train-WHAT.")] = None,
    source: From = None,
    cluster: ClusterOption = None,
    show: Show = False,
) -> None:
    """Train a generator: --model BASE --data labeled.jsonl; or an evaluator: --data, or --problems and --candidates to be graded.

    Writes generator/model or evaluator/model. All settings: mathquorum settings train-generator, or train-evaluator.
    """
    from mathquorum.cli.following import Part, follow

    kinds = ("generator", "evaluator")
    if what not in kinds:
        raise SettingsError(f"There is no training of {what!r}. {suggest(what, kinds)}")
    follow(f"train-{what}", config, context.args, out, show=show, as_json=False, part=Part(source), cluster=cluster)


def gather(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="The recipe or command whose stage was made in shards: paper, sample, score.")
    ],
    config: Config = None,
    out: Out = None,
    only: Only = None,
) -> None:
    """Put the shards of a sampling or scoring stage together, given the settings that they were made with: the bytes of one process."""
    from mathquorum.cli.following import Part, follow

    follow(recipe, config, context.args, out, show=False, as_json=False, part=Part(only=only, gather=True))
