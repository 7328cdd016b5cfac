"""One GPU: speed and memory of training under every objective and of sampling, for a model folder. About ten minutes on an H100.

    python benchmarks/gpu.py MODEL [--out runs/gpu]        # on a GPU
    python benchmarks/gpu.py MODEL --small                 # a trial of the script itself, on a CPU too

Each row is measured in a process of its own and kept in OUT/rows.jsonl: called again, the script measures what is missing. Training: bf16
(on a CPU float32) of all weights and of a LoRA adapter, random chains of sums as solutions, tokens as they are trained on and
operations as they are computed (texts of a pair share their beginning). Sampling: N = 64 candidates of each of several problems.

Limits are the data sheet's for cards that are known here, else measured: a product of square matrices, and a copy.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mathquorum.engines.base import Request, Sampling
from mathquorum.engines.embedded.footprint import sampling_peak
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.models import Hardware, load_config, load_model
from mathquorum.models.footprint import Shape
from mathquorum.objectives import (
    ContrastiveLoss,
    CrossEntropyLoss,
    MarginLoss,
    PairwiseLoss,
    SolutionLoss,
    StepLoss,
)
from mathquorum.prompts import generator_prompt
from mathquorum.records import LabeledSolution
from mathquorum.store import write_rows
from mathquorum.training.batches import Step, plan_steps, step_chunks
from mathquorum.training.footprint import Load, training_peak
from mathquorum.training.lora import freeing_at_once, new_adapter
from mathquorum.training.settings import Lora, Training
from mathquorum.training.trainer import WeightedObjective, train

OBJECTIVES: dict[str, Any] = {
    "solution": SolutionLoss(),
    "cross_entropy": CrossEntropyLoss(),
    "margin": MarginLoss(),
    "pairwise": PairwiseLoss(),
    "contrastive": ContrastiveLoss(),
    "steps": StepLoss(),
}
KINDS = ("all weights", "LoRA r = 16")
ROWS = [*(f"{kind}, {name}" for kind in KINDS for name in OBJECTIVES), "sampling"]
# Operations a second in bfloat16 without sparsity, and bytes a second, of data sheets. The first name that fits counts.
CARDS = {
    "H200": (989e12, 4.8e12),
    "H100 PCIe": (756e12, 2.0e12),
    "H100 NVL": (835e12, 3.9e12),
    "H100": (989e12, 3.35e12),
    "A100-SXM4-40GB": (312e12, 1.555e12),
    "A100-SXM4-80GB": (312e12, 2.039e12),
    "A100 80GB PCIe": (312e12, 1.935e12),
}
WARM = 2  # steps before the clock is started
CANDIDATES = 64


def main() -> None:
    """Measures what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a folder of Hugging Face's, say Qwen2.5-Coder-0.5B")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--small", action="store_true", help="few and short texts")
    parser.add_argument("--minutes", type=float, default=10, help="no row is begun after so many")
    parser.add_argument("--only", help="rows whose name holds this")
    parser.add_argument("--here", choices=ROWS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure = sampled if options.here == "sampling" else trained
        print(json.dumps({"row": options.here, **measure(options.model, options.here, options.small)}))
        return
    kept = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    until = time.monotonic() + 60 * options.minutes
    for name in ROWS:
        if any(row["row"] == name for row in rows) or (options.only or "") not in name:
            continue
        if time.monotonic() > until:
            print(f"{name}: no time left. Run the same command again.", file=sys.stderr)
            continue
        found = in_a_process(name, sys.argv[1:])
        if found:
            rows.append(found)
            options.out.mkdir(parents=True, exist_ok=True)
            write_rows(kept, rows)
    show(options.model, rows)


def in_a_process(name: str, arguments: Sequence[str]) -> dict[str, Any] | None:
    """The row; None, and the reason told, where its process failed."""
    done = subprocess.run([sys.executable, __file__, *arguments, "--here", name], capture_output=True, text=True)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found
    print(f"{name} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
    return None


def show(model: str, rows: Sequence[dict[str, Any]]) -> None:
    """Goals: 45% of the matrix peak in training, 50% of the bandwidth in decoding, memory within 15%."""
    cards = ", ".join(sorted({row["card"] for row in rows}))
    print(f"{Path(model).name} on {cards or 'nothing yet'}\n")
    print("| what | tokens/s | share of the limit | the limit | memory estimated, GB | measured, GB | ratio |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        memory = [row["estimated"] / 1e9, row["measured"] / 1e9]
        cells = [row["row"], f"{row['tokens_per_second']:,.0f}", f"{row['share']:.1%}", row["limit"]]
        print("| " + " | ".join([*cells, *(f"{size:.2f}" for size in memory), f"{memory[0] / memory[1]:.2f}"]) + " |")


# --- training ---------------------------------------------------------------------------------------------------------


def trained(model: str, row: str, small: bool) -> dict[str, Any]:
    """A row of training."""
    kind, name = row.split(", ")
    objective, hardware = OBJECTIVES[name], Hardware()
    lora = Lora() if kind != KINDS[0] else None
    loaded = load_model(model, hardware, dtype=None if lora else torch.float32)
    examples = objective.examples(chains(4 if small else 200, 6 if small else 16), loaded.codec, 2048, 0).examples
    training = Training(steps=WARM + (1 if small else 10), lora=lora, batch_tokens=512 if small else 8192)
    assert training.steps is not None
    tokens = training.steps * 2 * training.batch_tokens  # two passes a step
    steps = plan_steps([examples], [0], training.steps, 0, tokens)
    shape = Shape.of(model)
    load = Load.of(steps, [objective.num_slots], training.batch_tokens)
    clock = Clock(len(steps))
    with tempfile.TemporaryDirectory() as folder, allocating(lora, hardware):
        train(
            new_adapter(loaded.model, lora, 0) if lora else loaded.model, steps, [WeightedObjective(objective, 1.0)],
            training, 0, hardware, Path(folder), clock.tick,
        )  # fmt: skip
    timed, measured = steps[WARM:], peak_memory()
    return {
        "tokens_per_second": sum(step.num_tokens for step in timed) / clock.seconds,
        **against(operations(model, timed, objective.num_slots, lora) / clock.seconds, 0, hardware),
        "estimated": training_peak(shape, load, training, hardware),
        "measured": measured,
    }


def allocating(lora: Lora | None, hardware: Hardware) -> contextlib.AbstractContextManager[None]:
    """As the stage that trains does."""
    return freeing_at_once() if lora and hardware.torch_device().type == "cpu" else contextlib.nullcontext()


def chains(problems: int, length: int) -> list[LabeledSolution]:
    """Four solutions of each problem, two of them with a wrong step in the middle."""
    draw = random.Random(0)
    made = []
    for number in range(problems):
        terms = [draw.randrange(10, 99) for _ in range(length + 1)]
        problem = f"Compute ${' + '.join(map(str, terms))}$."
        for attempt in range(4):
            wrong, total, steps = attempt % 2 == 1, terms[0], []
            for place, term in enumerate(terms[1:]):
                before = total
                total += term + (wrong and place == length // 2)
                steps.append(f"Step {place + 1}: adding {term} to {before} gives ${before} + {term} = {total}$.\n")
            steps.append(f"The answer is $\\boxed{{{total}}}$.")
            bad = len(steps) - length // 2 - 1
            ratings = (*[1] * (length // 2), *[-1 if wrong else 1] * (bad + 1))
            made.append(
                LabeledSolution(f"p{number}", problem, "".join(steps), not wrong, None, tuple(steps), tuple(ratings))
            )
    return made


def operations(model: str, steps: Sequence[Step], slots: int, lora: Lora | None) -> float:
    """Of the forward and the backward pass, without those that are repeated: 2 for each weight and token forward, as many for the slopes
    of what the layers are given, and as many for those of the weights, where all are trained; the head where it is read."""
    shape, passes, found = Shape.of(model), 2 if lora else 3, 0
    head = shape.width * shape.vocabulary
    layers = used_weights(model) - head
    for step in steps:
        for chunk in step_chunks(step, [slots], 2**31, longest_grouped=2**31):
            places = len(set(chunk.tensors["places"].tolist()))
            found += passes * 2 * (layers * chunk.tensors["input_ids"].numel() + head * places)
    return float(found)


def used_weights(model: str) -> int:
    """Those that are multiplied by: all but an embedding that is not the head, too."""
    shape, tied = Shape.of(model), load_config(model).get_text_config(decoder=True).tie_word_embeddings
    return shape.weights - (0 if tied else shape.width * shape.vocabulary)


class Clock:
    """Seconds from the end of the warm steps to that of the last."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._began = self.seconds = 0.0

    def tick(self, done: int, total: int) -> None:
        """A step has ended."""
        if done in (WARM, self._steps):
            wait_for_gpu()
            now = time.perf_counter()
            self._began, self.seconds = now, now - self._began


# --- sampling ---------------------------------------------------------------------------------------------------------


def sampled(model: str, row: str, small: bool) -> dict[str, Any]:
    """The row of sampling."""
    hardware, shape = Hardware(), Shape.of(model)
    loaded = load_model(model, hardware)
    prompts = [generator_prompt(item.problem, None) for item in chains(1 if small else 8, 6 if small else 16)[::4]]
    requests = [Request(prompt, tuple(range(CANDIDATES))) for prompt in prompts]
    sampling = Sampling(temperature=0.9, top_p=0.95, max_tokens=8 if small else 256)
    engine = HuggingFaceEngine(loaded, batch_rows=CANDIDATES * len(prompts))
    engine.generate(requests[:1], sampling.model_copy(update={"max_tokens": 4}), ())  # what is made once
    mean = sum(len(loaded.codec.prompt(prompt)) for prompt in prompts) / len(prompts)
    traffic = Traffic(used_weights(model), shape, hardware, len(prompts), mean)
    hook = loaded.model.register_forward_pre_hook(traffic.hear, with_kwargs=True)
    wait_for_gpu()
    began = time.perf_counter()
    found = engine.generate(requests, sampling, ())
    wait_for_gpu()
    seconds, measured = time.perf_counter() - began, peak_memory()
    hook.remove()
    return {
        "tokens_per_second": sum(c.num_tokens for completions in found for c in completions) / seconds,
        **against(0, float(traffic.read) / seconds, hardware),
        "estimated": sampling_peak(shape, CANDIDATES * len(prompts), sampling.max_tokens, hardware),
        "measured": measured,
    }


class Traffic:
    """What decoding must read at least: in every step the weights and the prompts' keys and values once, and what each row has written.

    Args:
        weights: That a step reads.
        shape: Of the model.
        hardware: Where.
        prompts: That are there.
        length: Of a prompt, on average.
    """

    def __init__(self, weights: int, shape: Shape, hardware: Hardware, prompts: int, length: float) -> None:
        size = hardware.torch_dtype().itemsize
        self._weights, self._per_token = weights * size, 2 * shape.layers * shape.kept * size
        self._prompts, self._length = prompts * length, length
        self.read: Any = 0.0

    def hear(self, _: Any, __: Any, given: dict[str, Any]) -> None:
        """A forward pass begins."""
        if given["input_ids"].shape[1] == 1:
            written = (given["position_ids"] - self._length).clamp(min=0).sum(dtype=torch.float64)
            self.read = self.read + self._weights + self._per_token * (self._prompts + written)


# --- limits -----------------------------------------------------------------------------------------------------------


def against(operations_per_second: float, bytes_per_second: float, hardware: Hardware) -> dict[str, Any]:
    """The share of the limit, which one, and the card's name."""
    device = hardware.torch_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU, one thread"
    known = next((limits for part, limits in CARDS.items() if part in name), None)
    source = "data sheet" if known else "measured"
    if bytes_per_second:
        limit = known[1] if known else copied(hardware)
        return {"share": bytes_per_second / limit, "limit": f"{limit / 1e9:,.0f} GB/s ({source})", "card": name}
    limit = known[0] if known else multiplied(hardware)
    return {"share": operations_per_second / limit, "limit": f"{limit / 1e12:,.2f} TFLOP/s ({source})", "card": name}


def multiplied(hardware: Hardware) -> float:
    """Operations a second of a product of square matrices."""
    size = 8192 if hardware.torch_device().type == "cuda" else 1024
    one = torch.randn(size, size, device=hardware.torch_device()).to(hardware.torch_dtype())
    return 2 * size**3 / fastest(lambda: one @ one)


def copied(hardware: Hardware) -> float:
    """Bytes a second, read and written, of a copy."""
    one = torch.zeros(2**28 if hardware.torch_device().type == "cuda" else 2**25, device=hardware.torch_device())
    other = torch.empty_like(one)
    return 2 * 4 * one.numel() / fastest(lambda: other.copy_(one))


def fastest(work: Any) -> float:
    """Seconds of the fastest of ten."""
    taken = []
    for _ in range(10):
        wait_for_gpu()
        began = time.perf_counter()
        work()
        wait_for_gpu()
        taken.append(time.perf_counter() - began)
    return min(taken)


def wait_for_gpu() -> None:
    """Until it has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_memory() -> float:
    """Bytes: a GPU's, as allocated by tensors; on a CPU the process's."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
