"""Words that the grammar of phrases understands, by what they do to the value that they stand beside."""

from __future__ import annotations

import re

from mathquorum.answers.vocabulary import FRACTIONS, MULTIPLIERS, NUMBER_WORDS, TENS

__all__ = [
    "APPROXIMATE",
    "ARTICLES",
    "BACKWARDS",
    "CHANGING",
    "CLAUSES",
    "CLOSERS",
    "CONNECTIVES",
    "COPULAS",
    "COUNTED_OF",
    "DEGREES",
    "EXACT",
    "INFIXES",
    "INFIX_STARTS",
    "JOINING",
    "KNOWN",
    "LESSENED",
    "NAMED_QUANTITIES",
    "NEGATING",
    "NOT_OWNED",
    "OF_THE_ANSWER",
    "OWNING",
    "PER",
    "PERIODS",
    "POSTFIXES",
    "PREFIXES",
    "PREFIX_STARTS",
    "PREPOSITIONS",
    "REASONS",
    "ROOTS",
    "SAID_OF_NAMES",
    "SORTS",
    "SORT_ADJECTIVES",
    "STRUCTURED",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CONNECTIVES = _set(
    "so thus hence then therefore finally and we get have find obtain conclude see that it follows consequently"
)
COPULAS = _set("is are was were equals equal be becomes")
APPROXIMATE = _set("approximately about roughly around approx nearly almost circa")
EXACT = _set(
    "now then therefore thus indeed actually currently still at only exactly just precisely simply merely the a an of total equal to given by value as also another"
)
ARTICLES = _set("the a an")
NEGATING = _set(
    "not no never cannot neither nor without unless except if when isn't aren't doesn't don't can't won't wrong false impossible unlikely"
    " incorrect undefined infinite infinitely insufficient unknown undetermined suppose supposing assume assuming guess guessed extraneous unless whether than between either another other others"
)
# What must not stand among the words after a value: it would change it, bound it, or add to it.
CHANGING = _set(
    "not no never none neither nor cannot except excluding unless if else otherwise when whenever and or but plus minus times"
    " divided multiplied raised power mod modulo modulus remainder divisible congruent than"
    " all every any infinity infinite infinitely inverse reciprocal negative opposite double twice triple half choose to through between"
    " until above below under over beyond up down greater smaller larger fewer higher lower odd even is are was were be has have do does"
    " factorial factorials doubled squared cubed variable undefined impossible unknown depends depending consecutive first last next its itself their"
    " other others another about approximately roughly more less minimum maximum least most prime primes multiple exclusive inclusive"
    " because since where which that what n't isn't can't fold gross mille etc binary octal hexadecimal hex ternary pi log ln sin cos tan sqrt th ths nth excluded excludes fails failed works divides inverted thrice onward onwards repeating recurring bound"
)
PREPOSITIONS = _set(
    "of in for per on from with by each at during within inside around the a an this these those his her their our your my"
)
# What may follow a count, whatever the rest says: 5 more, 15 students in total.
CLOSERS = (
    ("in", "total"), ("in", "all"), ("all", "together"), ("at", "first"), ("more",), ("less",), ("fewer",), ("left",), ("left", "over"), ("over",), ("only",),
    ("altogether",), ("total",), ("each",), ("remaining",), ("exactly",), ("approximately",), ("about",), ("apiece",), ("respectively",),
    ("at", "most", "once"), ("at", "the", "end"), ("times",), ("time",), ("to", "spare"), ("to", "go"), ("old",), ("ago",), ("later",),
)  # fmt: skip
# Operations that stand before what they apply to, and those between two values.
PREFIXES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("square", "root", "of"), r"\sqrt{%s}"), (("cube", "root", "of"), r"\sqrt[3]{%s}"), (("fourth", "root", "of"), r"\sqrt[4]{%s}"),
    (("reciprocal", "of"), r"\frac{1}{%s}"), (("multiplicative", "inverse", "of"), r"\frac{1}{%s}"),
    (("negative", "of"), "-(%s)"), (("opposite", "of"), "-(%s)"), (("additive", "inverse", "of"), "-(%s)"),
    (("absolute", "value", "of"), "|%s|"), (("square", "of"), "(%s)^{2}"), (("cube", "of"), "(%s)^{3}"), (("factorial", "of"), "(%s)!"),
    (("half", "of"), r"\frac{%s}{2}"), (("half",), r"\frac{%s}{2}"), (("twice",), "2(%s)"), (("double",), "2(%s)"), (("triple",), "3(%s)"),
    (("thrice",), "3(%s)"), (("minus",), "-(%s)"), (("negative",), "-(%s)"), (("positive",), "(%s)"), (("plus",), "(%s)"),
)  # fmt: skip
INFIXES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("plus",), "(%s)+(%s)"), (("increased", "by"), "(%s)+(%s)"), (("minus",), "(%s)-(%s)"), (("decreased", "by"), "(%s)-(%s)"),
    (("times",), "(%s)(%s)"), (("multiplied", "by"), "(%s)(%s)"), (("divided", "by"), r"\frac{%s}{%s}"), (("over",), r"\frac{%s}{%s}"),
    (("to", "the", "power", "of"), "(%s)^{%s}"), (("to", "the", "power"), "(%s)^{%s}"), (("raised", "to", "the", "power", "of"), "(%s)^{%s}"),
    (("more", "than"), "(%s)+(%s)"), (("greater", "than"), "(%s)+(%s)"), (("out", "of"), r"\frac{%s}{%s}"),
    (("percent", "of"), r"\frac{%s}{100}(%s)"), (("to",), "%s : %s"), (("base",), "%s_{%s}"), (("in", "base"), "%s_{%s}"),
)  # fmt: skip
BACKWARDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("less", "than"), "(%s)-(%s)"), (("fewer", "than"), "(%s)-(%s)"), (("subtracted", "from"), "(%s)-(%s)"),
)  # fmt: skip
PREFIX_STARTS = frozenset(words[0] for words, _ in PREFIXES)
INFIX_STARTS = frozenset(words[0] for words, _ in INFIXES + BACKWARDS)
POSTFIXES: dict[str, str] = {
    "squared": "(%s)^{2}",
    "cubed": "(%s)^{3}",
    "factorial": "(%s)!",
    "doubled": "2(%s)",
    "tripled": "3(%s)",
    "halved": r"\frac{%s}{2}",
    "dozen": "12(%s)",
    "score": "20(%s)",
}
ROOTS = _set("square cube cubic fourth fifth")  # 7 square root, but not 1 real root
REASONS = _set("because since as so hence where which meaning i.e ie for given when")
SORTS = _set(
    "set interval point points line circle function equation vector matrix polynomial pair pairs triple fraction sequence"
)
NAMED_QUANTITIES = _set(
    "ratio remainder area volume length width height radius probability perimeter slope total answer result value"
)
SORT_ADJECTIVES = _set(
    "solution solutions ordered open closed half-open straight following only single quadratic cubic linear"
)
SAID_OF_NAMES = _set(
    "for where with given all any every each some and is are being a an the constant constants arbitrary real number numbers integer"
    " integers positive nonnegative non-negative nonzero non-zero negative natural whole"
)
STRUCTURED = re.compile(
    r"^\s*(?:[(\[{]|\\\{|\\(?:left|begin|langle|d?frac)(?![a-z]))|[=<>]|\\(?:le|ge|leq|geq)(?![a-z])"
)
PERIODS = _set("second minute hour day night morning evening week weekend month quarter year decade season")
PER = ("a", "an", "per", "each", "every")
DEGREES = _set("many much large long often tall high wide far old big fast")  # 8 times as many
LESSENED = _set("than the a an his her its their this that")  # 8 less the discount
COUNTED_OF = _set("values solutions choices integers pairs triples numbers")
CLAUSES = _set("where because since which if when for as whereas meaning")
OF_THE_ANSWER = _set("the our my final correct right answer")  # 42 is the answer
OWNING = _set("has have had")  # the circle has radius 5
NOT_OWNED = _set("than at about all every any to up over under above below more fewer times")  # has more than 5
JOINING = _set("or plus minus times base mod")
KNOWN = (
    CONNECTIVES | COPULAS | APPROXIMATE | EXACT | NEGATING | CHANGING | PREPOSITIONS | frozenset(FRACTIONS) | frozenset(NUMBER_WORDS)
    | frozenset(TENS) | frozenset(MULTIPLIERS) | frozenset(POSTFIXES) | _set("dozen percent less more fewer out")
) - _set("i e")  # fmt: skip
