"""The solutions in a value, told by its shape: a text, a message, a conversation, choices of a server, or a list of these."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mathquorum.datasets.sample_formats.raw import RawSample
from mathquorum.datasets.values import answer_text, is_missing, listed, message_text, number
from mathquorum.errors import DataError

__all__ = ["asked", "ended", "entry", "is_messages", "read_scores", "replies", "solutions", "spread", "unpacked"]

TEXTS = (
    "text", "completion", "generation", "solution", "response", "output", "generated_text", "generated_solution",
    "content", "value", "full_text", "prediction", "code",
)  # fmt: skip
ANSWERS = ("answer", "predicted_answer", "pred", "extracted_answer", "model_answer", "final_answer")
SCORES = ("score", "scores", "reward")
LABELS = ("upstream_correct", "correct", "is_correct")
_CUT_OFF = frozenset({"length", "max_tokens", "model_length", "max_length"})
_REPLIERS = frozenset({"assistant", "gpt", "model", "ai", "bot", "chatgpt"})


def solutions(value: Any, place: str) -> list[RawSample]:
    """The solutions that a column holds.

    Raises:
        DataError: If it is none of the shapes, naming the entry.
    """
    value = unpacked(value)
    if isinstance(value, Mapping) and "choices" in value:
        value = value["choices"]
    elif isinstance(value, Mapping) and isinstance(value.get("output"), list):  # OpenAI's Responses
        value = [part for part in value["output"] if isinstance(part, Mapping) and part.get("type") == "message"]
    if not isinstance(value, list):
        return [entry(value, place)]
    if is_messages(value) and not all(_is_reply(message) for message in value):
        return [entry(value, place)]
    while len(value) == 1 and isinstance(value[0], list) and not is_messages(value[0]):
        value = value[0]  # lm-evaluation-harness: one list per request, of one text per repeat
    return [entry(one, f"{place} entry {number}") for number, one in enumerate(value, start=1)]


def entry(value: Any, place: str) -> RawSample:
    """One solution: a text, a message, a conversation (its last reply), or an object with a text or at least an answer. Where there
    is null, nothing came: it has no text and no answer, and counts as a candidate.

    Raises:
        DataError: If it is none of these.
    """
    if value is None or isinstance(value, str):
        return RawSample(value or "")
    if is_messages(value):
        return RawSample(replies(value)[-1] if replies(value) else "")
    if isinstance(value, list) and len(value) == 1:
        return entry(value[0], place)
    text = _text_in(value) if isinstance(value, Mapping) else None
    given = _first(value, ANSWERS) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or (text is None and given is None):
        raise DataError(f"{place}: must be a text, or an object with a 'text'. Got {value!r:.60} instead.")
    label = _first(value, LABELS)
    tokens = value.get("num_tokens", value.get("num_generated_tokens"))
    logprob = number(value.get("logprob", value.get("cumulative_logprob")))
    model = value.get("model")
    return RawSample(
        text=text or "",
        answer=answer_text(given, place, "answer"),
        scores=read_scores(_first(value, SCORES), place),
        correct=label if isinstance(label, bool) else None,
        finished=ended(_first(value, ("finish_reason", "stop_reason", "finished"))),
        num_tokens=tokens if type(tokens) is int else None,
        logprob=logprob,
        model=model if isinstance(model, str) else None,
    )


def _text_in(value: Mapping[str, Any]) -> str | None:
    inner = value.get("message", value)
    if isinstance(inner, Mapping):
        for name in TEXTS:
            if (text := message_text(inner.get(name))) is not None:
                return text
        if inner is not value and "content" in inner:
            return ""  # a refusal, or a call of a tool
    return None


def is_messages(value: Any) -> bool:
    """Whether a value is a list of messages: objects with a role and a content, or from and value."""
    return isinstance(value, list) and bool(value) and all(
        isinstance(turn, Mapping) and ({"role", "content"} <= turn.keys() or {"from", "value"} <= turn.keys()) for turn in value
    )  # fmt: skip


def _speaker(message: Mapping[str, Any]) -> str:
    return str(message.get("role", message.get("from"))).lower()


def _is_reply(message: Mapping[str, Any]) -> bool:
    return _speaker(message) in _REPLIERS


def _said(message: Mapping[str, Any]) -> str:
    return message_text(message.get("content", message.get("value"))) or ""


def replies(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the model said in a conversation, each turn."""
    return [_said(message) for message in messages if _is_reply(message)]


def asked(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """What was asked in a conversation: its first turn that is neither the model's nor the system's."""
    for message in messages:
        if not _is_reply(message) and _speaker(message) != "system":
            return _said(message) or None
    return None


def ended(reason: Any) -> bool | None:
    """Whether a solution ended by itself, from what the server said ("stop", "length"); None where it did not say."""
    if isinstance(reason, bool):
        return reason
    if not isinstance(reason, str) or not reason or reason.lower() in ("unknown", "null", "none"):
        return None
    return reason.lower() not in _CUT_OFF


def unpacked(value: Any) -> Any:
    """The list or object that a text writes down, as csv files hold them; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = listed(value)
    return found if isinstance(found, list | dict) else value


def spread(value: Any, count: int, listed: bool, *, shared: bool = False) -> Sequence[Any] | None:
    """One value per solution; None where the value does not fit them.

    Args:
        value: A list with one for each.
        count: Number of solutions.
        listed: Whether these stand in a list. A single one without a list has the value itself, a list of step scores included.
        shared: Whether one text can be of all of them, as the model's name.
    """
    value = unpacked(value)
    if not listed and count == 1:
        return [value]
    if isinstance(value, list):
        return value if len(value) == count else None
    return [value] * count if is_missing(value) or (shared and isinstance(value, str)) else None


def read_scores(value: Any, place: str) -> tuple[float, ...]:
    """A score, or the scores of a solution's steps; none where it is null, NaN or infinite, or one of its steps' is.

    Raises:
        DataError: If it is something else than a number.
    """
    value = unpacked(value)
    values = value if isinstance(value, list) else [] if value is None else [value]
    found = [number(one) for one in values]
    for one, read in zip(values, found, strict=True):
        if read is None and not (is_missing(one) or type(one) in (int, float) or str(one).lower() in _NO_NUMBERS):
            raise DataError(f"{place}: a score must be a number or a list of numbers. Got {value!r:.60} instead.")
    return () if None in found else tuple(one for one in found if one is not None)


_NO_NUMBERS = ("nan", "null", "none", "inf", "-inf", "infinity", "-infinity")


def _first(values: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)
