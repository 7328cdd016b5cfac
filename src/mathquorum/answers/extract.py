"""The final answer in free text: what it is, where it stands, and what marked it.

The marks are tried from the most to the least explicit: \\boxed, ####, a JSON field, "the answer is" in several
languages, and a last sentence that states one number. The last mark of the strongest kind wins, because a solution may
correct itself. A text that breaks off has no answer: its last number is no more than a step, and would vote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.prose import stated_number

__all__ = ["Extraction", "extract_answer", "find_answer", "is_free_text"]

MAX_ANSWER = 2_000  # characters between a mark and the end of the answer
WINDOW = 60_000  # characters at the end of a text that are searched
MAX_MARKS = 40  # marks of one kind that are looked at, from the end


@dataclass(frozen=True)
class Extraction:
    """An answer found in a text.

    Attributes:
        answer: The answer as written, without its mark.
        start: Where it starts in the text.
        end: Where it ends in the text.
        reason: What marked it: "boxed", "hash", "json", "phrase", or "closing", the sentence that ends the text.
    """

    answer: str
    start: int
    end: int
    reason: str


def extract_answer(text: str, finished: bool | None = None) -> str | None:
    """The final answer of a solution, as written; None when nothing marks one.

    Args:
        text: What the model wrote.
        finished: Whether it ended by itself. A text that a limit cut off (False) has only an answer whose mark is
            explicit and closed; one that ended (True) may state it plainly. None, not known: the text must look ended.

    Example:
        >>> extract_answer(r"So we get \\boxed{41}, wait, no: \\boxed{42}.")
        '42'
    """
    found = find_answer(text, finished)
    return found.answer if found else None


def find_answer(text: str, finished: bool | None = None) -> Extraction | None:
    """The final answer with its place and the mark that gave it away; `finished` as in `extract_answer`."""
    offset = max(0, len(text) - WINDOW)
    window = text[offset:]
    thought = window.rfind("</think>")
    if thought >= 0:
        offset += thought + len("</think>")
        window = window[thought + len("</think>") :]
    window = _before_next_question(window)
    found = _marked(window)
    if found is None or (finished is False and found.reason == "closing"):
        return None
    return Extraction(found.answer.strip(), found.start + offset, found.end + offset, found.reason)


def _marked(text: str) -> Extraction | None:
    boxed = _boxed(text)
    if boxed is not None:
        # "-\\boxed{256}. Final Answer: The final answer is $-256$": what is announced after the box outranks it.
        rest = text[boxed.end :]
        announced = _json(rest) or _phrase(rest, _ANNOUNCED)
        if announced is None or "boxed" in announced.answer:
            return boxed
        return Extraction(announced.answer, boxed.end + announced.start, boxed.end + announced.end, announced.reason)
    for reader in (_hash, _json, _phrase, _closing):
        found = reader(text)
        if found is not None:
            return found
    return None


def _says_something(answer: str) -> bool:
    """Whether an answer is more than punctuation or a blank that was left to fill in."""
    return any(c.isalnum() for c in answer) or "\\" in answer or "∞" in answer or "∅" in answer


_HINTS = ("\\boxed", "\\fbox", "####", "nswer", "NSWER", "ption is", "hoice is")
_MARK = re.compile(
    r"\\boxed|\\fbox|####|\bfinal answer\b|\banswers? (?:is|are)\b|\banswer\s*:|[\"']answer[\"']\s*:"
    r"|\b(?:option|choice) is\b|答案|答えは|정답은|ответ\s*:|respuesta|r[ée]ponse",
    re.IGNORECASE,
)


def is_free_text(text: str) -> bool:
    """Whether a text holds a mark of an answer, and so is more than an answer."""
    if text.isascii() and not any(hint in text for hint in _HINTS):
        return False
    return _MARK.search(text) is not None


_NEXT_QUESTION = re.compile(
    r"\n[^\S\n]{0,40}(?:Question|Problem|Q|User|Human|Instruction|### (?:Instruction|Problem|Question))\s*\d*\s*[:.]"
)


def _before_next_question(text: str) -> str:
    """A base model runs on and asks itself another question: what stands before it is the solution."""
    if _NEXT_QUESTION.search(text) is None:  # by far the quicker of the two searches, and the rule
        return text
    mark = _MARK.search(text)
    following = _NEXT_QUESTION.search(text, mark.end()) if mark else None
    return text[: following.start()] if following else text


# --- \boxed ----------------------------------------------------------------------------------------------------------

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![a-zA-Z])\s*")
_JOIN = re.compile(
    r"(?=.*(?:,|;|and|or|quad))(?:[\s$,;]|\\[,;()\[\]]|\\q?quad|\\text\{[^{}]{0,25}\}|and|or|[A-Za-z](?:_\w)?\s*=)*",
    re.DOTALL,
)


# \\boxed{4} minutes or \\boxed{0.067} hours: the same value again, in another unit
_IN_OTHER_UNITS = re.compile(r"[\s\\)$,]*[a-z][a-z ]{2,20},?\s+or\s+[\s\\($]*")


def _boxed(text: str) -> Extraction | None:
    boxes = []
    for match in list(_BOX.finditer(text))[-MAX_MARKS:]:
        span = _braced(text, match.end())
        if span is not None:
            boxes.append((match.start(), *span))
    boxes = [b for b in boxes if text[b[1] : b[2]].strip()]
    if not boxes:
        return None
    if len(boxes) > 1 and _IN_OTHER_UNITS.fullmatch(text[boxes[-2][2] + 1 : boxes[-1][0]]):
        boxes.pop()
    chosen = [boxes[-1]]
    for box in reversed(boxes[:-1]):
        first = chosen[0]
        if box[2] > first[0]:  # the box before holds this one
            continue
        between = text[box[2] + 1 : first[0]]
        if len(between) > 60 or not _JOIN.fullmatch(between):
            break
        chosen.insert(0, box)
    answers = [_unboxed(text[start:end].strip()) for _, start, end in chosen]
    answer = answers[0] if len(set(answers)) == 1 else ", ".join(answers)
    if not answer:
        return None
    return Extraction(answer, chosen[0][1], chosen[-1][2], "boxed")


def _braced(text: str, start: int) -> tuple[int, int] | None:
    """The span of the content after \\boxed: to the brace that closes it, or the next symbol without braces."""
    if start >= len(text):
        return None
    if text[start] != "{":
        match = re.compile(r"\\[a-zA-Z]+(?:\{[^{}]*\})*|-?[\w.]+").match(text, start)
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
    ends = [i for i in (text.find(mark, start) for mark in ("$", "\n\n", "\\]", "\\)")) if i >= 0]
    return start + 1, min([*ends, stop])


def _unboxed(answer: str) -> str:
    """The content without a box inside it."""
    match = _BOX.match(answer)
    if match:
        span = _braced(answer, match.end())
        if span is not None and not answer[span[1] + 1 :].strip():
            return _unboxed(answer[span[0] : span[1]].strip())
    return answer


# --- other marks -----------------------------------------------------------------------------------------------------

_HASH = re.compile(r"####[ \t]*([^\n]*)")


def _hash(text: str) -> Extraction | None:
    found = None
    for match in list(_HASH.finditer(text))[-MAX_MARKS:]:
        content = match[1].strip()
        if content and (found is None or re.search(r"\d", content)):
            found = Extraction(content, match.start(1), match.end(1), "hash")
    return found


_JSON = re.compile(
    r"\\?[\"'](?:final_|correct_)?answer\\?[\"']\s*:\s*(?:\\\"(?P<escaped>[^\"\\]{0,2000})\\\"|\"(?P<string>(?:[^\"\\]|\\.){0,2000})\"|(?P<bare>[^\s,}\"][^,}\n]*))",
    re.IGNORECASE,
)


def _json(text: str) -> Extraction | None:
    found = None
    for match in list(_JSON.finditer(text))[-MAX_MARKS:]:
        group = match.lastgroup or "bare"
        answer = match[group].replace('\\"', '"').strip().strip("'")
        if _says_something(answer):
            found = Extraction(answer, match.start(group), match.end(group), "json")
    return found


_PHRASE = re.compile(
    r"(?:final\s+answer\s*(?:is|:)|(?:the|our|your|correct|my)\s+answers?\s+(?:is|are|=|would be|must be|should be)|answers?\s*[:=]|answers? (?:is|are)"
    r"|(?:correct|right)\s+(?:option|choice|answer)\s+is|答案(?:是|为|：|:)|la\s+respuesta(?:\s+final)?\s+es|la\s+r[ée]ponse(?:\s+finale)?\s+est"
    r"|die\s+(?:endg[üu]ltige\s+)?antwort\s+(?:ist|lautet)|a\s+resposta(?:\s+final)?\s+[ée]|la\s+risposta(?:\s+finale)?\s+[èe]|ответ\s*:"
    r"|答えは|정답은|^A:|^Answer\s)\s*[:=]?\s*",
    re.IGNORECASE | re.MULTILINE,
)
_ANNOUNCED = re.compile(r"final\s+answer\s*(?:is|:)\s*(?:the\s+final\s+answer\s+is\s*)?:?\s*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\.(?=\s|$)|\n|。|(?<=\$)[.,](?=\s|$)|\bI hope\b")


def _phrase(text: str, mark: re.Pattern[str] = _PHRASE) -> Extraction | None:
    found = None
    for match in list(mark.finditer(text))[-MAX_MARKS:]:
        start = match.end()
        content = text[start : start + MAX_ANSWER]
        lead = len(content) - len(content.lstrip(" *_`"))
        content = content[lead:]
        start += lead
        span = _math_span(content)
        if span is None:
            end = _SENTENCE_END.search(content)
            span = (0, end.start() if end else len(content))
        answer = content[span[0] : span[1]].strip().strip('*`"').strip()
        if answer:
            found = Extraction(answer, start + span[0], start + span[1], "phrase")
    return found


def _math_span(text: str) -> tuple[int, int] | None:
    """The span inside delimiters when the text opens with a formula."""
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")):
        if text.startswith(opening):
            end = text.find(closing, len(opening))
            while end > 0 and closing == "$" and text[end - 1] == "\\":
                end = text.find(closing, end + 1)
            return (len(opening), end) if end > 0 else None
    return None


_OUTPUT = re.compile(r"```output\s*\n(?P<output>[^`]{1,200}?)\s*```")


def _closing(text: str) -> Extraction | None:
    """The number that the last sentence states, or the last output of a program that ends the text."""
    tail = text[-1_000:].rstrip()
    if tail.endswith("```"):
        outputs = list(_OUTPUT.finditer(text[-3_000:]))
        if outputs and text.rstrip().endswith(outputs[-1][0]):
            start = max(0, len(text) - 3_000)
            return Extraction(
                outputs[-1]["output"], start + outputs[-1].start(1), start + outputs[-1].end(1), "closing"
            )
        return None
    if not tail.endswith((".", "!", "$", ".)", "\\]")):
        return None
    start = max((m.end() for m in re.finditer(r"[.!?]\s+(?=[A-Z$\\])|\n", tail)), default=-1)
    if start < 0:
        return None  # one sentence alone is not a solution
    sentence = tail[start:].strip()
    if stated_number(sentence) is None:
        return None
    offset = max(0, len(text) - 1_000) + tail.index(sentence, start)
    return Extraction(sentence, offset, offset + len(sentence), "closing")
