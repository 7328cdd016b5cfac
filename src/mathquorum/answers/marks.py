"""Marks of an answer other than boxes: tags, ####, JSON fields, headings, and phrases such as "the answer is"."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mathquorum.answers.anchors import Anchors, matches_at

__all__ = [
    "MARK",
    "MAX_ANSWER",
    "MAX_MARKS",
    "Extraction",
    "announced_in",
    "first_mark",
    "is_marked",
    "is_placeholder",
    "json_value",
    "states_value",
    "tags_in",
]

MAX_ANSWER = 2_000  # characters between a mark and the end of the answer
MAX_MARKS = 40  # marks of one kind that are looked at, from the end


@dataclass(frozen=True)
class Extraction:
    """An answer found in a text.

    Attributes:
        answer: The answer as written, without its mark.
        start: Where it starts in the text.
        end: Where it ends in the text.
        reason: What marked it: "boxed", "tag", "hash", "json", "phrase", or "closing", the plain end of the text.
    """

    answer: str
    start: int
    end: int
    reason: str


# Anything that marks an answer; quick to search, and wider than what is taken in the end.
MARK = re.compile(
    r"\\boxed|\\fbox|####|\bfinal[ _]answer\b|\banswers? (?:is|are)\b|(?<![^\W_])(?:answer|ans|result)[\W_]{0,12}[:：]|[\"']answer[\"']\s*:"
    r"|^A:|^[\W_]{0,8}(?:final )?answer[\W_]*$|</?(?:(?:final_)?(?:answer|ans|solution|result)|final)>|\[answer\]|<\|begin_of_box\|>|\b(?:option|choice) is\b|\boption [A-H] is\b"
    r"|^Answer\s+\W{0,6}\d|答案|答[:：]|答えは|정답은|ответ\s*:|respuesta|r[ée]ponse|antwort|risposta|resposta",
    re.IGNORECASE | re.MULTILINE,
)

# A word of each mark, in lower case, "answer" at most _AHEAD characters after the mark's start. To search for these first is ten times
# as fast: they begin with letters that the matcher can skip to, and a pattern that ignores case has none.
_HINT = re.compile(
    r"\\(?:boxed|fbox)|####|answer|ans(?=[\W_])|</?result>|result|<ans>|<final>|<solution>|<\|begin_of_box\|>|option|choice|\na:|答|정답|ответ|respuesta|r[ée]ponse|antwort|risposta|resposta"
)
_AHEAD = 24


def first_mark(text: str, start: int = 0) -> re.Match[str] | None:
    """What `MARK.search(text, start)` finds."""
    lowered = text.lower()
    if len(lowered) != len(text) or lowered.startswith("a:", start):
        return MARK.search(text, start)
    tried = start
    for hint in _HINT.finditer(lowered, start):
        ahead = _AHEAD if hint[0] in ("answer", "####") else 0  # the other words begin their marks
        for place in range(max(tried, hint.start() - ahead), hint.start() + 2):
            if match := MARK.match(text, place):
                return match
        tried = hint.start() + 1
    return None


def is_marked(text: str) -> bool:
    """Whether anything in a text marks an answer."""
    return "\\boxed" in text or first_mark(text) is not None


_PLACEHOLDERS = """
your the final answer answers result value number numerical here solution expression x my insert this in text
"""
_PLACEHOLDER_WORDS = frozenset(_PLACEHOLDERS.split())


def is_placeholder(content: str) -> bool:
    """Whether a box or tag holds only the name of what belongs there: \\boxed{answer}, \\boxed{...}."""
    words = re.findall(r"[A-Za-z]+", content)
    if not words:
        return not any(c.isalnum() or c in "\\∞∅" for c in content)
    return (
        len("".join(words)) > 1
        and not any(c.isdigit() for c in content)
        and _PLACEHOLDER_WORDS.issuperset(w.lower() for w in words)
    )


# --- tags ------------------------------------------------------------------------------------------------------------

_TAG = re.compile(
    r"(?:<(?P<tag>(?:final_?)?(?:answer|ans)|final|solution|result|\|begin_of_box\|)>|\[(?P<bracket>(?:final[ _]?)?answer)\])",
    re.IGNORECASE,
)


_CLOSING_TAGS = {"|begin_of_box|": "<|end_of_box|>"}  # of GLM models


def tags_in(text: str, finished: bool | None) -> Extraction | None:
    """The content of the last <answer> ... </answer> or its relatives; a tag left open only ends a finished text."""
    if "<" not in text and "[" not in text:
        return None
    found = None
    for match in list(_TAG.finditer(text))[-MAX_MARKS:]:
        name = match["tag"] or match["bracket"]
        closing = _CLOSING_TAGS.get(name, f"</{name}>") if match["tag"] else f"[/{name}]"
        end = text.lower().find(closing.lower(), match.end())
        if end < 0:
            if finished is not True or len(text) - match.end() > MAX_ANSWER:
                continue
            end = len(text)
        content = text[match.end() : end].strip()
        if name.lower() == "solution" and len(content) > 60:  # a whole solution
            continue
        if content and not is_placeholder(content):
            start = text.index(content, match.end())
            found = Extraction(content, start, start + len(content), "tag")
    return found


# --- announcements: ####, JSON, headings, phrases ----------------------------------------------------------------------

_NAMES = r"(?:(?:final|correct|numerical|exact|overall)[ _]+)*(?:answers?|ans)"
_CLOSERS = r"(?:[\s*_}`]|</(?:b|strong|i|em|u)>)*"
_PHRASE = re.compile(
    rf"(?:(?:the|our|your|correct|my|final)\s+(?:final\s+|correct\s+|numerical\s+)*answers?\s+(?:is|are|=|would be|must be|should be|becomes|to (?:the|this) (?:question|problem) is)"
    rf"|(?<![^\W_]){_NAMES}[*_}}`]*\s*[:=：]{_CLOSERS}(?:the\s+final\s+answer\s+is\b)?|\banswers? (?:is|are)"
    r"|(?:correct|right)\s+(?:option|choice|answer)\s+is|\b(?:option|choice)\s+is(?=\W{1,6}[A-H]\b)"
    r"|\b(?:option|choice)\s+(?=\(?[A-H]\)?\s+is\s+(?:the\s+)?(?:correct|right))"
    r"|^[ \t*_#]{0,12}(?:final\s+)?results?[*_}`]*\s*[:：]"
    r"|(?<![^\W_])(?:r[ée]ponse|antwort|respuesta|resposta|risposta)(?:\s+(?:finale?|correcte?))?\s*[:：]"
    r"|答案[*_]*\s*(?:是|为|：|:)|答[:：]|故选\s*[:：]?|la\s+respuesta(?:\s+final)?\s+es|la\s+r[ée]ponse(?:\s+finale)?\s+est"
    r"|die\s+(?:endg[üu]ltige\s+)?antwort\s+(?:ist|lautet)|a\s+resposta(?:\s+final)?\s+[ée]|la\s+risposta(?:\s+finale)?\s+[èe]|ответ\s*:"
    r"|答えは|정답은|^A:|^Answer\s(?=\W*\d))[\s*_}`]*(?:[:=：]|[-–—](?=\s))?\s*",
    re.IGNORECASE | re.MULTILINE,
)
# A line that is a heading and nothing else, or holds the answer after it: ## Answer, **Final Answer** 73
_HEADING = re.compile(rf"(?:\bthe\s+)?(?<![^\W_]){_NAMES}(?![^\W_])|\bresults?\b|最终答案|答案", re.IGNORECASE)
_BEFORE_HEADING = re.compile(r"[\s>#*_]*(?:\d{1,2}[.)]\s*)?(?:[\s*_]*|\\textbf\{\s*)")
_HASH = re.compile(r"(?<!#)####(?!#)[ \t]*(?P<content>[^\n]*)")
_CORRECTION = re.compile(
    r"\b(?:wait|actually|hmm+|sorry|mistake|wrong|correct(?:ed|ion|ing)?|error|instead|recheck|re-?check|redo|no,|oops|revis\w+|should be)\b",
    re.IGNORECASE,
)
# What a heading of four marks says: a title of words, a numbered title, "Step 2: ...".
_TITLE = re.compile(
    r"[*_\s]*(?:(?:step|part|case|section|question|problem|method|approach|solution|example|stage|phase|option)\b|\d+[.):]\s+[A-Za-z])",
    re.IGNORECASE,
)
_JSON = re.compile(
    r"(?:\\?[\"']|(?<=[{,\s])(?<![A-Za-z\"'] ))(?:final_?|correct_?)?answer(?:\\?[\"']\s*:|:(?=\s*[^\n}]{0,300}\}))\s*(?:\\\"(?P<escaped>[^\"\\]{0,2000})\\\"|\"(?P<string>(?:[^\"\\]|\\.){0,2000})\"|(?P<bare>[^\s,}\"][^,}\n]*))",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"\.(?=\s|$)|\n|。|(?<=\$)[.,](?=\s|$)|(?<=\*\*)[.,!](?=\s|$)|\bI hope\b|<(?=/)|!(?=\s|$)(?<=[A-Za-z*]!)"
)
# "The answer is ..." that goes on to speak about the answer instead of giving it.
_SPEAKS = re.compile(
    r"(?:indeed\s+|thus\s+|therefore\s+|already\s+|now\s+|also\s+|the\s+)?(?:correct|right|wrong|incorrect|inside|in|within|given|as|obtained|found|reached|shown|boxed|placed|put|written"
    r"|not|same|verified|confirmed|consistent|reasonable|valid|based|simply\s+the|below|above|clear|obvious|unique|that|what|to|by|from|for|of|on|at|here|supposed|expected|expressed|presented|provided|enclosed"
    r"|complete|done|ready|unknown\s+to)\b(?!\s*[:=]?\s*[\\$*(]*-?\d)",
    re.IGNORECASE,
)


_CALLED_RIGHT = re.compile(r"\(?([A-H])\)?[*_]*\s+is\s+(?:the\s+)?(?:correct|right)\b")


def fields_in(anchors: Anchors) -> list[re.Match[str]]:
    """The JSON fields named "answer"."""
    return _matches(_JSON, anchors, anchors.fields)


def headings_in(anchors: Anchors) -> list[re.Match[str]]:
    """The words that may be a heading."""
    return _matches(_HEADING, anchors, anchors.headings)


def phrases_in(anchors: Anchors) -> list[re.Match[str]]:
    """The phrases that announce an answer."""
    return _matches(_PHRASE, anchors, anchors.phrases)


def _matches(pattern: re.Pattern[str], anchors: Anchors, places: Callable[[], list[int]]) -> list[re.Match[str]]:
    if anchors.is_sure:
        return matches_at(pattern, anchors.text, places())
    return list(pattern.finditer(anchors.text))


def announced_in(text: str, finished: bool | None) -> Extraction | None:
    """The last announcement of an answer: ####, a JSON field, a heading, or a phrase."""
    anchors = Anchors(text)
    given = [f for f in (_hash(text, finished), _json(anchors, finished)) if f is not None]
    said = [f for f in (_heading(anchors, finished), _phrase(anchors, finished)) if f is not None]
    if given:  # a sentence after a field may speak about it
        said = [f for f in said if states_value(f.answer)]
    return max([*given, *said], key=lambda f: f.start, default=None)


