"""What clients get back, in the shapes of OpenAI's protocol, with the quorum under `mathquorum`."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mathquorum.engines.tokens import TokenLogprob
from mathquorum.serving.work import Answered, Choice
from mathquorum.solving.verdict import solved_json

__all__ = ["Answer"]

_PIECE = re.compile(r"\S*\s*")


@dataclass(frozen=True)
class Answer:
    """An answer to a client.

    Attributes:
        chat: Whether it was asked in a chat.
        model: The name that was asked for.
        fingerprint: Of model and settings.
        strategy: By name; None of a raw model.
    """

    chat: bool
    model: str
    fingerprint: str
    strategy: str | None
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answered: Answered) -> dict[str, Any]:
        """In one piece."""
        choices = []
        for place, choice in enumerate(answered.choices):
            said: dict[str, Any] = (
                {"message": {"role": "assistant", "content": choice.text, "refusal": None}}
                if self.chat
                else {"text": choice.text}
            )
            choices.append(
                {"index": place, **said, "logprobs": self._logprobs(choice.tokens), "finish_reason": _finish(choice)}
            )
        return {**self._head(chunk=False), "choices": choices, "usage": usage(answered), **self._own(answered)}

    def pieces(self, answered: Answered, with_usage: bool) -> Iterator[dict[str, Any]]:
        """One after the other: tokens where they are known, else words. The last one has the quorum."""
        usage_field = {"usage": None} if with_usage else {}
        for place, choice in enumerate(answered.choices):
            if self.chat:
                yield self._chunk(place, {"delta": {"role": "assistant", "content": ""}}, None, None) | usage_field
            for text, tokens in _cut(choice):
                said = {"delta": {"content": text}} if self.chat else {"text": text}
                yield self._chunk(place, said, self._logprobs(tokens), None) | usage_field
            last = self._chunk(place, {"delta": {}} if self.chat else {"text": ""}, None, _finish(choice))
            own = self._own(answered) if place == len(answered.choices) - 1 else {}
            yield last | usage_field | own
        if with_usage:
            yield {**self._head(chunk=True), "choices": [], "usage": usage(answered)}

    def _chunk(self, place: int, said: dict[str, Any], logprobs: Any, finish: str | None) -> dict[str, Any]:
        choice = {"index": place, **said, "logprobs": logprobs, "finish_reason": finish}
        return {**self._head(chunk=True), "choices": [choice]}

    def _head(self, chunk: bool) -> dict[str, Any]:
        if self.chat:
            name, kind = f"chatcmpl-{self.id}", "chat.completion.chunk" if chunk else "chat.completion"
        else:
            name, kind = f"cmpl-{self.id}", "text_completion"
        return {
            "id": name, "object": kind, "created": self.created, "model": self.model, "system_fingerprint": self.fingerprint
        }  # fmt: skip

    def _own(self, answered: Answered) -> dict[str, Any]:
        own: dict[str, Any] = {"seed": answered.seed}
        if answered.solved is not None:
            held = solved_json(answered.solved, self.strategy or "")
            own |= {name: value for name, value in held.items() if name != "solution"}
            own["num_scored"] = answered.num_scored
        return {"mathquorum": own}

    def _logprobs(self, tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
        if tokens is None:
            return None
        return _chat_logprobs(tokens) if self.chat else _text_logprobs(tokens)


def usage(answered: Answered) -> dict[str, int]:
    """What was computed: the prompt once, and the tokens of all candidates, not of the chosen one alone."""
    prompt, completion = answered.prompt_tokens or 0, answered.completion_tokens
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _finish(choice: Choice) -> str:
    return "stop" if choice.finished else "length"


def _cut(choice: Choice) -> Iterator[tuple[str, Sequence[TokenLogprob] | None]]:
    tokens = choice.tokens
    if tokens is None:
        yield from ((piece, None) for piece in _PIECE.findall(choice.text) if piece)
        return
    texts = [token.text for token in tokens]
    marks = 1 if texts and not choice.text.endswith(texts[-1]) else 0  # the end of sequence has a name, and no text
    if "".join(texts[: len(texts) - marks]) != choice.text:  # parts of a character are in several tokens
        yield choice.text, tokens
        return
    for place, token in enumerate(tokens):
        yield "" if place >= len(texts) - marks else token.text, [token]


def _chat_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    return {
        "content": [
            {**_entry(token.text, token.logprob), "top_logprobs": [_entry(*pair) for pair in token.likeliest]}
            for token in tokens
        ],
        "refusal": None,
    }


def _entry(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode("utf-8", "replace"))}


def _text_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    offsets, at = [], 0
    for token in tokens:
        offsets.append(at)
        at += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_by_text(token) for token in tokens],
        "text_offset": offsets,
    }


def _by_text(token: TokenLogprob) -> dict[str, float]:
    found: dict[str, float] = {}
    for text, logprob in token.likeliest:
        found.setdefault(text, logprob)  # of equal texts the likelier stays
    return found
