"""Words beside mathematics: a small grammar of what may stand there. Words are never dropped unless it understands them.

    answer     [so, thus] [subject "is" | label ":"] values [reason]        The smallest $k$ is 48, since ...
    values     value ("and" | "or" | ",") value ...
    value      [about, exactly] [operation] number [operation] [tail]       half of 3, 6 factorial, 12 less than x
    tail       a unit, or the thing counted                                 5 kg, 15 students in total

What it reads it writes as LaTeX again, without words but units and what is counted. Anything else raises `Unreadable`, and the
answer is a text of its own, equal only to the same text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.units import is_named_unit, is_same_measure, is_unit
from mathquorum.answers.vocabulary import (
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    MULTIPLIERS,
    NUMBER_WORDS,
    SHORT_WORDS,
    TENS,
    UNITS,
)

__all__ = ["has_words", "is_number_in_words", "is_tail", "without_words"]

MAX_PIECES = 400


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer: "w" a word, "m" mathematics, "s" a comma or semicolon, ":" a colon, "=" after words, "(" a remark."""

    kind: str
    text: str


_MARKED = (
    r"\\(?:text|mbox|textbf|textit|textrm|texttt|textsf|textnormal|hbox|textup|mathrm|operatorname|mathbf|rm)\s*\{"
)
_WORDY = re.compile(
    r"\\(?:text|mbox|textbf|textit|textrm|textnormal|hbox|mathrm|operatorname)\s*\{|(?<![\\A-Za-z])[A-Za-z]{2,}"
)
_MARK_OPENS = re.compile(_MARKED)
_CAPITALS = re.compile(r"(?:[{}\s,;()&$]|\\[,; ]|\b(?:[A-Z]\d?|[IVX]{1,4}|and|or)\b)+(?:_\{?\w+\}?)?")
_SIGNS_IN_TEXT = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s*\{([-+\d.,\s]+)\}")
_COMMANDS = re.compile(r"\\[A-Za-z]+")


def has_words(text: str) -> bool:
    """Whether a text holds words or text in a font of its own; cheap, and true of products such as xy as well."""
    return _WORDY.search(text) is not None


# --- pieces ------------------------------------------------------------------------------------------------------------

_LEX = re.compile(
    rf"(?P<space>\s+|\\[,;:! ]|~|\\q?quad(?![A-Za-z]))"
    rf"|(?P<marked>{_MARKED})"
    r"|(?P<open>\\\{|\\begin\s*\{[^{}]*\}|[({\[])|(?P<close>\\\}|\\end\s*\{[^{}]*\}|[)}\]])"
    r"|(?P<command>\\[A-Za-z]+|\\.)"
    r"|(?P<word>[A-Za-z]+(?:['’][A-Za-z]+)*(?:(?<=[A-Za-z]{3})-[A-Za-z]{3,})*|[A-Za-z]+)"
    r"|(?P<sep>[,;](?!\d{3}(?!\d))|(?<!\d)[,;])|(?P<colon>:)|(?P<abbreviation>(?<=[a-z])\.(?=\s*[a-z]|\s+[\d$\\]))|(?P<stop>\.(?=\s*$|\s+[A-Z]|\s*\\text))|(?P<other>\d+(?:,\d+)*(?:\.\d+)?|.)",
    re.DOTALL,
)


def pieces_of(text: str) -> list[Piece]:
    """The words outside brackets, and the mathematics between them."""
    lexer = _Lexer(_CAPITALS.fullmatch(_MARK_OPENS.sub("", text)) is not None)
    lexer.read(text, upright=False)
    return lexer.finished()


