r"""The final answer in an output: what it is, where it stands, and what marked it.

An output is cut to its solution: after the thoughts, before control tokens and before the next question of a base model
that runs on. Then, from the most to the least explicit:

1. a box or an answer tag, the last one; \boxed as a word, \boxed{answer} and a box left open are none;
2. an announcement: ####, a JSON field, a heading "Answer", "the answer is", the last one that gives a value. One that
   follows the box outranks it: the box may hold a lemma, and who announces an answer means it;
3. in a text that ended: the answer alone, a last line that is a value, a last sentence that states one.

A text that a limit cut off has only what a closed mark shows: its last number is no more than a step, and would vote.
"""

from __future__ import annotations

import re

from mathquorum.answers.boxes import boxes_in
from mathquorum.answers.marks import Extraction, announced_in, first_mark, is_marked, json_value, states_value, tags_in
from mathquorum.answers.run_on import solution_in, without_programs
from mathquorum.answers.silence import gives_up
from mathquorum.answers.stated import closing_statement, lone_answer

__all__ = ["Extraction", "extract_answer", "find_answer", "is_free_text"]

WINDOW = 60_000  # characters at the end of a text that are searched


def extract_answer(text: str, finished: bool | None = None) -> str | None:
    """The final answer of a solution, as written; None when it gives none.

    Args:
        text: What the model wrote.
        finished: Whether it ended by itself. A text that a limit cut off (False) has only an answer whose mark is
            explicit and closed; one that ended (True) may state it plainly. None, not known: the text must look ended.

    Examples:
        >>> extract_answer(r"So we get \\boxed{41}, wait, no: \\boxed{42}.")
        '42'
    """
    found = find_answer(text, finished)
    return found.answer if found else None


def find_answer(text: str, finished: bool | None = None) -> Extraction | None:
    """The final answer with its place and the mark that gave it away; `finished` as in `extract_answer`."""
    offset = max(0, len(text) - WINDOW)
    window = text[offset:]
    prose = without_programs(window)  # a comment looks like a heading, and an assignment like an answer
    span = solution_in(prose, first_mark)
    solution = (prose if is_marked(prose) else window)[span.start : span.end]
    found = _found(solution, finished if span.ended is None else span.ended)
    if found is None or gives_up(found.answer):
        return None
    offset += span.start
    return Extraction(found.answer.strip(), found.start + offset, found.end + offset, found.reason)


_WORD = re.compile(r"\w")


def _found(text: str, finished: bool | None) -> Extraction | None:
    if text.lstrip()[:1] == "{" and "\\" not in text and (alone := _json_alone(text)) is not None:
        return alone
    if is_marked(text):
        boxes = boxes_in(text, finished)
        marked = _latest(boxes.answer, _inside(tags_in(text, finished), finished))
        if boxes.open_at is not None and (marked is None or boxes.open_at > marked.start):
            return None
        rest = text if marked is None else text[marked.end :]
        announced = announced_in(rest, finished) if _WORD.search(rest) else None
        if marked is None:
            if announced is not None:
                return announced
        else:
            if announced is None or not states_value(announced.answer):
                return marked
            start = marked.end
            return Extraction(announced.answer, start + announced.start, start + announced.end, announced.reason)
    if finished is False:
        return None
    return _json_alone(text) or lone_answer(text, finished) or closing_statement(text, finished)


def _latest(first: Extraction | None, second: Extraction | None) -> Extraction | None:
    found = [f for f in (first, second) if f is not None]
    return max(found, key=lambda f: f.end, default=None)


def _inside(tag: Extraction | None, finished: bool | None) -> Extraction | None:
    """What a tag holds; where it holds a text with a mark of its own, the answer there."""
    if tag is None or not is_marked(tag.answer):
        return tag
    found = _found(tag.answer, True)
    return tag if found is None else Extraction(found.answer, tag.start + found.start, tag.start + found.end, "tag")


def _json_alone(text: str) -> Extraction | None:
    value = json_value(text)
    if value is None:
        return None
    start = text.rfind(value)
    return Extraction(value, max(start, 0), max(start, 0) + len(value), "json")


_HINTS = (
    "\\boxed",
    "\\fbox",
    "####",
    "nswer",
    "NSWER",
    "ption",
    "hoice",
    "Ans",
    "ans:",
    "esult",
    "ANS",
    "\n",
    "</",
    "<|",
    "espuesta",
    "ntwort",
    "isposta",
    "esposta",
    "eponse",
    ". ",
    '{"',
)


# Sentences, or a JSON object.
_SEVERAL = re.compile(r"[a-z\d)}$*][.!?]\s+[A-Z][a-z]*\b(?![.)])|\A\s*\{\s*\"")


def is_free_text(text: str) -> bool:
    """Whether a text is more than an answer: it holds a mark of one, or runs over several lines."""
    if text.isascii() and not any(hint in text for hint in _HINTS):
        return False
    return "\n" in text or "</" in text or "<|" in text or _SEVERAL.search(text) is not None or is_marked(text)
