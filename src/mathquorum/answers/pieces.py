"""An answer cut into pieces: words, mathematics, and the marks between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.known_words import KNOWN
from mathquorum.answers.units import is_named_unit, is_unit
from mathquorum.answers.vocabulary import FRACTIONS, FUNCTIONS, GREEK, NUMBER_WORDS, SHORT_WORDS, UNITS

__all__ = ["COMMANDS", "SIGNS_IN_TEXT", "Piece", "has_words", "pieces_of"]

MAX_PIECES = 400
MAX_TEXTS = 10  # \text in \text


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
SIGNS_IN_TEXT = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s*\{([-+\d.,\s]+)\}")
COMMANDS = re.compile(r"\\[A-Za-z]+")


def has_words(text: str) -> bool:
    """Whether a text holds words or text in a font of its own; cheap, and true of products such as xy as well."""
    return _WORDY.search(text) is not None


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

    def read(self, text: str, upright: bool, level: int = 0) -> None:
        if level > MAX_TEXTS:
            raise Unreadable("text in text")
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
                    self.read(content, upright=True, level=level + 1)
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
            self.pieces += [Piece("w", part) for part in _unhyphenated(raw)]

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


def _unhyphenated(word: str) -> list[str]:
    """The parts of a fraction in words: two-thirds."""
    parts = word.lower().split("-")
    return parts if len(parts) == 2 and parts[0] in NUMBER_WORDS and parts[1] in FRACTIONS else [word]


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
    if lower == "sum" and re.match(r"\s+of\b", text[end:]):
        return True
    if lower in KNOWN or lower in SHORT_WORDS or len(raw) > 3:
        return not re.fullmatch(r"(?:arc)?(?:sin|cos|tan|log|ln|sqrt|exp)[a-z]|pi[a-z]", lower)
    if not re.search(r"[aeiouy]", lower) or not raw[1:].islower():
        return False
    return (
        re.match(r"\s+[A-Za-z]{3,}", text[end:]) is not None
        or re.search(r"(?<![\\A-Za-z])[A-Za-z]{3,}\s+$", text[:start]) is not None
    )