class _Lexer:
    def __init__(self, capitals: bool) -> None:
        self.pieces: list[Piece] = []
        self.capitals = capitals  # the whole text is letters of choices or Roman numerals
        self.math: list[str] = []
        self.depth = 0
        self.inside: list[str] = []  # words in the brackets that are open now

    def read(self, text: str, upright: bool) -> None:
        position = 0
        while position < len(text):
            match = _LEX.match(text, position)
            assert match is not None  # the last alternative takes anything
            kind, raw, position = match.lastgroup, match[0], match.end()
            if kind == "marked":
                end = _closing_brace(text, position - 1)
                content = text[position:end]
                position = end + 1
                if _CAPITALS.fullmatch(content) and (self.capitals or text.startswith("_", position)):
                    self.math.append(content)
                elif self.math and self.math[-1].rstrip().endswith(("^", "_")):
                    self.math.append(f"{{\\text{{{content}}}}}")
                elif content.strip() in ("i", "e") or (content.strip() in ("d", "x") and raw.startswith("\\mathrm")):
                    self.math.append(content)
                elif (
                    re.fullmatch(r"\s*\([A-Z]\)\s*|[A-Z]", content) and not raw.startswith("\\mathrm")
                ) or raw.startswith(("\\operatorname", "\\mathbf")):
                    self.math.append(raw + content + "}")
                else:
                    self.read(content, upright=True)
            elif kind == "word":
                self.word(raw, upright, text, match.start(), match.end())
            else:
                self.other(kind or "other", raw)

    def word(self, raw: str, upright: bool, text: str, start: int, end: int) -> None:
        is_word = upright or _is_word(raw, text, start, end)
        if raw.lower() in FUNCTIONS and (
            raw.lower() not in ("max", "min", "sum", "mod", "abs", "int", "lim", "prod", "inf", "floor", "factorial")
        ):
            is_word = False
        if self.capitals and raw not in ("and", "or"):
            is_word = False
        if not is_word:
            self.math.append(raw if raw not in ("percent",) else "\\%")
        elif self.depth:
            self.math.append(f"\\text{{ {raw} }}")
            self.inside.append(raw)
        else:
            self.flush()
            self.pieces.append(Piece("w", raw))

    def other(self, kind: str, raw: str) -> None:
        if kind == "open":
            if raw == "(" and self.depth == 0:
                self.flush_before_remark()
            self.depth += 1
            self.math.append(raw)
        elif kind == "close":
            self.depth = max(0, self.depth - 1)
            self.math.append(raw)
            if self.depth == 0 and self.inside:
                self.remark()
        elif kind == "abbreviation":
            pass
        elif kind == "stop" and self.depth == 0:
            self.flush()
            self.pieces.append(Piece(".", raw))
        elif kind in ("sep", "colon") and self.depth == 0 and not (kind == "colon" and self.math):
            self.flush()
            self.pieces.append(Piece("s" if kind == "sep" else ":", raw))
        else:
            self.math.append(" " if kind == "space" else raw)

    def flush_before_remark(self) -> None:
        if self.math and self.math[-1] == " ":
            self.flush()

    def remark(self) -> None:
        """Brackets that held words: a remark when nothing precedes them in their piece."""
        text = "".join(self.math).strip()
        words, self.inside = self.inside, []
        if [w.lower() for w in words] == ["mod"]:
            self.math = [text.replace("\\text{ mod }", "mod")]
        elif text.startswith("(") and text.endswith(")"):
            self.math = []
            self.pieces.append(Piece("(", text))

    def flush(self) -> None:
        text = "".join(self.math).strip()
        self.math = []
        if text:
            self.pieces.append(Piece("m", text))

    def finished(self) -> list[Piece]:
        self.flush()
        while self.pieces and self.pieces[-1].kind == ".":
            self.pieces.pop()
        if len(self.pieces) > MAX_PIECES:
            raise Unreadable("too long for a phrase")
        return self.pieces


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    for index in range(start, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def _is_word(raw: str, text: str, start: int, end: int) -> bool:
    """Whether letters in a formula are a word: known, long, or next to another word."""
    lower = raw.lower()
    if len(raw) == 1:  # an article
        return (
            raw in "aAI"
            and re.match(r"\s+[A-Za-z]{2,}", text[end:]) is not None
            and text[:start].rstrip()[-1:] not in tuple("0123456789+-*/^=(")
        )
    if len(raw) < 4 and not is_unit(raw) and (text[end : end + 1] == "^" or text[start - 1 : start] == "^"):
        return False  # e^be^a
    if lower in GREEK or (raw.isupper() and len(raw) < 5 and not is_unit(raw)):
        return False
    if (
        is_unit(raw)
        and len(raw) > 1
        and (lower in KNOWN or lower in UNITS or not raw.islower() or len(raw) > 3 or is_named_unit(raw))
    ):
        return True
    if lower in ("cost", "sink", "tank", "sing"):  # no cos t
        return True
    if lower in KNOWN or lower in SHORT_WORDS or len(raw) > 3:
        return not re.fullmatch(r"(?:arc)?(?:sin|cos|tan|log|ln|sqrt|exp)[a-z]|pi[a-z]", lower)
    if not re.search(r"[aeiouy]", lower) or not raw[1:].islower():
        return False
    return (
        re.match(r"\s+[A-Za-z]{3,}", text[end:]) is not None
        or re.search(r"(?<![\\A-Za-z])[A-Za-z]{3,}\s+$", text[:start]) is not None
    )


# --- what is understood --------------------------------------------------------------------------------------------------


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
    " incorrect undefined infinite infinitely insufficient unknown undetermined unless whether than between either another other others"
)
# What must not stand among the words after a value: it would change it, bound it, or add to it.
CHANGING = _set(
    "not no never none neither nor cannot except excluding unless if else otherwise when whenever and or but plus minus times"
    " divided multiplied raised power mod modulo modulus remainder divisible congruent than"
    " all every any infinity infinite infinitely inverse reciprocal negative opposite double twice triple half choose to through between"
    " until above below under over beyond up down greater smaller larger fewer higher lower odd even is are was were be has have do does"
    " factorial factorials doubled squared cubed variable undefined impossible unknown depends depending consecutive first last next its itself their"
    " other others another about approximately roughly more less minimum maximum least most prime primes multiple exclusive inclusive"
    " because since where which that what n't isn't can't fold gross mille onward onwards repeating recurring bound"
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
_PREFIX_STARTS = frozenset(words[0] for words, _ in PREFIXES)
_INFIX_STARTS = frozenset(words[0] for words, _ in INFIXES + BACKWARDS)
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
REASONS = _set("because since as so hence where which meaning i.e ie for given when")
SORTS = _set(
    "set interval point points line circle function equation vector matrix polynomial pair pairs triple fraction sequence"
)
SORT_ADJECTIVES = _set(
    "solution solutions ordered open closed half-open straight following only single quadratic cubic linear"
)
SAID_OF_NAMES = _set(
    "for where with given all any every each some and is are being a an the constant constants arbitrary real number numbers integer"
    " integers positive nonnegative non-negative nonzero non-zero negative natural whole"
)
_STRUCTURED = re.compile(
    r"^\s*(?:[(\[{]|\\\{|\\(?:left|begin|langle|d?frac)(?![a-z]))|[=<>]|\\(?:le|ge|leq|geq)(?![a-z])"
)
PERIODS = _set("second minute hour day night morning evening week weekend month quarter year decade season")
_PER = ("a", "an", "per", "each", "every")
LESSENED = _set("than the a an his her its their this that")  # 8 less the discount
COUNTED_OF = _set("values solutions choices integers pairs triples numbers")
CLAUSES = _set("where because since which if when for as whereas meaning")
KNOWN = (
    CONNECTIVES | COPULAS | APPROXIMATE | EXACT | NEGATING | CHANGING | PREPOSITIONS | frozenset(FRACTIONS) | frozenset(NUMBER_WORDS)
    | frozenset(TENS) | frozenset(MULTIPLIERS) | frozenset(POSTFIXES) | _set("dozen percent less more fewer out")
) - _set("i e")  # fmt: skip
_NUMBER = re.compile(r"[-+]?(?:\\?\$)?\s*\d[\d,]*(?:\.\d+)?(?:\s*\\?[%$])?")


def without_words(text: str) -> str:
    """The mathematics of a text with words, operations in words written as signs, units and things counted kept as \\text.

    Raises:
        Unreadable: When a word is none of what the grammar understands.
    """
    text = _SIGNS_IN_TEXT.sub(r"\1", text).rstrip(" .")
    pieces = pieces_of(text)
    if all(p.kind != "w" for p in pieces) and all(p.kind != "(" for p in pieces):
        return text
    return _Phrase(pieces).answer()


def _letters(pieces: list[Piece]) -> set[str]:
    """The letters of the mathematics that may be variables."""
    text = " ".join(p.text for p in pieces if p.kind == "m")
    return set(re.findall(r"[A-Za-z]", re.sub(r"\\mathbb\s*\{?[A-Z]\}?|\\[A-Za-z]+", " ", text)))


def is_number_in_words(text: str) -> bool:
    """Whether a text is a number in words and nothing else: forty-eight."""
    words = re.split(r"[-\s]+", text.strip().lower())
    return all(w in NUMBER_WORDS or w in TENS or w in MULTIPLIERS or w == "and" for w in words) and words[0] != "and"


class _Phrase:
    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces
        self.at = 0

    # --- looking at pieces ---

    def word(self, ahead: int = 0) -> str:
        index = self.at + ahead
        if index < len(self.pieces) and self.pieces[index].kind == "w":
            return self.pieces[index].text.lower()
        return ""

    def kind(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.pieces[index].kind if index < len(self.pieces) else "end"

    def takes(self, words: tuple[str, ...]) -> bool:
        if all(self.word(i) == w for i, w in enumerate(words)):
            self.at += len(words)
            return True
        return False

    # --- the whole ---

    def answer(self) -> str:
        while self.word() in CONNECTIVES and not (self.word() == "we" and self.kind(1) != "w"):
            self.at += 1
            while self.kind() == "s" and self.at:
                self.at += 1
        self.subject()
        excluded = self.all_but()
        if excluded is not None:
            return excluded
        parts = [self.value()]
        while True:
            if self.kind() == "end":
                return "".join(parts)
            if self.ends_here():
                return "".join(parts)
            joint, value = self.joint(), self.value()
            if joint == " or " and len(parts) == 1 and is_same_measure(parts[0], value):
                parts = [value if value.rstrip().endswith("%") else parts[0]]
            else:
                parts += [joint, value]

    def subject(self) -> None:
        """Skips "the area of the triangle is", "Total:", "There are"; "is the answer" behind a value is left for the tail."""
        places = [
            i
            for i in range(self.at, len(self.pieces))
            if self.pieces[i].kind == "w" and self.pieces[i].text.lower() in COPULAS
        ]
        colons = [i for i in range(self.at, len(self.pieces)) if self.pieces[i].kind == ":"]
        clause = next(
            (
                i
                for i in range(self.at + 1, len(self.pieces))
                if self.pieces[i].text.lower() in CLAUSES and self.pieces[i].kind == "w"
            ),
            None,
        )
        if clause is not None and any(p.kind == "m" for p in self.pieces[self.at : clause]):
            places = [i for i in places if i < clause]
            colons = [i for i in colons if i < clause]
        place = places[-1] if places else colons[-1] if colons else None
        if place is None:
            self.named()
            return
        before = self.pieces[self.at : place]
        if not before:
            if self.pieces[place].kind == ":":
                self.at = place + 1
                return
            raise Unreadable("no subject")
        if places and before[0].kind == "m" and all(p.kind == "w" for p in self.pieces[place + 1 :]):
            self.reversed(place)
            return
        words = {p.text.lower() for p in before if p.kind == "w"}
        if words & NEGATING or any(p.kind == "s" for p in before) or (before[0].kind == "m" and len(before) > 1):
            raise Unreadable("a subject that is more than a name")
        if any(
            p.kind == "m" and _NUMBER.fullmatch(p.text) and (not i or before[i - 1].text.lower() not in PREPOSITIONS)
            for i, p in enumerate(before)
        ):
            raise Unreadable("a number in the subject")
        if len(places) > 1 or (self.pieces[place].kind == ":" and len(before) == 1 and before[0].kind == "m"):
            raise Unreadable("two statements")
        self.at = place + 1
        while self.kind() == ":":
            self.at += 1

    def named(self) -> None:
        """Skips words before an equals sign: Area = 5."""
        end = self.at
        while end < len(self.pieces) and self.pieces[end].kind == "w":
            end += 1
        if (
            end > self.at
            and end < len(self.pieces)
            and self.pieces[end].kind == "m"
            and self.pieces[end].text.lstrip().startswith("=")
        ):
            if {p.text.lower() for p in self.pieces[self.at : end]} & (NEGATING | REASONS):
                raise Unreadable("a clause")
            self.pieces[end] = (
                Piece("m", self.pieces[end].text.lstrip()[1:].strip())
                if self.pieces[end].text.strip() != "="
                else self.pieces[end]
            )
            self.at = end if self.pieces[end].text != "=" else end + 1
        elif self._is_sort(end):
            self.at = end
        elif end > self.at and end < len(self.pieces) and "=" in self.pieces[end].text:
            self.statement(end)

    def _is_sort(self, end: int) -> bool:
        """Whether the words up to a formula say what sort of thing it is: the open interval (0, 1)."""
        words = [p.text.lower() for p in self.pieces[self.at : end] if p.text.lower() not in ARTICLES]
        return (
            end < len(self.pieces)
            and self.pieces[end].kind == "m"
            and _STRUCTURED.search(self.pieces[end].text) is not None  # not "equation 3"
            and bool(words)
            and words[-1] in SORTS
            and all(w in SORT_ADJECTIVES for w in words[:-1])
        )

    def statement(self, end: int) -> None:
        """Skips "the sum" before a + b = 5."""
        words = [p.text.lower() for p in self.pieces[self.at : end]]
        if words[:1] == ["the"] and not (CHANGING | NEGATING) & set(words):
            self.at = end

    def reversed(self, place: int) -> None:
        """42 is the answer."""
        after = {p.text.lower() for p in self.pieces[place + 1 :]}
        if "answer" not in after or not after <= _set("the our my final correct right answer"):
            raise Unreadable("something is said of a value")
        del self.pieces[place:]

    def all_but(self) -> str | None:
        """All real numbers except 9."""
        if self.word() not in ("all", "every", "any", "real"):
            return None
        for start in (
            ("all", "real", "numbers"),
            ("all", "reals"),
            ("all", "real", "values"),
            ("all", "real", "number"),
            ("every", "real", "number"),
            ("any", "real", "number"),
            ("real", "numbers"),
        ):
            here = self.at
            if self.takes(start):
                while self.kind() == "m" and re.fullmatch(r"[a-z]", self.pieces[self.at].text):
                    self.at += 1
                while self.kind() == "s":
                    self.at += 1
                for word in (
                    ("except", "for"),
                    ("except",),
                    ("excluding",),
                    ("other", "than"),
                    ("but", "not"),
                    ("not", "equal", "to"),
                    ("but",),
                ):
                    if self.takes(word):
                        values = [self.value()]
                        while self.kind() != "end":
                            self.joint()
                            values.append(self.value())
                        return "x \\ne " + ", ".join(v.removeprefix("x = ").removeprefix("x=") for v in values)
                self.at = here
        return None

    def ends_here(self) -> bool:
        """Whether what follows is a reason, a condition, or what the answer is not."""
        here = self.at
        while self.kind() == "s":
            self.at += 1
        word = self.word()
        rest = self.pieces[self.at :]
        if not rest:
            return True
        if (
            word in ("because", "since")
            or (word == "as" and self.kind(1) != "end")
            or (word == "not" and here != self.at and len(rest) < 4)
        ):
            return True
        if word == "which" and here != self.at:
            return True
        if (
            word == "if"
            and len(rest) > 2
            and all(p.kind == "w" for p in rest)
            and "else" not in {p.text.lower() for p in rest}
        ):
            return True  # it restates what was asked
        if word == "where" and any(
            p.text.lower().startswith(("constant", "integer", "real", "arbitrary", "number", "positive"))
            for p in rest
            if p.kind == "w"
        ):
            return True
        if word == "for" and any(
            p.kind == "m" and re.search(r"[<>=]|\\(?:in|ge|le|geq|leq|ne|neq|forall)(?![A-Za-z])", p.text) for p in rest
        ):
            return True
        if word in ("for", "where", "with") and self._is_about_names(rest):
            return True
        if rest[0].kind == "(" and len(rest) == 1:
            return self.is_remark(rest[0].text)
        self.at = here
        return False

    def _is_about_names(self, rest: list[Piece]) -> bool:
        """Whether what follows says no more than where names of the value lie: for some constant c, with a, b real."""
        if any(p.kind not in "wms" or (p.kind == "w" and p.text.lower() not in SAID_OF_NAMES) for p in rest):
            return False
        names = _letters(rest)
        return bool(names) and names <= _letters(self.pieces[: self.at])

    def is_remark(self, text: str) -> bool:
        """Whether brackets hold a remark that leaves the value as it is."""
        words = [w.lower() for w in re.findall(r"[A-Za-z]{2,}", _COMMANDS.sub(" ", text))]
        if words and words[0] in (
            "because",
            "since",
            "approximately",
            "approx",
            "about",
            "as",
            "where",
            "or",
            "not",
            "which",
            "with",
            "for",
            "in",
            "rounded",
            "i.e",
            "using",
        ):
            return bool(words[0] != "or")
        return is_tail(words) or not (NEGATING | _set("or plus minus times base mod")) & set(words)

    def joint(self) -> str:
        """What joins two values."""
        joined = ""
        while self.kind() == "s":
            joined = self.pieces[self.at].text + " "
            self.at += 1
        if self.word() in ("and", "or"):
            joined = f" {self.word()} "
            self.at += 1
            self.takes(("also",))
        if not joined:
            raise Unreadable("words between values")
        return joined

    # --- one value ---

    def value(self) -> str:
        while self.word() in APPROXIMATE or (self.word() in EXACT and not self.is_operation()):
            self.at += 1
            if self.kind() == "m" and self.pieces[self.at].text == ".":
                self.at += 1
        node = self.primary()
        return self.followed(node)

    def is_operation(self) -> bool:
        return self.word() in _PREFIX_STARTS and any(
            all(self.word(i) == w for i, w in enumerate(words)) for words, _ in PREFIXES
        )

    def primary(self) -> str:
        fraction = self.fraction_of()
        if fraction is not None:
            return fraction
        for words, form in PREFIXES if self.word() in _PREFIX_STARTS else ():
            if self.takes(words):
                return form % self.operand()
        if self.word() in ("sum", "product", "difference", "quotient") and self.word(1) == "of":
            return self.of_two()
        number = self.number_words()
        if number is not None:
            return number
        if self.takes(("dozen",)):
            return "12"
        if self.kind() != "m":
            raise Unreadable(f"no value at {self.word()!r}")
        text = self.pieces[self.at].text
        self.at += 1
        if text in ("-", "+") and (self.kind() == "m"):
            text += self.pieces[self.at].text
            self.at += 1
        return text

    def operand(self) -> str:
        while self.word() in ARTICLES:
            self.at += 1
        return self.primary()

    def of_two(self) -> str:
        form = {"sum": "(%s)+(%s)", "product": "(%s)(%s)", "difference": "(%s)-(%s)", "quotient": r"\frac{%s}{%s}"}[
            self.word()
        ]
        self.at += 2
        first = self.operand()
        if self.word() != "and":
            raise Unreadable("one operand")
        self.at += 1
        return form % (first, self.operand())

    def number_words(self) -> str | None:
        """Twenty-five, one hundred and five, a dozen, two thirds."""
        if self.kind() != "w":
            return None
        total = current = 0
        count = 0
        while True:
            for part in re.split("-", self.word()) if self.word() else ["?"]:
                if part in NUMBER_WORDS:
                    current += NUMBER_WORDS[part]
                elif part in TENS:
                    current += TENS[part]
                elif part == "hundred" and count:
                    current = (current or 1) * 100
                elif part in MULTIPLIERS and count:
                    total, current = total + (current or 1) * MULTIPLIERS[part], 0
                elif part == "and" and count and self.word(1) in NUMBER_WORDS and (current >= 100 or total):
                    pass
                else:
                    return str(total + current) if count else None
            count += 1
            self.at += 1

    def fraction_of(self) -> str | None:
        """A third of 12, two thirds of x."""
        if self.kind() != "w":
            return None
        here = self.at
        number = self.number_words()
        if (
            number is None
            and self.kind() == "w"
            and self.word() not in ("half",)
            and FRACTIONS.get(self.word())
            and self.word(1) == "of"
        ):
            number = "1"
        if number is not None and self.word() in FRACTIONS:
            bottom = FRACTIONS[self.word()]
            self.at += 1
            fraction = rf"\frac{{{number}}}{{{bottom}}}"
            if self.word() == "of" and self.kind(1) == "m":
                self.at += 1
                return f"{fraction}({self.operand()})"
            return fraction
        self.at = here
        return None

    def followed(self, node: str) -> str:
        """Operations after a value, and its unit or what it counts."""
        while True:
            word = self.word()
            if not word:
                break
            if word in POSTFIXES:
                self.at += 1
                node = POSTFIXES[word] % node
            elif word in FRACTIONS and re.fullmatch(r"-?\d+", node):
                self.at += 1
                node = rf"\frac{{{node}}}{{{FRACTIONS[word]}}}"
                if self.word() == "of" and self.kind(1) == "m":
                    self.at += 1
                    node = f"{node}({self.operand()})"
            elif word in MULTIPLIERS:
                self.at += 1
                node = f"{node}*{MULTIPLIERS[word]}"
            else:
                changed = self.infix(node)
                if changed is None:
                    break
                node = changed
        if self.kind() == "(" and self.is_base():
            node = f"{{{node}}}_{{{self.is_base()}}}".replace("{" + node + "}", node, 1)
            self.at += 1
        if node.endswith("%") and self.word() == "of" and self.kind(1) == "m":
            self.at += 1
            return rf"\frac{{{node.rstrip('%').rstrip(chr(92))}}}{{100}}({self.operand()})"
        return node + self.tail()

    def is_base(self) -> str:
        found = re.fullmatch(
            r"\(\s*\\text\{ base \}\s*(\w+)\s*\)|\(\s*(?:\\text\{ in \}\s*)?\\text\{ base \}\s*(\w+|\\text\{ \w+ \})\s*\)",
            self.pieces[self.at].text,
        )
        return "" if found is None else next(g for g in found.groups() if g)

    def infix(self, node: str) -> str | None:
        if self.word() not in _INFIX_STARTS:
            return None
        for forms, swapped in ((INFIXES, False), (BACKWARDS, True)):
            for words, form in forms:
                here = self.at
                if self.takes(words):
                    if self.kind() == "m" or self.word() in NUMBER_WORDS or self.is_operation():
                        other = self.operand()
                        return form % ((other, node) if swapped else (node, other))
                    self.at = here
        return None

    def tail(self) -> str:
        """The words after a value, as \\text; a measure of two units goes on with its second number."""
        start = self.at
        while self.kind() == "w":
            if self.word() in ("and", "or") and (
                self.kind(1) == "m" or self.word(1) in NUMBER_WORDS or self.word(1) in CONNECTIVES
            ):
                break
            if self.word() in ("because", "since", "where", "which") or (
                self.word() in ("for", "as", "if", "with") and self.ends_after()
            ):
                break
            self.at += 1
        words = [p.text for p in self.pieces[start : self.at]]
        if not words:
            return ""
        rate = ""
        while self.kind() == "m" and re.fullmatch(
            r"\s*(?:[/^]|\\cdot)[\s/^]*(?:\{?-?\d\}?)?\s*/?\s*", self.pieces[self.at].text
        ):  # m/s^2
            rate += " " + self.pieces[self.at].text
            self.at += 1
            while self.kind() == "w" and is_unit(self.pieces[self.at].text):
                words.append(self.pieces[self.at].text)
                self.at += 1
        if not (all(is_unit(w) for w in words) or (not rate and is_tail([w.lower() for w in words]))):
            raise Unreadable("words that are not understood: " + " ".join(words))
        named = f" \\text{{ {' '.join(words)} }}"
        if words[-1].lower() == "of" and len(words) > 1 and words[-2].lower() in COUNTED_OF and self.kind() == "m":
            if not re.fullmatch(r"[a-zA-Z]", self.pieces[self.at].text):
                raise Unreadable("a value after words")
            self.at += 1
        if self.kind() == "m":  # 2 hours 45 minutes
            if not is_unit(words[-1]) or not re.fullmatch(r"\d+(?:\.\d+)?", self.pieces[self.at].text):
                raise Unreadable("a value after words")
            number = self.pieces[self.at].text
            self.at += 1
            return f"{named} {number}{self.tail()}"
        return named

    def ends_after(self) -> bool:
        here = self.at
        ends = self.ends_here()
        self.at = here
        return ends


def is_tail(words: list[str]) -> bool:
    """Whether words after a value name its unit or what it counts, and nothing that changes it."""
    words = [w for w in words if w]
    changed = True
    while changed:
        changed = False
        for closer in CLOSERS:
            if tuple(words[-len(closer) :]) == closer:
                words, changed = words[: -len(closer)], True
    if len(words) == 3 and words[0] in ("times", "time") and words[1] in _PER and words[2] in PERIODS:  # 2 times a week
        return True
    if words[:1] in (["more"], ["fewer"], ["less"], ["additional"], ["extra"]) and not set(words[1:2]) & LESSENED:
        words = words[1:]
    for place, word in enumerate(words):
        if (
            word in ("ways", "way") and words[place + 1 : place + 2] == ["to"] and NEGATING.isdisjoint(words)
        ):  # ways to choose
            words = words[: place + 1]
            break
    if len(words) > 10:
        return False
    return CHANGING.isdisjoint(words) or all(is_unit(w) for w in words)
