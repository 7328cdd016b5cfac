"""The command line: a thin door to recipes and to single answers.

Heavy packages are imported inside the commands that need them, so that help answers at once and `vote` and `grade` never
load torch.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from mathquorum.cli.arguments import arguments_of, unmarked
from mathquorum.cli.parts import ClusterOption, From, Only, ShardOption, add_parts
from mathquorum.cli.prompting import Instruction, Style, System, Template, Thinking, wording_of
from mathquorum.cli.solving import add_solve
from mathquorum.errors import MathquorumError, SettingsError

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
_OPEN_ENDED = {"allow_extra_args": True, "ignore_unknown_options": True}

_Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
_Out = Annotated[Path | None, typer.Option(help="Run directory. Default: runs/RECIPE.")]
_Show = Annotated[bool, typer.Option("--show", help="Print the settings and the plan, and stop.")]


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


@app.command(context_settings=_OPEN_ENDED)
def run(
    context: typer.Context,
    recipe: Annotated[str, typer.Argument(help="paper, demo, study-small, study-full, study, mini-base or tiny-base.")],
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    out: _Out = None,
    source: From = None,
    only: Only = None,
    shard: ShardOption = None,
    cluster: ClusterOption = None,
    show: _Show = False,
    as_json: _Json = False,
) -> None:
    """Run a recipe, or what is left of it. Any setting: --sampling.temperature 0.7"""
    from mathquorum.cli.following import Part, follow

    follow(
        recipe, config, context.args, out, show=show, as_json=as_json, part=Part(source, only, shard), cluster=cluster
    )


@app.command(context_settings=_OPEN_ENDED)
def demo(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    out: _Out = None,
    cluster: ClusterOption = None,
    show: _Show = False,
    as_json: _Json = False,
) -> None:
    """The paper's whole method on the embedded model, in minutes on a laptop. The same as: run demo"""
    from mathquorum.cli.following import follow

    follow("demo", config, context.args, out, show=show, as_json=as_json, cluster=cluster)


@app.command(context_settings=_OPEN_ENDED)
def study(
    context: typer.Context,
    size: Annotated[
        str, typer.Option(help="small (about an hour on two cores), full (a night), or own: your models and data.")
    ] = "small",
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    out: _Out = None,
    cluster: ClusterOption = None,
    show: _Show = False,
    as_json: _Json = False,
) -> None:
    """Every table of the paper, with its claims checked and the controls that it lacks."""
    from mathquorum.cli.following import follow

    recipes = {"small": "study-small", "full": "study-full", "own": "study"}
    if size not in recipes:
        raise SettingsError(f"--size must be small, full or own. Got {size!r} instead.")
    follow(recipes[size], config, context.args, out, show=show, as_json=as_json, cluster=cluster)


@app.command()
def settings(
    recipe: Annotated[str, typer.Argument(help="paper, demo, study-small, study-full, study, mini-base or tiny-base.")],
) -> None:
    """List every setting of a recipe with its default and meaning."""
    from mathquorum.cli.following import list_settings

    list_settings(recipe)


@app.command()
def vote(
    samples: Annotated[
        list[Path], typer.Argument(help="Files with several solutions per problem, - for standard input, or a run.")
    ],
    problems: Annotated[
        Path | None, typer.Option(help="Where texts and reference answers are, joined by id or by text.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Which column holds what: problem=question,reference=answer,samples=outputs")
    ] = None,
    strategies: Annotated[
        str | None, typer.Option(help="For example maj1,w.rr,rr.top8. Default: all that fit.")
    ] = None,
    answers: Annotated[str, typer.Option(help="extract, given or extract_or_given.")] = "extract_or_given",
    step_scores: Annotated[str, typer.Option(help="How step scores become one: product, min or last.")] = "last",
    out: Annotated[Path | None, typer.Option(help="Write every problem's clusters and choices: picks.jsonl")] = None,
    as_json: _Json = False,
) -> None:
    """Cluster, vote and re-rank solutions that you already have. Needs no references, no model and no torch."""
    from rich.console import Console
    from rich.text import Text

    from mathquorum.datasets.sample_columns import parse_columns
    from mathquorum.store import write_rows
    from mathquorum.vote.measured import measure_run, measure_samples, measured_json
    from mathquorum.vote.picks import pick_json
    from mathquorum.vote.runs import is_run
    from mathquorum.vote.shown import renderables

    names = strategies.split(",") if strategies else None
    mapping = parse_columns(columns) if columns else None
    if len(samples) == 1 and is_run(samples[0]):
        pools = measure_run(samples[0], names)
    else:
        title = ", ".join(path.name for path in samples)
        pools = {
            title: measure_samples(samples, problems, names, columns=mapping, answers=answers, step_scores=step_scores)
        }
    alone = len(pools) == 1
    if out:
        rows = ({**({} if alone else {"pool": name}), **pick_json(p)} for name, m in pools.items() for p in m.picks)
        write_rows(out, rows)
    if as_json:
        found = {name: measured_json(measured) for name, measured in pools.items()}
        typer.echo(json.dumps(next(iter(found.values())) if alone else {"pools": found}))
        return
    console = Console()
    hint = f": {out}" if out else ": --out picks.jsonl writes all"
    for name, measured in pools.items():
        for part in renderables(measured, name, hint):
            console.print(part, soft_wrap=isinstance(part, Text))


