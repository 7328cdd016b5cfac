"""Token lists cut and unwrapped: separators outside brackets, the bracket that closes, every reading of plus-minus."""

from __future__ import annotations

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.tokens import Token

__all__ = [
    "cells",
    "closing",
    "nesting",
    "opening",
    "outermost",
    "sides_of",
    "sign_readings",
    "split",
    "step",
    "unwrapped",
]

MAX_SIGNS = 5  # plus-minus signs: 2^5 answers

_OPENING = frozenset(("(", "[", "{", "\\{"))
_CLOSING = frozenset((")", "]", "}", "\\}"))
_RELATIONS = frozenset(("=", "!=", "<", ">", "<=", ">="))


def step(token: Token) -> int:
    """How a token changes the depth of brackets and environments."""
    kind, value = token
    if kind == "o":
        return 1 if value in _OPENING else -1 if value in _CLOSING else 0
    if kind == "c":
        return 1 if value.startswith("begin ") else -1 if value.startswith("end ") else 0
    return 0


def nesting(tokens: list[Token]) -> int:
    """The greatest depth of brackets."""
    depth = deepest = 0
    for token in tokens:
        depth += step(token)
        deepest = max(deepest, depth)
    return deepest


def outermost(tokens: list[Token], token: Token) -> int | None:
    """The last place of a token outside all brackets."""
    if token not in tokens:
        return None
    depth, found = 0, None
    for index, other in enumerate(tokens):
        depth += step(other)
        if depth == 0 and other == token:
            found = index
    return found


def unwrapped(tokens: list[Token]) -> list[Token]:
    """The tokens without currency signs, and without braces around the whole."""
    if ("o", "$") in tokens or ("o", "#") in tokens:
        tokens = [t for t in tokens if t not in (("o", "$"), ("o", "#"))]
    while len(tokens) > 1 and tokens[0] == ("o", "{") and closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def closing(tokens: list[Token], start: int) -> int | None:
    """The index of the bracket that closes the one at `start`; an interval may close with another kind."""
    depth = groups = 0
    for index in range(start, len(tokens)):
        kind, value = tokens[index]
        if kind != "o":
            continue
        change = 1 if value in _OPENING else -1 if value in _CLOSING else 0
        if value in ("{", "}"):
            groups += change
        else:
            depth += change
        if depth == 0 and groups == 0:
            return index
        if depth < 0 or groups < 0:
            return None
    return None


def opening(tokens: list[Token]) -> int | None:
    """The index of the bracket that the last token closes."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        kind, value = tokens[index]
        if kind == "o":
            depth += (value in _CLOSING) - (value in _OPENING)
        if depth == 0:
            return index
    return None


def split(tokens: list[Token], separators: tuple[str, ...]) -> tuple[list[list[Token]], str]:
    """The parts between separators that stand outside all brackets, and the word that joined them last."""
    parts: list[list[Token]] = [[]]
    depth = 0
    word = ","
    for token in tokens:
        depth += step(token)
        kind, value = token
        separator = value.strip(" ,.").lower() if kind == "w" else value
        if depth == 0 and kind in "owc" and separator in separators:
            if kind == "w":
                word = separator
            parts.append([])
        else:
            parts[-1].append(token)
    return [p for p in parts if p], word


def sides_of(tokens: list[Token]) -> tuple[list[list[Token]], list[str]]:
    """The sides of the relations outside all brackets, and their operators."""
    if not any(kind == "o" and value in _RELATIONS for kind, value in tokens):
        return [tokens], []
    sides: list[list[Token]] = [[]]
    operators: list[str] = []
    depth = 0
    for token in tokens:
        depth += step(token)
        if depth == 0 and token[0] == "o" and token[1] in _RELATIONS:
            operators.append(token[1])
            sides.append([])
        else:
            sides[-1].append(token)
    return sides, operators


def cells(row: list[Token]) -> list[list[Token]]:
    """The entries of a row of a matrix."""
    entries: list[list[Token]] = [[]]
    for token in row:
        if token == ("o", "&"):
            entries.append([])
        else:
            entries[-1].append(token)
    return entries


def sign_readings(tokens: list[Token]) -> list[list[Token]]:
    """Every reading of the plus-minus signs; minus-plus goes against the first of them.

    Raises:
        Unreadable: When there are too many.
    """
    places = [i for i, t in enumerate(tokens) if t == ("o", "+-")]
    if len(places) > MAX_SIGNS:
        raise Unreadable("too many signs")
    if not places:
        return [[("o", s) if t == ("o", "-+") else t for t in tokens] for s in "+-"]
    readings = []
    for number in range(2 ** len(places)):
        signs = ["+-"[number >> i & 1] for i in range(len(places))]
        reading = list(tokens)
        for place, sign in zip(places, signs, strict=True):
            reading[place] = ("o", sign)
        opposite = "-" if signs[0] == "+" else "+"
        readings.append([("o", opposite) if t == ("o", "-+") else t for t in reading])
    return readings
