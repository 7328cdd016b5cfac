"""Runs: stages called in order, each in a directory of its own, with a record of what it was made from and what it made."""

from __future__ import annotations

from mathquorum.run.execution import library_versions
from mathquorum.run.listener import Listener, PlannedStage, Silence
from mathquorum.run.run import Run

__all__ = ["Listener", "PlannedStage", "Run", "Silence", "library_versions"]
