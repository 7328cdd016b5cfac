"""A small Llama in NumPy: the embedded models without the seconds that importing torch and transformers takes.

`solve` answers within two seconds by it. Everything else, training included, is done by transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

__all__ = ["Read", "SmallLlama", "Written"]

Floats = npt.NDArray[np.floating[Any]]  # of single precision; the library's types do not keep it

# Of the file of weights. Up to there the import of torch takes longer than what it would save. Our choice; the embedded base has 5 MB.
_LARGEST = 32 * 2**20
_ROOM = 64  # tokens for which there is room at first; doubled when it is full

_LONGEST = 2**15  # context, since the angles of all its places are computed at once. Our choice.

# What the config of a Llama may say for this arithmetic to be its own, as transformers 5 writes it.
_MUST_BE: Mapping[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}
# What it may say besides: sizes, which are compared with the weights, and what no logit depends on.
_SIZES = {
    "head_dim", "hidden_size", "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers",
    "num_key_value_heads", "rms_norm_eps", "rope_parameters", "tie_word_embeddings", "vocab_size",
}  # fmt: skip
_IDLE = {
    "attention_dropout", "bos_token_id", "dtype", "eos_token_id", "initializer_range", "pad_token_id", "pretraining_tp",
    "transformers_version", "use_cache",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What the layers hold of a text; keys and values: (layers, key heads, tokens, width)."""

    keys: Floats
    values: Floats

    @property
    def num_tokens(self) -> int:
        return int(self.keys.shape[2])


