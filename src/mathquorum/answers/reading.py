"""One answer, read once: what kind of thing it is, and a hashable key. Equal keys are equal answers.

number      ("n", ...)          5, \\frac{1}{2}, 2\\sqrt{3}, 3+2i; units, percent and degree signs are dropped
expression  ("x", ...)          values at fixed points: x^2+2x+1
pair        ("pair", "(", "]")  an ordered pair or an interval
tuple       ("tuple", ...)      three coordinates or more
list        ("list", ...)       unordered: 1, 2 or {1, 2} or 1 and 2
union, equation, inequality, matrix, base, colon (times and ratios), infinity, text
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

from mathquorum.answers.extract import find_answer, is_free_text
from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.prose import prose_key
from mathquorum.answers.relations import Key, equation_key, inequality_key
from mathquorum.answers.sets import MINUS_INFINITY, PLUS_INFINITY, REALS, complement, intersect, intervals_of, union
from mathquorum.answers.text import text_key
from mathquorum.answers.tokens import Token, plain, tokenize
from mathquorum.answers.values import Node, NoValue, value_key, variables
from mathquorum.answers.vocabulary import BLOCKERS, MULTIPLIERS

__all__ = ["Answer", "read"]

MAX_LENGTH = 8_000  # characters of an answer; longer ones are compared as text
MAX_ITEMS = 2_000
MAX_SIGNS = 5  # plus-minus signs: 2^5 answers


@dataclass(frozen=True)
class Answer:
    """What an answer says.

    Attributes:
        kind: "number", "list", "text", ...
        key: Hashable; equal keys are equal answers.
    """

    kind: str
    key: Key


@dataclass(frozen=True)
class _Item:
    """A key, with the name that it was assigned to and whether it came from an inequality."""

    key: Key
    name: str | None = None
    solution: bool = False


faults: deque[str] = deque(maxlen=100)  # texts on which the reader itself failed; empty unless there is a fault

_KINDS = {"n": "number", "x": "expression", "colon": "time or ratio"}
_INTEGER = re.compile(r"-?\d{1,18}\.?\Z")
_DELIMITERS = re.compile(r"(?<!\\)\\[()\[\]]|\\?\$")
_BROKEN_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_ASIDE = re.compile(r"(?<=[\w}])\s+\((?![^()]*\\)[^()]*[A-Za-z]{3,}[^()]*\)\s*$")


@lru_cache(maxsize=50_000)
def read(text: str) -> Answer:
    """Reads an answer. Never fails: what is not mathematics is text."""
    text = text.strip()
    if _INTEGER.match(text):
        return Answer("number", ("n", (int(text.rstrip(".")), 1)))
    if is_free_text(text):
        found = find_answer(text)
        if found is not None:
            text = found.answer
    if len(text) > MAX_LENGTH:
        return Answer("text", ("text", text))
    try:
        key = _read(text, depth=0).key
    except (Unreadable, NoValue, OverflowError, RecursionError):
        key = prose_key(text) or text_key(text)
    except Exception:  # a fault of ours must not stop a vote: the answer is compared as text, and the fault is counted
        faults.append(text)
        key = text_key(text)
    return Answer(_KINDS.get(key[0], key[0]), key)


def _read(text: str, depth: int) -> _Item:
    if depth > 3:
        raise Unreadable("nested text")
    text = _DELIMITERS.sub(" ", text).strip()
    text = text.rstrip(" .,;:!") if not text.endswith("!") or " " in text else text.rstrip(" .,;:")
    if text.endswith("\\"):
        text = text.rstrip("\\ ")
    if "." in text:
        text = _BROKEN_MERIDIEM.sub(r"\1m", text)
    if text.endswith(")"):
        text = _ASIDE.sub("", text)
    tokens = tokenize(plain(text))
    if not tokens:
        raise Unreadable("empty")
    if len(tokens) == 1 and tokens[0][0] == "w":
        content = tokens[0][1]
        if content != text and (len(content) == 1 or not content.isalpha()):
            return _read(content, depth + 1)
        raise Unreadable("text")
    if re.fullmatch(r"[A-Z]{3,}", text) or all(kind == "w" for kind, _ in tokens):
        raise Unreadable("text")
    return _items(tokens)


# --- several items ---------------------------------------------------------------------------------------------------


def _items(tokens: list[Token]) -> _Item:
    tokens = _unwrapped(tokens)
    if ("o", "=>") in tokens:
        tokens = tokens[_last(tokens, ("o", "=>")) + 1 :]
    if ("o", "~") in tokens and tokens[0] != ("o", "~"):
        tokens = tokens[: tokens.index(("o", "~"))]
    if any(t in (("o", "+-"), ("o", "-+")) for t in tokens):
        return _combined([_items(t) for t in _signs(tokens)], "and", from_signs=True)
    for separators in ((";",), (",", "and", "or")):
        parts, words = _split(tokens, separators)
        if len(parts) > 1:
            if len(parts) > MAX_ITEMS:
                raise Unreadable("too many items")
            return _combined([_items(p) for p in parts], words)
    return _item(tokens)


def _last(tokens: list[Token], token: Token) -> int:
    return len(tokens) - 1 - tokens[::-1].index(token)


def _unwrapped(tokens: list[Token]) -> list[Token]:
    """Without braces, bars of emptiness and stray signs around the whole."""
    tokens = [t for t in tokens if t not in (("o", "$"), ("o", "#"))]
    while len(tokens) > 1 and tokens[0] == ("o", "{") and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: list[Token], start: int) -> int | None:
    """The index of the bracket that closes the one at `start`; an interval may close with another kind."""
    depth = 0
    groups = 0
    for index in range(start, len(tokens)):
        kind, value = tokens[index]
        if kind != "o":
            continue
        if value == "{":
            groups += 1
        elif value == "}":
            groups -= 1
        elif value in ("(", "[", "\\{"):
            depth += 1
        elif value in (")", "]", "\\}"):
            depth -= 1
        if depth == 0 and groups == 0 and index >= start:
            return index
        if depth < 0 or groups < 0:
            return None
    return None


def _split(tokens: list[Token], separators: tuple[str, ...]) -> tuple[list[list[Token]], str]:
    """The parts between separators that stand outside all brackets, and the word that joined the last two."""
    parts: list[list[Token]] = [[]]
    depth = 0
    word = ","
    for token in tokens:
        kind, value = token
        if kind == "o" and value in ("(", "[", "{", "\\{"):
            depth += 1
        elif kind == "o" and value in (")", "]", "}", "\\}"):
            depth -= 1
        elif kind == "c" and value.startswith("begin "):
            depth += 1
        elif kind == "c" and value.startswith("end "):
            depth -= 1
        separator = value.strip(" ,.").lower() if kind == "w" else value
        if depth == 0 and kind in "ow" and separator in separators:
            if kind == "w":
                word = separator
            parts.append([])
        else:
            parts[-1].append(token)
    return [p for p in parts if p], word


def _signs(tokens: list[Token]) -> list[list[Token]]:
    """Every reading of the plus-minus signs; minus-plus goes against the first of them."""
    if sum(t == ("o", "+-") for t in tokens) > MAX_SIGNS:
        raise Unreadable("too many signs")
    readings: list[list[Token]] = [[]]
    for token in tokens:
        if token == ("o", "+-"):
            readings = [[*r, ("o", sign)] for r in readings for sign in "+-"]
        elif token == ("o", "-+"):
            opposite = {"+": "-", "-": "+"}
            if not any(t == ("o", "+-") for t in tokens):
                readings = [[*r, ("o", sign)] for r in readings for sign in "+-"]
            else:
                place = tokens.index(("o", "+-"))
                readings = [[*r, ("o", opposite[r[place][1]] if place < len(r) else "-")] for r in readings]
        else:
            for reading in readings:
                reading.append(token)
    return readings


def _combined(items: list[_Item], word: str, from_signs: bool = False) -> _Item:
    """Several items as one answer: solutions of inequalities unite, assignments of several names become a tuple."""
    if all(i.solution for i in items):
        return _Item(_united([i.key for i in items], word), solution=True)
    names = [i.name for i in items]
    if not from_signs and all(names) and len(set(names)) == len(names) > 1:
        ordered = sorted(items, key=lambda i: i.name or "")
        return _Item(_ordered([i.key for i in ordered]), name=None)
    flat: list[Key] = []
    for item in items:
        flat.extend(item.key[1] if item.key[0] == "list" and item.name is None and from_signs else [item.key])
    flat = [k for part in flat for k in (part[1] if part[0] == "list" else [part])]
    flat = list(dict.fromkeys(flat))
    if len(flat) == 1:
        return _Item(flat[0], items[0].name)
    return _Item(("list", tuple(sorted(flat, key=repr))), items[0].name)


def _united(keys: list[Key], word: str) -> Key:
    parts = [intervals_of(k) or [] for k in keys]
    if word == "and":
        common = parts[0]
        for part in parts[1:]:
            common = intersect(common, part) or []
        if common:
            return union(common)
    return union([interval for part in parts for interval in part])


def _ordered(keys: list[Key], left: str = "(", right: str = ")") -> Key:
    if len(keys) == 1:
        return keys[0]
    if len(keys) == 2:
        if keys[0] == MINUS_INFINITY:
            left = "("
        if keys[1] == PLUS_INFINITY:
            right = ")"
        return ("pair", left, right, *keys)
    return ("tuple", tuple(keys))


# --- one item --------------------------------------------------------------------------------------------------------

_RELATIONS = ("=", "!=", "<", ">", "<=", ">=")
_REAL_WORDS = frozenset(("set R", "set r"))


def _item(tokens: list[Token]) -> _Item:
    tokens = _unwrapped(tokens)
    if not tokens:
        raise Unreadable("empty")
    tokens = _without_words(tokens)
    if ("c", "in") in tokens:
        return _Item(_item(tokens[_last(tokens, ("c", "in")) + 1 :]).key)
    relation = _relation(tokens)
    if relation is not None:
        return relation
    for reader in (_colon, _set_operation, _bracketed, _matrix, _base, _infinity):
        key = reader(tokens)
        if key is not None:
            return _Item(key)
    return _Item(value_key(parse(tokens)))


def _without_words(tokens: list[Token]) -> list[Token]:
    """Units and what follows them dropped, "million" multiplied in.

    Raises:
        Unreadable: When the words say more than a unit, as in "less than 10".
    """
    if all(kind != "w" for kind, _ in tokens):
        return tokens
    words = [w.lower() for kind, content in tokens if kind == "w" for w in re.findall(r"[A-Za-z]+", content)]
    if not words:
        raise Unreadable("signs in words")
    if any(w in BLOCKERS for w in words):
        raise Unreadable("words that matter")
    if words[-1] in ("am", "pm") or "".join(words[-2:]) in ("am", "pm"):
        return tokens
    if words[0] == "base" or any(t == ("o", "_") for t in tokens):
        return tokens
    start = next(i for i, t in enumerate(tokens) if t[0] == "w")
    if start == 0 or any(len(t[1]) > 14 and t[1].isalpha() for t in tokens if t[0] == "w"):
        raise Unreadable("words first, or run together")
    factor = 1
    rest = tokens[start:]
    while rest and rest[0][0] == "w" and rest[0][1].lower() in MULTIPLIERS:
        factor *= MULTIPLIERS[rest[0][1].lower()]
        rest = rest[1:]
    if any(t[0] == "f" or t in (("o", "="), ("o", "+"), ("o", "-"), ("o", "*"), ("o", "<"), ("o", ">")) for t in rest):
        raise Unreadable("words inside")
    kept = tokens[:start]
    while kept and kept[-1] in (("o", "/"), ("o", "-"), ("o", "^")):
        kept = kept[:-1]
    opened = sum(t == ("o", "{") for t in kept) - sum(t == ("o", "}") for t in kept)
    if opened == 1 and kept[-1] == ("o", "{"):
        kept = kept[:-1]
    kept = kept if factor == 1 else [*kept, ("o", "*"), ("n", factor)]
    return kept


def _relation(tokens: list[Token]) -> _Item | None:
    sides: list[list[Token]] = [[]]
    operators: list[str] = []
    depth = 0
    for kind, value in tokens:
        if kind == "o" and value in ("(", "[", "{", "\\{"):
            depth += 1
        elif kind == "o" and value in (")", "]", "}", "\\}"):
            depth -= 1
        if depth == 0 and kind == "o" and value in _RELATIONS:
            operators.append(value)
            sides.append([])
        else:
            sides[-1].append((kind, value))
    if not operators:
        return None
    if not all(sides):
        if operators == ["="] and sides[1]:
            return _item(sides[1])
        raise Unreadable("a side is missing")
    if all(o == "=" for o in operators):
        return _equation(sides)
    if "=" in operators or ("!=" in operators and len(operators) > 1):
        raise Unreadable("mixed relations")
    if len({o[0] for o in operators}) > 1:
        raise Unreadable("directions differ")
    infinite = _infinite_bounds(sides, operators)
    if infinite is not None:
        return infinite
    key = inequality_key([parse(s) for s in sides], operators)
    return _Item(key, solution=key[0] in ("pair", "union"))


def _infinite_bounds(sides: list[list[Token]], operators: list[str]) -> _Item | None:
    """-\\infty < x < 3: the infinite side says nothing."""
    while len(sides) > 2 and _infinity(sides[0]) is not None:
        sides, operators = sides[1:], operators[1:]
    while len(sides) > 2 and _infinity(sides[-1]) is not None:
        sides, operators = sides[:-1], operators[:-1]
    if len(sides) == 2 and (_infinity(sides[0]) or _infinity(sides[1])):
        return _Item(REALS.key(), solution=True)
    key = inequality_key([parse(s) for s in sides], operators)
    return _Item(key, solution=key[0] in ("pair", "union"))


def _equation(sides: list[list[Token]]) -> _Item:
    """x = 5 is 5; an equation between expressions keeps both sides; a chain of numbers is its last."""
    name = _label(sides[0])
    if name is None and len(sides) == 2 and _label(sides[1]) is not None:
        name, sides = _label(sides[1]), sides[::-1]
    if name is not None:
        value = sides[-1]
        if not (len(sides) == 2 and _is_plane(name, value)):
            if ("v", name) in value:
                return _Item(equation_key(parse(sides[0]), parse(value)))
            return _Item(_items(value).key, name)
    nodes = [parse(_without_words(s)) for s in sides]
    if not any(variables(n) for n in nodes):
        return _Item(value_key(nodes[-1]))
    if len(nodes) > 2:
        raise Unreadable("a chain of expressions")
    return _Item(equation_key(nodes[0], nodes[1]))


def _is_plane(name: str, value: list[Token]) -> bool:
    """x = 2y: an equation between coordinates, not the value of x."""
    names = {v for kind, v in value if kind == "v"}
    return name in ("x", "y", "z") and bool(names) and names <= {"x", "y", "z"} and not (name == "y" and names == {"x"})


def _label(tokens: list[Token]) -> str | None:
    """The name on the left of an assignment: x, x_1, f(x), |AB|, (x, y), a word; None when it is more than a name."""
    shape = "".join(
        "v" if kind == "v" else "w" if kind == "w" else "n" if kind == "n" else value if kind == "o" else "?"
        for kind, value in tokens
    )
    text = "".join(str(value) for _, value in tokens)
    if tokens and tokens[0] in (("v", "pi"), ("v", "e"), ("v", "i")) and len(tokens) == 1:
        return None
    if re.fullmatch(r"v(_(v|n|\{[vnw,]+\}))?'*", shape):
        return text
    if re.fullmatch(r"v(_(v|n|\{[vnw]+\}))?'*\{?\(v(,v)*\)\}?", shape):
        return text
    if re.fullmatch(r"v(_(v|n|\{[vn]+\}))?'*\(n\)", shape) and text[0] in "fghFGHpPqQ":
        return text
    if re.fullmatch(r"[A-Z]{2,}", text) or re.fullmatch(r"\|[A-Z]+\|", text):
        return text
    if re.fullmatch(r"\(v(_n)?(,v(_n)?)+\)", shape):
        return text
    if re.fullmatch(r"w+v?", shape) or re.fullmatch(r"[vw]+(_(v|n|\{[vn]+\}))?(:[vw]+(_(v|n|\{[vn]+\}))?)+", shape):
        return text
    return None


def _colon(tokens: list[Token]) -> Key | None:
    """Times and ratios: 2:30 PM, 3:1, 1:2:3."""
    if not tokens:
        raise Unreadable("empty")
    word = ""
    if tokens[-1][0] == "w":
        word = re.sub(r"[^a-z]", "", tokens[-1][1].lower())
        if word not in ("am", "pm"):
            return None
        tokens = tokens[:-1]
    parts, _ = _split(tokens, (":",))
    if len(parts) < 2 and not word:
        return None
    keys = tuple(value_key(parse(p)) for p in parts)
    if word and len(keys) == 1:
        keys = (*keys, ("n", (0, 1)))
    return ("colon", keys, word)


def _set_operation(tokens: list[Token]) -> Key | None:
    """Unions, intersections and differences of intervals and sets."""
    for command in ("cup", "cap", "setminus"):
        parts, _ = _split([("w", command) if t == ("c", command) else t for t in tokens], (command,))
        if len(parts) < 2:
            continue
        sets = [intervals_of(_items(p).key) for p in parts]
        if any(s is None for s in sets):
            raise Unreadable("a union of something else")
        known = [s for s in sets if s is not None]
        if command == "cup":
            return union([interval for s in known for interval in s])
        if command == "setminus":
            outside = complement([interval for s in known[1:] for interval in s])
            known = [known[0], (intervals_of(outside) if outside else None) or []]
        common = known[0]
        for other in known[1:]:
            common = intersect(common, other) or []
        return union(common)
    return None


def _bracketed(tokens: list[Token]) -> Key | None:
    """(a, b), [a, b), {a, b}, {x : x > 2}: several items between brackets around the whole."""
    kind, left = tokens[0]
    if kind != "o" or left not in ("(", "[", "\\{") or tokens[-1][0] != "o" or _closing(tokens, 0) != len(tokens) - 1:
        return None
    right = tokens[-1][1]
    inner = tokens[1:-1]
    if not inner:
        return ("text", "nosolution") if left == "\\{" else None
    if left == "\\{":
        for bar in ("|", ":"):
            parts, _ = _split(inner, (bar,))
            if len(parts) == 2 and _label(parts[0]) is not None:
                return _items(parts[1]).key
        return _items(inner).key
    parts, _ = _split(inner, (",", ";"))
    if len(parts) == 1:
        return None
    keys = [_items(p).key for p in parts]
    if any(k[0] == "list" for k in keys):
        raise Unreadable("a list in a tuple")
    return _ordered(keys, left, right if right in ")]" else ")")


def _matrix(tokens: list[Token]) -> Key | None:
    """A matrix environment, with a scalar factor in front of it."""
    start = next((i for i, t in enumerate(tokens) if t[0] == "c" and t[1].startswith("begin ")), None)
    if start is None:
        return None
    if tokens[-1][0] == "o" and tokens[0][0] == "o" and tokens[0][1] in ("(", "[") and tokens[-1][1] in (")", "]"):
        return _matrix(tokens[1:-1])
    environment = tokens[start][1].split(" ", 1)[1]
    if tokens[-1] != ("c", f"end {environment}"):
        raise Unreadable("an open environment")
    rows, _ = _split(tokens[start + 1 : -1], ("\\\\",))
    if environment in ("cases", "aligned", "align", "gathered"):
        return _combined([_items([t for t in r if t != ("o", "&")]) for r in rows], ",").key
    if environment not in (
        "matrix",
        "pmatrix",
        "bmatrix",
        "Bmatrix",
        "vmatrix",
        "array",
        "smallmatrix",
        "psmallmatrix",
    ):
        raise Unreadable(environment)
    scale = tokens[:start]
    if scale and scale[-1] == ("o", "*"):
        scale = scale[:-1]
    factor: Node = parse(scale) if scale and scale != [("o", "-")] else ("num", -1 if scale else 1)
    entries = [[parse(cell) for cell in _cells(row)] for row in rows]
    if len({len(row) for row in entries}) != 1:
        raise Unreadable("ragged rows")
    return ("matrix", tuple(tuple(value_key(("mul", factor, cell)) for cell in row) for row in entries))


def _cells(row: list[Token]) -> list[list[Token]]:
    cells: list[list[Token]] = [[]]
    for token in row:
        if token == ("o", "&"):
            cells.append([])
        else:
            cells[-1].append(token)
    return cells


_BASE_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "sixteen": 16,
}  # fmt: skip


def _base(tokens: list[Token]) -> Key | None:
    """Digits with the base below: 204_5, A3_{16}."""
    if ("o", "_") not in tokens:
        return None
    cut = tokens.index(("o", "_"))
    number = tokens[:cut]
    if number and number[0] == ("o", "(") and number[-1] == ("o", ")"):
        number = number[1:-1]
    digits = "".join(str(value) for _, value in number)
    if not re.fullmatch(r"[0-9A-Fa-f]+", digits) or (len(digits) == 1 and not digits.isdigit()):
        return None
    below = [t for t in tokens[cut + 1 :] if t not in (("o", "{"), ("o", "}"), ("w", "base"))]
    if len(below) != 1:
        return None
    kind, value = below[0]
    base = value if kind == "n" else _BASE_WORDS.get(re.sub(r"[^a-z]|base", "", str(value).lower()))
    if kind == "v" and digits.isdigit():
        return ("n", (int(digits), 1))  # the base is a letter: nothing to tell it apart
    if not isinstance(base, int) or not 2 <= base <= 36:
        return None
    if base == 10:
        return ("n", (int(digits), 1))
    return ("base", base, digits.upper())


def _infinity(tokens: list[Token]) -> Key | None:
    sign = 1
    rest = tokens
    while rest and rest[0] in (("o", "+"), ("o", "-")):
        sign = -sign if rest[0][1] == "-" else sign
        rest = rest[1:]
    if rest == [("c", "infty")]:
        return PLUS_INFINITY if sign > 0 else MINUS_INFINITY
    if tokens == [("c", "emptyset")]:
        return ("text", "nosolution")
    if len(tokens) == 1 and tokens[0][0] == "c" and str(tokens[0][1]).startswith("set "):
        letter = tokens[0][1][4:]
        return REALS.key() if letter == "R" else ("text", "set" + letter)
    return None
