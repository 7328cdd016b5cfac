"""One answer, read once: what kind of thing it is, and a hashable key. Equal keys are equal answers.

number      ("n", ...)          5, \\frac{1}{2}, 2\\sqrt{3}, 3+2i; units, percent and degree signs are dropped
expression  ("x", ...)          values at fixed points: x^2+2x+1
pair        ("pair", "(", "]")  an ordered pair or an interval
tuple       ("tuple", ...)      three coordinates or more
list        ("list", ...)       unordered: 1, 2 or {1, 2} or 1 and 2
union, equation, inequality, matrix, base, colon (times and ratios), infinity, measure, prose, text
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mathquorum.answers.arithmetic import NoValue
from mathquorum.answers.extract import find_answer, is_free_text
from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.notation import plain
from mathquorum.answers.phrases import without_words
from mathquorum.answers.pieces import has_words
from mathquorum.answers.piecewise import with_cases
from mathquorum.answers.prose import prose_key
from mathquorum.answers.settings import DEFAULT, EquivalenceSettings
from mathquorum.answers.splitting import closing, nesting
from mathquorum.answers.structure import StructureReader
from mathquorum.answers.text import text_key
from mathquorum.answers.tokens import Token, tokenize
from mathquorum.answers.trimming import trimmed, unadorned
from mathquorum.answers.units import (
    value_of_approximation,
    with_dotted_units,
    with_letters_of_money,
    with_parts_in_words,
    with_unit_in_words,
    without_ordinal,
)

__all__ = ["Answer", "faults", "forget", "read"]

Key = tuple[Any, ...]

MAX_LENGTH = 8_000  # characters of an answer; longer ones are compared as text
MAX_NESTING = 40
REMEMBERED_LENGTH = 500  # characters; longer answers rarely come twice, and would fill the memory


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says.

    Attributes:
        kind: "number", "list", "text", ...
        key: Hashable; equal keys are equal answers.
        has_unit_letter: It is written as a number with one letter behind it, which may be a unit: 48 g.
        source: Of a list without order and braces, its text and the settings under which it was read; None for everything else.
    """

    kind: str
    key: Key
    has_unit_letter: bool = False
    source: tuple[str, EquivalenceSettings] | None = field(default=None, compare=False)

    @property
    def written(self) -> Key | None:
        """The key of a list without order, in the order in which it stands there; read when it is asked for, which is rare."""
        return None if self.source is None else _in_order(*self.source)


faults: deque[str] = deque(maxlen=100)  # texts on which the reader itself failed; empty unless there is a fault

_KINDS = {"n": "number", "x": "expression", "colon": "time or ratio", "choice": "choice"}
_INTEGER = re.compile(r"-?\d{1,18}\.?\Z")
_FRACTION = re.compile(r"(-?)\\[dt]?frac(?:\{(-?\d{1,18})\}\{(\d{1,18})\}|(\d)(\d))\.?\Z")
# A choice with its text: (B) 12, \text{(B) } 12, E. 12, B) 15, E: a polygenic score, Option C: 4.
_CHOICE = re.compile(
    r"\s*[*_$]{0,6}(?:(?:[Oo]ption|[Cc]hoice)\s+)?(?:\\(?:text|textbf|mathrm|textrm|mathbf|bf)\s*\{\s*)?[*_]{0,4}"
    r"(?:\((?:([A-J])\)|([a-h])\)(?!\W*(?:left\s*)?(?<!\\)\())[}*_]*(?:[\s:.~}]|\\(?![A-Za-z(\[{]))+"
    r"|([A-J])[*_]*(?:\)\s*|[.:](?:\s+|\s*\}\s*))(?:[}*_~\s]|\\(?![A-Za-z(\[{]))*)"
    r"(?P<said>(?!and\b|or\b|[+*/^=,)\\&-]+\s)[^\s].*)",
    re.DOTALL,
)
_BARE_CHOICE = re.compile(
    r"(?:the\s+)?(?:option|choice|answer)\s+\(?([A-H])\)?(?:\s+is\s+(?:the\s+)?(?:correct|right)(?:\s+(?:one|option|choice|answer))?)?|([A-H])\)",
    re.IGNORECASE,
)
_IN_BASE = re.compile(r"([0-9A-Fa-f]+)\s*\(?\s*(?:in\s+)?base[\s-]*(\w+)\s*\)?")
_RESIDUE = re.compile(r"\(\s*mod\s+(\w+)\s*\)")  # 3 (mod 7)
_REMAINDER = re.compile(r"(\A-?\d+\s*)mod(?:ulo)?\s+(\d+)\Z")  # 3 mod 7
_IN_NAMED_BASE = re.compile(r"([0-9A-Fa-f]+)\s+(?:\\text\{\s*)?in (binary|octal|hexadecimal)\s*\}?", re.IGNORECASE)
_NAMED_BASES = {"binary": 2, "octal": 8, "hexadecimal": 16}
_GOES_ON = re.compile(r"[\s$]*(?:-?\d[\d./]{0,30}\s*,\s*){1,30}(?:\.{3}|\\[lc]?dots\b)[\s$.]*\Z")  # 7, 9, 11, ...
_COUNTED = re.compile(r"(?<![\w.\\^{])(\d{1,3}|n)\s?([CP])\s?(\d{1,3})(?![\w.,^}])")  # 8C3, but no digits of base 16
_NAMED_COUNT = re.compile(r"(?<![A-Za-z])n([CP])r\s*\(")
_UNIT_LETTER = re.compile(
    r"[^A-Za-z]*\d[^A-Za-z+=*^-]*[A-Za-z](?:\^\{?[23]\}?)?[^A-Za-z+=*^-]*|\$?-?\\[dt]?frac\{\d+\}\{\d+\}\s*[A-Za-z]\$?"
)
_IN_BRACES = re.compile(
    r"[\s$]*(?:\\left\s*|\\big\s*|\\Big\s*)?(?:\\\{|\\lbrace\b|\{[^{}]*\}[\s$.]*\Z)"
)  # a set, which has no order
_BUILT = re.compile(r"\A\{(\s*[a-z]\s*[|:].+)\}\Z", re.DOTALL)  # {x | x > 2}, without the backslashes of LaTeX
_HALF_OF_DAY = re.compile(r"(?:12(?::00)?\s*)?(noon|midnight)", re.IGNORECASE)
_ESCAPED_BREAK = re.compile(r"(?<!\\)\\n(?=[A-Z\d\s*#-])")
_BELOW_ZERO = re.compile(
    r"(?<![\w.\-−–])(\d+(?:\.\d+)?\$?(?:\s?°|\s?\^\{?\\circ\}?\$?|\s+degrees?)?(?:\s?(?:C|F|Celsius|Fahrenheit)\b)?) below zero\b"
)
_CONSTANT = re.compile(
    r"(\+)\s*(?:\\(?:text|mathrm|rm)\s*\{\s*)?(?:C|const(?:ant)?\.?)\s*\}?\Z"
)  # + \\mathrm{C}, + constant
_DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d{1,2}|\d{4,})(?![\d,.])")


