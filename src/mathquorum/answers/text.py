"""Answers in words: one key for spellings of the same words, and for phrases that mean the same."""

from __future__ import annotations

import re
from typing import Any

from mathquorum.answers.sets import REALS
from mathquorum.answers.vocabulary import NUMBER_WORDS, PHRASES

__all__ = ["text_key"]

_COMMAND = re.compile(
    r"\\(?:text|mbox|textbf|mathrm|textit|mathbf|operatorname|left|right|quad|boxed)(?![a-zA-Z])|\\[,;!: ]"
)
_DOTS = re.compile(r"\\[lc]?dots[bc]?(?![a-zA-Z])")
_WORDS = re.compile(r"\.\.\.|[^\W_]+|[-+*/^=<>]", re.UNICODE)


_NO_SOLUTION = re.compile(
    r"(?:there (?:are |exists? )?|(?:[a-z ]{1,40} )?ha(?:s|ve) )?no (?:real |such |possible )?(?:solutions?|values?|roots?)(?: exists?)?"
)
_SAID = re.compile(r"(?:the|this|that) [a-z ]{1,40} (?:is|are|was|were) ([a-z]+)")
NEGATIONS = frozenset(("not", "no", "never", "none", "neither", "nor", "cannot", "if", "unless", "either", "or", "and"))


def text_key(text: str) -> tuple[Any, ...]:
    """A key for an answer that is not mathematics."""
    words = _WORDS.findall(_DOTS.sub("...", _COMMAND.sub(" ", text)).casefold())
    if not words:
        return ("text", "".join(text.split()))
    phrase = " ".join(w for w in words if w not in ("the", "a", "an", "is", "it"))
    if phrase in ("all real numbers", "all reals", "all real", "any real number", "real numbers"):
        return REALS.key()
    phrase = PHRASES.get(phrase, phrase)
    if _NO_SOLUTION.fullmatch(phrase):
        phrase = PHRASES["no solution"]
    said = _SAID.fullmatch(" ".join(words))
    if said is not None and NEGATIONS.isdisjoint(words):  # the function is even
        phrase = said[1]
    if phrase in NUMBER_WORDS:
        return ("n", (NUMBER_WORDS[phrase], 1))
    return ("text", phrase.replace(" ", ""))
