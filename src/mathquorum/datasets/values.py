"""Values of data files as what they are meant to be: a text, an answer, a number, a label. What fits none is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from mathquorum.errors import DataError

__all__ = ["NO_ANSWERS", "answer_text", "is_missing", "listed", "message_text", "number", "value_at"]

NO_ANSWERS = frozenset({"proof", "notfound", "not found", "n/a", "none", "null", "nan"})
"""References that say there is none, in lower case: NuminaMath and OpenR1 mark proofs and failed extractions so."""


def value_at(values: Mapping[str, Any], column: str) -> Any:
    """The value of a column, or inside it: "reward_model.ground_truth". None when there is none."""
    if column in values:
        return values[column]
    head, dot, rest = column.partition(".")
    below = values.get(head) if dot else None
    return value_at(below, rest) if isinstance(below, Mapping) else None


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: null, NaN (which pandas writes for it), or white space."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def answer_text(value: Any, place: str, column: str) -> str | None:
    """An answer as a text: a text, a number of any length, or a list of one; None where it is missing.

    Raises:
        DataError: If it is true or false, infinite, an object, or a list of several.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list) and len(value) == 1:
        return answer_text(value[0], place, column)
    raise DataError(f"{place}: field {column!r} must be one answer, a text or a number. Got {value!r:.60} instead.")


def number(value: Any) -> float | None:
    """A finite number, also written as a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = _parsed(value)
    try:
        found = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _parsed(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def message_text(value: Any) -> str | None:
    """The text of a message's content: a text, or the text parts of [{"type": "text", "text": "..."}]; None for others."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(part, Mapping) for part in value):
        return None
    texts = [part.get("text", part.get("content")) for part in value if part.get("type", "text") in _TEXT_PARTS]
    return "".join(text for text in texts if isinstance(text, str))


_TEXT_PARTS = ("text", "output_text", "input_text")

# --- lists that were written as texts --------------------------------------------------------------------------------

_TOKEN = re.compile(r"""\s*(?:(?P<open>\[)|(?P<close>\])|(?P<comma>,)|'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"
    |(?P<word>[^\s,\[\]'"]+))""", re.DOTALL | re.VERBOSE)  # fmt: skip
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
_WORDS: dict[str, Any] = {
    "None": None,
    "nan": None,
    "null": None,
    "True": True,
    "true": True,
    "False": False,
    "false": False,
}


def listed(text: str) -> list[Any] | None:
    """The list that a text writes down, as pandas does with lists in csv: "['a', 'b']", "[0.5 nan]"; None if it is none.

    Texts, numbers, None, true and false, in at most two levels of brackets. Nothing is evaluated.

    Example:
        >>> listed("['So 5', \\"it's 6\\"]"), listed("[0.5, None]"), listed("[a, b)")
        (['So 5', "it's 6"], [0.5, None], None)
    """
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    stack: list[list[Any]] = []
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        kind = match.lastgroup
        if kind == "open":
            if len(stack) == 2:
                return None
            stack.append([])
        elif kind == "close":
            done = stack.pop()
            if not stack:
                return done if at == len(text) else None
            stack[-1].append(done)
        elif kind in ("single", "double"):
            stack[-1].append(_ESCAPE.sub(_unescaped, match[kind]))
        elif kind == "word":
            value = _WORDS.get(match["word"], _parsed(match["word"]))
            if value is None and match["word"] not in _WORDS:
                return None
            stack[-1].append(value)
    return None


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else match[0]
    return _SHORT.get(match[4], match[4] if match[4] in "'\"\\" else match[0])
