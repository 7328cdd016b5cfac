"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["OPEN_ENDED", "Config", "Json", "Out", "Show"]

OPEN_ENDED = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Of a command that takes any setting: --sampling.temperature 0.7"""

Config = Annotated[Path | None, typer.Option(help="YAML file with settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
Out = Annotated[Path | None, typer.Option(help="Run directory. Default: runs/COMMAND, runs/RECIPE for run.")]
Show = Annotated[bool, typer.Option("--show", help="Print the settings and the plan, and stop.")]
