"""What training and answering took, from the logs and records (`stage.json`) of the stages that did it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mathquorum.report.page.data import Cost, Trained
from mathquorum.report.page.provenance import Made, made_by
from mathquorum.store import read_rows

__all__ = ["cost", "trained"]


def trained(logs: Mapping[str, Path]) -> dict[str, Trained]:
    """How models were trained, by name, from their log.jsonl.

    Raises:
        DataError: If a log cannot be read.
    """
    found = {}
    for name, log in logs.items():
        rows = [{k: v for k, v in row.items() if isinstance(v, int | float)} for _, row in read_rows(log)]
        found[name] = Trained(rows, _summary(made_by(log)))
    return found


def _summary(made: Made | None) -> str:
    if made is None:
        return ""
    steps, tokens = made.summary.get("steps"), made.summary.get("tokens")
    rate = made.settings.get("training", {}).get("learning_rate")
    parts = [
        f"{steps:,} steps" if isinstance(steps, int) else "",
        f"{tokens:,} tokens" if isinstance(tokens, int) else "",
        f"learning rate {rate:g}" if isinstance(rate, float) else "",
        f"{made.seconds:.0f} s" if made.seconds is not None else "",
    ]
    return ", ".join(filter(None, parts))


def cost(candidates: Path, scores: Path | None, num_problems: int, num_texts: float | None) -> Cost | None:
    """What a problem's candidates cost, and their scores; None where nothing of it was recorded.

    Scores that were made of other scores cost what those did, which is not put together: of them nothing is told.

    Args:
        num_problems: That were sampled.
        num_texts: Different texts of a problem, on average: what an evaluator is asked about.
    """
    sampled, scored = made_by(candidates), made_by(scores) if scores else None
    tokens, number = sampled.summary.get("tokens") if sampled else None, max(1, num_problems)
    asked = scored is not None and "model" in scored.inputs  # a signal of the generator's own asks no model
    combined = scored is not None and any(name.startswith("scores") for name in scored.inputs)
    found = Cost(
        tokens=tokens / number if isinstance(tokens, int | float) else None,
        calls=num_texts if asked else None,
        sampling_seconds=sampled.seconds / number if sampled and sampled.seconds is not None else None,
        scoring_seconds=scored.seconds / number if scored and scored.seconds is not None and not combined else None,
    )
    return found if found.tokens is not None or found.sampling_seconds is not None else None