class Written:
    """What the layers hold of rows that go on from a text, all of them equally long.

    Args:
        read: Of the text.
    """

    def __init__(self, read: Read) -> None:
        layers, heads, _, width = read.keys.shape
        self._keys = np.empty((layers, heads, 1, _ROOM, width), np.float32)
        self._values = np.empty_like(self._keys)
        self.num_tokens = 0

    def follow(self, parents: Sequence[int]) -> None:
        """The rows of the next step each go on from a row of this one."""
        if list(parents) != list(range(self._keys.shape[2])):
            self._keys, self._values = self._keys[:, :, parents], self._values[:, :, parents]
        if self.num_tokens == self._keys.shape[3]:
            self._keys = np.concatenate([self._keys, np.empty_like(self._keys)], axis=3)
            self._values = np.concatenate([self._values, np.empty_like(self._values)], axis=3)

    def hold(self, layer: int, keys: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Adds the newest token of each row, (key heads, rows, width), and returns those of all its tokens:
        (key heads, rows, tokens, width)."""
        self._keys[layer, :, :, self.num_tokens] = keys
        self._values[layer, :, :, self.num_tokens] = values
        upto = self.num_tokens + 1
        return self._keys[layer, :, :, :upto], self._values[layer, :, :, :upto]


@dataclass(frozen=True)
class _Layer:
    before_attention: Floats
    queries: Floats
    keys: Floats
    values: Floats
    output: Floats
    before_mlp: Floats
    gate: Floats
    up: Floats
    down: Floats


class SmallLlama:
    """Logits, in float32.

    Args:
        config: As in config.json.
        weights: By their names in the file, all of them float32.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Floats]) -> None:
        self._heads: int = config["num_attention_heads"]
        self._key_heads: int = config["num_key_value_heads"]
        self._width: int = config["head_dim"]
        self._epsilon = np.float32(config["rms_norm_eps"])
        self.context_length: int = config["max_position_embeddings"]
        self._embedding = weights["model.embed_tokens.weight"]
        head = self._embedding if config["tie_word_embeddings"] else weights["lm_head.weight"]
        self._head = np.ascontiguousarray(head.T)
        self._norm = weights["model.norm.weight"]
        self._layers = [_layer(weights, number) for number in range(config["num_hidden_layers"])]
        # In single precision, whose angles of late places are a little off: those that the model was trained with.
        turns = 1 / np.float32(config["rope_parameters"]["rope_theta"]) ** (
            np.arange(0, self._width, 2, dtype=np.float32) / self._width
        )
        angles = np.outer(np.arange(self.context_length, dtype=np.float32), turns)
        self._cosines = np.cos(np.concatenate([angles, angles], axis=-1))
        self._sines = np.sin(np.concatenate([-angles, angles], axis=-1))

    @classmethod
    def from_folder(cls, folder: Path) -> SmallLlama | None:
        """The model of a folder; None if it is no Llama, too large, in another precision, or anything about it is not as expected:
        transformers then reads it, or says what is wrong with it."""
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if not _is_known(config) or (folder / "model.safetensors").stat().st_size > _LARGEST:
                return None
            if (folder / "adapter_config.json").exists():
                return None
            with safe_open(folder / "model.safetensors", "np") as file:
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
            if any(values.dtype != np.float32 for values in weights.values()):
                return None
            if {name: values.shape for name, values in weights.items()} != _shapes(config):
                return None
            return cls(config, weights)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
            return None

    def read(self, ids: Sequence[int], before: Read | None = None, everywhere: bool = False) -> tuple[Floats, Read]:
        """The logits after a text, (1, vocabulary), and what the layers hold of it and of what came before it.

        Args:
            ids: At least one.
            before: What the text goes on from.
            everywhere: Whether the logits after each of its tokens are wanted: (tokens, vocabulary).
        """
        known = before.num_tokens if before else 0
        later = np.triu(np.full((len(ids), known + len(ids)), -np.inf, np.float32), known + 1)
        all_keys, all_values = [], []

        def attend(layer: int, queries: Floats, keys: Floats, values: Floats) -> Floats:
            keys, values = keys[0], values[0]
            if before:
                keys = np.concatenate([before.keys[layer], keys], axis=1)
                values = np.concatenate([before.values[layer], values], axis=1)
            all_keys.append(keys)
            all_values.append(values)
            weights = _softmax(self._grouped(queries[0]) @ keys.swapaxes(-1, -2)[:, None] + later)
            return (weights @ values[:, None]).reshape(1, self._heads, len(ids), -1)

        logits = self._logits(np.array([ids]), slice(known, known + len(ids)), attend, everywhere)
        return logits, Read(np.stack(all_keys), np.stack(all_values))

    def step(self, newest: Sequence[int], read: Read, written: Written) -> Floats:
        """The logits after one more token of each row: (rows, vocabulary). Adds it to `written`."""
        rows, length = len(newest), read.num_tokens

        def attend(layer: int, queries: Floats, keys: Floats, values: Floats) -> Floats:
            keys, values = written.hold(layer, keys[:, :, 0].swapaxes(0, 1), values[:, :, 0].swapaxes(0, 1))
            queries = queries.reshape(rows, self._key_heads, -1, self._width).swapaxes(0, 1)
            in_one = (self._key_heads, -1, self._width)  # the text is the same for all rows: one product for each head
            on_text = queries.reshape(in_one) @ read.keys[layer].swapaxes(-1, -2)
            on_written = queries @ keys.swapaxes(-1, -2)
            weights = _softmax(np.concatenate([on_text.reshape(*queries.shape[:-1], length), on_written], axis=-1))
            seen = weights[..., :length].reshape(self._key_heads, -1, length) @ read.values[layer]
            seen = seen.reshape(queries.shape) + weights[..., length:] @ values
            by_row: Floats = seen.swapaxes(0, 1).reshape(rows, self._heads, 1, self._width)
            return by_row

        place = read.num_tokens + written.num_tokens
        logits = self._logits(np.array(newest)[:, None], slice(place, place + 1), attend)
        written.num_tokens += 1
        return logits

    def _logits(
        self,
        ids: npt.NDArray[np.int64],
        places: slice,
        attend: Callable[[int, Floats, Floats, Floats], Floats],
        everywhere: bool = False,
    ) -> Floats:
        """The logits after the last token of each row, or after each token of a single one; ids: (rows, tokens)."""
        hidden = self._embedding[ids]  # (rows, tokens, size)
        cosines, sines = self._cosines[places], self._sines[places]
        for number, layer in enumerate(self._layers):
            normed = self._normed(hidden, layer.before_attention)
            queries = _rotated(self._by_head(normed @ layer.queries), cosines, sines) * np.float32(self._width**-0.5)
            keys = _rotated(self._by_head(normed @ layer.keys), cosines, sines)
            seen = attend(number, queries, keys, self._by_head(normed @ layer.values))
            hidden = hidden + seen.transpose(0, 2, 1, 3).reshape(*ids.shape, -1) @ layer.output
            normed = self._normed(hidden, layer.before_mlp)
            gate = normed @ layer.gate
            hidden = hidden + (gate * (0.5 + 0.5 * np.tanh(0.5 * gate)) * (normed @ layer.up)) @ layer.down
        logits: Floats = self._normed(hidden[0] if everywhere else hidden[:, -1], self._norm) @ self._head
        return logits

    def _normed(self, hidden: Floats, weight: Floats) -> Floats:
        """Root mean square layer normalization."""
        size = np.sqrt(np.mean(np.square(hidden), axis=-1, keepdims=True, dtype=np.float32) + self._epsilon)
        normed: Floats = hidden / size * weight
        return normed

    def _by_head(self, values: Floats) -> Floats:
        """(rows, tokens, heads * width) to (rows, heads, tokens, width)."""
        return values.reshape(*values.shape[:2], -1, self._width).transpose(0, 2, 1, 3)

    def _grouped(self, queries: Floats) -> Floats:
        """(heads, tokens, width) to (key heads, heads that share one, tokens, width)."""
        return queries.reshape(self._key_heads, -1, *queries.shape[1:])


