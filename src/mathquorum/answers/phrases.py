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

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.known_words import (
    APPROXIMATE,
    ARTICLES,
    BACKWARDS,
    CHANGING,
    CLAUSES,
    CLOSERS,
    CONNECTIVES,
    COPULAS,
    COUNTED_OF,
    DEGREES,
    EXACT,
    INFIX_STARTS,
    INFIXES,
    JOINING,
    LESSENED,
    NAMED_QUANTITIES,
    NEGATING,
    NOT_OWNED,
    OF_THE_ANSWER,
    OWNING,
    PER,
    PERIODS,
    POSTFIXES,
    PREFIX_STARTS,
    PREFIXES,
    PREPOSITIONS,
    REASONS,
    ROOTS,
    SAID_OF_NAMES,
    SORT_ADJECTIVES,
    SORTS,
    STRUCTURED,
)
from mathquorum.answers.pieces import COMMANDS, SIGNS_IN_TEXT, Piece, pieces_of
from mathquorum.answers.units import is_same_measure, is_unit
from mathquorum.answers.vocabulary import FRACTIONS, MULTIPLIERS, NUMBER_WORDS, TENS

__all__ = ["is_number_in_words", "is_tail", "without_words"]

MOST_NOUNS = 3  # that name what a thing has: a maximum side length of

_NUMBER = re.compile(r"[-+]?(?:\\?\$)?\s*\d[\d,]*(?:\.\d+)?(?:\s*\\?[%$])?")


def without_words(text: str) -> str:
    """The mathematics of a text with words, operations in words written as signs, units and things counted kept as \\text.

    Raises:
        Unreadable: When a word is none of what the grammar understands.
    """
    text = SIGNS_IN_TEXT.sub(r"\1", text).rstrip(" .")
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
            if not self.owned():
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
        if (
            words & NEGATING - {"between"}
            or any(p.kind == "s" for p in before)
            or (before[0].kind == "m" and len(before) > 1)
        ):
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

    def owned(self) -> bool:
        """Skips "the circle has equation", "triangle ABC has an area of": a thing and the name of what it has."""
        verb = next((i for i, p in enumerate(self.pieces) if p.kind == "w" and p.text.lower() in OWNING), None)
        if verb is None or verb == self.at or len(self.pieces) - verb < 3:
            return False
        end = next((i for i in range(verb, len(self.pieces)) if self.pieces[i].kind != "w"), len(self.pieces))
        owner, quantity = self.pieces[self.at : verb], [p.text.lower() for p in self.pieces[verb + 1 : end]]
        nouns = [w for w in quantity if w not in ARTICLES and w != "of"]
        said = {p.text.lower() for p in owner if p.kind == "w"} | set(quantity)
        if (
            not 0 < len(nouns) <= MOST_NOUNS
            or said & (NEGATING | NOT_OWNED)
            or any(p.kind not in "wm" or (p.kind == "m" and not p.text.isalpha()) for p in owner)
            or self.pieces[end : end + 1] == []
            or self.pieces[end].kind != "m"
        ):
            return False
        self.at = end
        return True

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
            (
                end < len(self.pieces)
                and self.pieces[end].kind == "m"
                and STRUCTURED.search(self.pieces[end].text) is not None  # not "equation 3"
                and bool(words)
                and words[-1] in SORTS
                and all(w in SORT_ADJECTIVES for w in words[:-1])
            )
            or (len(words) == 1 and words[0] in NAMED_QUANTITIES and end == len(self.pieces) - 1)
        )

    def statement(self, end: int) -> None:
        """Skips "the sum" before a + b = 5."""
        words = [p.text.lower() for p in self.pieces[self.at : end]]
        if words[:1] == ["the"] and not (CHANGING | NEGATING) & set(words):
            self.at = end

    def reversed(self, place: int) -> None:
        """42 is the answer."""
        after = {p.text.lower() for p in self.pieces[place + 1 :]}
        if "answer" not in after or not after <= OF_THE_ANSWER:
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
            or (word == "as" and self.kind(1) != "end" and self.word(1) not in DEGREES)
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
            and all(len(p.text) > 1 or p.text in "aAI" for p in rest)
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
        words = [w.lower() for w in re.findall(r"[A-Za-z]{2,}", COMMANDS.sub(" ", text))]
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
        return is_tail(words) or not (NEGATING | JOINING) & set(words)

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
        return self.word() in PREFIX_STARTS and any(
            all(self.word(i) == w for i, w in enumerate(words)) for words, _ in PREFIXES
        )

    def primary(self) -> str:
        fraction = self.fraction_of()
        if fraction is not None:
            return fraction
        for words, form in PREFIXES if self.word() in PREFIX_STARTS else ():
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
        if self.word() not in INFIX_STARTS:
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
        if len(words) > 1 and words[-1].lower() in ("squared", "cubed") and is_unit(words[-2]):  # cm squared
            words = words[:-1]
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
    if len(words) == 3 and words[0] in ("times", "time") and words[1] in PER and words[2] in PERIODS:  # 2 times a week
        return True
    if words[:1] in (["more"], ["fewer"], ["less"], ["additional"], ["extra"]) and not set(words[1:2]) & LESSENED:
        words = words[1:]
    for place, word in enumerate(words):
        if (
            word in ("ways", "way") and words[place + 1 : place + 2] == ["to"] and NEGATING.isdisjoint(words)
        ):  # ways to choose
            words = words[: place + 1]
            break
    if len(words) > 10 or any(len(w) == 1 and w.isalpha() and w != "a" and not is_unit(w) for w in words):
        return False  # a name: percent of x
    if "root" in words and (words[0] == "root" or words[words.index("root") - 1] in ROOTS):
        return False
    return CHANGING.isdisjoint(words) or all(is_unit(w) for w in words)
