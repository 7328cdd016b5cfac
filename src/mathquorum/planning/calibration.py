"""The speed of a model on this machine, measured in seconds, and kept for the next plan."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError
from mathquorum.models import Hardware
from mathquorum.models.sources import files_of, read_source, weights_print
from mathquorum.planning.speed import Speed
from mathquorum.prompts import STOP_STRINGS, Prompt
from mathquorum.store import read_json, write_json

__all__ = ["Calibration"]

_ROWS = (1, 16)  # candidates at once, of which a step's own cost and that of a row are told apart
_WRITTEN = 16  # tokens of each
_LENGTH_ROWS, _LENGTH_TOKENS = 4, 160  # candidates whose length is looked at, and their longest
_TRAINED = 512  # tokens of a step
_DISK = 2**26  # bytes that are written
_VERSION = 2  # of what is kept


class Calibration:
    """Measures a model once for each machine, and reads it from a file later.

    Args:
        folder: Where measurements are kept.
        problems: Texts that the model is asked; at least one.
        measuring: Whether what is not kept may be measured.
        clock: Seconds of this process's own work, so that other work on the machine does not count.
    """

    def __init__(self, folder: Path, problems: Sequence[str], measuring: bool) -> None:
        self._folder, self._problems, self._measuring = folder, list(problems), measuring
        self._known: dict[str, Speed | None] = {}
        self.measured: list[str] = []

    def speed(self, model: str, hardware: Hardware, wording: Prompt) -> Speed | None:
        """The speed of a model; None where it is not known, or its weights are not here."""
        key = _key(model, hardware, wording)
        if key is None:
            return None
        if key not in self._known:
            self._known[key] = self._kept(key) or (
                self._measure(key, model, hardware, wording) if self._measuring else None
            )
        return self._known[key]

    def _kept(self, key: str) -> Speed | None:
        try:
            return Speed(**read_json(self._folder / f"{key}.json"))
        except (DataError, TypeError):
            return None

    def _measure(self, key: str, model: str, hardware: Hardware, wording: Prompt) -> Speed:
        speed = _measured(model, hardware, wording, self._problems)
        self.measured.append(model)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._folder / f"{key}.json", asdict(speed))
        return speed


def _key(model: str, hardware: Hardware, wording: Prompt) -> str | None:
    """Model, machine and hardware as one name; None where the model has no weights here."""
    source = read_source(model)
    if not source.is_local and not hardware.device:
        return None
    try:
        weights = weights_print(files_of(source.base))
    except Exception:  # a hub id that was not fetched: transformers raises whatever its hub client does
        return None
    if not any(file.suffix in (".safetensors", ".bin", ".gguf") for file in _files(files_of(source.base))):
        return None
    machine = f"{platform.node()} {platform.machine()} {os.cpu_count()} {hardware.resolved()} {hardware.threads}"
    told = f"{_VERSION} {weights} {machine} {wording.model_dump_json()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else list(place.iterdir())


def _measured(model: str, hardware: Hardware, wording: Prompt, problems: Sequence[str]) -> Speed:
    """Loads the model, trains a little with it, packs it as runs do, and writes and reads."""
    from mathquorum.engines.base import Request, Sampling
    from mathquorum.engines.embedded.hf import HuggingFaceEngine
    from mathquorum.models import load_model
    from mathquorum.models.packing import packed

    began = time.process_time()
    loaded = load_model(model, hardware, wording)
    loading = time.process_time() - began
    training, update = _training(loaded.model, hardware)
    engine = HuggingFaceEngine(packed(loaded))  # from here on it is only asked
    prompts = [wording.generator(text) for text in problems[:8]]
    engine.generate([Request(prompts[0], (1,))], Sampling(max_tokens=2), STOP_STRINGS)  # what is tried once

    def writing(rows: int) -> tuple[float, int]:
        """Seconds and steps of so many candidates that part at once."""
        hot = Sampling(temperature=4.0, top_p=1.0, max_tokens=_WRITTEN)
        seconds, found = _timed(hardware, lambda: engine.generate([Request(prompts[0], tuple(range(rows)))], hot, ()))
        return seconds, max(completion.num_tokens for completion in found[0])

    (one, few_steps), (many, steps) = (writing(rows) for rows in _ROWS)
    row = max((many / steps - one / few_steps) / (_ROWS[1] - _ROWS[0]), 1e-9)
    own = max(one / few_steps - row, 1e-9)
    usual = Sampling(max_tokens=_LENGTH_TOKENS)
    asked = [Request(prompt, (number,)) for number, prompt in enumerate(prompts[:_LENGTH_ROWS])]
    lengths = [of_one[0].num_tokens or 0 for of_one in engine.generate(asked, usual, STOP_STRINGS)]
    question = [wording.evaluator(text, "word " * 100) for text in problems[:6]]
    tokens = sum(len(loaded.codec.prompt(text)) for text in question)
    reading, _ = _timed(hardware, lambda: engine.label_probabilities(question, wording.labels))
    return Speed(
        source="measured on this machine",
        loading=loading,
        reading=reading / tokens,
        step=own,
        row=row,
        training=training,
        update=update,
        writing=_writing(),
        length=sum(lengths) / len(lengths),
    )


def _timed(hardware: Hardware, work: Any) -> tuple[float, Any]:
    """Seconds, and what came of the work. On a CPU they are the process's own, divided by its threads."""
    import torch

    if hardware.torch_device().type == "cuda":
        torch.cuda.synchronize()
        began = time.monotonic()
        found = work()
        torch.cuda.synchronize()
        return time.monotonic() - began, found
    began = time.process_time()
    found = work()
    return (time.process_time() - began) / hardware.threads, found


def _training(model: Any, hardware: Hardware) -> tuple[float, float]:
    """Seconds of a token forward and backward, and of the optimizer for all weights."""
    import torch

    vocabulary, device = model.config.get_text_config(decoder=True).vocab_size, hardware.torch_device()
    ids = torch.randint(vocabulary, (_TRAINED // 128, 128), generator=torch.Generator().manual_seed(0)).to(device)
    model.train()

    def once() -> None:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()

    seconds, _ = _timed(hardware, once)
    weights = [parameter for parameter in model.parameters() if parameter.grad is not None]
    size = sum(parameter.numel() for parameter in weights)
    part = max(weights, key=lambda parameter: parameter.numel())
    optimizer = torch.optim.AdamW([part], lr=0.0)
    optimizer.step()  # makes its averages
    update, _ = _timed(hardware, optimizer.step)
    for parameter in weights:
        parameter.grad = None
    model.eval()
    return seconds / _TRAINED, update * size / part.numel()


def _writing() -> float:
    """Seconds of a byte to the disk of temporary files."""
    block = os.urandom(2**20)
    with tempfile.TemporaryFile() as file:
        began = time.monotonic()
        for _ in range(_DISK // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return (time.monotonic() - began) / _DISK
