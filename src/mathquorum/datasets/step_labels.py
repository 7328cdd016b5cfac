"""Labels of steps as data sets write them: +/-, true/false, 1/0/-1, words, and soft labels with a threshold."""

from __future__ import annotations

from typing import Any

from mathquorum.errors import DataError

__all__ = ["SOFT_THRESHOLD", "read_ratings"]

SOFT_THRESHOLD = 0.5
"""Math-Shepherd's soft labels are the share of continuations that reach the answer; its hard label is above 0. PRMs that are trained
on soft labels are read at one half."""

_WORDS = {
    "+": 1, "-": -1, "−": -1, "true": 1, "false": -1, "good": 1, "bad": -1, "correct": 1, "incorrect": -1, "wrong": -1, "neutral": 0,
    "positive": 1, "negative": -1,
}  # fmt: skip


def read_ratings(labels: list[Any], place: str, threshold: float = SOFT_THRESHOLD) -> tuple[int, ...]:
    """One rating per step: 1 good, 0 neutral, -1 bad.

    A solution's labels are read together. Numbers that are all 0 or 1 are bad and good; with a -1 among them, 0 is neutral, as in
    PRM800K; fractions between 0 and 1 are soft, good from the threshold on.

    Args:
        labels: As in the file.
        place: Begins an error's text ("train.jsonl, line 17").
        threshold: For soft labels, in (0, 1].

    Raises:
        DataError: If a label is unknown, null or NaN, naming the step.
    """
    values = [_value(label, f"{place}, label {number}") for number, label in enumerate(labels, start=1)]
    numbers = [value for value in values if isinstance(value, float)]
    soft = any(not value.is_integer() for value in numbers)
    if soft and min(numbers) < 0:
        raise DataError(f"{place}: soft labels must lie in [0, 1]. Got {min(numbers):g} among them.")
    rated = any(value == -1 for value in numbers)
    return tuple(value if isinstance(value, int) else _rating(value, soft, rated, threshold) for value in values)


def _rating(value: float, soft: bool, rated: bool, threshold: float) -> int:
    if soft:
        return 1 if value >= threshold else -1
    return int(value) if rated or value == 1 else -1


def _value(label: Any, place: str) -> int | float:
    """A rating that is known by itself, as an int; a number that others explain, as a float.

    Raises:
        DataError: If it is neither.
    """
    if isinstance(label, bool):
        return 1 if label else -1
    if isinstance(label, str) and label.strip().lower() in _WORDS:
        return _WORDS[label.strip().lower()]
    if isinstance(label, str):
        label = _parsed(label)
    if isinstance(label, int | float) and -1 <= label <= 1 and (label >= 0 or label == -1):
        return float(label)
    raise DataError(
        f"{place}: must be + or -, true or false, 1, 0 or -1, or a soft label in [0, 1]. Got {label!r:.40} instead."
    )


def _parsed(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