def _is_known(config: Mapping[str, Any]) -> bool:
    rope = config["rope_parameters"]
    return (
        all(config[name] == value for name, value in _MUST_BE.items())
        and config.keys() <= _MUST_BE.keys() | _SIZES | _IDLE
        and rope.keys() == {"rope_theta", "rope_type"}
        and rope["rope_type"] == "default"
        and config["max_position_embeddings"] <= _LONGEST
        and config["num_attention_heads"] % config["num_key_value_heads"] == 0
    )


def _shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of all the weights that the config implies."""
    size, inner, width = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, key_heads = config["num_attention_heads"] * width, config["num_key_value_heads"] * width
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], size),
        "model.norm.weight": (size,),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], size)
    of_layer = {
        "input_layernorm": (size,),
        "self_attn.q_proj": (heads, size),
        "self_attn.k_proj": (key_heads, size),
        "self_attn.v_proj": (key_heads, size),
        "self_attn.o_proj": (size, heads),
        "post_attention_layernorm": (size,),
        "mlp.gate_proj": (inner, size),
        "mlp.up_proj": (inner, size),
        "mlp.down_proj": (size, inner),
    }
    for number in range(config["num_hidden_layers"]):
        shapes |= {f"model.layers.{number}.{name}.weight": shape for name, shape in of_layer.items()}
    return shapes


def _layer(weights: Mapping[str, Floats], number: int) -> _Layer:
    at = f"model.layers.{number}"

    def matrix(name: str) -> Floats:
        return np.ascontiguousarray(weights[f"{at}.{name}.weight"].T)

    return _Layer(
        before_attention=weights[f"{at}.input_layernorm.weight"],
        queries=matrix("self_attn.q_proj"),
        keys=matrix("self_attn.k_proj"),
        values=matrix("self_attn.v_proj"),
        output=matrix("self_attn.o_proj"),
        before_mlp=weights[f"{at}.post_attention_layernorm.weight"],
        gate=matrix("mlp.gate_proj"),
        up=matrix("mlp.up_proj"),
        down=matrix("mlp.down_proj"),
    )


def _rotated(values: Floats, cosines: Floats, sines: Floats) -> Floats:
    """Rotary position embedding: the halves of a head are the two coordinates. The sines of the first half are negative."""
    half = values.shape[-1] // 2
    rotated: Floats = values * cosines + np.concatenate([values[..., half:], values[..., :half]], axis=-1) * sines
    return rotated


def _softmax(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    normalized: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return normalized
