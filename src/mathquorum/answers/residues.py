"""Residue classes: x \\equiv 2 \\pmod 9, 11 (mod 9)."""

from __future__ import annotations

from typing import Any

from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.splitting import closing, split
from mathquorum.answers.tokens import Token
from mathquorum.answers.value_keys import value_key
from mathquorum.answers.wording import label

__all__ = ["is_congruence", "residue_keys"]

Key = tuple[Any, ...]

_CONGRUENT = ("o", "\u2261")
_MOD = (("c", "pmod"), ("o", "mod"), ("w", "mod"))


def is_congruence(tokens: list[Token]) -> bool:
    """Whether the tokens speak of residues, and not of the remainder 17 mod 5."""
    return ("c", "pmod") in tokens or (_CONGRUENT in tokens and any(t in tokens for t in _MOD))


def residue_keys(tokens: list[Token]) -> list[Key]:
    """("residue", value, modulus) of each value that a congruence gives one name, or of a bare value.

    Raises:
        Unreadable: When it gives none.
    """
    place = max(i for i, t in enumerate(tokens) if t in _MOD)
    head, modulus = tokens[:place], tokens[place + 1 :]
    if head[-1:] == [("o", "(")] and modulus[-1:] == [("o", ")")]:
        head, modulus = head[:-1], modulus[:-1]
    if modulus[:1] == [("o", "{")] and closing(modulus, 0) == len(modulus) - 1:
        modulus = modulus[1:-1]
    number = _whole(modulus)
    if number < 1:
        raise Unreadable("no modulus")
    sides, _ = split(head, ("\u2261", "="))
    if not sides or (len(sides) > 1 and label(sides[0]) is None and any(kind == "v" for kind, _ in sides[0])):
        raise Unreadable("a congruence to solve")
    values, _ = split(sides[-1], (",", "and", "or"))
    return list(dict.fromkeys(("residue", _whole(value) % number, number) for value in values))


def _whole(tokens: list[Token]) -> int:
    key = value_key(parse(tokens))
    if key[0] != "n" or key[1][1:] != (1,):
        raise Unreadable("no whole number")
    return int(key[1][0])