_VALUE_FIRST = re.compile(
    r"(?:[a-z]\s*=\s*)?[-+−–(\[{*\s]*(?:\\?[$€£¥₹])?\s*(?:[\d.]|\\(?!boxed|fbox)[a-zA-Z{]|[A-H]\W*\Z|[A-H]\)|[A-Z][.):]\s)"
    r"|(?:yes|no|true|false)\W*\Z|[A-H]\b(?=\s+is\b)",
    re.IGNORECASE,
)


def states_value(answer: str) -> bool:
    """Whether an announcement gives a value rather than words about one, and is short enough to mean it."""
    return len(answer) <= 120 and "boxed" not in answer and _VALUE_FIRST.match(answer) is not None


def _last(candidates: Iterator[Extraction]) -> Extraction | None:
    found = list(candidates)
    return found[-1] if found else None


def _hash(text: str, finished: bool | None) -> Extraction | None:
    """GSM8K's mark: a line "#### 18". The first stands until the text corrects itself."""
    found: Extraction | None = None
    searched, is_corrected = 0, False
    for match in _HASH.finditer(text):
        content, start = match["content"], match.start("content")
        if not content.strip():  # the value on the next line
            following = re.compile(r"\s*\n\s*([^\n]+)").match(text, match.end())
            if following is None:
                continue
            content, start = following[1], following.start(1)
        content = content.strip()
        if not content or not _is_value_line(content) or (finished is False and match.end() >= len(text)):
            continue
        if found is not None and not _is_title(found, content):
            is_corrected = is_corrected or _CORRECTION.search(text, searched, match.start()) is not None
            searched = match.start()
            if not is_corrected:
                continue
        start = text.index(content, start)
        found = Extraction(content, start, start + len(content), "hash")
        searched, is_corrected = found.end, False
    return found


