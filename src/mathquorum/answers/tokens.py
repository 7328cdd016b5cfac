"""The way from the characters of an answer to tokens: LaTeX, ASCII and Unicode notation become one alphabet.

A token is a pair (kind, value):

    n  a number: int or Fraction          v  a variable: one letter, or a Greek name
    f  a function: "sin", "sqrt"          o  an operator or bracket, ASCII: "+", "<=", "{" is a group, "\\{" a set
    w  a word or the content of \\text     c  any other command: "infty", "cup", "begin pmatrix"

Nothing here fails: an unknown character is a token of its own, and the grammar says what it cannot read.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mathquorum.answers.vocabulary import FUNCTIONS, GREEK, MULTIPLIERS, SHORT_WORDS, UNITS

__all__ = ["MAX_DIGITS", "Token", "tokenize"]

Token = tuple[str, Any]

MAX_DIGITS = 4_000  # Python refuses to convert more

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d{1,4}(?![\w.]))?|\.\d+)"
    r"|\\(?P<command>[a-zA-Z]+)"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<operator>\*\*|<=|>=|!=|==|<>|=>|->|\\\\|\\.|.)",
    re.DOTALL,
)
_OPERATORS = {
    "**": "^", "==": "=", "<>": "!=", "=>": "=>", "->": "=>", "≡": "≡", "\\{": "\\{", "\\}": "\\}", "\\%": "%",
    "\\$": "$", "\\&": "&", "\\#": "#", "\\|": "|", "\\_": "_", "−": "-", "\\\\": "\\\\", "·": "*",
}  # fmt: skip
_COMMANDS: dict[str, Token] = {
    **dict.fromkeys(("cdot", "times", "ast", "bullet"), ("o", "*")),
    **dict.fromkeys(("div", "slash"), ("o", "/")),
    **dict.fromkeys(("lt",), ("o", "<")),
    **dict.fromkeys(("gt",), ("o", ">")),
    **dict.fromkeys(("le", "leq", "leqslant", "leqq"), ("o", "<=")),
    **dict.fromkeys(("ge", "geq", "geqslant", "geqq"), ("o", ">=")),
    **dict.fromkeys(("ne", "neq"), ("o", "!=")),
    "equiv": ("o", "≡"), "coloneqq": ("o", "="),
    **dict.fromkeys(("Rightarrow", "implies", "to", "rightarrow", "Longrightarrow", "iff", "Leftrightarrow"), ("o", "=>")),
    **dict.fromkeys(("approx", "approxeq", "sim", "simeq", "thickapprox"), ("o", "~")),
    **dict.fromkeys(("vert", "lvert", "rvert", "Vert", "lVert", "rVert"), ("o", "|")),
    **dict.fromkeys(("lparen", "langle"), ("o", "(")),
    **dict.fromkeys(("rparen", "rangle"), ("o", ")")),
    **dict.fromkeys(("lbrack",), ("o", "[")),
    **dict.fromkeys(("rbrack",), ("o", "]")),
    **dict.fromkeys(("lbrace",), ("o", "\\{")),
    **dict.fromkeys(("rbrace",), ("o", "\\}")),
    **dict.fromkeys(("ldots", "dots", "cdots", "dotsc", "dotsb"), ("c", "...")),
    **dict.fromkeys(("emptyset", "varnothing"), ("c", "emptyset")),
    **dict.fromkeys(("circ", "degree"), ("c", "deg")),
    "pm": ("o", "+-"), "mp": ("o", "-+"), "in": ("c", "in"), "notin": ("c", "notin"), "cup": ("c", "cup"),
    "cap": ("c", "cap"), "bmod": ("o", "mod"), "mod": ("o", "mod"), "choose": ("o", "choose"), "over": ("o", "over"),
    "lfloor": ("o", "lfloor"), "rfloor": ("o", "rfloor"), "lceil": ("o", "lceil"), "rceil": ("o", "rceil"),
    "mid": ("o", "such that"), "colon": ("o", ":"), "prime": ("o", "'"), "infty": ("c", "infty"), "infinity": ("c", "infty"),
    "setminus": ("c", "setminus"), "backslash": ("c", "setminus"), "dollar": ("o", "$"), "pounds": ("o", "$"),
    "euro": ("o", "$"), "top": ("v", "T"), "intercal": ("v", "T"), "newline": ("o", "\\\\"), "cr": ("o", "\\\\"), "lor": ("w", "or"), "vee": ("w", "or"),
    "land": ("w", "and"), "wedge": ("w", "and"), "imath": ("v", "i"), "percent": ("o", "%"), "lbrack": ("o", "["),
}  # fmt: skip
_PERIOD = re.compile(r"\.?\\(?:overline|bar|dot)\{(\d{1,60})\}")
_CALLED = frozenset(("min", "max", "lim", "int", "sum", "prod"))  # words, unless something follows that they apply to
_IGNORED_NAMES = """
left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm middle displaystyle textstyle
tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge bfseries
scriptstyle limits nolimits mathstrut strut quad qquad thinspace centering noindent hfill null relax allowbreak nonumber
overrightarrow vec hat overline bar widehat widetilde tilde underline boldsymbol bm mathbf mathit mathsf mathcal
mathnormal boxed fbox emph ensuremath bold it bf angle triangle measuredangle
"""
_IGNORED = frozenset(_IGNORED_NAMES.split())
_UNIT_VECTOR = re.compile(r"\s*\{?\s*\\?(i|j|k)(?:math)?\s*\}?(?![A-Za-z])")
_ZERO_ABOVE = re.compile(r"\s*0(?=\d)")  # \\frac02, of which the number 02 would keep no zero
_TEXT = frozenset(("text", "mbox", "textbf", "textit", "textrm", "texttt", "textsf", "textnormal", "hbox", "textup"))
_ROMAN = frozenset(("mathrm", "operatorname", "rm"))
_FRACTIONS = frozenset(("frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"))


def tokenize(text: str) -> list[Token]:
    """The tokens of a text that `plain` has prepared."""
    tokens: list[Token] = []
    depth = 0  # of brackets in which a comma separates items: 1,000 is a number, (1,000) is a pair
    items_until = 0  # the end of digits and commas that were found to be a list: 27,63,135,171
    position, end = 0, len(text)
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:  # cannot happen: the last alternative takes anything
            break
        kind, position = match.lastgroup, match.end()
        if kind == "space":
            continue
        if kind == "number":
            value, position = _number(text, match, depth > 0 or position <= items_until)
            if "," in match[0]:
                items_until = match.end()
            tokens.append(("n", value))
        elif kind == "letters":
            word = match["letters"]
            if word in _CALLED and text[position : position + 1] not in ("(", "{", "\\", "_"):
                tokens.append(("w", word))
            elif word.lower() in SHORT_WORDS and (text.startswith("^", position) or tokens[-1:] == [("o", "^")]):
                tokens.extend(("v", letter) for letter in word)  # e^be^a
            else:
                _letters(word, tokens)
        elif kind == "command":
            position = _command(match["command"], text, position, tokens)
        else:
            raw = match["operator"]
            op = _OPERATORS.get(raw, raw)
            if op in ("(", "[", "\\{"):
                depth += 1
            elif op in (")", "]", "\\}"):
                depth -= 1
            elif op in ("€", "£", "¥", "¢"):
                op = "$"
            elif op in ('"', "`", "\\ "):
                continue
            tokens.append(("o", op))
    return tokens


def _number(text: str, match: re.Match[str], among_items: bool) -> tuple[int | Fraction, int]:
    raw, end = match["number"], match.end()
    signed = re.search(r"[eE][+-]", raw)
    if signed and ("\\" in text or "^" in text):  # 2e+10 is a print-out of a float, but not in a formula
        end = match.start() + signed.start()
        raw = raw[: signed.start()]
    if "," in raw:
        whole = raw.partition(".")[0]
        if not re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", whole) or (among_items and _is_an_item(text, match)):
            cut = raw.index(",")
            raw, end = raw[:cut], match.start() + cut
        else:
            raw = raw.replace(",", "")
    if len(raw) > MAX_DIGITS:
        raise OverflowError("too many digits")
    if text.startswith(("\\overline", "\\bar", "\\dot", "."), end):
        period = _PERIOD.match(text, end)
        if period and ("." in raw or text[end] == "."):
            return _repeating(raw, period[1]), period.end()
    if raw.isdigit():
        return int(raw), end
    if len(raw) > 60 and re.search(r"[eE]", raw):
        raise OverflowError("too many digits")
    mantissa, _, exponent = raw.lower().partition("e")
    value = Fraction(mantissa)
    if exponent:
        value *= Fraction(10) ** int(exponent)
    return (value.numerator if value.denominator == 1 else value), end


def _is_an_item(text: str, match: re.Match[str]) -> bool:
    """Whether the digits and commas stand alone between brackets or separators, as in (12,100)."""
    before = text[max(0, match.start() - 20) : match.start()].rstrip()
    after = text[match.end() : match.end() + 20].lstrip()
    return before[-1:] in "([{,;-" and after[:1] in ")]}\\,;^"


def _repeating(raw: str, period: str) -> Fraction:
    whole, _, fixed = raw.partition(".")
    scale = 10 ** len(fixed)
    nines = 10 ** len(period) - 1
    return Fraction(int(whole + fixed or "0"), scale) + Fraction(int(period), nines * scale)


def _letters(run: str, tokens: list[Token]) -> None:
    """A run of letters is a function, a constant, a word, or a product of variables."""
    lower = run.lower()
    if lower in FUNCTIONS and run not in ("C", "P"):
        tokens.append(FUNCTIONS[lower])
    elif len(run) == 1:
        tokens.append(("v", run))
    elif lower in UNITS or lower in MULTIPLIERS or lower in ("and", "or", "to", "base", "mod", "am", "pm"):
        tokens.append(("w", run))
    elif lower in GREEK:
        tokens.append(("v", lower))
    elif len(run) <= 3 and lower not in SHORT_WORDS and not (run[0].isupper() and run[1:].islower() and len(run) > 2):
        tokens.extend(("v", letter) for letter in run)
    else:
        split = re.match(r"(arcsin|arccos|arctan|sqrt|sin|cos|tan|log|ln|exp|pi)([a-z])$", run)
        if split:
            _letters(split[1], tokens)
            tokens.append(("v", split[2]))
        else:
            tokens.append(("w", run))


def _command(name: str, text: str, position: int, tokens: list[Token]) -> int:
    """Adds the tokens of a LaTeX command and returns where the text goes on."""
    if name in ("mathbf", "hat", "vec", "boldsymbol") and (unit := _UNIT_VECTOR.match(text, position)):
        tokens.append(("v", f"unit {unit[1]}"))
        return unit.end()
    if name in _IGNORED:
        if name in ("left", "right") and text.startswith(".", position):
            return position + 1  # an invisible bracket
        return position
    if name in _COMMANDS:
        tokens.append(_COMMANDS[name])
    elif name in _FRACTIONS:
        tokens.append(("f", "frac"))
        zero = _ZERO_ABOVE.match(text, position)
        if zero:
            tokens.append(("n", 0))
            return zero.end()
    elif name in _TEXT or name in _ROMAN:
        content, position = _group(text, position)
        content = content.strip(" .,;:")
        if content in ("det", "tr"):
            tokens.append(("c", content))
        elif name in _ROMAN or content in ("i", "e"):
            inner = tokenize(content)
            tokens.extend(inner)
        elif content in FUNCTIONS and (content == "cis" or text.startswith("(", position)):
            tokens.append(FUNCTIONS[content])
        elif content:
            tokens.append(("w", content))
    elif name in ("begin", "end"):
        content, position = _group(text, position)
        environment = content.strip().rstrip("*")
        if name == "begin" and environment == "array" and text.startswith("{", position):
            _, position = _group(text, position)
        tokens.append(("c", f"{name} {environment}"))
    elif name in ("mathbb", "Bbb"):
        content, position = _group(text, position)
        tokens.append(("c", "set " + content.strip()))
    elif name in ("phantom", "hphantom", "vphantom", "label", "tag", "color", "hspace", "vspace"):
        _, position = _group(text, position)
    elif name.lower() in FUNCTIONS:
        tokens.append(FUNCTIONS[name.lower()])
    elif name in ("dbinom", "tbinom"):
        tokens.append(("f", "binom"))
    elif len(name) > 2 and name[:-1] in FUNCTIONS and name[-1] in "xytnabk":  # \\cotx
        tokens.extend((FUNCTIONS[name[:-1]], ("v", name[-1])))
    elif name.startswith(("triangle", "angle", "overline")) and name[-1].isupper():  # \\triangleABC
        tokens.extend(("v", letter) for letter in name if letter.isupper())
    elif name in GREEK or name in ("ell", "hbar"):
        tokens.append(("v", GREEK.get(name, name)))
    else:
        tokens.append(("c", name))
    return position


def _group(text: str, position: int) -> tuple[str, int]:
    """The content of the braces that open at the position, and where they end; one character without braces."""
    while position < len(text) and text[position] == " ":
        position += 1
    if not text.startswith("{", position):
        return text[position : position + 1], position + 1
    depth = 0
    for index in range(position, len(text)):
        char = text[index]
        if char == "{" and text[index - 1] != "\\":
            depth += 1
        elif char == "}" and text[index - 1] != "\\":
            depth -= 1
            if depth == 0:
                return text[position + 1 : index], index + 1
    return text[position + 1 :], len(text)
