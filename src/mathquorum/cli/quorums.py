"""Options that say who is asked and how the answer is chosen, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mathquorum.errors import SettingsError, suggest, visible

if TYPE_CHECKING:
    from mathquorum.solving.settings import Quorum

__all__ = ["EvaluatorOption", "NumCandidates", "PoolOption", "ScorerOption", "StrategyOption", "quorum_of"]

EvaluatorOption = Annotated[str | None, typer.Option(help="Evaluator: folder or hub id.")]
ScorerOption = Annotated[
    str | None, typer.Option(help="A scorer of your own in place of an evaluator: mypkg.scores:Mine")
]
PoolOption = Annotated[str | None, typer.Option(help="Of a run: which of its pools, as vote names them.")]
NumCandidates = Annotated[int | None, typer.Option("--num-candidates", "-n", min=1, help="N. Default: 64.")]
StrategyOption = Annotated[str | None, typer.Option(help="Default: w.rr with an evaluator, else maj1.")]


def quorum_of(model: str | None, pool: str | None, given: Mapping[str, Any]) -> Quorum:
    """The settings, from a run's records where the model is one, and what was given. Says on standard error what a user should know of the
    model.

    Raises:
        SettingsError: If they cannot be used.
    """
    from mathquorum.assets import tiny_base_path
    from mathquorum.config import build, merge
    from mathquorum.datasets.minimath import STYLES
    from mathquorum.solving.runs import quorum_of_run
    from mathquorum.solving.settings import Quorum
    from mathquorum.voting.runs import is_run

    values: dict[str, Any] = {"model": model or str(tiny_base_path())}
    told = ""
    if model is not None and is_run(Path(model)):
        found = quorum_of_run(Path(model), pool)
        values, told = found.settings, _told(model, found.pool, found.others)
        if given.get("scorer"):  # it scores in place of the run's evaluator
            values = {key: value for key, value in values.items() if key not in ("evaluator", "evaluator_engine")}
        if found.lacks and not given.get("scorer"):
            told += (
                f". Its scores are by {visible(found.lacks)}, which is not imported because a record names it: "
                "give --scorer to use it; without, this votes"
            )
    elif pool is not None:
        raise SettingsError("--pool goes with a run as the model. Leave it out.")
    quorum = build(Quorum, merge(values, _without_none(given)))
    if quorum.model == str(tiny_base_path()) and quorum.engine is None:
        told = "The embedded model is a toy of 1.3 million weights: expect wrong answers. --model takes a real one."
        if quorum.style not in (None, *STYLES):
            raise SettingsError(
                f"The embedded model knows no style {quorum.style!r}. {suggest(quorum.style or '', STYLES)}"
            )
    if told:
        typer.echo(told, err=True)
    return quorum


def _told(run: str, pool: str, others: Sequence[str]) -> str:
    rest = f" (--pool for another: {', '.join(others)})" if others else ""
    return f"Models and settings of {run}, pool {pool}{rest}"


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, without options that were not, and without groups of which nothing was."""
    found = {name: _without_none(value) if isinstance(value, Mapping) else value for name, value in given.items()}
    return {name: value for name, value in found.items() if value not in (None, {})}
