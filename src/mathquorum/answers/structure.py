"""The way from tokens to keys: lists, relations, intervals, tuples, sets, matrices, and the expressions inside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mathquorum.answers.bars import Bars, evaluation_bars
from mathquorum.answers.conditions import membership, without_conditions
from mathquorum.answers.derivatives import derivative
from mathquorum.answers.expressions import Node, substitute, variables
from mathquorum.answers.families import expression_key, function_key
from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.matrices import has_matrix, matrix_key, rows_key, vector_key
from mathquorum.answers.naming import quantity_name
from mathquorum.answers.number_keys import is_rounded, real_value
from mathquorum.answers.numerals import base_key, colon_key, compound_key
from mathquorum.answers.piecewise import cases_node
from mathquorum.answers.polynomials import coefficients, real_roots
from mathquorum.answers.relations import equation_key, inequality_key
from mathquorum.answers.residues import is_congruence, residue_keys
from mathquorum.answers.sets import (
    MINUS_INFINITY,
    PLUS_INFINITY,
    REALS,
    Interval,
    complement,
    integers,
    intersect,
    intervals_of,
    members,
    union,
)
from mathquorum.answers.settings import EquivalenceSettings
from mathquorum.answers.splitting import closing, outermost, sides_of, sign_readings, split, unwrapped
from mathquorum.answers.symbolic import derivative_of, is_calculus, symbolic_node
from mathquorum.answers.tokens import Token
from mathquorum.answers.value_keys import value_key
from mathquorum.answers.wording import label, without_units

__all__ = ["EMPTY_SET", "Item", "StructureReader"]

Key = tuple[Any, ...]

MAX_ITEMS = 2_000
EMPTY_SET: Key = ("text", "nosolution")

_SIGNS = (("o", "+-"), ("o", "-+"))
_HAS_VALUES = (("c", "in"), ("o", "="))
_SYSTEMS = tuple(f"begin {name}" for name in ("cases", "aligned", "align", "gathered"))


@dataclass(frozen=True)
class Item:
    """A key, with the name that it was assigned to, and what it came from.

    Attributes:
        is_solution: It solves an inequality.
        is_exclusion: It solves x != 3.
        is_step: It is the last side of a chain of numbers, such as 2 + 3 = 5.
    """

    key: Key
    name: str | None = None
    is_solution: bool = False
    is_exclusion: bool = False
    is_step: bool = False


@dataclass(frozen=True)
class StructureReader:
    """Reads token lists under given settings.

    Every method raises `Unreadable` or `NoValue` when the tokens are not what it reads.
    """

    settings: EquivalenceSettings

    # --- several items ---

    def items(self, tokens: list[Token]) -> Item:
        """One item, or several between separators."""
        if len(tokens) < 3 and (number := _number(tokens)) is not None:  # most items of most lists
            return Item(number)
        tokens = unwrapped(tokens)
        if is_congruence(tokens):
            return Item(self.listed(residue_keys(tokens)))
        if ("o", "≡") in tokens:
            tokens = [("o", "=") if t == ("o", "≡") else t for t in tokens]
        conditioned = without_conditions(tokens)
        if conditioned.domain in ("Z", "N"):
            return Item(self.whole_numbers(self.items(conditioned.tokens).key, conditioned.domain))
        tokens = conditioned.tokens
        if ("o", "=>") in tokens:  # of a derivation, the conclusion
            steps, _ = split(tokens, ("=>",))
            tokens = steps[-1] if steps else []
        if ("o", "~") in tokens:  # of an approximation, the exact side
            tokens = self.exact_side(tokens)
        words = any(kind == "w" for kind, _ in tokens)
        if words:
            compound = compound_key(tokens)
            if compound is not None:
                return Item(compound)
            tokens = [("o", ":") if t == ("w", "to") else t for t in tokens]  # a ratio in words: 3 to 2
        if not words and ("o", ",") not in tokens and ("o", ";") not in tokens:
            return self.signed(tokens)
        for separators in ((";",), (",", "and", "or")):
            parts, word = split(tokens, separators)
            if len(parts) > MAX_ITEMS:
                raise Unreadable("too many items")
            if len(parts) > 1:
                return self.combined([self.items(p) for p in _excluded(parts)], word)
        return self.signed(tokens)

    def exact_side(self, tokens: list[Token]) -> list[Token]:
        """What stands before the first sign of approximation.

        Raises:
            Unreadable: When both sides are numbers, and the rounded one is not that number to its digits.
        """
        cut = tokens.index(("o", "~"))
        exact, rounded = tokens[:cut], tokens[cut + 1 :]
        while rounded and rounded[-1][0] == "w":
            rounded = rounded[:-1]
        said = _number(rounded) if len(rounded) < 3 else None
        if exact and said is not None:
            key = self.items(exact).key
            value = real_value(key[1]) if key[0] == "n" else None
            if value is not None and not is_rounded(value, Fraction(*said[1])):
                raise Unreadable("an approximation of something else")
        return exact or tokens[1:]

    def signed(self, tokens: list[Token]) -> Item:
        """One item for every reading of its plus-minus signs."""
        if all(t not in _SIGNS for t in tokens):
            return self.item(tokens)
        return self.combined([self.item(t) for t in sign_readings(tokens)], "and", both_signs=True)

    def combined(self, items: Sequence[Item], word: str, both_signs: bool = False) -> Item:
        """Several items as one: solutions of inequalities unite, values of several names become a tuple."""
        if not items:
            raise Unreadable("empty")
        if all(i.is_exclusion for i in items):
            word = "and"
        if all(i.is_solution for i in items) or (word == "or" and _is_union(items)):
            return Item(_united([i.key for i in items], word), is_solution=True)
        if all(i.is_step for i in items):
            return items[-1]
        names = [i.name for i in items if i.name is not None]
        if not both_signs and len(set(names)) == len(names) == len(items) > 1:
            return Item(_ordered([i.key for i in sorted(items, key=lambda i: i.name or "")]))
        keys = [k for i in items for k in members(i.key)]
        if both_signs:
            keys = list(dict.fromkeys(keys))  # plus and minus zero
        return Item(self.listed(keys), items[0].name)

    def listed(self, keys: list[Key]) -> Key:
        """A list without order, but with its repetitions; in its order when the settings say so."""
        if len(keys) == 1:
            return keys[0]
        return ("list", tuple(keys) if self.settings.lists_are_ordered else frozenset(Counter(keys).items()))

    # --- one item ---

    def item(self, tokens: list[Token]) -> Item:
        """One item with its unit."""
        tokens = unwrapped(tokens)
        if ("c", "begin cases") in tokens:  # the words in it are not units
            return self.bare(tokens)
        sides, operators = sides_of(tokens)
        if operators and tokens[0][0] == "w" and label(sides[0]) is not None:  # Area = 5 cm
            return self.relation(sides, operators)
        if set(operators) == {"="} and all(sides) and (quantity := quantity_name(sides[0])) is not None:
            return self.named(quantity, sides[-1])
        measured = without_units(tokens)
        item = self.bare(measured.tokens)
        if measured.unit and self.settings.units_must_agree:
            return Item(("measure", measured.unit, item.key), item.name)
        return item

    def bare(self, tokens: list[Token]) -> Item:
        """A relation, a set, a numeral, or an expression."""
        if not tokens:
            raise Unreadable("empty")
        if len(tokens) < 3 and (number := _number(tokens)) is not None:
            return Item(number)
        for sign in (("c", "in"), ("c", "notin")):
            place = outermost(tokens, sign)
            if place is not None:
                named = self.item(tokens[place + 1 :]).key
                return Item(named if sign[1] == "in" else self.operated("setminus", [[REALS], intervals_of(named)]))
        sides, operators = sides_of(tokens)
        if operators:
            return self.relation(sides, operators)
        for reader in (colon_key, self.set_operation, self.bracketed, self.environment, base_key, _constant_set):
            key = reader(tokens)
            if key is not None:
                return Item(key)
        node = self.expression(tokens)
        return Item(vector_key(node, variables(node)) or expression_key(node))

    def expression(self, tokens: list[Token]) -> Node:
        """A formula as a tree, worked out by the symbolic tail where it holds calculus."""
        bars = evaluation_bars(tokens)
        if bars is not None:
            return self.between(bars)
        if not is_calculus(tokens):
            return parse(tokens)
        if (taken := derivative_of(tokens)) is not None:
            name, body = taken
            with suppress(Unreadable):
                return derivative(parse(body), name)
        node = symbolic_node(tokens, self.settings.symbolic_seconds)
        if node is None:
            raise Unreadable("no value found in time")
        return node

    def between(self, bars: Bars) -> Node:
        """F|_{x=3}, or the difference of F at two places."""
        body, name, low, high = bars
        node = self.expression(body)
        names = variables(node)
        if name is None:
            if len(names) != 1:
                raise Unreadable("which variable?")
            name = next(iter(names))
        at_high = substitute(node, name, parse(high))
        return at_high if low is None else ("add", at_high, ("neg", substitute(node, name, parse(low))))

    def relation(self, sides: list[list[Token]], operators: list[str]) -> Item:
        """An assignment, an equation, a chain of comparisons."""
        if not all(sides):
            if operators == ["="] and sides[1]:
                return self.item(sides[1])
            raise Unreadable("a side is missing")
        if all(o == "=" for o in operators):
            return self.equation(sides)
        if len({o[0] for o in operators}) > 1 or (operators[0] == "!=" and len(operators) > 1):
            raise Unreadable("mixed relations")
        # -\infty < x < 3: the infinite side says nothing.
        if _constant_set(sides[0]) is not None:
            sides, operators = sides[1:], operators[1:]
        if operators and _constant_set(sides[-1]) is not None:
            sides, operators = sides[:-1], operators[:-1]
        if not operators:
            return Item(REALS.key(), is_solution=True)
        key = inequality_key([parse(s) for s in sides], operators)
        return Item(key, is_solution=key[0] in ("pair", "union"), is_exclusion=operators == ["!="])

    def equation(self, sides: list[list[Token]]) -> Item:
        """x = 5 is 5; an equation between expressions keeps both sides; a chain of numbers is its last."""
        name = label(sides[0])
        if name is None and len(sides) == 2 and label(sides[1]) is not None:
            name, sides = label(sides[1]), sides[::-1]
        if name is not None and not (len(sides) == 2 and _is_curve(name, sides[-1])):
            return self.named(name, sides[-1])
        if any(is_calculus(s) for s in sides[:-1]):  # an integral and its value
            return self.item(sides[-1])
        if all(has_matrix(s) and all(kind != "v" for kind, _ in s) for s in sides):  # a computation
            return self.item(sides[-1])
        nodes = [parse(without_units(s).tokens) for s in sides]
        if not any(variables(n) for n in nodes):
            if all(n[0] == "num" for n in nodes) and len({value_key(n) for n in nodes}) > 1:
                raise Unreadable("5 = 4 states nothing")
            return Item(value_key(nodes[-1]), is_step=True)
        if len(nodes) > 2 and len({value_key(n) for n in nodes[1:]}) > 1:
            raise Unreadable("a chain of expressions")
        return Item(equation_key(nodes[0], nodes[-1]))

    def named(self, name: str, value: list[Token]) -> Item:
        """The value of a name; of a function, whatever its variable is called."""
        key = self.items(value).key
        if key[0] in ("x", "family"):
            with suppress(Unreadable):
                key = function_key(name, self.expression(without_units(value).tokens))
        return Item(key, name)

    # --- sets, tuples, matrices ---

    def set_operation(self, tokens: list[Token]) -> Key | None:
        """Unions, intersections and differences of intervals and sets."""
        if tokens[:2] == [("c", "set R"), ("o", "-")]:
            tokens = [tokens[0], ("c", "setminus"), *tokens[2:]]
        for command in ("cup", "cap", "setminus"):
            if ("c", command) not in tokens:
                continue
            parts, _ = split(tokens, (command,))
            if len(parts) > 1:
                return self.operated(command, [intervals_of(self.items(p).key) for p in parts])
        return None

    def operated(self, command: str, operands: list[Any]) -> Key:
        if any(s is None for s in operands):
            raise Unreadable("a union of something else")
        if command == "cup":
            return union([interval for s in operands for interval in s])
        if command == "setminus":
            outside = complement([interval for s in operands[1:] for interval in s])
            operands = [operands[0], intervals_of(outside) if outside else []]
        common = operands[0]
        for other in operands[1:]:
            common = intersect(common, other) or []
        return union(common)

    def bracketed(self, tokens: list[Token]) -> Key | None:
        """(a, b), [a, b), {a, b}, {x : x > 2}: several items between brackets around the whole."""
        kind, left = tokens[0]
        if kind != "o" or left not in ("(", "[", "\\{") or closing(tokens, 0) != len(tokens) - 1:
            return None
        right, inner = tokens[-1][1], tokens[1:-1]
        if left == "\\{":
            return self.braced(inner)
        parts, _ = split(inner, (",", ";"))
        if len(parts) < 2:
            return None
        if left == "[" and all(p[0] == ("o", "[") and closing(p, 0) == len(p) - 1 for p in parts):
            return rows_key(tuple(tuple(parse(c) for c in split(p[1:-1], (",",))[0]) for p in parts))
        keys = [self.items(p).key for p in parts]
        if any(k[0] == "list" for k in keys):
            raise Unreadable("a list in a tuple")
        return _ordered(keys, left, right if right in (")", "]") else ")")

    def braced(self, inner: list[Token]) -> Key:
        """A set, or the condition of a set."""
        if not inner:
            return EMPTY_SET
        for bar in (("o", "such that"), ("o", "|"), ("o", ":")):
            if bar in inner:
                cut = inner.index(bar)
                domain = membership(inner[:cut])
                solved = self.solutions(inner[cut + 1 :])
                if solved is not None and (domain or label(inner[:cut])):
                    kept = [k for k in solved if domain not in ("Z", "N") or k[1][1:] == (1,)]
                    return self.listed(kept) if kept else EMPTY_SET
                if domain in ("Z", "N"):
                    return self.whole_numbers(self.items(inner[cut + 1 :]).key, domain)
                if (image := self.image(inner[:cut], inner[cut + 1 :])) is not None:
                    return image
                if label(inner[:cut]) or ("c", "in") in inner[:cut]:
                    return self.items(inner[cut + 1 :]).key
        key = self.items(inner).key
        return self.listed(list(dict.fromkeys(members(key)))) if key[0] == "list" else key

    def image(self, formula: list[Token], condition: list[Token]) -> Key | None:
        """The values of a formula for the few values that its variable has: {2k | k in {1, 2, 3}}."""
        if len(formula) < 2 or len(condition) < 3 or condition[0][0] != "v" or condition[1] not in _HAS_VALUES:
            return None
        node, name = parse(formula), str(condition[0][1])
        places = members(self.items(condition[2:]).key)
        if variables(node) != {name} or not all(k[0] == "n" and len(k[1]) == 2 for k in places):
            return None
        values = [value_key(substitute(node, name, ("num", Fraction(*k[1])))) for k in places]
        return self.listed(list(dict.fromkeys(values)))

    def solutions(self, tokens: list[Token]) -> list[Key] | None:
        """The real solutions of a polynomial equation in one variable; None of anything else."""
        sides, operators = sides_of(tokens)
        if operators != ["="] or not all(sides):
            return None
        difference: Node = ("add", parse(sides[0]), ("neg", parse(sides[1])))
        names = variables(difference)
        polynomial = coefficients(difference, next(iter(names))) if len(names) == 1 else None
        return None if polynomial is None or len(polynomial) < 2 else real_roots(polynomial)

    def whole_numbers(self, key: Key, domain: str) -> Key:
        """The whole numbers of a bounded set; of anything else, itself."""
        intervals = intervals_of(key) if key[0] in ("pair", "union") else None
        if intervals is None:
            return key
        found = integers(intervals, 1 if domain == "N" else None, MAX_ITEMS)
        if found is None:
            raise Unreadable("an infinite set of whole numbers")
        return self.listed([("n", (number, 1)) for number in found]) if found else EMPTY_SET

    def environment(self, tokens: list[Token]) -> Key | None:
        """A formula with matrices; a system of equations is a list."""
        if has_matrix(tokens):
            if tokens[0] in (("o", "("), ("o", "[")) and closing(tokens, 0) == len(tokens) - 1:
                return self.environment(tokens[1:-1])
            return matrix_key(tokens)
        if tokens[0][0] != "c" or tokens[0][1] not in _SYSTEMS:
            return None
        if tokens[-1] != ("c", tokens[0][1].replace("begin", "end")):
            raise Unreadable("an open environment")
        rows, _ = split(tokens[1:-1], ("\\\\",))
        node = cases_node(rows)
        if node is not None:
            return value_key(node)
        return self.combined([self.items([t for t in row if t != ("o", "&")]) for row in rows], ",").key


def _number(tokens: list[Token]) -> Key | None:
    """The key of a number with its sign."""
    kind, value = tokens[-1] if tokens else ("", 0)
    if kind != "n" or (len(tokens) == 2 and tokens[0] not in (("o", "-"), ("o", "+"))):
        return None
    if tokens[0] == ("o", "-"):
        value = -value
    return ("n", (value.numerator, value.denominator))


def _excluded(parts: list[list[Token]]) -> list[list[Token]]:
    """x != 2, 3 in full: x != 2 and x != 3."""
    if ("o", "!=") not in parts[0] or any(sides_of(p)[1] for p in parts[1:]):
        return parts
    left = parts[0][: parts[0].index(("o", "!=")) + 1]
    return [parts[0], *(left + p for p in parts[1:])]


def _is_union(items: Sequence[Item]) -> bool:
    """x = 1 or 2 < x < 3"""
    return any(i.is_solution for i in items) and all(i.is_solution or (i.name and i.key[0] == "n") for i in items)


def _united(keys: list[Key], word: str) -> Key:
    """Solutions joined by "or" unite; joined by "and" or a comma they intersect, unless nothing would be left."""
    parts: list[Sequence[Interval]] = [intervals_of(k) or [] for k in keys]
    if word != "or":
        common = _common(parts)
        if common:
            return union(common)
    return union([interval for part in parts for interval in part])


def _common(parts: list[Sequence[Interval]]) -> Sequence[Interval]:
    """What all unions of intervals have in common, by halves: one after the other, hundreds of x != a would take seconds."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return intersect(_common(parts[:middle]), _common(parts[middle:])) or []


