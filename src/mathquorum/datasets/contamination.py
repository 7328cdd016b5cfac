"""Problems of a test set that stand in the training data too, found by their normalised text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from mathquorum.records import Problem

__all__ = ["Contamination", "find_contamination", "find_duplicates", "normalize_text", "text_fingerprint"]

# What changes how a text looks and not what it asks. White space and commas stay between digits: "1 2" is not "12".
_RULES = (
    (re.compile(r"\\[dt]frac"), r"\\frac"),
    (re.compile(r"\\(?:text(?:bf|it|rm)?|mathrm|mbox)\b"), ""),
    (re.compile(r"\\(?:left|right|displaystyle|quad|qquad)\b|\\[,;:!\s\[\]()]|\\(?=[$%])"), ""),
    (re.compile(r"[’‘]"), "'"),  # kept: f'(x) is not f(x)
    (re.compile(r"[$\"`“”~]"), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(r"(?<!\d) | (?!\d)"), ""),
    (re.compile(r"(?<!\d)[.,;:?]|[.,;:?](?!\d)"), ""),
    (re.compile(r"\{(\w)\}"), r"\1"),
)


@dataclass(frozen=True)
class Contamination:
    """Which training problems have the text of a test problem, or are twins of one.

    Attributes:
        checked: Number of training problems.
        against: Number of test problems.
        pairs: (training id, test id) of equal texts, in the order of the training problems.
        twins: The same for problems of minimath that ask the same in other words (`datasets.twins`).
    """

    checked: int
    against: int
    pairs: tuple[tuple[str, str], ...]
    twins: tuple[tuple[str, str], ...] = ()

    @property
    def concerned(self) -> set[str]:
        """Ids of the training problems concerned."""
        return {train for train, _ in (*self.pairs, *self.twins)}

    @property
    def count(self) -> int:
        """Their number."""
        return len(self.concerned)


def normalize_text(text: str) -> str:
    """The text without case, white space, dollar signs, punctuation and LaTeX that only lays out.

    Example:
        >>> normalize_text("What is  $\\\\dfrac{1}{2}$ of  $4$?") == normalize_text("what is \\\\(\\\\frac{1}{2}\\\\) of 4")
        True
    """
    text = unicodedata.normalize("NFKC", text).lower()
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def text_fingerprint(text: str) -> str:
    """Sixteen hexadecimal digits that stand for the normalised text."""
    return hashlib.sha256(normalize_text(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def find_contamination(train: Iterable[Problem], test: Iterable[Problem]) -> Contamination:
    """Every pair of a training and a test problem with the same normalised text. Twins: `datasets.twins`."""
    by_text: dict[str, list[str]] = {}
    against = 0
    for problem in test:
        by_text.setdefault(normalize_text(problem.text), []).append(problem.id)
        against += 1
    checked = 0
    pairs = []
    for problem in train:
        checked += 1
        pairs += [(problem.id, other) for other in by_text.get(normalize_text(problem.text), ())]
    return Contamination(checked, against, tuple(pairs))


def find_duplicates(problems: Iterable[Problem]) -> tuple[tuple[str, ...], ...]:
    """Groups of ids whose problems have the same normalised text, in order of appearance."""
    by_text: dict[str, list[str]] = {}
    for problem in problems:
        by_text.setdefault(normalize_text(problem.text), []).append(problem.id)
    return tuple(tuple(ids) for ids in by_text.values() if len(ids) > 1)