def read(text: str, settings: EquivalenceSettings = DEFAULT) -> Answer:
    """Reads an answer, or the answer in a text that marks one. Never fails: what is not mathematics is text."""
    if len(text) > REMEMBERED_LENGTH:
        return _read(text, settings)
    return _by_default(text) if settings is DEFAULT else _remembered(text, settings)


def _read(text: str, settings: EquivalenceSettings) -> Answer:
    text = text.strip()
    if _INTEGER.match(text):
        return Answer("number", ("n", (int(text.removesuffix(".")), 1)))
    fraction = _FRACTION.match(text)
    if fraction is not None:
        sign, top, bottom = fraction[1], int(fraction[2] or fraction[4]), int(fraction[3] or fraction[5])
        if bottom:
            value = Fraction(-top if sign else top, bottom)
            return Answer("number", ("n", (value.numerator, value.denominator)))
    source, found = None, text
    try:
        found = _found(text)
        key = _key(found, settings)
        if key[0] == "list" and not settings.lists_are_ordered and not _IN_BRACES.match(found):
            source = (found, settings)
    except Exception:  # a fault of ours must not stop a vote: the answer is compared as text, and the fault is kept
        faults.append(text)
        key = text_key(text)
    return Answer(
        _KINDS.get(key[0], str(key[0])), key, key[0] == "x" and _UNIT_LETTER.fullmatch(found) is not None, source
    )


def _in_order(text: str, settings: EquivalenceSettings) -> Key | None:
    try:
        return _key(text, replace(settings, lists_are_ordered=True))
    except Exception:  # as in _read
        faults.append(text)
        return None


_remembered = lru_cache(maxsize=20_000)(_read)


@lru_cache(maxsize=20_000)
def _by_default(text: str) -> Answer:
    return _read(text, DEFAULT)  # apart, because the settings take as long to hash as an integer to read


def forget() -> None:
    """Empties the memory of answers, so that a benchmark measures reading and not remembering."""
    _remembered.cache_clear()
    _by_default.cache_clear()
    _formula_remembered.cache_clear()


def _found(text: str) -> str:
    """The answer in a text that marks one."""
    if "\\n" in text:  # a line break that was escaped
        text = _ESCAPED_BREAK.sub("\n", text)
    found = find_answer(text) if is_free_text(text) else None
    return found.answer if found else text


def _key(text: str, settings: EquivalenceSettings) -> Key:
    if len(text) > MAX_LENGTH:
        return ("text", text)
    if "below zero" in text:
        text = _BELOW_ZERO.sub(r"-\1", text)
    if len(text) <= REMEMBERED_LENGTH:
        text = with_letters_of_money(text)
    try:
        return _mathematics(text, settings, depth=0)
    except (Unreadable, NoValue, OverflowError, RecursionError):
        pass
    return prose_key(text) or text_key(text)


