"""Answers given as a sentence: "The friends found 30 eggs." says 30.

A sentence says its number only when there is no doubt: it has a verb and one number, nothing that denies, bounds or changes
it, or it ends in "= 30 eggs". Any other sentence is a text of its own.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mathquorum.answers.grammar import Unreadable
from mathquorum.answers.notation import plain
from mathquorum.answers.phrases import is_tail, without_words
from mathquorum.answers.trimming import trimmed, unadorned
from mathquorum.answers.vocabulary import FRACTIONS, MULTIPLIERS, VERBS

__all__ = ["denies", "is_bounded", "numbers_in", "prose_key", "states_value"]

Key = tuple[Any, ...]

MAX_PROSE = 6_000
_NUMBER = re.compile(
    r"(?<![\w.\\^_])(?P<sign>-\s?(?=\d|\\?\$))?\\?\$?\s?(?P<value>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?[1-9]\d*(?![\w.]))?|\.\d+)(?![\d^]|\.\d|,\d)"
)
_RESULT = re.compile(
    r"=\s*(?P<sign>-?)\\?\$?\s*(?P<value>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?:\s*\\?[$%])?(?P<tail>(?:[^\d=+*/^()\\-]|-(?=[a-z]))*)\Z"
)
# What makes the number after it a bound, denies it, or makes it a part of a sum.
_BOUND = re.compile(
    r"(?:\b(?:less|more|\w{2,}er)\s+than|\b(?:next|close) to|\b(?:ends?|ending|starts?|begins?) (?:in|with)|\bnear|\bone of|\bat least|\bat most|\bup to|\babove|\bbelow|\bnot|\bexceeds?|\bbetween|\bover|\bunder|\bfirst|\blast|\bevery|\bbase|\bmod(?:ulo)?"
    r"|\b(?:multiple|power|factor|divisor|root|zero|member|element|subset|neighbou?r|successor|predecessor)s? of|\bdivisible by|\bhalf of|\bdivided by|\btimes|\bplus|\bminus|\bexcept)\s+(?:the\s+)?\\?\$?\s?\Z|[-+*/=<>^]\s*\\?\$?\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:[-–]?(?:times\b(?! (?:a|per|each|every|in)\b)|plus\b|minus\b|divided\b|multiplied\b|or\b(?! so)|to the\b|factorial\b|squared\b|cubed\b|dozen\b|and (?:a|its|all|every)\b|(?:more|less|fewer) than\b(?=\s+(?:\d|\\|\$|[a-z]\b|twice|thrice|half|double|triple|\w+ times))|choose\b|mod\b|out of\b|percent of (?!the|his|her|their|all))|[-+*/^=<>!(])",
    re.IGNORECASE,
)
_DENYING = """
cannot impossible insufficient undefined infinite infinitely unknown undetermined no none never nor neither unless except not isn't doesn't
can't don't won't whether reciprocal unlikely false wrong incorrect integers primes multiples satisfying congruent divisible such remainder
too bound excluded excludes extraneous forbidden rejected discarded ruled rule guess removed fails failed contradiction
"""
_SUPPOSING = frozenset(("if", "when", "unless", "suppose", "assume", "assuming", "provided", "let", "whenever", "not"))
_ASKING = frozenset(
    (
        "is",
        "are",
        "could",
        "can",
        "would",
        "should",
        "does",
        "do",
        "did",
        "maybe",
        "perhaps",
        "possibly",
        "suppose",
        "assume",
    )
)
_SAID_OF_A_NUMBER = re.compile(
    r"\W{0,3}(?:[Tt]he|[Ee]ach|[Ee]very) \d+(?:st|nd|rd|th) |\W{0,3}[\d.,/]+\W{0,3}\s+(?:is|was)\s+(?:an?|one|my|our|still|only|also|just)\b(?!.*\banswer)"
)  # 7 is a root
_DENIES = frozenset(_DENYING.split())
_CHANGING = """
or plus minus times divided multiplied not no never except unless mod squared cubed factorial dozen hundred thousand million billion half
halves third thirds quarter quarters fifths tenths if otherwise less
"""
_CHANGES = frozenset(_CHANGING.split())  # words after "= 30" that would make it another value
# Clauses around the statement: "After 2 years, ...", "... if it runs 24 hours", "... to make 80 meatballs".
_LEADING = re.compile(
    r"(?:(?:so|thus|hence|therefore),?\s+)?(?:after|in|if|when|for|with|at|by|since|because|given|during|over|within|assuming|once|as|on|from)\b[^,]{1,160}(?<!\d),\s+(?=\D)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"(?<=[\w%)])\s*,?\s+(?:if|when|because|since|assuming|while|given that|so that|in order|whereas|where|as (?:\d|there|he|she|it|they|the)|to (?!the\b|a\b|\d|\\?\$)[a-z]{2,})\b.*\Z",
    re.DOTALL,
)
_TOTAL = re.compile(
    r"\b(?:for|making|giving|which is|with) a (?:grand )?total of\s+\\?\$?\s?(?P<value>\d[\d,]*(?:\.\d+)?)\b(?![^.]*\d)",
    re.IGNORECASE,
)
_WITH_VARIABLE = re.compile(
    r"\b(?:to|by|of|than|from|and|plus|minus|times|or)\s+\\?\$?[b-z]\b(?!['’.])"
)  # 3 raised to n
_LAST_SIDE = re.compile(
    r"(?:\\[A-Za-z]+|(?<![A-Za-z])[A-Za-z](?![A-Za-z])|[^A-Za-z=])*\Z"
)  # back to the last word or "="
_TIMES = re.compile(r"(?<=\d)\s*x\s*(?=\\?\$?\d)")  # 6 x 4
_LETTER = re.compile(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")
_IN_FORMULA = re.compile(r"\d|[-+*/^]|\\[A-Za-z]")
_MODEL = re.compile(r"(?<=[a-z] )[A-Z][A-Za-z]+ \Z")  # the Widgeteer 3000
_WORD = re.compile(r"[A-Za-z]{2,}(?:'[a-z]+)?")
_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_BOLD = re.compile(r"\\(?:mathbf|textbf|boldsymbol|text|mathrm)\s*\{([^{}]*)\}|\*\*|__|(?<!\\)\{,\}")
_NEGATIVE = re.compile(r"\b(?:negative|minus)\s+(?=\\?\$?\d)", re.IGNORECASE)


def prose_key(text: str) -> Key | None:
    """The key of a sentence that states a number; None when the text is no such sentence."""
    if len(text) > MAX_PROSE or not re.search(r"\d", text):
        return None
    text = _BOLD.sub(lambda m: m[1] or "", text)
    text = plain(_FORMULA.sub(_simple, text))
    is_question = text.rstrip(" *\"'").endswith("?")
    text = _NEGATIVE.sub("-", text).strip(" .\"'`*\n!")
    words = [w.lower() for w in _WORD.findall(re.sub(r"\\[A-Za-z]+", " ", text))]
    if not words:
        return None
    if is_question or words[0] in _ASKING or _SAID_OF_A_NUMBER.match(text):
        return None
    result = _RESULT.search(text)
    if result is not None and ((words[0] in _SUPPOSING and "," not in text) or _is_unknown(text[: result.start()])):
        return None
    if result is not None:
        tail = [w.lower() for w in _WORD.findall(result["tail"])]
        return _number(_value(result["value"], result["sign"])) if is_tail(tail) or _CHANGES.isdisjoint(tail) else None
    if len(words) < 2 or VERBS.isdisjoint(words):
        return None
    total = _TOTAL.search(text)
    if total is not None and _DENIES.isdisjoint(words):
        return _number(_value(total["value"]))
    leading = _LEADING.match(text)
    text = text[leading.end() :] if leading else text
    first = _NUMBER.search(text)
    trailing = _TRAILING.search(text, first.end() - 1) if first else None
    text = text[: trailing.start()] if trailing else text
    words = [w.lower() for w in _WORD.findall(re.sub(r"\\[A-Za-z]+", " ", text))]
    if VERBS.isdisjoint(words) or not _DENIES.isdisjoint(words) or words[0] in _SUPPOSING:
        return None
    numbers = []
    for match in _NUMBER.finditer(text):
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 40]
        if _MODEL.search(before):
            continue
        if _BOUND.search(before) or _AFTER.match(after) or _WITH_VARIABLE.search(after):
            return None
        factor = _factor(after)
        if factor is None:
            return None
        numbers.append(_value(match["value"], match["sign"]) * factor)
    if len(set(numbers)) != 1 or len(re.findall(r"\d+", text)) > 2 * len(numbers):
        return None
    return _number(numbers[0])


def _is_unknown(before: str) -> bool:
    """Whether what stands before the last "=" of a sentence is a formula in letters: of "has equation x^2 + y^2 = 9", 9 is no value."""
    side = _LAST_SIDE.search(_TIMES.sub(" ", before))
    return side is not None and _LETTER.search(side[0]) is not None and _IN_FORMULA.search(side[0]) is not None


def denies(sentence: str) -> bool:
    """Whether a sentence has no verb, or words that deny what it says or make it conditional."""
    words = [w.lower() for w in _WORD.findall(re.sub(r"\\[A-Za-z]+", " ", sentence))]
    return VERBS.isdisjoint(words) or not _DENIES.isdisjoint(words) or not {"if", "or", "otherwise"}.isdisjoint(words)


def numbers_in(sentence: str) -> list[tuple[tuple[int, int], Fraction]]:
    """The spans of a sentence's numbers, signs included, and their values."""
    return [(match.span(), _value(match["value"], match["sign"])) for match in _NUMBER.finditer(sentence)]


