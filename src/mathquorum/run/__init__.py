"""Runs: stages called in order, each in a directory of its own, with a record of what it was made from and what it made."""

from __future__ import annotations

from mathquorum.run.listener import Listener, PlannedStage, Silence
from mathquorum.run.run import Run
from mathquorum.versions import library_versions

__all__ = ["Listener", "PlannedStage", "Run", "Silence", "library_versions"]
