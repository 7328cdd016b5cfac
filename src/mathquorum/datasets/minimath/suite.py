"""The problems of the suite: eight subjects by five levels, dealt to splits by the hash of their texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from mathquorum.datasets.minimath import (
    arithmetic,
    counting,
    equations,
    expressions,
    fractions,
    number_theory,
    sequences,
    word_problems,
)
from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.errors import SettingsError, suggest

__all__ = ["SPLITS", "SUBJECTS", "PosedExercise", "pose", "split_of"]

SUBJECTS: dict[str, tuple[Maker, ...]] = {
    "arithmetic": arithmetic.LEVELS,
    "fractions": fractions.LEVELS,
    "equations": equations.LEVELS,
    "sequences": sequences.LEVELS,
    "counting": counting.LEVELS,
    "number_theory": number_theory.LEVELS,
    "word_problems": word_problems.LEVELS,
    "expressions": expressions.LEVELS,
}
# Each split's share of all problem texts, in percent, and how many problems it has unless asked for another number.
SHARES = {"pretrain": 50, "train": 15, "evaluator": 20, "validation": 5, "test": 10}
SPLITS = {"pretrain": 10_000, "train": 3_000, "evaluator": 6_000, "validation": 200, "test": 500}
# A cell of subject and level whose texts are used up gives no new one for this many draws.
MAX_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class PosedExercise:
    """An exercise with its place in the suite."""

    id: str
    subject: str
    level: int
    exercise: Exercise


def split_of(text: str) -> str:
    """The split that a problem belongs to: its normalised text decides."""
    digest = hashlib.sha256(" ".join(text.lower().split()).encode()).digest()
    place = int.from_bytes(digest[:8], "big") % 100
    for split, share in SHARES.items():
        place -= share
        if place < 0:
            return split
    raise AssertionError("the shares add up to 100")


def pose(split: str, num_problems: int | None = None, seed: int = 0) -> Iterator[PosedExercise]:
    """Distinct exercises of a split, subjects and levels in turn; a smaller number gives a prefix.

    Raises:
        SettingsError: If the split is unknown.
    """
    if split not in SPLITS:
        raise SettingsError(f"Unknown split {split!r} of minimath. {suggest(split, SPLITS)}")
    return islice(_endless(split, seed), SPLITS[split] if num_problems is None else num_problems)


def _endless(split: str, seed: int) -> Iterator[PosedExercise]:
    rng = Random(f"minimath/{split}/{seed}")
    label = split if seed == 0 else f"{split}-{seed}"
    counts = dict.fromkeys(SUBJECTS, 0)
    seen: set[str] = set()
    cells = [(subject, level) for level in range(5) for subject in SUBJECTS]
    exhausted: set[tuple[str, int]] = set()
    for subject, level in cycle(cells):
        if (subject, level) in exhausted:
            if len(exhausted) == len(cells):
                return
            continue
        exercise = _fresh(SUBJECTS[subject][level], split, seen, rng)
        if exercise is None:
            exhausted.add((subject, level))
            continue
        yield PosedExercise(f"minimath/{label}/{subject}/{counts[subject]}", subject, level + 1, exercise)
        counts[subject] += 1


def _fresh(make: Maker, split: str, seen: set[str], rng: Random) -> Exercise | None:
    for _ in range(MAX_DRAWS):
        exercise = make(rng)
        if exercise.text not in seen and split_of(exercise.text) == split:
            seen.add(exercise.text)
            return exercise
    return None
