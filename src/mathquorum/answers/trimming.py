"""What stands around an answer and says nothing: delimiters, emphasis, colours, tick marks, blanks, final punctuation."""

from __future__ import annotations

import re

__all__ = ["trimmed", "unadorned"]

_DELIMITERS = re.compile(r"(?<!\\)\\[()\[\]]|\\?\$")
_BROKEN_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_EXCLAMATION = re.compile(r"[A-Za-z]{3,}!+\Z")  # and not a factorial
_ORNAMENTS = re.compile(
    r"\\(?:blacksquare|square|checkmark|qed|qedsymbol|Box|surd|bigstar|star|dagger)(?![A-Za-z])\s*|[✓✔✅■□▪◼∎☑🎉👍]️?"
)
_COLOURED = re.compile(r"\\(?:textcolor|colorbox)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}\s*\{|\{?\\color\s*\{[^{}]*\}")
_EMPHASIS = re.compile(r"\A([*_~`]{1,4})(?=[^\s*_~`])(.*[^\s*_~`\\])\1\Z", re.DOTALL)
# Measure words and nouns of Chinese, Japanese and Korean behind a number, but for those that multiply, bound or share it.
_COUNTER = re.compile(
    r"(?<=[\d}$])\s?(?![^\s]*(?:[十百千万萬亿億兆倍半余多以超未至到或和约折成不零点분배천만억]|分之|이상|이하|미만|초과))[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]{1,4}\Z"
)
_INTRODUCED = re.compile(r"\A(?:大约|约|一共|总共|共有|共|合计)\s?(?=[\d$\\])")
_EMPHASISED_VALUE = re.compile(r"(?<![\w\\})\]_*])(_{1,3}|\*\*)(-?\\?\$?\d[\d.,/]*(?:\\?%)?)\1(?![\w_*])")
_BLANK = re.compile(r"_{1,9}\s*([^\s_].*?)\s*_{1,9}", re.DOTALL)
_CURRENCY = re.compile(
    r"(?:\bUS|\bA|\bC|\bHK|\bNZ)(?=\\?\$\s?\d)|(?<![A-Za-z])(?:USD|EUR|GBP|INR|CNY|RMB|JPY|CAD|AUD|Rs\.?)\s?(?=\d)|[€£¥₹₩₽₫฿₱]|元|円|원|块"
)


def unadorned(text: str) -> str:
    """The text without colours, ticks, signs of money that carry no value, and emphasis around the whole."""
    text = text.strip()
    if text[:2] == "\\_":
        text = text.replace("\\_", "_")
    if "\\" in text or not text.isascii():
        if _ORNAMENTS.search(text):
            text = _ORNAMENTS.sub("", text).strip()
        if "color" in text:
            text = _COLOURED.sub("{", text)
            if text.count("{") > text.count("}"):
                text += "}"
    if not text.isascii() or text[:1].isalpha() or "$" in text:
        text = _CURRENCY.sub("", text)
    if not text.isascii():
        text = _COUNTER.sub("", _INTRODUCED.sub("", text)).replace("¢", "")
    if "\\textdegree" in text:
        text = text.replace("\\textdegree", "^{\\circ}")
    if "_" in text or "**" in text:
        text = _EMPHASISED_VALUE.sub(r"\2", text)
    if text[:1] == "_":
        blank = _BLANK.fullmatch(text)
        text = blank[1] if blank else text
    while text[:1] in "*_~`" and text:
        match = _EMPHASIS.match(text)
        if match is None:
            break
        text = match[2].strip()
    return text


def trimmed(text: str) -> str:
    """The text without math delimiters, quotes, emphasis, and punctuation at the ends."""
    text = _DELIMITERS.sub(" ", text).strip(' \t\n*`"')
    text = text.rstrip(" .,;:")
    if text[:1] in ":：":
        text = text[1:].lstrip()
    if text.endswith("!") and _EXCLAMATION.search(text):
        text = text.rstrip(" .,;:!")
    if text.endswith("\\"):
        text = text.rstrip("\\ ")
    if "." in text:
        text = _BROKEN_MERIDIEM.sub(r"\1m", text)
    return text