def _is_title(earlier: Extraction, content: str) -> bool:
    """Whether an earlier line of four marks was a title: words, where a later one has a value."""
    return not _SAYS_VALUE.search(earlier.answer) and _SAYS_VALUE.search(content) is not None


_SAYS_VALUE = re.compile(r"[\d\\$]")


def _is_value_line(content: str) -> bool:
    """Whether what follows #### is an answer and no title: it has a digit or a formula, or is one or two words."""
    if _TITLE.match(content) or re.fullmatch(
        rf"[*_]*(?:the\s+)?(?:{_NAMES}|solution|conclusion|results?)[*_:\s]*", content, re.I
    ):
        return False
    if re.search(r"\d|[\\$]", content):
        return len(re.findall(r"[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+", "", content))) <= 8
    return bool(re.fullmatch(r"[*_(]*[A-Za-z]+[*_)]*(?: [A-Za-z]+)?[.]?", content))


def _json(anchors: Anchors, finished: bool | None) -> Extraction | None:
    text = anchors.text

    def read() -> Iterator[Extraction]:
        for match in fields_in(anchors)[-MAX_MARKS:]:
            group = match.lastgroup or "bare"
            if finished is False and match.end() >= len(text) and group == "bare":
                continue
            answer = match[group].replace('\\"', '"').strip().strip("'")
            if any(c.isalnum() for c in answer) or "\\" in answer or "∞" in answer or "∅" in answer:
                yield Extraction(answer, match.start(group), match.end(group), "json")

    return _last(read())


