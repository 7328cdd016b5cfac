"""Stand-ins for `mathquorum.answers` until it lands: delete this file and import from there."""

from __future__ import annotations

import re

__all__ = ["equivalent", "extract_answer"]

_BOX = re.compile(r"\\(?:boxed|fbox)\s*")
_PHRASE = re.compile(r"(?:answer is|answer:)\s*:?\s*(.+?)(?:\.\s|\.?$|\n)", re.IGNORECASE | re.MULTILINE)


def extract_answer(text: str) -> str | None:
    for found in reversed(list(_BOX.finditer(text))):
        answer = _content(text, found.end())
        if answer:
            return answer
    if "####" in text:
        return text.rsplit("####", 1)[1].strip().split("\n")[0] or None
    phrases = _PHRASE.findall(text)
    return phrases[-1].strip().strip("$") if phrases else None


def _content(text: str, start: int) -> str | None:
    if start >= len(text):
        return None
    if text[start] != "{":
        return text[start : start + 1].strip("$ ") or None
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return text[start + 1 : at].strip() or None
    return None


def equivalent(a: str, b: str) -> bool:
    return _plain(a) == _plain(b)


def _plain(answer: str) -> str:
    answer = re.sub(r"\\(?:left|right|!|,|;|:|text\s*\{\s*\}|\s)", "", answer)
    answer = answer.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\\$", "").replace("$", "")
    answer = re.sub(r"\\(?:text|mbox|mathrm)\{([^}]*)\}", r"\1", answer)
    answer = re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", answer)
    answer = re.sub(r"\\sqrt(\d)", r"\\sqrt{\1}", answer)
    answer = re.sub(r"^(-?)\(?(\d+)/(\d+)\)?$", r"\1\\frac{\2}{\3}", answer.replace(" ", ""))
    answer = answer.replace("^\\circ", "").replace("^{\\circ}", "").replace("\\%", "").rstrip(".").lower()
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", answer)
