"""Answers that a text states plainly, without a mark: alone, in its last line, or in its last sentence."""

from __future__ import annotations

import re

from mathquorum.answers.computed import computed_number
from mathquorum.answers.marks import Extraction
from mathquorum.answers.phrases import is_number_in_words
from mathquorum.answers.prose import states_value

__all__ = ["closing_statement", "is_value", "lone_answer"]

TAIL = 1_500  # characters at the end of a text in which its last sentence is looked for
LONGEST_LINE = 300  # of an answer that stands alone

_COMMAND = re.compile(r"\\(?:text|mbox|mathrm|textbf|textit)\s*\{[^{}]*\}|\\[A-Za-z]+|\\.")
_PLAIN_WORD = re.compile(r"[A-Za-z]{2,}")
_VALUE = re.compile(
    r"[-+−–﹣‑]?\s*(?:US)?(?:\\?[$€£¥₹])?\s*(?:\d|\.\d|\\(?![()\[\]a-z]*(?:text|quad))|[∞π√(\[{（【])|[A-Za-z](?:_\w+|\([\w,]*\))?\s*=|\(?[A-H]\)?\W*\Z|\(?[A-H][.):]\s"
)
_WRAPPED = (
    ("$$", "$$"),
    ("\\[", "\\]"),
    ("\\(", "\\)"),
    ("$", "$"),
    ("***", "***"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
)
_BULLET = re.compile(r"(?:[-*•>]\s+|\d{1,2}[.)]\s+(?=\S*[A-Za-z]{2}))")
_WORD_ANSWERS = re.compile(
    r"(?:yes|no|true|false|none|never|always|even|odd|undefined|infinity|infinite|impossible|no (?:real )?solutions?|(?:the )?empty set|does not exist|dne)\W*",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"[A-Z][A-Za-z ]{1,40}(?::|=)\s*(?=[-+$\\\d]|[a-z]\s*=)[^:]{1,80}\Z")  # Total: 8 apples
_EMPHASISED_LABEL = re.compile(
    r"(?P<mark>\*{1,3}|__)(?!Note|Check|Given|Hint|Remark|Example|Verif|Recall|Step|Case)[A-Z][A-Za-z ]{1,40}(?::\s?(?P=mark)|(?P=mark)\s?:)\s+"
)  # **Total:** 84 miles
_EXCEEDED = re.compile(
    r"(?:\b(?:less|more|fewer|greater|smaller|larger) than|\bexceeds?|\b(?:is|was|are|were) not|\bmaybe it is)\s*\Z",
    re.IGNORECASE,
)
_EXCEEDING = re.compile(r"\s*(?:less|more|fewer) than\s+(?:twice|half|double|\d|[a-z]\b|\\)")
_OUTPUT = re.compile(r"```output\s*\n(?P<output>[^`]{1,200}?)\s*```")
_STOP = re.compile(r"(?<![\d.][.])[.!?][*_\"')]{0,3}\s+(?=[A-Z$\\*_])|。|\n")
_ENDED = (".", "!", "。", "$", ".)", "\\]", "\\)", "**", "__", "*", '."')
_EMPHASIS = re.compile(r"(?P<mark>\*\*\*|\*\*|__|(?<=\s)[*_](?=\d))(?=\S)(?P<content>[^*_\n]{1,80}?)(?<=\S)(?P=mark)")

_BOLD = re.compile(r"\$?\\(?:mathbf|textbf|boldsymbol)\{(?P<content>[^{}\n]{1,80})\}\$?")


def lone_answer(text: str, finished: bool | None) -> Extraction | None:
    """The whole text when it is nothing but an answer: 73, $x=73$, **73**, a formula on several lines."""
    body = text.strip()
    if not body or len(body) > 4 * LONGEST_LINE or "\\boxed" in body:
        return None
    if "\n" in body and (re.search(r"\n\s*\n", body) or not _is_formula(body)):
        return None
    plain = _WORD_ANSWERS.fullmatch(body) or (finished is True and "\n" not in body and len(body.split()) <= 3)
    if not plain and not is_value(body):
        return None
    return _unwrapped(text, text.index(body), text.index(body) + len(body))


def is_value(line: str) -> bool:
    """Whether a line is a value with at most a few words around it, and no sentence."""
    line = _bare(line)
    if not line or len(line) > LONGEST_LINE:
        return False
    words = _PLAIN_WORD.findall(_COMMAND.sub(" ", line))
    if not words:
        return any(c.isalnum() or c in "∞∅" for c in line)
    return _VALUE.match(line) is not None and len(words) <= 5 and not re.search(r"[.!?]\s+[A-Z]", line)


def _is_formula(text: str) -> bool:
    """Whether several lines are one formula: no words, and an environment or display around them."""
    if _PLAIN_WORD.search(_COMMAND.sub(" ", re.sub(r"\\(?:begin|end)\s*\{[^{}]*\}", " ", text))):
        return False
    return "\\begin" in text or text.startswith(("$$", "\\[", "{", "(", "["))


def _bare(line: str) -> str:
    """A line without emphasis, delimiters, quotes and final punctuation around it."""
    line = line.strip().rstrip(".。!")
    for opening, closing in _WRAPPED:
        if line.startswith(opening) and line.endswith(closing) and len(line) > len(opening) + len(closing):
            line = line[len(opening) : -len(closing)].strip().rstrip(".")
    return line.strip(' "*_`')


def _unwrapped(text: str, start: int, end: int) -> Extraction:
    """The span of an answer without the emphasis and delimiters around it."""
    changed = True
    while changed:
        changed = False
        while start < end and text[start].isspace():
            start += 1
        while start < end and (text[end - 1].isspace() or text[end - 1] in ".。"):
            end -= 1
        for opening, closing in _WRAPPED:
            inner = text[start + len(opening) : end - len(closing)]
            if (
                len(opening) + len(closing) < end - start
                and text.startswith(opening, start)
                and text.endswith(closing, start, end)
                and opening not in inner
                and closing not in inner
            ):
                start, end, changed = start + len(opening), end - len(closing), True
                break
    return Extraction(text[start:end], start, end, "closing")


def closing_statement(text: str, finished: bool | None) -> Extraction | None:
    """The answer that the end of a text states: a program's last output, a line that is a value, or a sentence.

    A text of which it is not known whether it ended has to look as if it did: its last line is a value, or its last
    sentence ends in a full stop, a formula or emphasis.
    """
    body = text.rstrip()
    if body.endswith("```"):
        return _program_output(text, body)
    offset = max(0, len(body) - TAIL)
    tail = body[offset:]
    display = _display(tail)
    if display is not None and _is_complete(tail[slice(*display)], finished):
        return Extraction(tail[slice(*display)].strip(), offset + display[0], offset + display[1], "closing")
    line = tail.rfind("\n") + 1
    start = _content_start(tail, line)
    emphasised = _EMPHASISED_LABEL.match(tail, start)
    start = emphasised.end() if emphasised is not None and is_value(tail[emphasised.end() :]) else start
    if is_value(tail[start:]) and _is_complete(_bare(tail[start:]), finished):
        return _unwrapped(text, offset + start, len(body))
    if not tail.endswith(_ENDED) and finished is not True and not (line and _LABELLED.match(tail[start:])):
        return None
    start = max([line, *(m.end() for m in _STOP.finditer(tail))])
    start = _content_start(tail, start)
    return _sentence(text, offset + start, len(body))


def _is_complete(value: str, finished: bool | None) -> bool:
    """Whether a last line may be an answer: brackets and dollars are closed; a derivation only in a text that ended."""
    value = re.sub(r"\\[$%]", "", value).strip()
    if value.count("$") % 2 or value.count("{") != value.count("}") or value.startswith("&") or "boxed" in value:
        return False
    if value.count("(") + value.count("[") != value.count(")") + value.count("]") or value.endswith(
        tuple("=+-*/^_\\&")
    ):
        return False
    return finished is True or (value.count("=") + value.count("\\approx") <= 1 and len(value) <= 120)


def _content_start(tail: str, start: int) -> int:
    """The place where a line begins behind its bullet."""
    start += len(tail[start:]) - len(tail[start:].lstrip())
    bullet = _BULLET.match(tail, start)
    return bullet.end() if bullet else start


def _sentence(text: str, start: int, end: int) -> Extraction | None:
    """The value that a sentence emphasises, or the sentence itself when it states one number."""
    sentence = text[start:end]
    whole = _bare(sentence)
    marked = [*_EMPHASIS.finditer(sentence), *(m for m in _BOLD.finditer(sentence) if re.search(r"\d", m["content"]))]
    emphasised = [m for m in marked if is_value(m["content"])] or [
        m for m in marked if is_number_in_words(m["content"])
    ]
    if (
        emphasised
        and len({m["content"] for m in emphasised}) == 1
        and len(emphasised[0][0]) < len(sentence.strip(" ."))
    ):
        found = emphasised[-1]
        if _EXCEEDED.search(sentence[: found.start()]) or _EXCEEDING.match(sentence[found.end() :]):
            return None
        return Extraction(
            found["content"].strip(), start + found.start("content"), start + found.end("content"), "closing"
        )
    if len(emphasised) > 1:
        return None
    if not states_value(whole):
        span = computed_number(text[:start], sentence)
        return Extraction(sentence[slice(*span)], start + span[0], start + span[1], "closing") if span else None
    start = text.index(whole, start)
    return Extraction(whole, start, start + len(whole), "closing")


def _display(tail: str) -> tuple[int, int] | None:
    """The span inside a formula on lines of its own at the end."""
    for opening, closing in (("\\[", "\\]"), ("$$", "$$")):
        stripped = tail.rstrip(" .")
        if stripped.endswith(closing):
            end = len(stripped) - len(closing)
            start = tail.rfind(opening, 0, end)
            if start >= 0 and tail[start + len(opening) : end].strip():
                return start + len(opening), end
    return None


def _program_output(text: str, body: str) -> Extraction | None:
    """What a program that ends the text printed last."""
    start = max(0, len(body) - 3_000)
    outputs = list(_OUTPUT.finditer(body, start))
    if outputs and outputs[-1].end() == len(body):
        return Extraction(outputs[-1]["output"], outputs[-1].start(1), outputs[-1].end(1), "closing")
    return None
