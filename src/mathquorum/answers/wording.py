"""Words around mathematics: the name on the left of an assignment, and the units after a number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.phrases import is_tail
from mathquorum.answers.tokens import Token
from mathquorum.answers.units import is_unit
from mathquorum.answers.vocabulary import MULTIPLIERS, UNIT_NAMES, UNITS

__all__ = ["Measured", "label", "without_units"]

LONGEST_WORD = 14  # letters of a bare word after a number; longer ones are several words run together

_BELOW = r"(_(v|n|\{[vnw,]+\}))?"  # a subscript
_NAMES = re.compile(
    rf"v{_BELOW}'*"  # x, x_1, f'
    rf"|v{_BELOW}'*(\^\{{-n\}})?\{{?\(v(,v)*\)\}}?"  # f(x), f^{{-1}}(x), P(x, y)
    rf"|\(v{_BELOW}(,v{_BELOW})+\)"  # (x, y)
    r"|w{1,3}v?"  # Area
    rf"|v+{_BELOW}(:v+{_BELOW})+"  # V_1:V_2
    r"|F\{vv\}\{vv\}"  # dy/dx
)
_CLAUSES = frozenset(("when", "if", "for", "since", "let", "as", "because", "with", "where", "given"))
_VALUE_OF_FUNCTION = re.compile(rf"v{_BELOW}'*\(n\)")  # f(2)
_GEOMETRY = re.compile(r"[A-Z]{2,}|\|[A-Z]+\||m[A-Z]{1,3}")  # AB, |AB|, m angle ABC


def label(tokens: list[Token]) -> str | None:
    """The name that an assignment gives a value; None when the tokens are more than a name."""
    if len(tokens) > 16 or (len(tokens) == 1 and tokens[0] in (("v", "pi"), ("v", "e"), ("v", "i"))):
        return None
    if tokens and tokens[0][0] == "w" and tokens[0][1].lower() in _CLAUSES:
        return None
    shape = "".join("F" if t == ("f", "frac") else t[1] if t[0] == "o" else t[0] for t in tokens)
    text = "".join(str(value) for _, value in tokens)
    if _NAMES.fullmatch(shape) or _GEOMETRY.fullmatch(text):
        return text
    if _VALUE_OF_FUNCTION.fullmatch(shape) and text[0] in "fghFGHpPqQ":
        return text
    return None


@dataclass(frozen=True)
class Measured:
    """The tokens of a quantity and its unit; "" without one."""

    tokens: list[Token]
    unit: str


def without_units(tokens: list[Token]) -> Measured:
    """Units and what follows them taken off, "million" multiplied in.

    Raises:
        Unreadable: When the words say more than a unit, as in "less than 10".
    """
    if all(kind != "w" for kind, _ in tokens):
        return Measured(tokens, "")
    written = [w for kind, content in tokens if kind == "w" for w in re.findall(r"[A-Za-zΩµμ'-]+", content)]
    words = [w.lower() for w in written]
    if not words:
        raise Unreadable("signs in words")
    if not all(is_unit(w) for w in written) and not is_tail([w for w in words if w not in MULTIPLIERS]):
        raise Unreadable("words that are not understood")
    if "".join(words[-2:]) in ("am", "pm") or words[-1] in ("am", "pm") or words[0] == "base" or ("o", "_") in tokens:
        return Measured(tokens, "")  # a time, or a numeral with its base
    start = next(i for i, t in enumerate(tokens) if t[0] == "w")
    if start == 0 or any(len(t[1]) > LONGEST_WORD and t[1].isalpha() for t in tokens if t[0] == "w"):
        raise Unreadable("words first, or run together")
    factor = 1
    rest = tokens[start:]
    while rest and rest[0][0] == "w" and rest[0][1].lower() in MULTIPLIERS:
        factor *= MULTIPLIERS[rest[0][1].lower()]
        rest = rest[1:]
    if _holds_mathematics(rest):
        raise Unreadable("words inside")
    kept = tokens[:start]
    while kept and kept[-1] in (("o", "/"), ("o", "^")):
        kept = kept[:-1]
    if kept and kept[-1] == ("o", "-"):  # 5-inch, but not 127 - angle C
        if tokens[start][1].lower() not in UNITS:
            raise Unreadable("words inside")
        kept = kept[:-1]
    if kept in ([("v", "a")], [("v", "A")], [("v", "I")]):
        raise Unreadable("a sentence")
    if kept and kept[-1] == ("o", "{"):  # 50{mph}, 5\\frac{m}{s}
        kept = kept[:-2] if kept[-2:-1] == [("f", "frac")] else kept[:-1]
    if factor != 1:
        kept = [*kept, ("o", "*"), ("n", factor)]
    return Measured(kept, _unit(words, rest))


_MATHEMATICS = frozenset(("=", "+", "-", "*", "<", ">", "<=", ">="))


def _holds_mathematics(rest: list[Token]) -> bool:
    """Whether the words are followed by more than a power or a rate: 3 hours 45 minutes is not 3."""
    for index, (kind, value) in enumerate(rest):
        if kind == "f" or (kind == "o" and value in _MATHEMATICS):
            return True
        if kind == "n" and ("o", "^") not in rest[max(0, index - 2) : index] and ("o", "/") not in rest[:index]:
            return True
    return False


def _unit(words: list[str], rest: list[Token]) -> str:
    """One name for spellings of a unit, with its power: "cm^2"."""
    names = [UNIT_NAMES.get(w, w.removesuffix("s")) for w in words if w not in MULTIPLIERS]
    powers = [str(value) for kind, value in rest if kind == "n"]
    return " ".join([*names, *powers])
