"""Conditions beside an answer, which say where it holds and not what it is: n \\ge 1, \\forall x, k \\in \\mathbb{Z}, c constant."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.splitting import opening, split, step
from mathquorum.answers.tokens import Token

__all__ = ["Conditioned", "membership", "without_conditions"]

_BEFORE = frozenset(("for", "where", "with", "given", "provided", "assuming", "whenever"))  # a condition follows
_REASONS = frozenset(("since", "because"))  # an explanation follows
_WORDS = """
for all any every each some where with given that provided is are being a an and the constant constants arbitrary real number
numbers integer integers positive nonnegative negative nonzero natural whole parameter parameters
"""
_SAID = frozenset(_WORDS.split())
_COMPARISONS = frozenset(("<", ">", "<=", ">=", "!="))
_STATING = frozenset(("in", "forall"))
_AROUND_SET = frozenset(("^", "_", "{", "}", "+", "-", "*", ">", ">=", "<", "<=", "!="))


@dataclass(frozen=True)
class Conditioned:
    """An answer without its conditions, and the set that its name is said to lie in: "R", "Z", "N", or "" ."""

    tokens: list[Token]
    domain: str = ""


def without_conditions(tokens: list[Token]) -> Conditioned:
    """The answer before its conditions. Only conditions on names that the answer uses are taken off."""
    if not any(
        kind == "w" or (kind == "o" and value in _COMPARISONS) or (kind == "c" and value in _STATING)
        for kind, value in tokens
    ):
        return Conditioned(tokens)
    tokens = _before_words(tokens)
    tokens = _before_group(tokens)
    if ("o", ",") not in tokens and ("o", ";") not in tokens:
        return Conditioned(tokens)
    parts, _ = split(tokens, (",", ";"))
    said = [p for p in parts if membership(p) is None]
    kept: list[list[Token]] = []
    domain = ""
    for part in parts:
        sort = membership(part)
        names = _names(part)
        if sort is not None and any(names & _names(p) for p in said):
            domain = sort
        elif not (_is_comparison(part) and kept and not _is_comparison(kept[0]) and names and names <= _names(kept[0])):
            kept.append(part)
    if len(kept) == len(parts) or not kept:
        return Conditioned(tokens)
    joined = kept[0]
    for part in kept[1:]:
        joined = [*joined, ("o", ","), *part]
    return Conditioned(joined, domain)


def membership(tokens: list[Token]) -> str | None:
    """The letter of the set of numbers that names are said to lie in; None when the tokens say anything else."""
    if ("c", "in") not in tokens:
        return None
    cut = tokens.index(("c", "in"))
    before, after = tokens[:cut], tokens[cut + 1 :]
    if not before or not after or any(t[0] != "v" and t != ("o", ",") for t in before):
        return None
    kind, value = after[0]
    if (
        kind != "c"
        or not value.startswith("set ")
        or any(k not in "no" or (k == "o" and v not in _AROUND_SET) for k, v in after[1:])
    ):
        return None
    return str(value.removeprefix("set "))


def _before_words(tokens: list[Token]) -> list[Token]:
    """What stands before \\forall, "for", "where" or "since"."""
    depth = 0
    for index, (kind, value) in enumerate(tokens):
        depth += step((kind, value))
        if not index or depth:
            continue
        words = re.findall(r"[a-z]+", value.lower()) if kind == "w" else []
        if words and words[0] in _REASONS:
            return _without_comma(tokens[:index])
        if (kind, value) == ("c", "forall") or (words and words[0] in _BEFORE):
            rest = tokens[index:]
            if (kind, value) == ("c", "forall") or (_is_said(rest) and _names(rest) <= _names(tokens[:index])):
                return _without_comma(tokens[:index])
    return tokens


def _is_said(rest: list[Token]) -> bool:
    """Whether words and formulas say no more than where names lie."""
    words = {w for kind, value in rest if kind == "w" for w in re.findall(r"[a-z]+", value.lower())}
    says = ("c", "in") in rest or any(kind == "o" and value in _COMPARISONS for kind, value in rest)
    return (
        words <= _SAID
        and ("o", "=") not in rest
        and bool(_names(rest))
        and (says or not words.isdisjoint(_SAID - _BEFORE))
    )


def _before_group(tokens: list[Token]) -> list[Token]:
    """What stands before a comparison or a membership in parentheses."""
    if tokens[-1:] != [("o", ")")]:
        return tokens
    start = opening(tokens)
    if not start:
        return tokens
    inside = tokens[start + 1 : -1]
    states = membership(inside) is not None or _is_comparison(inside) or inside[:1] == [("c", "forall")]
    return _without_comma(tokens[:start]) if states and _names(inside) <= _names(tokens[:start]) else tokens


def _without_comma(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1] in (("o", ","), ("o", ";"), ("o", ":")):
        tokens = tokens[:-1]
    return tokens


def _is_comparison(tokens: list[Token]) -> bool:
    depth = 0
    for kind, value in tokens:
        if kind == "o" and value in ("(", "[", "\\{", "{"):
            depth += 1
        elif kind == "o" and value in (")", "]", "\\}", "}"):
            depth -= 1
        elif depth == 0 and kind == "o" and value in _COMPARISONS:
            return True
    return False


def _names(tokens: list[Token]) -> set[str]:
    """The letters that may be variables."""
    return {str(value) for kind, value in tokens if kind == "v" and value not in ("pi", "e", "i")}
