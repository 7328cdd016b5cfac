"""The tokenizer of the embedded base."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from mathquorum.pretraining.corpus import CorpusMix, documents, text_of
from mathquorum.pretraining.tokenizer import train_tokenizer
from mathquorum.prompts import CORRECT, INCORRECT

COMMANDS = ("\\frac", "\\dfrac", "\\tfrac", "\\boxed", "\\text", "\\div", "\\cdot", "\\binom")
TOKENIZER = train_tokenizer((text_of(d) for d in islice(documents(CorpusMix(), "test"), 4000)), 768, 512)


@given(st.text())
def test_every_text_comes_back(text) -> None:
    assert TOKENIZER.decode(TOKENIZER(text, add_special_tokens=False)["input_ids"]) == text


def test_a_text_begins_with_the_mark_that_ends_the_one_before_it() -> None:
    (first, *rest) = TOKENIZER("x=3")["input_ids"]
    assert first == TOKENIZER.bos_token_id == TOKENIZER.eos_token_id
    assert rest == TOKENIZER("x=3", add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("text", [CORRECT, INCORRECT, *COMMANDS, *"0123456789"])
def test_one_token_each(text) -> None:
    assert len(TOKENIZER(text, add_special_tokens=False)["input_ids"]) == 1


def test_numbers_are_digits_and_words_keep_their_verdict() -> None:
    assert TOKENIZER.tokenize("1234") == ["1", "2", "3", "4"]
    assert TOKENIZER("x=3 is incorrect")["input_ids"][-1] == TOKENIZER(INCORRECT)["input_ids"][-1]


def test_it_loads_from_its_folder(tmp_path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "Problem:\nCompute \\frac{1}{2}+3.\n\nSolution:\n"
    assert loaded(text)["input_ids"] == TOKENIZER(text)["input_ids"]
    assert loaded.bos_token == loaded.eos_token == "<|endoftext|>"
