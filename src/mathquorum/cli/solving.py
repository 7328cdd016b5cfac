"""`mathquorum solve`: one problem, or a file of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mathquorum.cli.arguments import unmarked
from mathquorum.cli.prompting import Instruction, Style, System, Template, Thinking
from mathquorum.cli.quorums import EvaluatorOption, NumCandidates, PoolOption, ScorerOption, StrategyOption, quorum_of
from mathquorum.errors import SettingsError, visible, visible_lines

if TYPE_CHECKING:
    from mathquorum.datasets.source import Source
    from mathquorum.processes import Tell
    from mathquorum.records import Problem
    from mathquorum.solving import Solved
    from mathquorum.solving.settings import Quorum
    from mathquorum.stopping.supply import StoppingRule

__all__ = ["NO_ANSWER", "add_solve"]

NO_ANSWER = 3
"""The exit code when no candidate of any problem had an answer."""
_SHOWN = 8  # clusters in a terminal


def add_solve(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(solve)


def solve(
    context: typer.Context,
    problem: Annotated[
        str,
        typer.Argument(help="The problem's text, - for standard input, or problems: a file, folder or DATASET:PATH."),
    ],
    model: Annotated[
        str | None, typer.Option(help="Generator: folder, hub id or run. Default: the embedded model, a toy.")
    ] = None,
    evaluator: EvaluatorOption = None,
    scorer: ScorerOption = None,
    pool: PoolOption = None,
    num_candidates: NumCandidates = None,
    strategy: StrategyOption = None,
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
    style: Style = None,
    template: Template = None,
    system: System = None,
    instruction: Instruction = None,
    thinking: Thinking = None,
    temperature: Annotated[float | None, typer.Option(help="Default: 0.9.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Default: 0.95.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Of each candidate. Default: 512.")] = None,
    seed: Annotated[int | None, typer.Option(help="Default: 0.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many problems of a file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Of a file of problems: where answers go. Default: NAME.solved.jsonl")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer as JSON; of a file, a line for each.")
    ] = False,
) -> None:
    """Solve one problem, or every problem of a file, by sampling, clustering and choosing.

    Further settings as --engine.kind server --engine.url URL. A file's answers are written one by one: the same command goes on after a
    stop. Exit codes: 0 answered, 1 failed, 2 misuse, 3 no candidate had an answer, 130 stopped.
    """
    from mathquorum.config import merge, parse_overrides

    if problem.startswith("--"):
        raise SettingsError(f"Give the problem first, then its settings. Got {problem!r} in its place.")
    posed = _posed(problem)
    if isinstance(posed, str) and (out or limit):
        raise SettingsError("--out and --limit go with a file of problems. Leave them out.")
    sampling = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
    prompt = {"template": template, "system": system, "instruction": instruction, "thinking": thinking}
    given = {
        "evaluator": evaluator,
        "scorer": scorer,
        "num_candidates": num_candidates,
        "strategy": strategy,
        "style": style,
        "seed": seed,
    }
    options = {**given, "sampling": sampling, "prompt": prompt}
    quorum = quorum_of(model, pool, merge(options, parse_overrides(context.args)))
    rule = _rule(stop, strategy, outlook, quorum)
    name = (rule or quorum.chooser).name
    if isinstance(posed, str):
        _solve_one(posed, quorum, rule, name, as_json)
    else:
        _solve_file(posed, limit, out, quorum, rule, name, as_json)


def _posed(problem: str) -> str | Source:
    """The text of a problem, or where problems are."""
    from mathquorum.solving.problems import source_of

    text = sys.stdin.read() if problem == "-" else unmarked(problem)
    if not text.strip():
        raise SettingsError("The problem is empty. Give its text, or - to read it from standard input.")
    return text.strip() if problem == "-" else source_of(text) or text.strip()


def _rule(stop: str | None, strategy: str | None, outlook: Path | None, quorum: Quorum) -> StoppingRule | None:
    from mathquorum.stopping.outlook import read_outlook
    from mathquorum.stopping.rules import stopping_rule

    if stop and strategy:
        raise SettingsError("--stop and --strategy were both given. A stopping rule chooses itself: leave one out.")
    if outlook and not stop:
        raise SettingsError(
            "--outlook was given without --stop. Give --stop sure or --stop worthwhile, or leave it out."
        )
    known = read_outlook(outlook) if outlook else None
    rule = stopping_rule(stop, quorum.num_candidates, known) if stop else None
    if rule and rule.needs_scores != quorum.scored:
        wants = "asks for scores: give --evaluator" if rule.needs_scores else "only votes: leave --evaluator out"
        raise SettingsError(
            f"--stop {stop} {wants}, or take another rule (settled, sure, worthwhile: scores; adaptive, early: votes)."
        )
    return rule


def _method(quorum: Quorum, rule: StoppingRule | None, tell: Tell) -> Callable[[Problem], Solved]:
    """What answers a problem."""
    from mathquorum.solving import solve as whole
    from mathquorum.solving import solve_sparingly

    generator, judge = quorum.open()
    options: Any = {
        "num_candidates": quorum.num_candidates,
        "sampling": quorum.sampling,
        "style": quorum.style,
        "wording": quorum.prompt,
        "seed": quorum.seed,
        "tell": tell,
    }
    if rule:
        return lambda problem: solve_sparingly(problem, generator, rule, judge, **options)
    return lambda problem: whole(problem, generator, quorum.chooser, judge, **options)


# --- one problem ------------------------------------------------------------------------------------------------------


def _solve_one(text: str, quorum: Quorum, rule: StoppingRule | None, name: str, as_json: bool) -> None:
    from mathquorum.cli.sampling_progress import SamplingProgress
    from mathquorum.records import Problem
    from mathquorum.solving.verdict import solved_json

    with SamplingProgress() as progress:
        solved = _method(quorum, rule, progress.tell)(Problem("problem", text))
    held = solved_json(solved, name)
    if as_json:
        typer.echo(json.dumps(held))
    else:
        _show(held)
    if solved.chosen is None:
        raise typer.Exit(NO_ANSWER)


def _show(held: dict[str, Any]) -> None:
    number = held["num_candidates"]
    if held["answer"] is None:
        typer.echo(f"No answer: none of the {number} candidates ended in one.")
    else:
        typer.echo(
            f"{visible_lines(held['solution'])}\n\nAnswer: {visible(held['answer'])}   ({held['strategy']}, {number} candidates)"
        )
    for note in held["notes"]:
        typer.echo(note)
    for row in held["clusters"][:_SHOWN]:
        score = "" if row["score"] is None else f"   score {row['score']:.2f}, mean {row['mean_score']:.2f}"
        typer.echo(f"  {row['votes']:4d} x {visible(row['answer'])}{score}")
    if len(held["clusters"]) > _SHOWN:
        typer.echo(f"  and {len(held['clusters']) - _SHOWN} other answers")
    if held["num_answered"] < number and held["answer"] is not None:
        typer.echo(f"  {number - held['num_answered']:4d} without an answer")


# --- many problems ----------------------------------------------------------------------------------------------------


def _solve_file(
    source: Source,
    limit: int | None,
    out: Path | None,
    quorum: Quorum,
    rule: StoppingRule | None,
    name: str,
    as_json: bool,
) -> None:
    from mathquorum.cli.sampling_progress import SamplingProgress
    from mathquorum.solving.problems import answers_file, problems_of, solve_problems

    place = out or answers_file(source)
    problems = problems_of(source, limit)
    settings = {**quorum.model_dump(mode="json"), "stop": rule.name if rule else None}
    typer.echo(f"{len(problems)} problems; answers go to {place}", err=True)
    with SamplingProgress() as progress:
        answer = _method(quorum, rule, progress.tell)
        for standing, row in solve_problems(problems, answer, name, place, settings):
            progress.problems(standing.num_done, standing.num_problems)
            if row:
                progress.say(json.dumps(row) if as_json else _line(row))
            elif standing.num_done:
                typer.echo(f"{standing.num_done} are done already", err=True)
    typer.echo(standing.words(), err=as_json)
    if not standing.num_answered:
        raise typer.Exit(NO_ANSWER)


def _line(row: dict[str, Any]) -> str:
    name = visible(row["problem_id"])
    if row["answer"] is None:
        return f"{name}: no answer"
    votes = next(cluster["votes"] for cluster in row["clusters"] if cluster["chosen"])
    tie = f", a {row['num_tied']}-way tie" if row["num_tied"] > 1 else ""
    graded = (
        "" if row["correct"] is None else ", correct" if row["correct"] else f", wrong: {visible(row['reference'])}"
    )
    return f"{name}: {visible(row['answer'])} ({votes} of {row['num_candidates']}{tie}{graded})"
