"""Control tokens in conversations: the marks of a chat template are tokens of control, and their names in what is said are letters.

A template writes its marks and the messages into one text, in which a problem that holds "<|im_end|>" would end the user's turn. So names
of control tokens in messages are rendered as stand-ins, the text is cut at the marks that are left, which are the template's, and the
names come back as letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Conversations", "Turns"]

_PRIVATE = range(0xE000, 0xF8FF)  # characters that Unicode leaves to everyone's own use

Turns = list[dict[str, str]]
"""Messages as transformers takes them: role and content."""


class Conversations:
    """Conversations as tokens of one tokenizer of transformers, or of what looks like one."""

    def __init__(self, tokenizer: Any) -> None:
        named = {token.content: token for token in tokenizer.added_tokens_decoder.values() if token.special}
        self._tokenizer = tokenizer
        self._control: dict[str, Any] = {**dict.fromkeys(tokenizer.all_special_tokens), **named}
        longest_first = sorted(self._control, key=len, reverse=True)
        self._names = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def ids(self, turns: Turns, render: Callable[[Turns], str]) -> list[int]:
        """Ids of a conversation as `render` writes it, in which only the template's own marks are control tokens."""
        said = sorted({name for turn in turns for name in self._names.findall(turn["content"])})
        if not said:
            ids: list[int] = self._tokenizer(render(turns), add_special_tokens=False)["input_ids"]
            return ids
        stand_ins = dict(zip(said, _unused(len(said), turns), strict=True))
        hidden = [
            {**turn, "content": self._names.sub(lambda name: stand_ins[name[0]], turn["content"])} for turn in turns
        ]
        return self._cut_at_marks(render(hidden), {char: name for name, char in stand_ins.items()})

    def _cut_at_marks(self, text: str, hidden: dict[str, str]) -> list[int]:
        """Ids of a text whose control tokens are all marks, and whose stand-ins are letters again."""
        ids: list[int] = []
        start, last = 0, None
        for mark in [*self._names.finditer(text), None]:
            part = text[start : mark.start() if mark else len(text)]
            token = self._control[mark[0]] if mark else None
            if token is not None and token.lstrip:
                part = part.rstrip()
            if last is not None and last.rstrip:
                part = part.lstrip()
            part = "".join(hidden.get(char, char) for char in part)
            if part:
                ids += self._tokenizer(part, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            if mark:
                ids.append(self._tokenizer.convert_tokens_to_ids(mark[0]))
                start, last = mark.end(), token
        return ids


def _unused(number: int, turns: Turns) -> Sequence[str]:
    """Characters that no message holds."""
    used = {char for turn in turns for char in turn["content"]}
    return [chr(code) for code in _PRIVATE if chr(code) not in used][:number]
