"""The command line: a thin door to recipes and to single answers.

Heavy packages are imported inside the commands that need them, so that help answers at once and `vote` and `grade` never
load torch.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from mathquorum.cli.parts import ClusterOption, From, Only, ShardOption, add_parts
from mathquorum.errors import MathquorumError, SettingsError

__all__ = ["app", "arguments_of", "main"]

app = typer.Typer(
    name="mathquorum",
    help="Fine-tune on step-by-step solutions, sample many, cluster by equivalent answers, vote and re-rank.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_OPEN_ENDED = {"allow_extra_args": True, "ignore_unknown_options": True}

_Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
_Out = Annotated[Path | None, typer.Option(help="Run directory. Default: runs/RECIPE.")]
_Show = Annotated[bool, typer.Option("--show", help="Print the settings and the plan, and stop.")]


_ARGUMENT = "\x00"  # before an argument that begins like an option


def _unmarked(text: str) -> str:
    return text.removeprefix(_ARGUMENT)


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


_Template = Annotated[str, typer.Option(help="plain, or chat for the model's own chat template.")]
_System = Annotated[str | None, typer.Option(help="System message of a chat.")]
_Instruction = Annotated[
    str | None,
    typer.Option(
        help="Said after the problem. Default: in a chat, to reason and to box the answer; in plain text, nothing."
    ),
]
_Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="For chat templates that know enable_thinking.")
]
_Style = Annotated[str | None, typer.Option(help="Style tag of the prompt.")]


@app.command()
def prompt(
    model: Annotated[str, typer.Option(help="Folder, hub id, GGUF file or adapter.")],
    problem: Annotated[str, typer.Option(help="The problem's text.")] = "What is $2+3$?",
    solution: Annotated[
        str | None, typer.Option(help="Show the evaluator's question about this solution instead.")
    ] = None,
    style: _Style = None,
    template: _Template = "plain",
    system: _System = None,
    instruction: _Instruction = None,
    thinking: _Thinking = None,
) -> None:
    """Print what a model is shown for one problem, exactly, with its special tokens."""
    wording = _wording(template, system, instruction, thinking)
    from mathquorum.models import check_model, load_codec

    check_model(model, wording)
    shown = wording.generator(problem, style) if solution is None else wording.evaluator(problem, solution)
    typer.echo(load_codec(model, wording).exactly(shown))


def _wording(template: str, system: str | None, instruction: str | None, thinking: bool | None) -> Any:
    from mathquorum.config import build
    from mathquorum.prompts import Prompt

    given = {"template": template, "system": system, "instruction": instruction, "thinking": thinking}
    return build(Prompt, given)


@app.command()
def solve(
    problem: Annotated[str, typer.Argument(help="The problem's text, or - for standard input.")],
    model: Annotated[str | None, typer.Option(help="Generator: folder or hub id. Default: the embedded model.")] = None,
    evaluator: Annotated[str | None, typer.Option(help="Evaluator: folder or hub id.")] = None,
    num_candidates: Annotated[int, typer.Option("--num-candidates", "-n", min=1)] = 64,
    strategy: Annotated[str | None, typer.Option(help="Default: w.rr with an evaluator, else maj1.")] = None,
    stop: Annotated[
        str | None,
        typer.Option(
            help="Sample and score only until the choice is clear: settled (w.rr exactly), sure (w.rr, until a change is "
            "10% likely at most), worthwhile (w.rr, until going on would gain less than 1%), adaptive or early (vote)."
        ),
    ] = None,
    outlook: Annotated[
        Path | None,
        typer.Option(
            help="outlook.json of a study's report, measured on its validation problems, for sure and worthwhile."
        ),
    ] = None,
    style: _Style = None,
    template: _Template = "plain",
    system: _System = None,
    instruction: _Instruction = None,
    thinking: _Thinking = None,
    temperature: Annotated[float, typer.Option(min=0.0)] = 0.9,
    top_p: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.95,
    max_tokens: Annotated[int, typer.Option(min=1)] = 512,
    seed: int = 0,
    as_json: _Json = False,
) -> None:
    """Solve one problem by sampling, clustering and choosing."""
    from mathquorum.config import build
    from mathquorum.engines.base import Sampling
    from mathquorum.selection import strategy as named
    from mathquorum.stopping.outlook import read_outlook
    from mathquorum.stopping.rules import stopping_rule

    if stop and strategy:
        raise SettingsError("--stop and --strategy were both given. A stopping rule chooses itself: leave one out.")
    if outlook and not stop:
        raise SettingsError(
            "--outlook was given without --stop. Give --stop sure or --stop worthwhile, or leave it out."
        )
    known = read_outlook(outlook) if outlook else None
    rule = stopping_rule(stop, num_candidates, known) if stop else None
    if rule and rule.needs_scores != bool(evaluator):
        wants = "asks for scores: give --evaluator" if rule.needs_scores else "only votes: leave --evaluator out"
        raise SettingsError(
            f"--stop {stop} {wants}, or take another rule (settled, sure, worthwhile: scores; adaptive, early: votes)."
        )
    chooser = named(strategy or ("w.rr" if evaluator else "maj1"))
    sampling = build(Sampling, {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens})
    text = sys.stdin.read() if problem == "-" else _unmarked(problem)
    if not text.strip():
        raise SettingsError("The problem is empty. Give its text, or - to read it from standard input.")

    from mathquorum import solve as method
    from mathquorum.assets import tiny_base_path
    from mathquorum.engines.opening import open_engines
    from mathquorum.records import Problem

    wording = _wording(template, system, instruction, thinking)
    generator, judge = open_engines(model or str(tiny_base_path()), evaluator, wording)
    posed = Problem("problem", text.strip())
    options: Any = {
        "num_candidates": num_candidates,
        "sampling": sampling,
        "style": style,
        "wording": wording,
        "seed": seed,
    }
    if rule:
        solved = method.solve_sparingly(posed, generator, rule, judge, **options)
    else:
        solved = method.solve(posed, generator, chooser, judge, **options)
    _show_solved(solved, rule.name if rule else chooser.name, as_json)


def _show_solved(solved: Any, strategy: str, as_json: bool) -> None:
    clusters = [
        {
            "answer": cluster.answer,
            "votes": len(cluster.members),
            "score": _mean([solved.scores[i] for i in cluster.members if i in solved.scores]),
        }
        for cluster in solved.clusters
    ]
    chosen = solved.chosen
    solution = solved.candidates[chosen.members[0]].text if chosen else None
    if as_json:
        answer = chosen.answer if chosen else None
        typer.echo(json.dumps({"answer": answer, "strategy": strategy, "clusters": clusters, "solution": solution}))
        return
    if chosen is None:
        typer.echo(f"No answer: none of the {len(solved.candidates)} candidates ended in one.")
        return
    typer.echo(f"{solution}\n\nAnswer: {chosen.answer}   ({strategy}, {len(solved.candidates)} candidates)")
    for row in clusters[:8]:
        score = "" if row["score"] is None else f"   mean score {row['score']:.2f}"
        typer.echo(f"  {row['votes']:4d} x {row['answer']}{score}")
    if len(clusters) > 8:
        typer.echo(f"  and {len(clusters) - 8} other answers")


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


@app.command()
def grade(
    gold: Annotated[str, typer.Argument(help="The reference answer.")],
    answer: Annotated[str, typer.Argument(help="An answer, or a text that holds one.")],
    as_json: _Json = False,
) -> None:
    """Is the answer right, and by which rule? Exit code 0 when it is, 1 when it is not."""
    from mathquorum.answers.equivalence import explain_match

    verdict = explain_match(_unmarked(gold), _unmarked(answer))
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


_NEGATIVE = re.compile(r"-(?=[\d.,(\[{\\$∞π]|[a-zA-Z]\b(?!$))")
"""What begins an answer or a problem and no option: -5, -x+1, -\\frac12."""


def arguments_of(words: Sequence[str]) -> list[str]:
    """The command line as click is to read it: what is mathematics and no option is marked as an argument, in `grade` and `solve`.

    Example:
        >>> arguments_of(["grade", "-5", "5", "--json"])
        ['grade', '\\x00-5', '5', '--json']
    """
    if not words or words[0] not in ("grade", "solve"):
        return list(words)
    found = [words[0]]
    for before, word in pairwise(words):
        takes = before.startswith("--") and "=" not in before and before != "--json"
        found.append(_ARGUMENT + word if _NEGATIVE.match(word) and not takes else word)
    return found


def main() -> None:
    """The `mathquorum` command. Exit codes: 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C."""
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
