"""`mathquorum serve`: an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from mathquorum.cli.prompting import Instruction, Style, System, Template, Thinking
from mathquorum.cli.quorums import EvaluatorOption, NumCandidates, PoolOption, ScorerOption, StrategyOption, quorum_of
from mathquorum.errors import SettingsError, visible

__all__ = ["add_serve"]


def add_serve(app: typer.Typer) -> None:
    """Gives the command line this command."""
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(serve)


def serve(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(help="A run, or a generator: folder or hub id. Default: the embedded model, a toy.")
    ] = None,
    evaluator: EvaluatorOption = None,
    scorer: ScorerOption = None,
    pool: PoolOption = None,
    num_candidates: NumCandidates = None,
    strategy: StrategyOption = None,
    style: Style = None,
    template: Template = None,
    system: System = None,
    instruction: Instruction = None,
    thinking: Thinking = None,
    host: Annotated[str | None, typer.Option(help="Default: 127.0.0.1. Any other than loopback needs a key.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: 8000. 0 takes a free one.")] = None,
    name: Annotated[str | None, typer.Option(help="The model's name for clients. Default: its folder's.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Serve the generator alone, without the quorum.")] = False,
) -> None:
    """Serve the quorum's choice by the OpenAI protocol: chat and completions, under /v1.

    NAME:raw is the generator alone. A key in MATHQUORUM_API_KEY is asked of every client. Further settings as --limits.requests 32,
    --turn 8, --sampling.max_tokens 1024, --engine.kind server --engine.url URL. docs/serve.md has all of them.
    """
    from mathquorum.config import build, merge, parse_overrides
    from mathquorum.serving.settings import Listening

    try:
        from mathquorum.serving.running import Server
    except ModuleNotFoundError as error:
        raise SettingsError(f"serve needs {error.name}: pip install 'mathquorum[serve]'.") from error
    words = list(context.args)
    if model is not None and model.startswith("--"):  # no model, and settings that only we know
        words, model = [model, *words], None
    further = parse_overrides(words)
    ours = {key: further.pop(key) for key in list(further) if key in Listening.model_fields}
    options = {"host": host, "port": port, "name": name, "raw": raw}
    listening = build(Listening, merge({key: value for key, value in options.items() if value is not None}, ours))
    prompt = {"template": template, "system": system, "instruction": instruction, "thinking": thinking}
    given = {
        "evaluator": evaluator,
        "scorer": scorer,
        "num_candidates": num_candidates,
        "strategy": strategy,
        "style": style,
    }
    quorum = quorum_of(model, pool, merge({**given, "prompt": prompt}, further))

    server = Server(quorum, listening, lambda line: typer.echo(visible(line), err=True))
    if server.notice:
        typer.echo(server.notice, err=True)
    how = (
        "the generator alone"
        if raw
        else f"{quorum.num_candidates} candidates, {server.strategy}; {server.name}:raw is the generator alone"
    )
    typer.echo(f"Serving {server.name} at {server.url} ({how}). Ctrl-C stops.", err=True)
    server.run()
    typer.echo("Stopped.", err=True)