def is_bounded(sentence: str, start: int, end: int) -> bool:
    """Whether the words around a number make it a bound, a part of a sum, or another number."""
    after = sentence[end : end + 40]
    before = sentence[max(0, start - 40) : start]
    return bool(_BOUND.search(before) or _AFTER.match(after)) or _factor(after) != 1


def _factor(after: str) -> int | None:
    """What the words after a number multiply it with: 3 million; None for parts such as 3 quarters."""
    words = [w.lower() for w in _WORD.findall(after)[:1]]
    if words and words[0] in FRACTIONS and after[:1] in " -":
        return None
    return MULTIPLIERS.get(words[0], 1) if words and after[:1] == " " else 1


def states_value(sentence: str) -> bool:
    """Whether a sentence states one value: a number, or a formula that it gives a name."""
    if prose_key(sentence) is not None:
        return True
    if len(sentence) > 300:
        return False
    try:
        value = without_words(trimmed(unadorned(plain(sentence))))
    except Unreadable:
        return False
    return re.search(r"\d|\\(?!text)[A-Za-z]", value) is not None


def _simple(formula: re.Match[str]) -> str:
    """A formula's content when it is no more than a number; dollars of money are left alone."""
    content = next(g for g in formula.groups() if g is not None)
    if _is_money(content):
        return formula[0]
    return content if re.fullmatch(r"[\s\d.,%\\$!/{}-]+", content) else " "


def _is_money(content: str) -> bool:
    """Whether two dollar signs stand before two sums instead of around a formula."""
    return content[:1].isdigit() and re.search(r"(?<![\\A-Za-z{])[A-Za-z]{3,}", content) is not None


def _value(raw: str, sign: str | None = None) -> Fraction:
    top, _, bottom = re.sub(r"[^\d./-]", "", raw).partition("/")
    if len(top) + len(bottom) > 400:
        return Fraction(0)
    value = Fraction(top) / (int(bottom) if bottom else 1)
    return -value if sign else value


def _number(value: Fraction) -> Key:
    return ("n", (value.numerator, value.denominator))
