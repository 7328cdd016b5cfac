"""The few places where marks of an answer may begin, found by the one word that each kind of mark must hold.

A pattern of many alternatives that ignores case is tried at every character of a text, at a hundred times the cost of looking for
a plain word. So the words are looked for first, and the pattern is tried only where a mark around such a word can begin. The
matches are those of `finditer` (tests/property/test_marks.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["Anchors", "matches_at"]

# Letters that a pattern takes for i or s (and Cyrillic ones for their like), while lower() does not.
_UNLIKE = re.compile("[İıſ\u1c80-\u1c88]")
# Words that may stand before a word of a mark and belong to it, each before those that end it.
_BEFORE = (
    "your", "our", "the", "correct", "my", "final", "finale", "numerical", "exact", "overall", "right", "la", "die", "a",
    "endgültige", "endgultige",
)  # fmt: skip
_ENDS = frozenset(word[-1] for word in _BEFORE)
# Words of marks in other languages and scripts; a text in ASCII can hold only the first few.
_FOREIGN_ASCII = ("respuesta", "reponse", "antwort", "resposta", "risposta")
_FOREIGN = ("réponse", "答", "故选", "정답은", "ответ", "最终答案")
_MAX_INDENT = 12


class Anchors:
    """The places in a text at which marks may begin.

    Attributes:
        text: The text.
        is_sure: Whether the places are all there are; False for a few letters whose case is a matter of its own.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._lower = text.lower()
        self._is_ascii = text.isascii()
        self.is_sure = self._is_ascii or (len(self._lower) == len(text) and _UNLIKE.search(text) is None)
        self._answers = [p for p in _finds(self._lower, "ans") if not self._lower[p - 1 : p].isalnum()]
        self._results = list(_finds(self._lower, "result"))

    def headings(self) -> list[int]:
        """The places where a heading may begin."""
        places = [start for p in self._answers for start in self._starts(p)]
        places += self._results
        if not self._is_ascii:
            places += _finds(self._lower, "答案")
            places += _finds(self._lower, "最终答案")
        return sorted(set(places))

    def phrases(self) -> list[int]:
        """The places where a phrase that announces an answer may begin."""
        lower = self._lower
        places = [start for p in self._answers for start in self._starts(p)]
        for word in ("option", "choice"):
            places += [start for p in _finds(lower, word) for start in self._starts(p)]
        for p in self._results:
            places += [start for q in self._starts(p) for start in self._line_start(q)]
        for word in _FOREIGN_ASCII if self._is_ascii else _FOREIGN_ASCII + _FOREIGN:
            if word in lower:
                places += [start for p in _finds(lower, word) for start in self._starts(p)]
        places += [p + 1 for p in _finds(lower, "\na:")]
        if lower.startswith("a:"):
            places.append(0)
        return sorted(set(places))

    def fields(self) -> list[int]:
        """The places where the name of a JSON field "answer" may begin."""
        places: list[int] = []
        for p in _finds(self._lower, "answer"):
            if self._lower[p + 6 : p + 7] not in ("\\", '"', "'", ":"):
                continue
            before = self._lower[max(p - 10, 0) : p].removesuffix("_")
            for name in ("", "final", "correct"):
                if before.endswith(name):
                    for begin in {p - len(name), p - len(name) - 1}:
                        places += range(max(begin - 2, 0), begin + 1)
        return sorted(set(places))

    def _starts(self, place: int) -> list[int]:
        """A place, and the beginnings of the words right before it that may belong to a mark."""
        lower, starts = self._lower, [place]
        while True:
            end = place
            while end and (lower[end - 1].isspace() or lower[end - 1] == "_"):
                end -= 1
            if end == place or not end or lower[end - 1] not in _ENDS:
                return starts
            words = [word for word in _BEFORE if lower.startswith(word, end - len(word), end) and len(word) <= end]
            if not words:
                return starts
            starts += [end - len(word) for word in words]
            place = min(starts)

    def _line_start(self, place: int) -> list[int]:
        start = self.text.rfind("\n", 0, place) + 1
        return [start] if place - start <= _MAX_INDENT else []


def _finds(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def matches_at(pattern: re.Pattern[str], text: str, places: list[int]) -> list[re.Match[str]]:
    """The matches of a pattern that begin at the places (in order), none over another: those of `finditer`."""
    found: list[re.Match[str]] = []
    end = 0
    for place in places:
        if place >= end and (match := pattern.match(text, place)):
            found.append(match)
            end = match.end()
    return found
