"""Arguments that begin like options: a negative number is an answer, and no option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["arguments_of", "unmarked"]

_MARK = "\x00"  # before an argument that begins like an option
_NEGATIVE = re.compile(r"-(?=[\d.,(\[{\\$∞π]|[a-zA-Z]\b(?!$))")
"""What begins an answer or a problem and no option: -5, -x+1, -\\frac12."""


def arguments_of(words: Sequence[str]) -> list[str]:
    """The command line as click is to read it: what is mathematics and no option is marked as an argument, in `grade` and `solve`.

    Example:
        >>> arguments_of(["grade", "-5", "5", "--json"])
        ['grade', '\\x00-5', '5', '--json']
    """
    if not words or words[0] not in ("grade", "solve"):
        return list(words)
    found = [words[0]]
    for before, word in pairwise(words):
        takes = before.startswith("--") and "=" not in before and before != "--json"
        found.append(_MARK + word if _NEGATIVE.match(word) and not takes else word)
    return found


def unmarked(text: str) -> str:
    """An argument as the user gave it."""
    return text.removeprefix(_MARK)
