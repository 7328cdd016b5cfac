"""Units of work spread over workers: processes of this machine, or actors of a Ray cluster. What comes out never depends on which."""

from __future__ import annotations

from mathquorum.spreading.workers import Workers, spread_units

__all__ = ["Workers", "spread_units"]
