"""Functions by cases: rows of a value and the comparisons under which it holds."""

from __future__ import annotations

import re

from mathquorum.answers.expressions import Node
from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.splitting import cells, sides_of, split
from mathquorum.answers.tokens import Token

__all__ = ["cases_node", "with_cases"]

_OPENERS = frozenset(("if", "for", "when", "whenever", "where", "as", "and"))
_PARITIES = {"even": 0, "odd": 1}
_OTHERWISE = frozenset(("otherwise", "else", "elsewhere"))


def with_cases(tokens: list[Token]) -> list[Token]:
    """An array behind a brace that nothing closes is the environment cases."""
    for index, token in enumerate(tokens[:-1]):
        if token == ("o", "\\{") and tokens[index + 1] == ("c", "begin array") and ("c", "end array") in tokens[index:]:
            end = tokens.index(("c", "end array"), index)
            if tokens[end + 1 : end + 2] != [("o", "\\}")]:
                inside = tokens[index + 2 : end]
                return [*tokens[:index], ("c", "begin cases"), *inside, ("c", "end cases"), *tokens[end + 1 :]]
    return tokens


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
    return bool(tokens) and (
        bool(operators)
        or any(_word(t) in _OTHERWISE or t == ("c", "in") for t in tokens)
        or _parity(tokens) is not None
    )


def _parity(tokens: list[Token]) -> list[Node] | None:
    """The comparison that "n is even" makes; None of anything else."""
    names = [t for t in tokens if t[0] == "v"]
    words = [w for t in tokens if t[0] == "w" for w in re.findall(r"[a-z]+", str(t[1]).lower())]
    if len(names) != 1 or len([t for t in tokens if t[0] not in "vw"]) or words[-1:] not in (["even"], ["odd"]):
        return None
    if not {"is", *_OPENERS}.issuperset(words[:-1]):
        return None
    return [("mod", ("var", names[0][1]), ("num", 2)), ("op", "="), ("num", _PARITIES[words[-1]])]


def _word(token: Token) -> str:
    words = re.findall(r"[a-z]+", str(token[1]).lower()) if token[0] == "w" else []
    return words[0] if words else ""


def _trimmed(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1] in (("o", ","), ("o", ";"), ("o", ".")):
        tokens = tokens[:-1]
    return tokens


def _comparisons(condition: list[Token]) -> list[Node]:
    """Comparisons one after the other; none for "otherwise"."""
    if (parity := _parity(_trimmed(condition))) is not None:
        return parity
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
