"""Answers that give none: three dots, a question mark, "no idea"."""

from __future__ import annotations

import re

__all__ = ["gives_up"]

LONGEST = 80  # characters of a place where an answer should stand

_COMMAND = re.compile(
    r"\\(?:text|mbox|textbf|textit|mathrm|boxed|quad|left|right|[lcdv]?dots[bcimo]?)(?![A-Za-z])|\\[,;:! ]"
)
_LABEL = re.compile(r"\A\W*(?:final )?answer(?=\W)", re.IGNORECASE)
_VALUE = re.compile(r"[^\W_]|[∞∅□√]|\\[A-Za-z]")
_SAID = re.compile(
    r"(?:sorry |well |honestly )*(?:(?:i )?(?:really )?(?:have )?no (?:idea|clue|answer)(?: given| found| available)?|(?:the answer is )?(?:not known|unknown)|idk|tbd|to be determined|unsure|(?:i am |i'm |im )?not (?:sure|certain)|(?:i )?(?:do not|don't|dont|cannot|can't|could not|couldn't) (?:know|tell|say|answer|solve|find|determine|compute)"
    r"(?: (?:it|this|that|the answer|the solution|the value|this (?:problem|question)|how|for sure))?|(?:i am |i'm )?unable to (?:determine|solve|answer|find)(?: (?:it|this|the answer|this (?:problem|question)))?)"
)


def gives_up(answer: str) -> bool:
    """Whether what stands in the place of an answer says that there is none. "No solution" and "undefined" are answers.

    Example:
        >>> gives_up("..."), gives_up("I don't know"), gives_up("no solution"), gives_up("cannot be determined")
        (True, True, False, False)
    """
    if len(answer) > LONGEST:
        return False
    plain = _LABEL.sub("", _COMMAND.sub(" ", answer))
    if _VALUE.search(plain) is None:
        return True
    if plain.strip(" .$*_{}") == "N/A":
        return True
    words = " ".join(re.findall(r"[a-z']+", plain.lower().replace("’", "'")))
    return not any(c.isdigit() for c in plain) and _SAID.fullmatch(words) is not None