@app.command()
def prompt(
    model: Annotated[str, typer.Option(help="Folder, hub id, GGUF file or adapter.")],
    problem: Annotated[str, typer.Option(help="The problem's text.")] = "What is $2+3$?",
    solution: Annotated[
        str | None, typer.Option(help="Show the evaluator's question about this solution instead.")
    ] = None,
    style: Style = None,
    template: Template = None,
    system: System = None,
    instruction: Instruction = None,
    thinking: Thinking = None,
) -> None:
    """Print what a model is shown for one problem, exactly, with its special tokens."""
    wording = wording_of(template, system, instruction, thinking)
    from mathquorum.models import check_model, load_codec

    check_model(model, wording)
    shown = wording.generator(problem, style) if solution is None else wording.evaluator(problem, solution)
    typer.echo(load_codec(model, wording).exactly(shown))


@app.command()
def grade(
    gold: Annotated[str, typer.Argument(help="The reference answer.")],
    answer: Annotated[str, typer.Argument(help="An answer, or a text that holds one.")],
    as_json: _Json = False,
) -> None:
    """Is the answer right, and by which rule? Exit code 0 when it is, 1 when it is not."""
    from mathquorum.answers.equivalence import explain_match

    verdict = explain_match(unmarked(gold), unmarked(answer))
    typer.echo(json.dumps({"equal": verdict.equal, "rule": verdict.rule}) if as_json else str(verdict))
    raise typer.Exit(0 if verdict.equal else 1)


@app.command()
def memory(
    model: Annotated[str, typer.Argument(help="Folder, hub id, GGUF file, adapter's folder or BASE+ADAPTER.")],
    tokens: Annotated[int, typer.Option(min=1, help="Of one forward pass in training.")] = 2048,
    rows: Annotated[int, typer.Option(min=1, help="Candidates sampled together.")] = 64,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of each candidate.")] = 512,
    as_json: _Json = False,
) -> None:
    """What a model's name is read as, and the memory that its uses would take. Nothing is loaded."""
    from mathquorum.footprint import gigabytes, loading_notice, memory_of, peaks
    from mathquorum.models import Hardware

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


@app.command()
def merge(
    model: Annotated[str, typer.Argument(help="An adapter's folder, or BASE+ADAPTER.")],
    out: Annotated[Path, typer.Option(help="Folder for the whole model; it must not exist.")],
) -> None:
    """Add a LoRA adapter's change to its base's weights, and save a model like any other."""
    from mathquorum.models import merge_adapter

    merge_adapter(model, out)
    typer.echo(f"Merged into {out}.")


@app.command()
def version() -> None:
    """Print the versions that a bug report should name."""
    from mathquorum.run import library_versions

    for library, number in library_versions().items():
        typer.echo(f"{library} {number}")


add_parts(app)
add_solve(app)


def main() -> None:
    """The `mathquorum` command.

    Exit codes: 0 done, 1 failed (of `grade`: not equal), 2 misuse, 3 no answer (of `solve`), 130 stopped by Ctrl-C.
    """
    try:
        app(arguments_of(sys.argv[1:]))
    except MathquorumError as error:
        typer.echo(f"mathquorum: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != 130:  # which typer makes of Ctrl-C, without a word
            raise
        typer.echo("\nStopped. Run the same command again to continue.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as in `mathquorum vote ... | head -1`
        sys.stderr.close()
        sys.exit(1)