def _ordered(keys: list[Key], left: str = "(", right: str = ")") -> Key:
    """A tuple; of two coordinates, a pair with its brackets."""
    if len(keys) != 2:
        return keys[0] if len(keys) == 1 else ("tuple", tuple(keys))
    left = "(" if keys[0] == MINUS_INFINITY else left
    right = ")" if keys[1] == PLUS_INFINITY else right
    return ("pair", left, right, *keys)


def _is_curve(name: str, value: list[Token]) -> bool:
    """x = 2y: an equation between coordinates, and y = y^2 - 1 one for y; not the value of a name."""
    names = {v for kind, v in value if kind == "v"}
    if name in names:
        return True
    return (
        name in ("x", "y", "z") and bool(names) and names <= {"x", "y", "z"} and not (name in "yz" and len(names) == 1)
    )


def _constant_set(tokens: list[Token]) -> Key | None:
    """Infinity with its sign, the empty set, and the sets of numbers."""
    signs = [value for _, value in tokens[:-1]]
    if tokens[-1] == ("c", "infty") and all(s in ("+", "-") for s in signs):
        return MINUS_INFINITY if signs.count("-") % 2 else PLUS_INFINITY
    if tokens == [("c", "emptyset")]:
        return EMPTY_SET
    if len(tokens) == 1 and tokens[0][0] == "c" and tokens[0][1].startswith("set "):
        letter = tokens[0][1].removeprefix("set ")
        return REALS.key() if letter == "R" else ("text", "set" + letter)
    return None
