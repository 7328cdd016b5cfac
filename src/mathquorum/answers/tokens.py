"""From the characters of an answer to tokens: LaTeX, ASCII and Unicode notation become one alphabet.

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

from mathquorum.answers.vocabulary import FUNCTIONS, GREEK, MULTIPLIERS, UNITS

__all__ = ["MAX_DIGITS", "Token", "plain", "tokenize"]

Token = tuple[str, Any]

MAX_DIGITS = 4_000  # Python refuses to convert more
MAX_DEPTH = 60

_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "＋": "+", "＝": "=",
        "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "÷": "/", "∕": "/",
        "⁄": "/", "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "≠": "!=", "≈": r"\approx ", "∞": r"\infty ", "π": r"\pi ",
        "√": " sqrt ", "∛": " cbrt ", "°": r"^{\circ}", "º": r"^{\circ}", "˚": r"^{\circ}", "∪": r"\cup ",
        "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "ø": r"\emptyset ", "±": r"\pm ", "∓": r"\mp ",
        "∠": r"\angle ", "△": r"\triangle ", "⊥": r"\perp ", "∥": r"\parallel ", "→": r"\to ", "⇒": r"\Rightarrow ",
        "⟹": r"\Rightarrow ", "…": r"\ldots ", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "⌊": r"\lfloor ",
        "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ", "，": ",", "；": ";",
        "：": ":", "（": "(", "）": ")", "．": ".", "％": "%", "。": ".", "、": ",", "∶": ":", "½": r"\frac{1}{2}",
        "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅕": r"\frac{1}{5}",
        "⅖": r"\frac{2}{5}", "⅗": r"\frac{3}{5}", "⅘": r"\frac{4}{5}", "⅙": r"\frac{1}{6}", "⅚": r"\frac{5}{6}",
        "⅛": r"\frac{1}{8}", "⅜": r"\frac{3}{8}", "⅝": r"\frac{5}{8}", "⅞": r"\frac{7}{8}", "α": r"\alpha ",
        "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ", "θ": r"\theta ", "λ": r"\lambda ",
        "μ": r"\mu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ϕ": r"\phi ", "ω": r"\omega ",
        "Δ": r"\Delta ", "Σ": r"\Sigma ", "Ω": r"\Omega ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2002": " ", "\u2003": " ", "\u3000": " ",
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad\x00", ""),
        **{c: str(i) for i, c in enumerate("０１２３４５６７８９")},
    }
)  # fmt: skip
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ", "0123456789+-ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₙ", "0123456789n", strict=True))
_RAISED = re.compile("[" + "".join(_SUPERSCRIPTS) + "]+")
_LOWERED = re.compile("[" + "".join(_SUBSCRIPTS) + "]+")

_DOUBLED = re.compile(
    r"(?<!\\)(\\\\)(?:\\\\)?(?=(?:[dtc]?frac|sqrt|pi|text|infty|cup|cap|left|right|le|ge|leq|geq|ne|neq|cdot|times|circ|boxed|binom|theta"
    r"|alpha|beta|pm|sin|cos|tan|log|ln|in|mathbb|mathrm|begin|end|quad|ldots|dots|overline|angle|degree)(?![a-zA-Z]))"
)
_THIN_THOUSANDS = re.compile(r"(?<=\d)(?:,\s*\\!|\{,\})\s*(?=\d{3})")
_COMMA_POINT = re.compile(r"(?<=\d)\{,\}(?=\d)")
_SPACED_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\\,|\\ |~| )\d{3})+(?![\d,.]*\d)")
_SPACES = re.compile(
    r"(?<!\\)\\[,;:! \n]|~|(?<!\\)\\q?quad(?![a-zA-Z])|\\(?:thinspace|enspace|space|hspace\{[^{}]*\})(?![a-zA-Z])"
)

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d{1,4}(?![\w.]))?|\.\d+)"
    r"|\\(?P<command>[a-zA-Z]+)"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<operator>\*\*|<=|>=|!=|==|<>|=>|->|\\\\|\\.|.)",
    re.DOTALL,
)
_OPERATORS = {
    "**": "^", "==": "=", "<>": "!=", "=>": "=>", "->": "=>", "≡": "=", "\\{": "\\{", "\\}": "\\}", "\\%": "%",
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
    **dict.fromkeys(("equiv", "coloneqq"), ("o", "=")),
    **dict.fromkeys(("Rightarrow", "implies", "to", "rightarrow", "Longrightarrow", "iff", "Leftrightarrow"), ("o", "=>")),
    **dict.fromkeys(("approx", "approxeq", "sim", "simeq", "thickapprox"), ("o", "~")),
    **dict.fromkeys(("vert", "lvert", "rvert", "mid", "Vert", "lVert", "rVert"), ("o", "|")),
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
    "colon": ("o", ":"), "prime": ("o", "'"), "infty": ("c", "infty"), "infinity": ("c", "infty"),
    "setminus": ("c", "setminus"), "backslash": ("c", "setminus"), "dollar": ("o", "$"), "pounds": ("o", "$"),
    "euro": ("o", "$"), "newline": ("o", "\\\\"), "cr": ("o", "\\\\"), "lor": ("w", "or"), "vee": ("w", "or"),
    "land": ("w", "and"), "wedge": ("w", "and"), "imath": ("v", "i"), "percent": ("o", "%"), "lbrack": ("o", "["),
}  # fmt: skip
_IGNORED = frozenset(
    [
        "left",
        "right",
        "big",
        "Big",
        "bigg",
        "Bigg",
        "bigl",
        "bigr",
        "Bigl",
        "Bigr",
        "biggl",
        "biggr",
        "Biggl",
        "Biggr",
        "displaystyle",
        "textstyle",
        "limits",
        "nolimits",
        "scriptstyle",
        "mathstrut",
        "strut",
        "quad",
        "qquad",
        "thinspace",
        "middle",
        "bigm",
        "Bigm",
        "centering",
        "noindent",
        "hfill",
        "null",
        "relax",
        "overrightarrow",
        "vec",
        "hat",
        "overline",
        "bar",
        "widehat",
        "widetilde",
        "tilde",
        "underline",
        "boldsymbol",
        "bm",
        "mathbf",
        "mathit",
        "mathsf",
        "mathcal",
        "mathnormal",
        "boxed",
        "fbox",
        "emph",
        "ensuremath",
        "allowbreak",
        "nonumber",
        "bold",
        "it",
        "bf",
        "rm",
        "angle",
        "triangle",
        "measuredangle",
    ]
)
_TEXT = frozenset(
    [
        "text",
        "mbox",
        "textbf",
        "textit",
        "textrm",
        "texttt",
        "textsf",
        "textnormal",
        "mathrm",
        "operatorname",
        "hbox",
        "rm",
        "textup",
    ]
)
_FRACTIONS = frozenset(["frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"])
_ROOTS = frozenset(("sqrt", "cbrt"))


def plain(text: str) -> str:
    """The same answer in ASCII LaTeX, with thousands joined and thin spaces gone."""
    if not text.isascii():
        text = text.translate(_UNICODE)
        text = _RAISED.sub(lambda m: "^{" + "".join(_SUPERSCRIPTS[c] for c in m[0]) + "}", text)
        text = _LOWERED.sub(lambda m: "_{" + "".join(_SUBSCRIPTS[c] for c in m[0]) + "}", text)
    elif "\x00" in text:
        text = text.replace("\x00", "")
    if "\\\\" in text:
        text = _DOUBLED.sub(lambda m: "\\" if len(m[0]) == 2 else "\\\\\\", text)
    if "{,}" in text or "\\!" in text:
        text = _THIN_THOUSANDS.sub("", text)
        text = _COMMA_POINT.sub(".", text)
    if " " in text or "\\" in text or "~" in text:
        text = _SPACED_THOUSANDS.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        text = _SPACES.sub(" ", text)
    return text


def tokenize(text: str) -> list[Token]:
    """The tokens of a text that `plain` has prepared."""
    tokens: list[Token] = []
    depth = 0  # of brackets in which a comma separates items: 1,000 is a number, (1,000) is a pair
    position, end = 0, len(text)
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:  # cannot happen: the last alternative takes anything
            break
        kind, position = match.lastgroup, match.end()
        if kind == "space":
            continue
        if kind == "number":
            value, position = _number(text, match, depth)
            tokens.append(("n", value))
        elif kind == "letters":
            _letters(match["letters"], tokens)
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


def _number(text: str, match: re.Match[str], depth: int) -> tuple[int | Fraction, int]:
    raw, end = match["number"], match.end()
    if "," in raw:
        whole = raw.partition(".")[0]
        if not re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", whole) or (depth > 0 and _is_an_item(text, match)):
            cut = raw.index(",")
            raw, end = raw[:cut], match.start() + cut
        else:
            raw = raw.replace(",", "")
    if len(raw) > MAX_DIGITS:
        raise OverflowError("too many digits")
    if text.startswith("\\overline{", end) or text.startswith("\\bar{", end) or text.startswith(".\\overline{", end):
        period = re.compile(r"\.?\\(?:overline|bar)\{(\d{1,60})\}").match(text, end)
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
    before = text[: match.start()].rstrip()
    after = text[match.end() :].lstrip()
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
    elif lower in UNITS or lower in MULTIPLIERS or lower in ("and", "or", "base", "mod", "am", "pm"):
        tokens.append(("w", run))
    elif lower in GREEK:
        tokens.append(("v", lower))
    elif len(run) <= 3 and lower not in _SHORT_WORDS:
        tokens.extend(("v", letter) for letter in run)
    else:
        split = re.match(r"(arcsin|arccos|arctan|sqrt|sin|cos|tan|log|ln|exp|pi)([a-z])$", run)
        if split:
            _letters(split[1], tokens)
            tokens.append(("v", split[2]))
        else:
            tokens.append(("w", run))


_SHORT_WORDS = frozenset(
    [
        "is",
        "are",
        "the",
        "an",
        "of",
        "in",
        "to",
        "no",
        "yes",
        "or",
        "if",
        "so",
        "we",
        "it",
        "by",
        "as",
        "at",
        "be",
        "do",
        "for",
        "not",
        "has",
        "let",
        "all",
        "any",
        "one",
        "two",
        "six",
        "ten",
        "per",
        "day",
        "was",
        "and",
        "but",
        "can",
        "his",
        "her",
        "she",
        "you",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "odd",
        "out",
        "set",
        "sum",
        "nan",
        "red",
        "tan",
        "may",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
        "dne",
        "non",
        "his",
        "him",
        "off",
        "old",
        "own",
        "low",
        "big",
        "new",
    ]
)


def _command(name: str, text: str, position: int, tokens: list[Token]) -> int:
    """Adds the tokens of a LaTeX command and returns where the text goes on."""
    if name in _IGNORED:
        if name in ("left", "right") and text.startswith(".", position):
            return position + 1  # an invisible bracket
        return position
    if name in _COMMANDS:
        tokens.append(_COMMANDS[name])
    elif name in _FRACTIONS:
        tokens.append(("f", "frac"))
    elif name in _TEXT:
        content, position = _group(text, position)
        content = content.strip()
        if name in ("mathrm", "operatorname", "rm") or content in ("i", "e"):
            inner = tokenize(content)
            tokens.extend(inner)
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
