"""The tokenizer of the embedded base: byte-level pairs, single digits, LaTeX commands and verdicts as one token each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

__all__ = ["END", "PAD", "train_tokenizer"]

END = "<|endoftext|>"
PAD = "<|pad|>"

# Pieces that no token may cross: LaTeX commands, digits and operators one by one, words with the space before them.
PIECES = r"\\[A-Za-z]+|[0-9]| ?[A-Za-z]+|[+\-*/=^]|\n+|[^A-Za-z0-9+\-*/=^\\\n ]+| |\\"


def train_tokenizer(texts: Iterable[str], vocabulary_size: int, context: int) -> Any:
    """A `PreTrainedTokenizerFast` that gives back every text byte for byte, and begins each with the mark that ended the one
    before it in pre-training: a model that has never seen a text begin without the mark judges the first equation of a text
    far worse than the second.

    The verdict words are given the trainer as texts of their own, so that each becomes one token.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[END, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A {END} $B", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