def _mathematics(text: str, settings: EquivalenceSettings, depth: int) -> Key:
    """The key of a text that is mathematics from end to end.

    Raises:
        Unreadable: When it is not.
    """
    if depth > 3:
        raise Unreadable("text in text")
    if text.startswith("~~") and text.endswith("~~"):
        raise Unreadable("crossed out")
    text = plain(with_parts_in_words(with_dotted_units(unadorned(text))))
    if text[:1] == "{":
        text = _BUILT.sub(r"\\{\1\\}", text) if text.strip("{} ") else "\\emptyset"
    if "n" in text and (half := _HALF_OF_DAY.fullmatch(text)) is not None:
        text = "12:00 PM" if half[1].lower() == "noon" else "12:00 AM"
    choice = _CHOICE.match(text)
    if choice is not None:
        return _choice_key(choice, settings, depth)
    if ("..." in text or "dots" in text) and _GOES_ON.match(text):
        raise Unreadable("a list that goes on")
    text = trimmed(text)
    bare = _BARE_CHOICE.fullmatch(text)
    if bare is not None:
        text = bare[1] or bare[2]
    if "in " in text and (named := _IN_NAMED_BASE.fullmatch(text)) is not None:
        text = f"{named[1]}_{{{_NAMED_BASES[named[2].lower()]}}}"
    if "base" in text:
        text = _IN_BASE.sub(r"\1_{\2}", text)
    if "C" in text or "P" in text:
        text = _COUNTED.sub(_counted, _NAMED_COUNT.sub(r"\1(", text))
    if "mod" in text:
        text = _REMAINDER.sub(r"\1\\bmod \2", _RESIDUE.sub(r"\\pmod{\1}", text))
    if settings.decimal_comma:
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    if text.endswith(("}", "t")):
        text = _CONSTANT.sub(r"\1 C", text)
    text = value_of_approximation(without_ordinal(text))
    return (_formula_remembered if len(text) <= REMEMBERED_LENGTH else _formula)(text, settings, depth)


def _formula(text: str, settings: EquivalenceSettings, depth: int) -> Key:
    """The key of mathematics without the delimiters around it: answers often differ in these alone."""
    if has_words(text) or "/" in text or "circ" in text or "Omega" in text or "µ" in text:
        text = without_words(with_unit_in_words(text))
    tokens = with_cases(tokenize(text))
    if nesting(tokens) > MAX_NESTING:
        raise Unreadable("too deep")
    tokens = _unbraced(tokens)
    if len(tokens) == 1 and tokens[0][0] == "w":
        content = tokens[0][1]
        if content != text and (len(content) == 1 or not content.isalpha()):
            return _mathematics(content, settings, depth + 1)
    if not tokens or all(kind == "w" for kind, _ in tokens):
        raise Unreadable("no mathematics")
    if len(tokens) > 1 and all(kind == "v" and value in _CAPITALS for kind, value in tokens):
        return ("text", "".join(value.lower() for _, value in tokens))  # vertices, or a word in capitals
    if settings.fold_case:
        tokens = [(kind, value.lower()) if kind == "v" and len(value) == 1 else (kind, value) for kind, value in tokens]
    if settings.percent_is_fraction:
        tokens = [t for token in tokens for t in (_HUNDREDTHS if _is_percent(token) else (token,))]
    return StructureReader(settings).items(tokens).key


def _counted(match: re.Match[str]) -> str:
    """8C3 as C(8, 3), where it can be one."""
    is_choice = match[1] == "n" or int(match[1]) > int(match[3])
    return f"{match[2]}({match[1]}, {match[3]})" if is_choice else match[0]


_formula_remembered = lru_cache(maxsize=5_000)(_formula)


def _unbraced(tokens: list[Token]) -> list[Token]:
    """The tokens without braces, or parentheses around one word, that enclose the whole."""
    while len(tokens) > 2 and tokens[0] in (("o", "{"), ("o", "(")) and closing(tokens, 0) == len(tokens) - 1:
        if tokens[0] == ("o", "(") and not (len(tokens) == 3 and tokens[1][0] in "vw") and tokens[1] != ("o", "{"):
            break
        tokens = tokens[1:-1]
    return tokens


def _choice_key(choice: re.Match[str], settings: EquivalenceSettings, depth: int) -> Key:
    """A choice with its text: the keys of the letter and of what is said."""
    letter = _mathematics(choice[1] or choice[2] or choice[3], settings, depth + 1)
    said = choice["said"].strip().strip("*_ ")
    if said.count("}") > said.count("{"):  # of \\text{(B) 12}
        said = said.removesuffix("}").rstrip()
    return ("choice", letter, _key(said, settings)) if re.search(r"\w", said) else letter


_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_HUNDREDTHS: tuple[Token, ...] = (("o", "/"), ("n", 100))


def _is_percent(token: Token) -> bool:
    return token == ("o", "%") or (token[0] == "w" and token[1].lower() in ("percent", "pct"))
