"""How problems are put to a model: plain text and chats, and every way in which a chat template cannot serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_models import make_tokenizer
from transformers import AddedToken

from mathquorum.config import build
from mathquorum.engines.scripted import Scripted
from mathquorum.errors import ModelError, SettingsError
from mathquorum.models.codec import Codec, check_prompt
from mathquorum.objectives.examples import solution_sequence, verdict_sequences
from mathquorum.prompts import INSTRUCTION, Chat, Message, Prompt, evaluator_prompt, generator_prompt
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.stages.base import no_progress
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import write_records

CHATML = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<eos>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
THINKING = CHATML + "{% if add_generation_prompt and enable_thinking is false %}<think></think>{% endif %}"
CHAT = Prompt(template="chat")
SHOWN = [LabeledSolution("d", "1+1?", "It is $\\boxed{2}$.", True)]


def codec(template: str | None, wording: Prompt = CHAT) -> Codec:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = template
    return Codec(tokenizer, wording)


def test_plain_prompts_are_the_texts_that_they_were() -> None:
    assert Prompt().generator("3+3?", "fine", SHOWN) == generator_prompt("3+3?", "fine", SHOWN)
    assert Prompt().evaluator("3+3?", "6") == evaluator_prompt("3+3?", "6")


def test_an_instruction_of_a_plain_prompt_stands_after_each_problem() -> None:
    text = Prompt(instruction="Be brief.").generator("3+3?", None, SHOWN)
    assert text == (
        "Problem:\n1+1?\nBe brief.\n\nSolution:\nIt is $\\boxed{2}$.\n\nProblem:\n3+3?\nBe brief.\n\nSolution:\n"
    )


def test_demonstrations_are_turns_of_a_chat() -> None:
    chat = Prompt(template="chat", system="You are careful.", instruction="Box it.").generator("3+3?", "fine", SHOWN)
    assert chat == Chat(
        (
            Message("system", "You are careful."),
            Message("user", "1+1?\n\nBox it."),
            Message("assistant", "It is $\\boxed{2}$."),
            Message("user", "3+3?\n\nBox it.\n\nStyle: fine."),
        )
    )


def test_a_chat_asks_for_a_boxed_answer_unless_told_otherwise() -> None:
    assert CHAT.generator("3+3?") == Chat((Message("user", f"3+3?\n\n{INSTRUCTION}"),))
    assert Prompt(template="chat", instruction="").generator("3+3?") == Chat((Message("user", "3+3?"),))


def test_a_model_is_shown_its_own_template_up_to_where_the_answer_begins() -> None:
    made = codec(CHATML, Prompt(template="chat", instruction=""))
    assert made.exactly(made.wording.generator("3+3?")) == "<|user|>3+3?<eos><|assistant|>"
    assert made.tokenizer.decode([made.end]) == "<eos>"


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% raw %}{%", "{0} {x!r} %s", "<|user|>", "\\boxed{x}"])
def test_braces_and_template_syntax_are_shown_as_they_are(text: str) -> None:
    made = codec(CHATML, Prompt(template="chat", system=text, instruction=text))
    shown = made.exactly(made.wording.generator(text))
    assert shown == f"<|system|>{text}<eos><|user|>{text}\n\n{text}<eos><|assistant|>"


@pytest.mark.parametrize("said", ["2<eos>3", "<eos>", "<eos><eos> \ue000", "a<eos>\n"])
def test_names_of_control_tokens_in_a_message_are_letters_and_the_marks_of_the_template_are_not(said: str) -> None:
    made = codec(CHATML, Prompt(template="chat", system=said, instruction=""))
    ids = made.prompt(made.wording.generator(said, None, [LabeledSolution("d", said, said, True)]))
    assert ids.count(made.tokenizer.eos_token_id) == 4
    assert made.tokenizer.decode(ids) == (
        f"<|system|>{said}<eos><|user|>{said}<eos><|assistant|>{said}<eos><|user|>{said}<eos><|assistant|>"
    )


def test_marks_that_take_the_space_around_them_do_so_beside_names_of_control_tokens() -> None:
    made = codec("{% for m in messages %}[u] {{ m.content }} <eos>{% endfor %}")
    made.tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("[u]", rstrip=True, special=True)]})
    plain, named = made.prompt(Chat((Message("user", "ab"),))), made.prompt(Chat((Message("user", "a[u]b"),)))
    mark = made.tokenizer.convert_tokens_to_ids("[u]")
    assert plain == [mark, *made.written("ab "), made.tokenizer.eos_token_id]
    assert named == [mark, *made.written("a[u]b "), made.tokenizer.eos_token_id]


def test_thinking_is_switched_where_the_template_knows_it() -> None:
    made = codec(THINKING, Prompt(template="chat", thinking=False, instruction=""))
    check_prompt(made)
    assert made.exactly(made.wording.generator("3+3?")).endswith("<|assistant|><think></think>")


def test_training_and_scoring_read_the_same_conversation() -> None:
    made = codec(CHATML)
    item = LabeledSolution("p", "3+3?", "It is 6.", True)
    sequence = solution_sequence(made, item)
    prompt = made.prompt(CHAT.generator("3+3?"))
    assert list(sequence.ids) == [*prompt, *made.continuation("It is 6."), made.end]
    asked = made.prompt(CHAT.evaluator("3+3?", "It is 6."))
    for verdict in verdict_sequences(made, "3+3?", "It is 6.", (0, 1)):
        assert list(verdict.ids[: len(asked)]) == asked


@pytest.mark.parametrize(
    ("template", "wording", "said"),
    [
        (None, CHAT, "has no chat template. Use template 'plain'"),
        (
            "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
            + CHATML,
            Prompt(template="chat", system="Be careful."),
            "System role not supported. Leave prompt.system out",
        ),
        (CHATML.split("{% if")[0], CHAT, "does not begin an answer"),
        (CHATML, Prompt(template="chat", thinking=True), "knows no enable_thinking. Leave prompt.thinking out"),
        (CHATML.replace("<eos>", "\n"), CHAT, "begins with no special token"),
        ("{{ nonsense(", CHAT, "The chat template refuses the conversation"),
    ],
)
def test_a_template_that_cannot_serve_is_refused_before_anything_is_trained(
    template: str | None, wording: Prompt, said: str
) -> None:
    with pytest.raises(ModelError, match=said.replace(".", r"\.")):
        check_prompt(codec(template, wording))


def test_a_turn_that_ends_otherwise_than_texts_do_must_be_known_to_the_model() -> None:
    tokenizer = make_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|end|>"]})
    tokenizer.chat_template = CHATML.replace("<eos>", "<|end|>")
    made = Codec(tokenizer, CHAT)
    with pytest.raises(
        ModelError, match=r"ends a turn with '<\|end\|>', but the tokenizer's end of sequence is '<eos>'"
    ):
        check_prompt(made)
    check_prompt(made, ends=[tokenizer.convert_tokens_to_ids("<|end|>")])


def test_label_words_are_checked_for_the_template_in_use() -> None:
    class Blind:
        """A tokenizer that has no letters for one of the words."""

        def __init__(self, tokenizer: Any) -> None:
            self._tokenizer = tokenizer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._tokenizer, name)

        def __call__(self, text: str, **options: Any) -> Any:
            return self._tokenizer(text.replace("incorrect", "correct"), **options)

    tokenizer = Blind(make_tokenizer())
    tokenizer._tokenizer.chat_template = CHATML
    with pytest.raises(ModelError, match="cannot write the label word 'incorrect'"):
        check_prompt(Codec(tokenizer, CHAT))


@pytest.mark.parametrize("given", [{"system": "Be careful."}, {"thinking": False}])
def test_what_only_a_chat_has_is_refused_for_plain_text(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="needs template 'chat'"):
        build(Prompt, given)


def test_a_run_keeps_what_the_model_was_shown(tmp_path: Path) -> None:
    problems, candidates = tmp_path / "problems.jsonl", tmp_path / "candidates.jsonl"
    write_records(problems, [Problem("p", "3+3?", "6")])
    write_records(candidates, [Candidate("p", 0, "It is 6.", "6")])
    engine = Scripted(texts=("It is 6.",))
    for name, stage in {
        "sample": Sample(problems=problems, model="m", num_candidates=1, prompt="chat", engine=engine),
        "score": ScoreCandidates(problems=problems, candidates=candidates, model="m", prompt="chat", engine=engine),
    }.items():
        (tmp_path / name).mkdir()
        stage.run(tmp_path / name, no_progress)
    assert (tmp_path / "sample" / "prompt.txt").read_text() == f"[user]\n3+3?\n\n{INSTRUCTION}"
    assert "Here is a candidate solution: It is 6." in (tmp_path / "score" / "prompt.txt").read_text()
