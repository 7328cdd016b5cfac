"""Peaks of memory: what is estimated before a model is loaded, beside what a process took, on the CPU.

    python benchmarks/memory.py FOLDER [--tokens 1024] [--max-tokens 48] [--only lora]

Two optimizer steps of random texts of 128 tokens, two thirds of each read; two batches of candidates that do not end. Each row is a
process of its own. Full training of a model of 630 million weights takes more than 10 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from mathquorum.engines.base import Request, Sampling
from mathquorum.engines.embedded.footprint import sampling_peak
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.models import Hardware, load_model
from mathquorum.models.footprint import Shape
from mathquorum.objectives import SolutionLoss
from mathquorum.objectives.examples import Example, Read, TokenSequence
from mathquorum.training.batches import plan_steps
from mathquorum.training.footprint import Load, training_peak
from mathquorum.training.lora import freeing_at_once, new_adapter
from mathquorum.training.settings import Lora, Training
from mathquorum.training.trainer import WeightedObjective, train

LENGTH = 128
CPU = Hardware(device="cpu")
ROWS = {"sampling, 8 rows": 8, "sampling, 32 rows": 32}
KINDS = ("all weights", "lora", *ROWS)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=1024, help="of a forward pass in training")
    parser.add_argument("--max-tokens", type=int, default=48, help="of a candidate")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--here", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        estimated = (sampled if options.here in ROWS else trained)(options.model, options.here, options)
        measured = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(f"| {options.here} | {estimated / 1e9:.2f} | {measured / 1e9:.2f} | {estimated / measured:.2f} |")
        return
    print(f"| {Path(options.model).name} | estimated, GB | measured, GB | ratio |\n|---|---|---|---|")
    for kind in [options.only] if options.only else KINDS:
        arguments = ["--tokens", str(options.tokens), "--max-tokens", str(options.max_tokens), "--here", kind]
        done = subprocess.run(
            [sys.executable, __file__, options.model, *arguments], capture_output=True, text=True, check=True
        )
        print(done.stdout.strip().split("\n")[-1], flush=True)


def trained(model: str, kind: str, options: argparse.Namespace) -> float:
    """Bytes estimated, after a training of two steps."""
    lora = Lora() if kind == "lora" else None
    training = Training(steps=2, lora=lora, log_steps=1)
    shape = Shape.of(model)
    draw = random.Random(0)
    examples = []
    for _ in range(options.tokens // LENGTH):
        ids = tuple(draw.randrange(1, shape.vocabulary // 2) for _ in range(LENGTH))
        reads = tuple(Read(place, ids[place + 1], 0) for place in range(LENGTH // 3, LENGTH - 1))
        examples.append(Example((TokenSequence(ids, reads),), len(reads)))
    steps = plan_steps([examples], [len(examples)], 2, seed=0)
    estimated = training_peak(shape, Load.of(steps, [1], training.batch_tokens), training, CPU)
    loaded = load_model(model, CPU, dtype=torch.float32).model
    with tempfile.TemporaryDirectory() as folder, freeing_at_once() if lora else contextlib.nullcontext():
        train(
            new_adapter(loaded, lora, 0) if lora else loaded, steps, [WeightedObjective(SolutionLoss(), 1.0)],
            training, 0, CPU, Path(folder), lambda done, total: None,
        )  # fmt: skip
    return estimated


def sampled(model: str, kind: str, options: argparse.Namespace) -> float:
    """Bytes estimated, after a batch of candidates."""
    engine = HuggingFaceEngine(load_model(model, CPU), batch_rows=ROWS[kind])
    prompt = Request("A long history of mathematics, in many words.\n\n", tuple(range(ROWS[kind])))
    engine.generate([prompt], Sampling(temperature=1.5, top_p=1.0, max_tokens=options.max_tokens), [])
    return sampling_peak(Shape.of(model), ROWS[kind], options.max_tokens, CPU)


if __name__ == "__main__":
    main()
