"""Randomly initialised checkpoints of several architectures, small enough to be made in a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from mathquorum.records import LabeledSolution

_SIZES = {
    "vocab_size": 324,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
FAMILIES: dict[str, dict[str, object]] = {
    "llama": _SIZES,
    "qwen2": _SIZES,
    "gemma": _SIZES,
    "gemma2": {**_SIZES, "sliding_window": 12},
    "mistral": {**_SIZES, "sliding_window": 12},
    "qwen3": _SIZES,
    "gemma3_text": {**_SIZES, "sliding_window": 12},
    "phi3": _SIZES,
    "olmo2": _SIZES,
    "gpt2": {"vocab_size": 324, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
}
# Families that can be sampled from, but whose attention is their own: prompts cannot be shared.
UNSHARED = {"bloom": {"vocab_size": 324, "hidden_size": 32, "n_layer": 2, "n_head": 4}}

_TEXT = [
    "Problem:\nWhat is $12+30$?\n\nSolution (fine):\nAdd: $12+30=42$. The answer is $\\boxed{42}$.",
    "Here is a math problem: What is $7 \\cdot 8$?\nHere is a candidate solution: $\\boxed{56}$.\n"
    "The above candidate solution is correct",
    "The above candidate solution is incorrect",
]


def make_tokenizer(single_token_labels: bool = True) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of about 320 entries. Without single-token labels " incorrect" is several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320 if single_token_labels else 258,
        show_progress=False,
        special_tokens=["<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(_TEXT * 4, trainer)
    if single_token_labels:
        tokenizer.add_tokens([" correct", " incorrect"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")


def make_letters() -> PreTrainedTokenizerFast:
    """A tokenizer whose 324 tokens are single letters, as many as the models have: a text tells which tokens were drawn."""
    letters = ["\n", *map(chr, range(32, 127)), *map(chr, range(0x100, 0x100 + 227))]
    vocabulary = {letter: number for number, letter in enumerate(["<eos>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="?"))
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")


def make_model(
    folder: Path,
    family: str = "qwen2",
    seed: int = 0,
    single_token_labels: bool = True,
    letters: bool = False,
) -> Path:
    """Writes a checkpoint folder and returns it."""
    torch.manual_seed(seed)
    tokenizer = make_letters() if letters else make_tokenizer(single_token_labels)
    config = CONFIG_MAPPING[family](
        **{**FAMILIES, **UNSHARED}[family], bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=None
    )
    model = AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():  # wider than the usual start, so that greedy choices are not near-ties
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def solutions(num_problems: int = 3) -> list[LabeledSolution]:
    made = []
    for number in range(num_problems):
        problem = f"What is ${number}+3$?"
        for right in range(2):
            steps = (f"Add {right}: ${number}+3={number + 3}$. ", f"$\\boxed{{{number + 3}}}$")
            made.append(LabeledSolution(f"p{number}", problem, "".join(steps), True, "fine", steps, (1, 1)))
        for wrong in range(number + 1):
            steps = (f"Add: ${number}+3={wrong + 11}$. ", f"$\\boxed{{{wrong + 11}}}$")
            made.append(LabeledSolution(f"p{number}", problem, "".join(steps), False, "fine", steps, (-1, 1)))
    return made


def write_gguf(folder: Path, file: Path) -> Path:
    """Writes a llama or qwen2 checkpoint of `make_model` as a GGUF file, its matrices in 8 bits (Q8_0), as llama.cpp does."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder)
    config = model.config
    writer = GGUFWriter(file, config.model_type)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    added = set(tokenizer.get_added_vocab())
    kinds = [4 if token in added else 1 for token in vocabulary]
    unused = [
        "<|endoftext|>",
        "<unused>",
    ]  # transformers' tokenizers of GGUF files add the former where it is not there
    assert len(vocabulary) + len(unused) == config.vocab_size
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary + unused)
    writer.add_token_types(kinds + [5] * len(unused))
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    for name, tensor in model.state_dict().items():
        values = _rotated(name, tensor, config).numpy()
        exact = values.ndim == 1 or values.shape[-1] % 32
        kind = GGMLQuantizationType.F32 if exact else GGMLQuantizationType.Q8_0
        writer.add_tensor(_gguf_name(name), quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _gguf_name(name: str) -> str:
    parts = {"model.": "", "layers.": "blk.", "embed_tokens": "token_embd", "lm_head": "output"}
    parts |= {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    parts |= {"self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    parts |= {"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
    for ours, theirs in parts.items():
        name = name.replace(ours, theirs)
    return "output_norm.weight" if name == "norm.weight" else name


def _rotated(name: str, tensor: torch.Tensor, config: Any) -> torch.Tensor:
    """Of Llama's queries and keys GGUF holds the halves of each head interleaved."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((heads[part] for part in heads if part in name), None)
    if config.model_type != "llama" or count is None:
        return tensor
    return tensor.view(count, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)
