"""Functions by cases: rows of a value and the comparisons under which it holds."""

from __future__ import annotations

import re

from mathquorum.answers.expressions import Node
from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.splitting import cells, sides_of, split
from mathquorum.answers.tokens import Token

__all__ = ["cases_node"]

_OPENERS = frozenset(("if", "for", "when", "whenever", "where", "as", "and"))
_OTHERWISE = frozenset(("otherwise", "else", "elsewhere"))


def cases_node(rows: list[list[Token]]) -> Node | None:
    """("cases", ("case", value, left, ("op", "<"), right, ...), ...); None when the rows are a system of equations.

    Raises:
        Unreadable: When they are cases that cannot be read.
    """
    pairs = [_halves(row) for row in rows]
    if len(pairs) < 2 or not all(condition for _, condition in pairs):
        return None
    return ("cases", *(("case", parse(_trimmed(value)), *_comparisons(condition or [])) for value, condition in pairs))


def _halves(row: list[Token]) -> tuple[list[Token], list[Token] | None]:
    """The value and the condition of a row; without a condition, None."""
    parts = cells(row)
    if len(parts) == 2 and parts[0] and _is_condition(parts[1]):
        return parts[0], parts[1]
    joined = [t for t in row if t != ("o", "&")]
    for index, token in enumerate(joined):
        if index and (_word(token) in _OPENERS - {"and"} or _word(token) in _OTHERWISE):
            return joined[:index], joined[index:]
    for index, token in enumerate(joined):
        if index and token == ("o", ",") and _is_condition(joined[index + 1 :]) and not sides_of(joined[:index])[1]:
            return joined[:index], joined[index + 1 :]
    return joined, None


def _is_condition(tokens: list[Token]) -> bool:
    _, operators = sides_of(tokens)
    return bool(tokens) and (bool(operators) or any(_word(t) in _OTHERWISE or t == ("c", "in") for t in tokens))


def _word(token: Token) -> str:
    words = re.findall(r"[a-z]+", str(token[1]).lower()) if token[0] == "w" else []
    return words[0] if words else ""


def _trimmed(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1] in (("o", ","), ("o", ";"), ("o", ".")):
        tokens = tokens[:-1]
    return tokens


def _comparisons(condition: list[Token]) -> list[Node]:
    """Comparisons one after the other; none for "otherwise"."""
    tokens = _trimmed([t for t in condition if _word(t) not in _OPENERS])
    if any(_word(t) in _OTHERWISE for t in tokens):
        return []
    result: list[Node] = []
    for part in split(tokens, (",",))[0]:
        sides, operators = sides_of(part)
        if not operators or not all(sides) or result:
            raise Unreadable("a condition")
        result.append(parse(sides[0]))
        for operator, side in zip(operators, sides[1:], strict=True):
            result += [("op", operator), parse(side)]
    return result
