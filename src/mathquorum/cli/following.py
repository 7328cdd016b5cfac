"""How the command line follows a recipe: settings, a dry run that shows the plan, then the work, then the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from rich.console import Console

from mathquorum.cli.console import RunConsole
from mathquorum.cli.expecting import expected_seconds
from mathquorum.cli.loading import loading_notices
from mathquorum.cli.planned import show_stages, workers_of
from mathquorum.cli.planning import calibrations
from mathquorum.config import Settings, build, in_words, parse_overrides, read_settings_file
from mathquorum.errors import RunError, SettingsError, suggest
from mathquorum.metrics.estimates import read_estimate
from mathquorum.metrics.results import Evaluated
from mathquorum.recipes import recipe
from mathquorum.records import Estimate
from mathquorum.report.tables import run_tables
from mathquorum.run import PlannedStage, Run
from mathquorum.run.index import run_index
from mathquorum.run.shards import missing_shards, shard_name
from mathquorum.spreading.ray_connection import check_cluster
from mathquorum.stages.base import Shard, read_shard
from mathquorum.store import read_json, write_text
from mathquorum.study.cells import read_table
from mathquorum.study.pages import claims_table, terminal_table
from mathquorum.training.ranks import world

__all__ = ["Part", "dry_run", "follow", "settings_of"]


@dataclass(frozen=True)
class Part:
    """What of a recipe is asked for, where it is not all of it.

    Attributes:
        source: An earlier run, whose results are taken over where they are the same.
        only: A stage.
        shard: NUMBER/OF: a part of that stage, or of a recipe's only one.
        gather: Put the shards that are there together; none may be missing.
    """

    source: Path | None = None
    only: str | None = None
    shard: str | None = None
    gather: bool = False


WHOLE = Part()


def settings_of(name: str, config: Path | None, overrides: Sequence[str]) -> Settings:
    """The settings of a recipe, from a file and what was given beside it.

    Raises:
        SettingsError: If one cannot be used.
    """
    file = read_settings_file(config) if config else {}
    return build(recipe(name).settings, file, parse_overrides(overrides))


def dry_run(
    name: str, settings: Settings, directory: Path, source: Path | None = None, *, on_paper: bool = False
) -> Run:
    """A run of the recipe that makes nothing and has its plan.

    Raises:
        SettingsError: If a stage refuses what the recipe makes of the settings.
        RunError: If the run directory holds other work.
    """
    found = recipe(name)
    dry = Run(directory, dry=True, source=source, on_paper=on_paper)
    try:
        found.follow(dry, settings)
    except ValidationError as error:
        raise in_words(found.settings, error) from error
    return dry


def follow(
    name: str,
    config: Path | None,
    overrides: Sequence[str],
    out: Path | None,
    *,
    show: bool,
    as_json: bool,
    part: Part = WHOLE,
    cluster: str | None = None,
) -> None:
    """Runs a recipe for a person, who sees the plan, the progress and at the end the report's table.

    Raises:
        SettingsError: If a setting cannot be used; nothing has been started then.
        RunError: If the run directory holds other work.
    """
    found, settings = recipe(name), settings_of(name, config, overrides)
    directory = out or Path("runs") / name
    console = Console(stderr=as_json)
    plain = settings.model_dump(mode="json", exclude_defaults=False)
    dry = dry_run(name, settings, directory, part.source)
    if show:
        console.print(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), markup=False, highlight=False)
        show_stages(dry.plan, directory, workers_of(settings), calibrations(), console)
        return
    chosen, shard = _chosen(dry.plan, part)
    if part.gather:
        _check_gathered(directory, chosen or dry.plan[0].name)
    plan = [stage for stage in dry.plan if chosen in (None, stage.name)]
    if shard:
        plan = [replace(stage, name=shard_name(stage.name, shard), complete=False, note="") for stage in plan]
    left = sum(not stage.complete for stage in plan)
    known = [stage for stage in plan if stage.note]
    told = f"; {len(known)} {_noted(known)}" if known else ""
    console.print(
        f"{len(plan)} stages, {left} to do, in {directory}{told}", markup=False, highlight=False, soft_wrap=True
    )
    if cluster and world() > 1:
        raise SettingsError(
            "--cluster was given under a launcher. Start the command without one: the cluster has its own."
        )
    if cluster and left:
        check_cluster(cluster)
    for line in loading_notices(plan, directory):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    workers = workers_of(settings)
    with RunConsole(plan, console, lambda: expected_seconds(dry.plan, directory, workers)) as listener:
        run = Run(
            directory,
            workers=workers,
            cluster=cluster,
            listener=listener,
            fingerprints=dry.fingerprints,
            source=part.source,
            only=chosen,
            shard=shard,
        )
        with run.locked():
            if shard is None:
                write_text(directory / "settings.yaml", yaml.safe_dump(plain, sort_keys=False))
            report = found.follow(run, settings)
            if shard is None and not chosen:
                write_text(directory / "index.md", run_index(directory, run.plan, name, report))
    if chosen:
        report = directory / run.plan[0].name
    _show(report, console, as_json)


def _chosen(plan: Sequence[PlannedStage], part: Part) -> tuple[str | None, Shard | None]:
    """The one stage that was asked for, if it is one, and the part of it."""
    names = [stage.name for stage in plan]
    if part.only is not None and part.only not in names:
        raise SettingsError(f"There is no stage {part.only!r}. {suggest(part.only, names)}")
    if (part.shard or part.gather) and part.only is None and len(names) > 1:
        raise SettingsError(f"--only is missing: which stage? {suggest('', names)}")
    alone = part.only or (names[0] if part.shard or part.gather else None)
    return alone, read_shard(part.shard) if part.shard else None


def _check_gathered(directory: Path, name: str) -> None:
    missing = missing_shards(directory, name)
    if missing and not (directory / name / "stage.json").exists():
        told = ", ".join(map(str, missing[:8])) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise RunError(f"{directory} lacks shards of {name}: {told}. Make them with --shard, then gather.")


def _noted(known: Sequence[PlannedStage]) -> str:
    first = known[0].note
    return first if all(stage.note == first for stage in known) else "taken over or grown"


def _show(report: Path, console: Console, as_json: bool) -> None:
    figures = report / "figures.json"
    if not figures.exists():  # a recipe that makes a model, not a report
        console.print(f"Made {report}", markup=False, highlight=False, soft_wrap=True)
        return
    rows = read_json(figures)
    if as_json:
        print(json.dumps(rows))
        return
    if (report / "study.json").exists():
        _show_study(read_json(report / "study.json"), console)
    else:
        _show_estimates(rows, read_json(report / "evaluations.json"), console)
    console.print(f"Report: {report / 'report.html'} and report.md", markup=False, highlight=False, soft_wrap=True)


def _show_estimates(rows: Mapping[str, Any], held: Mapping[str, Any], console: Console) -> None:
    evaluated = {name: Evaluated(**fields) for name, fields in held.items()}
    estimates: dict[str, list[Estimate]] = {}
    for row in rows["estimates"]:
        estimates.setdefault(row["evaluation"], []).append(read_estimate(row["name"], row, "figures.json"))
    for table in run_tables(estimates, evaluated):
        console.print(table)


def _show_study(held: Mapping[str, Any], console: Console) -> None:
    for key, table in held["tables"].items():
        console.print(terminal_table(read_table(key, table)))
    console.print(claims_table(held["claims"]))
