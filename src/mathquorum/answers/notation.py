"""One notation for many: Unicode becomes LaTeX, doubled backslashes single, thousands are joined, thin spaces go."""

from __future__ import annotations

import re

__all__ = ["plain"]

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
        **{chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if chr(c) not in "－＋＝"},  # full-width forms
        "【": "[", "】": "]", "〔": "(", "〕": ")", "「": '"', "」": '"', "《": "(", "》": ")", "～": "~", "➖": "-",
    }
)  # fmt: skip
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ", "0123456789+-ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₙ", "0123456789n", strict=True))
_RAISED = re.compile("[" + "".join(_SUPERSCRIPTS) + "]+")
_LOWERED = re.compile("[" + "".join(_SUBSCRIPTS) + "]+")

# \\frac for \frac, as in texts that were escaped twice; \\\\frac is a new row of a matrix and \frac.
_DOUBLED = re.compile(
    r"(?<!\\)(\\\\)(?:\\\\)?(?=(?:[dtc]?frac|sqrt|pi|text|infty|cup|cap|left|right|le|ge|leq|geq|ne|neq|cdot|times|circ|boxed|binom|theta"
    r"|alpha|beta|pm|sin|cos|tan|log|ln|in|mathbb|mathrm|begin|end|quad|ldots|dots|overline|angle|degree)(?![a-zA-Z]))"
)
_THIN_THOUSANDS = re.compile(r"(?<=\d)(?:,\s*\\!|\{,\})\s*(?=\d{3})")
_COMMA_POINT = re.compile(r"(?<=\d)\{,\}(?=\d)")
_SYMPY_CONSTANT = re.compile(r"(?<=\*)\s*[IE](?![A-Za-z])|(?<![A-Za-z])[IE](?=\*)")  # 2*I, 4*E
_EMPTY_GROUP = re.compile(r"(?<![a-zA-Z}\]^_])\{\}")
_UNION = re.compile(r"(?<=[)\]}])\s*U\s*(?=[(\[{\\])")
_GLUED_WORD = re.compile(r"(?<=[\d)}])(or|and)(?=[A-Z(\d\\-])")
_TIMES = re.compile(r"(?<=[\d)}$%])\s+x\s+(?=[\\$(]{0,2}\d)")  # 6 x 4, where nobody means 24x
_SPACED_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\\,|\\ |~| )\d{3})+(?![\d,.]*\d)")
_SPACES = re.compile(
    r"(?<!\\)\\[,;:! \n]|~|(?<!\\)\\q?quad(?![a-zA-Z])|\\(?:thinspace|enspace|space|hspace\{[^{}]*\})(?![a-zA-Z])"
)


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
    if "or" in text or "and" in text:
        text = _GLUED_WORD.sub(r" \1 ", text)
    if "*" in text:
        text = _SYMPY_CONSTANT.sub(lambda m: m[0].lower(), text)
    if "{}" in text:
        text = _EMPTY_GROUP.sub("", text)
    if " x " in text:
        text = _TIMES.sub(r" \\times ", text)
    if "=/=" in text:
        text = text.replace("=/=", "!=")
    if "+/-" in text:
        text = text.replace("+/-", r"\pm ")
    if "U" in text:
        text = _UNION.sub(r"\\cup ", text)
    if "{,}" in text or "\\!" in text:
        text = _THIN_THOUSANDS.sub("", text)
        text = _COMMA_POINT.sub(".", text)
    if " " in text or "\\" in text or "~" in text:
        text = _SPACED_THOUSANDS.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        text = _SPACES.sub(" ", text)
    return text
