"""`mathquorum vote`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mathquorum.cli.options import Json

__all__ = ["add_vote"]


def add_vote(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command()(vote)


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
        str | None,
        typer.Option(
            help="For example maj1,w.rr,rr.top8, and your own as mypkg.votes:Shrunk(strength=2). Default: all that fit."
        ),
    ] = None,
    scorer: Annotated[
        str | None, typer.Option(help="A scorer of your own, mypkg.scores:Mine, in place of the scores in the files.")
    ] = None,
    answers: Annotated[str, typer.Option(help="extract, given or extract_or_given.")] = "extract_or_given",
    step_scores: Annotated[str, typer.Option(help="How step scores become one: product, min or last.")] = "last",
    out: Annotated[Path | None, typer.Option(help="Write every problem's clusters and choices: picks.jsonl")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the report into this folder: report.html, report.md and results.json")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cluster, vote and re-rank solutions that you already have. Needs no references, no model and no torch."""
    from rich.console import Console
    from rich.text import Text

    from mathquorum.config.calls import given_list
    from mathquorum.datasets.sample_columns import parse_columns
    from mathquorum.store import write_rows
    from mathquorum.voting.measured import measure_run, measure_samples, measured_json
    from mathquorum.voting.picks import pick_json
    from mathquorum.voting.runs import is_run
    from mathquorum.voting.shown import renderables

    names = given_list(strategies) if strategies else None
    mapping = parse_columns(columns) if columns else None
    if len(samples) == 1 and is_run(samples[0]):
        pools = measure_run(samples[0], names, scorer=scorer)
    else:
        title = ", ".join(path.name for path in samples)
        pools = {
            title: measure_samples(
                samples, problems, names, columns=mapping, answers=answers, step_scores=step_scores, scorer=scorer
            )
        }
    alone = len(pools) == 1
    if out:
        rows = ({**({} if alone else {"pool": name}), **pick_json(p)} for name, m in pools.items() for p in m.picks)
        write_rows(out, rows)
    if report:
        from mathquorum.voting.page import write_report

        write_report(pools, [*samples, *([problems] if problems else [])], report)
    if as_json:
        found = {name: measured_json(measured) for name, measured in pools.items()}
        typer.echo(json.dumps(next(iter(found.values())) if alone else {"pools": found}))
        return
    console = Console()
    hint = f": {out}" if out else ": --out picks.jsonl writes all"
    for name, measured in pools.items():
        for part in renderables(measured, name, hint):
            console.print(part, soft_wrap=isinstance(part, Text))
    if report:
        console.print(Text(f"Report: {report / 'report.html'}"), soft_wrap=True)