_FENCED = re.compile(r"```(?:json)?\s*(\{[^`]{1,2000}\})\s*```\Z")
_JSON_LEVELS = 3  # objects in objects, with one field each


def json_value(text: str) -> str | None:
    """The one value of a JSON object that is the whole text, or its field "answer"; None when it is something else."""
    text = text.strip()
    fenced = _FENCED.search(text) if text.endswith("```") else None
    text = fenced[1] if fenced else text
    if not (text.startswith("{") and text.endswith("}") and '"' in text) or len(text) > MAX_ANSWER:
        return None
    try:
        fields = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    for _ in range(_JSON_LEVELS):
        for name in ("final_answer", "answer"):
            if name in fields:
                return _scalar(fields[name])
        if len(fields) != 1:
            return None
        (value,) = fields.values()
        if not isinstance(value, dict):
            return _scalar(value)
        fields = value
    return None


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return ", ".join(value)
    return value if isinstance(value, str) else None


def _heading(anchors: Anchors, finished: bool | None) -> Extraction | None:
    """A heading with the answer behind it or in the lines below it."""
    text = anchors.text

    def read() -> Iterator[Extraction]:
        for match in headings_in(anchors)[-MAX_MARKS:]:
            start = text.rfind("\n", 0, match.start()) + 1
            if match.start() - start > 24 or not _BEFORE_HEADING.fullmatch(text, start, match.start()):
                continue
            end = text.find("\n", match.end())
            line = text[match.end() : end if end >= 0 else len(text)]
            rest = line.strip("*_}:： \t\r")
            marked = bool(text[start : match.start()].strip())
            if rest and not (marked and _opens_with_value(rest)):
                continue
            after = match.end() + (line.index(rest) if rest else len(line))
            found = _below(text, after, finished)
            if found is not None:
                yield found

    return _last(read())


