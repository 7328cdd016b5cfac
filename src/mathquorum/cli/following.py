"""How the command line follows a recipe: settings, a dry run that shows the plan, then the work, then the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.padding import Padding

from mathquorum.cli.console import RunConsole
from mathquorum.config import build, describe, in_words, merge, parse_overrides, read_settings_file
from mathquorum.metrics.estimates import read_estimate
from mathquorum.metrics.results import Evaluated
from mathquorum.recipes import recipe
from mathquorum.records import Estimate
from mathquorum.report.tables import run_tables
from mathquorum.run import Run
from mathquorum.store import read_json, write_text
from mathquorum.study.cells import read_table
from mathquorum.study.pages import claims_table, terminal_table

__all__ = ["follow", "list_settings"]


def follow(
    name: str, config: Path | None, overrides: Sequence[str], out: Path | None, *, show: bool, as_json: bool
) -> None:
    """Runs a recipe for a person, who sees the plan, the progress and at the end the report's table.

    Raises:
        SettingsError: If a setting cannot be used; nothing has been started then.
        RunError: If the run directory holds other work.
    """
    found = recipe(name)
    values = merge(read_settings_file(config) if config else {}, parse_overrides(overrides))
    settings = build(found.settings, values)
    directory = out or Path("runs") / name
    console = Console(stderr=as_json)
    plain = settings.model_dump(mode="json", exclude_defaults=False)
    dry = Run(directory, dry=True)
    try:
        found.follow(dry, settings)
    except ValidationError as error:  # a stage refused what the recipe made of the settings
        raise in_words(found.settings, error) from error
    if show:
        console.print(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), markup=False, highlight=False)
        for number, stage in enumerate(dry.plan, start=1):
            state = "done" if stage.complete else "to do"
            console.print(f"{number:3d}  {stage.name}  ({stage.kind}, {state})", markup=False, highlight=False)
        return
    left = sum(not stage.complete for stage in dry.plan)
    console.print(f"{len(dry.plan)} stages, {left} to do, in {directory}", markup=False, highlight=False)
    workers = getattr(settings, "workers", 1)
    with RunConsole(dry.plan, console) as listener:
        run = Run(directory, workers=workers, listener=listener, fingerprints=dry.fingerprints)
        with run.locked():
            write_text(directory / "settings.yaml", yaml.safe_dump(plain, sort_keys=False))
            report = found.follow(run, settings)
    _show(report, console, as_json)


def list_settings(name: str) -> None:
    """Prints every setting of a recipe with its default and meaning.

    Raises:
        SettingsError: If there is no such recipe.
    """
    console = Console()
    for setting, default, meaning in describe(recipe(name).settings):
        given = f" = {default}" if default else ""
        console.print(f"{setting}{given}", markup=False, highlight=False, style="bold", soft_wrap=True)
        if meaning:
            console.print(Padding(meaning, (0, 0, 0, 4)), highlight=False)


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
