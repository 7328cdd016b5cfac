"""The problems of the suite: eight subjects by five levels, dealt to splits by the hash of what they ask."""

from __future__ import annotations

import hashlib
import re
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

__all__ = ["SPLITS", "SUBJECTS", "PosedExercise", "content_of", "pose", "split_of"]

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
# Each split's share of all contents, in percent, and how many problems it has unless asked for another number.
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


def content_of(subject: str, text: str) -> str:
    """What a problem asks, whatever names, things and wording it is dressed in: its subject and its numbers, sorted.

    Two problems of one kind with the same numbers and the same answer have one content. So may two with other answers, or
    of two levels of a subject: the content is the coarser, so that the splits are kept further apart.

    Example:
        >>> content_of("word_problems", "Ann has 7 pens, buys 12 and gives away 3. How many are left?")
        'word_problems 3 7 12'
    """
    return " ".join((subject, *sorted(re.findall(r"\d+", text), key=lambda digits: (len(digits), digits))))


def split_of(subject: str, text: str) -> str:
    """The split that a problem belongs to: its content decides."""
    place = _percent(content_of(subject, text))
    for split, share in SHARES.items():
        place -= share
        if place < 0:
            return split
    raise AssertionError("the shares add up to 100")


def _is_fresh(text: str) -> bool:
    """Whether the shipped bases have never read the text: their corpus had the half of all texts below 50."""
    return _percent(" ".join(text.lower().split())) >= 50


def _percent(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100


def pose(split: str, num_problems: int | None = None, seed: int = 0) -> Iterator[PosedExercise]:
    """Distinct exercises of a split, subjects and levels in turn; a smaller number gives a prefix.

    Two of a split have the same content only where their subject and level has no other left.

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
    texts: set[str] = set()
    contents: set[str] = set()
    cells = [(subject, level) for level in range(5) for subject in SUBJECTS]
    repeating: set[tuple[str, int]] = set()  # cells without new contents, which go on with new texts
    exhausted: set[tuple[str, int]] = set()
    for subject, level in cycle(cells):
        if (subject, level) in exhausted:
            if len(exhausted) == len(cells):
                return
            continue
        exercise = None
        if (subject, level) not in repeating:
            exercise = _draw(subject, level, split, texts, contents, rng)
        if exercise is None:
            repeating.add((subject, level))
            exercise = _draw(subject, level, split, texts, set(), rng)
        if exercise is None:
            exhausted.add((subject, level))
            continue
        texts.add(exercise.text)
        contents.add(content_of(subject, exercise.text))
        yield PosedExercise(f"minimath/{label}/{subject}/{counts[subject]}", subject, level + 1, exercise)
        counts[subject] += 1


def _draw(subject: str, level: int, split: str, texts: set[str], contents: set[str], rng: Random) -> Exercise | None:
    """An exercise of the split with a new text and a new content; None where many draws gave none."""
    for _ in range(MAX_DRAWS):
        exercise = SUBJECTS[subject][level](rng)
        text, content = exercise.text, content_of(subject, exercise.text)
        if text in texts or content in contents or split_of(subject, text) != split:
            continue
        if split == "pretrain" or _is_fresh(text):
            return exercise
    return None
