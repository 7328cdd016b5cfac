"""Estimates as JSON: the one form in which every file and `--json` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mathquorum.records import Estimate
from mathquorum.store import from_row

__all__ = ["DECIMALS", "estimate_json", "read_estimate", "rounded"]

DECIMALS = 6


def rounded(value: float) -> float:
    """A figure as files have it: whole numbers as they are, others to six decimals, which are alike on every processor."""
    return value if isinstance(value, int) else round(value, DECIMALS)


def estimate_json(estimate: Estimate) -> dict[str, float]:
    """Everything but the name, which is the key, or stands beside it.

    Example:
        >>> estimate_json(Estimate("maj1@64", 1 / 3, 0.3, 0.4, 500))
        {'value': 0.333333, 'low': 0.3, 'high': 0.4, 'count': 500}
    """
    return {
        "value": rounded(estimate.value),
        "low": rounded(estimate.low),
        "high": rounded(estimate.high),
        "count": estimate.count,
    }


def read_estimate(name: str, held: Mapping[str, Any], place: str) -> Estimate:
    """The estimate that `estimate_json` gave; other keys are left alone.

    Raises:
        DataError: If a figure is missing or no number; `place` begins the text ("results.json, maj1@64").
    """
    return from_row(Estimate, {**held, "name": name}, place)
