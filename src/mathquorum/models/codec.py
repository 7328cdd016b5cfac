"""How what a model is shown becomes tokens, in training and in sampling alike; and whether a model can be shown it at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mathquorum.errors import ModelError, PromptError
from mathquorum.models.control import Conversations, Turns
from mathquorum.prompts import PLAIN, Chat, Prompt, Shown

__all__ = ["Codec", "check_prompt"]

_SAID = "2+3=5"  # a solution by which the end of a turn is found


@dataclass(frozen=True)
class Codec:
    """Texts and conversations as tokens of one model.

    Attributes:
        tokenizer: Of transformers, or what looks like one.
        wording: How problems are put to the model.
    """

    tokenizer: Any
    wording: Prompt = PLAIN

    def prompt(self, shown: Shown) -> list[int]:
        """Ids of a prompt, with the marks that the model expects at the beginning of a text and none at its end.

        Names of control tokens in what is said are letters like all others: problems are data. In a chat only the template's own count.
        """
        if isinstance(shown, Chat):
            turns = [{"role": m.role, "content": m.content} for m in shown.messages]
            return self._conversations.ids(turns, lambda t: self._templated(t, True, shown.thinking))
        ids: list[int] = self.tokenizer(shown, split_special_tokens=True)["input_ids"]
        while ids and ids[-1] == self.tokenizer.eos_token_id and not shown.endswith(str(self.tokenizer.eos_token)):
            ids = ids[:-1]  # some tokenizers close every text
        return ids

    def exactly(self, shown: Shown) -> str:
        """The prompt as the model gets it, special tokens and all."""
        text: str = self.tokenizer.decode(self.prompt(shown))
        return text

    def rendered(self, chat: Chat) -> str:
        """A conversation as the model's chat template writes it, up to where the answer begins.

        Raises:
            ModelError: If the template refuses it, in its own words.
        """
        return self._templated([{"role": m.role, "content": m.content} for m in chat.messages], True, chat.thinking)

    def continuation(self, text: str) -> list[int]:
        """Ids of a text that follows a prompt: tokenized apart from it, as when sampling, so that the prompt's tokens are
        the same in both."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def written(self, text: str) -> list[int]:
        """Ids of a solution from data, as `continuation`; names of control tokens in it are letters like all others."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids

    def label(self, word: str) -> list[int]:
        """Ids of a label word as it follows a prompt.

        Raises:
            ModelError: If the tokenizer does not know it.
        """
        ids = self.continuation(word)
        if self.tokenizer.decode(ids).strip() != word.strip():
            raise ModelError(f"The tokenizer cannot write the label word {word!r}: it has no tokens for it.")
        return ids

    @cached_property
    def end(self) -> int:
        """The token that ends a solution: the end of sequence, or in a chat the end of the assistant's turn.

        Raises:
            ModelError: If a turn ends in no token of its own.
        """
        if self.wording.template == "plain":
            return int(self.tokenizer.eos_token_id)
        turns = [{"role": "user", "content": "2+3=?"}, {"role": "assistant", "content": _SAID}]
        _, _, after = self._templated(turns, False, self.wording.thinking).rpartition(_SAID)
        ids = self.continuation(after.lstrip())
        if not ids or ids[0] not in self.tokenizer.all_special_ids:
            raise ModelError(
                f"The chat template ends a turn with {after!r}, which begins with no special token, so no solution could ever end. "
                "Use template 'plain', or a template whose turns end in one."
            )
        return ids[0]

    @cached_property
    def _conversations(self) -> Conversations:
        return Conversations(self.tokenizer)

    def _templated(self, turns: Turns, begin: bool, thinking: bool | None) -> str:
        from jinja2 import TemplateError

        if not self.tokenizer.chat_template:
            raise PromptError("The model has no chat template. Use template 'plain'.")
        known = {} if thinking is None else {"enable_thinking": thinking}
        try:
            text: str = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=begin, **known)
        except (TemplateError, TypeError, ValueError) as error:
            said = str(error).strip().split("\n")[0]
            cure = "Leave prompt.system out" if turns[0]["role"] == "system" else "Use template 'plain'"
            raise PromptError(f"The chat template refuses the conversation: {said}. {cure}.") from error
        return text


def check_prompt(codec: Codec, ends: Collection[int] = ()) -> None:
    """Makes sure that a model can be shown what the wording says, and asked for a verdict, before anything is trained.

    Args:
        codec: The model's.
        ends: Ids that end a text by the model's generation settings, besides the tokenizer's end of sequence.

    Raises:
        ModelError: If it cannot, saying why and what would do.
    """
    words = [codec.label(word) for word in codec.wording.labels]
    short, long = sorted(words, key=len)
    if long[: len(short)] == short:
        raise ModelError(
            f"The tokenizer writes {codec.wording.labels[0]!r} as the beginning of {codec.wording.labels[1]!r} or the reverse "
            f"({words[0]} and {words[1]}), so no verdict could be told from the other. Use a model with another tokenizer."
        )
    if codec.wording.template == "plain":
        return
    chat = codec.wording.generator("2+3=?")
    assert isinstance(chat, Chat)
    turns = [{"role": m.role, "content": m.content} for m in chat.messages]
    begun = codec.rendered(chat)
    if begun == codec._templated(turns, False, chat.thinking):
        raise ModelError(
            "The chat template does not begin an answer (add_generation_prompt changes nothing), so the model would go on as the user. "
            "Use template 'plain', or a model whose template has a generation prompt."
        )
    if chat.thinking is not None and begun == codec._templated(turns, True, not chat.thinking):
        raise ModelError("The chat template knows no enable_thinking. Leave prompt.thinking out.")
    if codec.end not in {int(codec.tokenizer.eos_token_id), *ends}:
        name = codec.tokenizer.convert_ids_to_tokens(codec.end)
        raise ModelError(
            f"The chat template ends a turn with {name!r}, but the tokenizer's end of sequence is {codec.tokenizer.eos_token!r} and the "
            f"model's generation settings do not stop at {name!r}: it would write on after its answer. Set eos_token to {name!r} in "
            "tokenizer_config.json, add it to eos_token_id in generation_config.json, or use template 'plain'."
        )
