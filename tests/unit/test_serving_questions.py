"""What a conversation becomes for the model that is served."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mathquorum.config import build
from mathquorum.prompts import INSTRUCTION, Chat, Message
from mathquorum.serving.questions import Served
from mathquorum.serving.refusals import Refused
from mathquorum.serving.settings import Limits
from mathquorum.serving.wire import AskedChat, AskedText, read_asked
from mathquorum.serving.work import Question
from mathquorum.solving.settings import Quorum


def question(turns: list[tuple[str, str]], raw: bool = False, prompt: Any = "chat", **fields: Any) -> Question:
    served = Served("m", build(Quorum, {"model": "x", "prompt": prompt}), Limits(), 16, raw)
    held = {"model": "m", "messages": [{"role": role, "content": text} for role, text in turns], **fields}
    return served.question(read_asked(AskedChat, json.dumps(held).encode()))


def test_the_last_message_is_posed_as_a_problem_after_what_was_said_before() -> None:
    turns = [("user", "1+1?"), ("assistant", "2"), ("user", "And {4}+4?")]
    found = question(turns, prompt={"template": "chat", "system": "ours"})
    assert found.problem == "And {4}+4?"
    assert found.prompt == Chat(
        (
            Message("system", "ours"),
            Message("user", "1+1?"),
            Message("assistant", "2"),
            Message("user", f"And {{4}}+4?\n\n{INSTRUCTION}"),
        )
    )


def test_a_clients_system_message_goes_before_ours() -> None:
    found = question([("developer", "theirs"), ("user", "1+1?")], prompt={"template": "chat", "system": "ours"})
    assert isinstance(found.prompt, Chat)
    assert [message.content for message in found.prompt.messages if message.role == "system"] == ["theirs"]


def test_a_raw_model_is_shown_the_conversation_as_it_is() -> None:
    found = question([("system", "s"), ("user", "1+1?")], raw=True, chat_template_kwargs={"enable_thinking": False})
    assert found.prompt == Chat((Message("system", "s"), Message("user", "1+1?")), thinking=False)


def test_parts_of_a_message_are_one_text() -> None:
    parts: Any = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert question([("user", parts)]).problem == "a\nb"
    with pytest.raises(Refused):
        question([("user", [{"type": "image_url", "image_url": {"url": "x"}}])])  # type: ignore[list-item]


def test_what_a_request_leaves_open_is_the_quorums() -> None:
    found = question([("user", "1+1?")], temperature=0.5, max_completion_tokens=7, max_tokens=9)
    assert (found.sampling.temperature, found.sampling.top_p, found.sampling.max_tokens) == (0.5, 0.95, 7)
    assert (found.num_candidates, found.number, found.strategy.name) == (64, 1, "maj1")


def test_a_raw_completion_goes_on_from_the_prompt_as_it_is() -> None:
    served = Served("m", build(Quorum, {"model": "x"}), Limits(), 16, raw=True)
    assert served.question(read_asked(AskedText, b'{"model": "m", "prompt": ["a "], "n": 3}')).prompt == "a "
