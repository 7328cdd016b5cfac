"""The method for problems as they come: sample, cluster, score, choose. `method.py` is the file to read first."""

from __future__ import annotations

from mathquorum.solving.method import Solved, solve, solve_in_turns, solve_sparingly

__all__ = ["Solved", "solve", "solve_in_turns", "solve_sparingly"]
