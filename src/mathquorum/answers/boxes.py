"""Answers in boxes: \\boxed{5}, \\fbox{5}, \\boxed 5; several boxes joined by "and"; boxes mentioned or left open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.marks import MAX_ANSWER, MAX_MARKS, Extraction, is_placeholder

__all__ = ["Boxes", "boxes_in"]

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![a-zA-Z])\s*")
_JOIN = re.compile(
    r"(?=.*(?:,|;|and|or|quad))(?:[\s$,;]|\\[,;()\[\]]|\\q?quad|\\text\{[^{}]{0,25}\}|and|or|[A-Za-z](?:_\w)?\s*=)*",
    re.DOTALL,
)
# \\boxed{4} minutes or \\boxed{0.067} hours: the same value again, in another unit
_IN_OTHER_UNITS = re.compile(r"[\s\\)$,]*[a-z][a-z ]{2,20},?\s+or\s+[\s\\($]*")
_BARE = re.compile(r"\\[a-zA-Z]+(?:\{[^{}]*\})*|-?(?:\d[\w.,]*\w|\d|[A-Za-z](?![A-Za-z]))")
_TYPING_ENDS = ("$", "\n\n", "\\]", "\\)")


@dataclass(frozen=True)
class Boxes:
    """What the boxes of a text say.

    Attributes:
        answer: The last box, or the last boxes joined; None without one.
        open_at: Where a box stands that nothing closes, so that the text breaks off in it; None without one.
    """

    answer: Extraction | None
    open_at: int | None


def boxes_in(text: str, finished: bool | None) -> Boxes:
    """The answer in the boxes of a text. A box that the end of the text leaves open counts only in a finished text."""
    boxes = []
    open_at = None
    for match in list(_BOX.finditer(text))[-MAX_MARKS:]:
        span = _braced(text, match.end())
        if span is None:
            if match.end() >= len(text):
                open_at = match.start()
            continue
        if span[1] >= len(text) and text[match.end()] == "{" and finished is not True:
            open_at = match.start()
            continue
        content = text[span[0] : span[1]].strip()
        if content and not is_placeholder(content):
            boxes.append((match.start(), *span))
    if not boxes:
        return Boxes(None, open_at)
    if len(boxes) > 1 and _IN_OTHER_UNITS.fullmatch(text[boxes[-2][2] + 1 : boxes[-1][0]]):
        boxes.pop()
    chosen = _joined(text, boxes)
    answers = [_unboxed(text[start:end].strip()) for _, start, end in chosen]
    answer = answers[0] if len(set(answers)) == 1 else ", ".join(answers)
    found = Extraction(answer, chosen[0][1], chosen[-1][2], "boxed") if answer else None
    return Boxes(found, open_at)


def _joined(text: str, boxes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The last box with those before it that "and" or a comma joins to it."""
    chosen = [boxes[-1]]
    for box in reversed(boxes[:-1]):
        first = chosen[0]
        if box[2] > first[0]:  # the box before holds this one
            continue
        between = text[box[2] + 1 : first[0]]
        if len(between) > 60 or not _JOIN.fullmatch(between):
            break
        chosen.insert(0, box)
    return chosen


def _braced(text: str, start: int) -> tuple[int, int] | None:
    """The span of the content after \\boxed: to the brace that closes it, or the next symbol without braces."""
    if start >= len(text):
        return None
    if text[start] != "{":
        match = _BARE.match(text, start)
        return match.span() if match else None
    depth = 0
    stop = min(len(text), start + MAX_ANSWER)
    for index in range(start, stop):
        char = text[index]
        if char == "{" and text[index - 1] != "\\":
            depth += 1
        elif char == "}" and text[index - 1] != "\\":
            depth -= 1
            if depth == 0:
                return start + 1, index
    ends = [i for i in (text.find(mark, start) for mark in _TYPING_ENDS) if i >= 0]
    return start + 1, min([*ends, stop])


def _unboxed(answer: str) -> str:
    """The content without a box inside it."""
    match = _BOX.match(answer)
    if match:
        span = _braced(answer, match.end())
        if span is not None and not answer[span[1] + 1 :].strip():
            return _unboxed(answer[span[0] : span[1]].strip())
    return answer