def _below(text: str, start: int, finished: bool | None) -> Extraction | None:
    """The answer under a heading: a formula or a line that is a value, or what the lines below it conclude with."""
    from mathquorum.answers.stated import closing_statement, is_value

    content = text[start : start + MAX_ANSWER]
    lead = len(content) - len(content.lstrip(" \t\n*_`:："))
    span = _math_span(content[lead:])
    if span is None:
        line = content[lead:].partition("\n")[0]
        if is_value(line):
            span = (0, len(line))
        else:
            if finished is False:
                return None
            stated = closing_statement(text[start:], finished)
            return (
                None
                if stated is None
                else Extraction(stated.answer, start + stated.start, start + stated.end, "phrase")
            )
    answer = content[lead + span[0] : lead + span[1]].strip().strip('*_`"').strip()
    if answer.endswith("}") and answer.count("}") > answer.count("{"):
        answer = answer[:-1].strip()
    if finished is False and start + lead + span[1] >= len(text):
        return None
    return Extraction(answer, start + lead + span[0], start + lead + span[1], "phrase") if answer else None


def _opens_with_value(content: str) -> bool:
    return (
        re.match(r"[*_(\s]*(?:[-+−–]?[$\\€£¥]?\\?\$?\s*[\d.\\$]|[A-Za-z]\b(?!\s+[a-z])|[A-Za-z]\s*=)", content)
        is not None
    )


def _phrase(anchors: Anchors, finished: bool | None) -> Extraction | None:
    text = anchors.text

    def read() -> Iterator[Extraction]:
        for match in phrases_in(anchors)[-MAX_MARKS:]:
            found = _after_phrase(text, match.end(), finished)
            if found is not None:
                yield found

    return _last(read())


def _after_phrase(text: str, start: int, finished: bool | None) -> Extraction | None:
    content = text[start : start + MAX_ANSWER]
    lead = len(content) - len(content.lstrip(" \t\n*_`"))
    content = content[lead:]
    start += lead
    called = _CALLED_RIGHT.match(content)
    if called is not None:  # option D is correct
        return Extraction(called[1], start + called.start(1), start + called.end(1), "phrase")
    if _SPEAKS.match(content):
        return None
    span = _math_span(content)
    if span is None:
        end = _SENTENCE_END.search(content)
        if end is None and finished is False:
            return None
        span = (0, end.start() if end else len(content))
    answer = content[span[0] : span[1]].strip().strip('*`"').strip()
    if answer.endswith("}") and answer.count("}") > answer.count("{"):  # of \\textbf{Answer: 15}
        answer = answer[:-1].strip()
        span = (span[0], span[0] + content[span[0] :].index(answer) + len(answer))
    if not answer or not (any(c.isalnum() for c in answer) or "\\" in answer):
        return None
    return Extraction(answer, start + span[0], start + span[1], "phrase")


def _math_span(text: str) -> tuple[int, int] | None:
    """The span inside delimiters when the text opens with a formula that ends its sentence."""
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")):
        if text.startswith(opening):
            end = text.find(closing, len(opening))
            while end > 0 and closing == "$" and text[end - 1] == "\\":
                end = text.find(closing, end + 1)
            return (len(opening), end) if end > 0 else None
    return None
