"""The OpenAI protocol's two questions and their answers: a text to go on with (completions), a conversation (chat)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mathquorum.engines.base import Sampling
from mathquorum.engines.server.faults import Fault
from mathquorum.prompts import Shown

__all__ = ["Answer", "Choice", "Token", "Usage", "body_of", "path_of", "read_answer"]

SEED_BITS = 31  # llama.cpp and torch on some devices take no more


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a choice.

    Attributes:
        text: As the server writes it.
        logprob: Nats.
        likeliest: The likeliest tokens in its place with their log-probabilities, likeliest first.
    """

    text: str
    logprob: float
    likeliest: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One text. finish: the server's word for why it ends. tokens: None where it gives no log-probabilities."""

    text: str
    finish: str | None
    tokens: tuple[Token, ...] | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request is billed for, as the server says; None where it does not."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The choices of a request. model: what the server calls its model, and itself where it does (system_fingerprint)."""

    choices: Sequence[Choice]
    usage: Usage
    model: str | None


def path_of(shown: Shown) -> str:
    """Where such a prompt is sent."""
    return "/completions" if isinstance(shown, str) else "/chat/completions"


def body_of(
    model: str,
    shown: Shown,
    sampling: Sampling,
    stop: Sequence[str] = (),
    *,
    number: int = 1,
    seed: int | None = None,
    likeliest: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The request. What is not asked for is not mentioned: some servers refuse what they do not know.

    Args:
        model: By the server's name.
        shown: The prompt.
        sampling: How tokens are drawn.
        stop: Texts that end a completion.
        number: Of choices.
        seed: Its last 31 bits are sent.
        likeliest: Likeliest tokens whose log-probabilities are asked for at each step, 0 for the chosen one's alone; None for none.
        extra: Further fields.
    """
    body: dict[str, Any] = {"model": model, "max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
    if sampling.temperature > 0:
        body["top_p"] = sampling.top_p
    if stop:
        body["stop"] = list(stop)
    if number > 1:
        body["n"] = number
    if seed is not None:
        body["seed"] = seed & (2**SEED_BITS - 1)
    if isinstance(shown, str):
        body["prompt"] = shown
        asked = {} if likeliest is None else {"logprobs": likeliest}
    else:
        body["messages"] = [{"role": turn.role, "content": turn.content} for turn in shown.messages]
        if shown.thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": shown.thinking}
        asked = {} if likeliest is None else {"logprobs": True}
        asked |= {"top_logprobs": likeliest} if likeliest else {}
    return {**body, **asked, **(extra or {})}


def read_answer(held: Mapping[str, Any]) -> Answer:
    """The answer in a JSON object.

    Raises:
        Fault: If it is not what the protocol says.
    """
    choices = held.get("choices")
    if not isinstance(choices, list):
        raise Fault("unreadable", "The server answered without choices.")
    found = [_choice(item) for item in sorted(choices, key=_index)]
    usage = held.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    names = [name for name in (held.get("model"), held.get("system_fingerprint")) if isinstance(name, str) and name]
    return Answer(
        found,
        Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))),
        ", ".join(names) or None,
    )


def _index(item: Any) -> int:
    return _count(item.get("index") if isinstance(item, dict) else None) or 0


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _choice(item: Any) -> Choice:
    message = item.get("message", item) if isinstance(item, dict) else None
    if not isinstance(message, dict):
        raise Fault("unreadable", "The server answered with a choice that is no object.")
    text = message.get("content", "") if "message" in item else message.get("text")
    finish = item.get("finish_reason")
    if text is None and "message" in item:
        text = ""  # all that the model said was thinking, or nothing
    if not isinstance(text, str) or finish in ("abort", "error"):
        raise Fault("unreadable", "The server answered with a choice without a text.")
    return Choice(text, finish if isinstance(finish, str) else None, _tokens(item.get("logprobs")))


def _tokens(held: Any) -> tuple[Token, ...] | None:
    """In the shape of either question: servers mix them."""
    if not isinstance(held, dict):
        return None
    if isinstance(held.get("content"), list):
        found = [_token_of_chat(item) for item in held["content"]]
    elif isinstance(held.get("tokens"), list) and isinstance(held.get("token_logprobs"), list):
        likeliest = held.get("top_logprobs")
        tables = likeliest if isinstance(likeliest, list) else [None] * len(held["tokens"])
        if not len(held["tokens"]) == len(held["token_logprobs"]) == len(tables):
            return None
        rows = zip(held["tokens"], held["token_logprobs"], tables, strict=True)
        found = [_token(text, logprob, _pairs(table)) for text, logprob, table in rows]
    else:
        return None
    return None if any(token is None for token in found) else tuple(token for token in found if token)


def _token_of_chat(item: Any) -> Token | None:
    if not isinstance(item, dict):
        return None
    likeliest = item.get("top_logprobs")
    pairs = [(other.get("token"), other.get("logprob")) for other in likeliest or () if isinstance(other, dict)]
    return _token(item.get("token"), item.get("logprob"), pairs)


def _pairs(table: Any) -> list[tuple[Any, Any]]:
    return list(table.items()) if isinstance(table, dict) else []


def _token(text: Any, logprob: Any, likeliest: Sequence[tuple[Any, Any]]) -> Token | None:
    if not isinstance(text, str) or not _is_logprob(logprob):
        return None
    pairs = [(word, float(value)) for word, value in likeliest if isinstance(word, str) and _is_logprob(value)]
    return Token(text, float(logprob), tuple(sorted(pairs, key=lambda pair: -pair[1])))


def _is_logprob(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
