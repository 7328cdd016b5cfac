"""The solution's beginning and end in an output: after the thoughts, before what a base model writes on and on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Solution", "solution_in", "without_programs"]

FirstMark = Callable[..., "re.Match[str] | None"]
"""From a text, and optionally a place in it, the first mark of an answer from there on."""

_THOUGHT_ENDS = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|scratchpad)>|<\|end_of_thought\|>|◁/think▷"
    r"|<\|channel\|>final(?:<\|message\|>)?",
    re.IGNORECASE,
)
_THOUGHT_BEGINS = re.compile(r"<(?:think|thinking|thought|reasoning|scratchpad)>|◁think▷", re.IGNORECASE)

# Marks of chat templates and of the end of a sequence: whatever follows is no longer the solution.
_CONTROL = re.compile(
    r"</s>|<s>|<eos>|<bos>|<pad>|<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|eom_id"
    r"|start_header_id|end_header_id|endofprompt|end|eot|user|assistant|system|return|start|message|pad|sep)\|>"
    r"|</?(?:start|end)_of_turn>|<[|｜](?:begin|end)[▁_]of[▁_]sentence[|｜]>|<[|｜](?:User|Assistant)[|｜]>"
    r"|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\s*(?:assistant|model)?\s*:?\s*\Z", re.IGNORECASE)

# A line that opens another question, labelled.
_LABELLED = re.compile(
    r"\n[^\S\n]{0,40}(?:>[^\S\n]*)?(?:#{1,6}[^\S\n]*)?[*_]{0,3}"
    r"(?:(?:Next|New|Another)[^\S\n]+(?:question|problem|exercise|example)[^\S\n]*[:.：]|(?:Question|Problem|Exercise|Example|Instruction|Input|Task|Query)(?:[^\S\n]*\#?\d{1,4})?[^\S\n]*[*_]{0,3}[^\S\n]*(?:[:.：]|\)|(?=\n))"
    r"|Q[^\S\n]*\d{0,3}[^\S\n]*[:.：]|(?:User|Human|Student)[*_]{0,3}[^\S\n]*[:：]"
    r"|(?:题目|问题|例题|练习|例|题)[^\S\n]*\d{0,3}[^\S\n]*[*_]{0,3}[:：])"
)
_NUMBERED = re.compile(r"\n[^\S\n]*\n[^\S\n]*(\d{1,3})[.)][^\S\n]+(?=[A-Z])")
_NEW_PARAGRAPH = re.compile(r"\n[^\S\n]*\n[^\S\n]*(?:(?:-{3,}|\*{3,}|_{3,}|={3,})\s*\n\s*)?")
# How a solution goes on, rather than another question begins.
_GOES_ON = re.compile(
    r"[\W_]*(?:wait|hmm+|but|however|now|so|therefore|thus|hence|actually|let'?s|let us|alternatively|note|check\w*|to|is|does|did"
    r"|do|are|can|could|we|i|i'm|this|that|these|those|next|then|first|second|third|finally|for|since|because|also|and|or|again|but|the answer"
    r"|oh|no|yes|ok|okay|well|sorry|correction|verif\w+|double|step|case|part|here|thank\w*|in conclusion|final\w*|answer)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?|^[\W_]*(?:find|compute|determine|evaluate|calculate|solve|simplify|what|how many|how much)\b", re.IGNORECASE
)
# An answer that ends a solution, so that an unlabelled question may follow it.
_ANSWERED = re.compile(r"\\boxed\s*\{|####[^\nA-Za-z]*\d|answer(?<=\banswer)(?: is|:)\W{0,4}(?:\d|\\frac)")
_PROGRAM = re.compile(r"```[ \t]*(?:python|py|cpp|sympy|output)\b.*?(?:```|\Z)", re.DOTALL | re.IGNORECASE)


def without_programs(text: str) -> str:
    """The text with blanks in place of its programs, whose comments look like headings."""
    return _PROGRAM.sub(lambda m: " " * len(m[0]), text) if "```" in text else text


@dataclass(frozen=True)
class Solution:
    """The span of a solution in an output.

    Attributes:
        start: Where it starts.
        end: Where it ends.
        ended: True when something after it shows that it was complete; False when it is a thought that never ends;
            None when the text does not tell.
    """

    start: int
    end: int
    ended: bool | None


def solution_in(text: str, mark: FirstMark) -> Solution:
    """The solution in an output: behind the thoughts, before control tokens and before the next question.

    Args:
        text: The output.
        mark: Finds what marks an answer, in a text from a place on: a question that follows no mark is the one that is being solved.
    """
    start, ended = 0, None
    if "<" in text or "◁" in text:
        endings = [m.end() for m in _THOUGHT_ENDS.finditer(text)]
        if endings:
            start = endings[-1]
        elif _THOUGHT_BEGINS.match(text.lstrip()):
            ended = False
    end = len(text)
    if "<" in text or "[" in text:
        control = _first_control(text, start)
        if control is not None:
            end, ended = control, True if ended is None else ended
    following = _next_question(text[start:end], mark)
    if following is not None:
        end, ended = start + following, True
    return Solution(start, end, ended)


def _first_control(text: str, start: int) -> int | None:
    """The place of the first control token that follows any content."""
    for match in _CONTROL.finditer(text, start):
        before = _CONTROL.sub("", text[start : match.start()])
        if not _ROLE.match(before):
            return match.start()
    return None


def _next_question(text: str, mark: FirstMark) -> int | None:
    """The place where another question begins after an answer: labelled, numbered, or a paragraph that asks."""
    if "\n" not in text:
        return None
    first = mark(text)
    if first is None:
        return None
    places = []
    labelled = _LABELLED.search(text, first.end())
    if labelled is not None:
        places.append(labelled.start())
    answered = _ANSWERED.search(text)
    if answered is None:
        return min(places, default=None)
    numbered = _NUMBERED.search(text, answered.end())
    if numbered is not None and int(numbered[1]) > 1 and not _is_listed(text[: numbered.start()], int(numbered[1]) - 1):
        places.append(numbered.start())
    for break_ in _NEW_PARAGRAPH.finditer(text, answered.end()):
        if places and break_.start() >= min(places):
            break
        paragraph = text[break_.end() :].partition("\n\n")[0][:1_500]
        again = mark(text, break_.end())
        if again is None:
            break
        asked = text[break_.end() : max(again.start(), break_.end())][:1_500]
        if _QUESTION.search(asked.partition("\n\n")[0] if asked.strip() else paragraph) and not _GOES_ON.match(asked):
            places.append(break_.start())
            break
    return min(places, default=None)


def _is_listed(before: str, number: int) -> bool:
    """Whether an item of this number stands before: then the solution itself is a list."""
    return re.search(rf"(?:\A|\n)[^\S\n]*(?:[*_#>-]+[^\S\n]*)?{number}[.)]", before) is not None
