"""Sampling N candidates of GSM8K problems with a model of yours: ours beside transformers' `generate`, one thread, in turn.

    python benchmarks/real_sampling.py FOLDER [--dtype bfloat16] [--problems 4] [--candidates 16] [--tokens 64] [--rounds 1] [--plain]
    python benchmarks/real_sampling.py FOLDER --profile        where the time of ours goes, by operator

Both get the same token ids of the same prompts (the model's chat template) and the same number type; ours from weights packed as runs have
them, theirs from those that transformers loads. Tokens per processor second, the ratio, and the share of the machine's matrix product
(two operations per weight of the linear layers and token) that ours comes to.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from pairs import matmul_peak
from sampling import row
from torch import nn

from mathquorum.datasets import gsm8k
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.models import Hardware, load_model
from mathquorum.models.packing import packed
from mathquorum.prompts import Prompt

PROBLEMS = Path(__file__).parents[1] / "tests/data/gsm8k/test.jsonl.gz"


def main() -> None:
    """Prints a row, or the operators that take longest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--problems", type=int, default=4)
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64, help="per candidate at most")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="plain prompts, as for a fine-tuned model")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wording = Prompt(template="plain" if options.plain else "chat")
    hardware = Hardware(device="cpu", dtype=options.dtype)
    prompts = [wording.generator(problem.text) for problem in gsm8k.load(PROBLEMS)][: options.problems]
    asked = packed(load_model(options.model, hardware, wording))
    if options.profile:
        profile(HuggingFaceEngine(asked), prompts, options.candidates, options.tokens)
        return
    peak = matmul_peak(dtype=hardware.torch_dtype())
    theirs = load_model(options.model, hardware, wording)
    weights = sum(layer.weight.numel() for layer in theirs.model.modules() if isinstance(layer, nn.Linear))
    print(
        f"matrix product, {options.dtype}: {peak / 1e9:.0f} GFLOP/s; {weights / 1e6:,.0f} M weights in linear layers\n"
    )
    print("| model | problems | N | ours, tokens/s | generate, tokens/s | ratio | of the peak | ms per candidate |")
    print("|---|---|---|---|---|---|---|---|")
    name = f"{Path(options.model).name}, {options.dtype}"
    row(name, asked, weights, prompts, options.candidates, options.tokens, options.rounds, peak, theirs)


def profile(engine: HuggingFaceEngine, prompts: list[Any], size: int, tokens: int) -> None:
    """Of one call, without the first."""
    sampling = Sampling(temperature=0.8, top_p=0.95, max_tokens=tokens)
    engine.generate([Request(prompts[0], (1, 2))], sampling.model_copy(update={"max_tokens": 2}), ())
    requests = [Request(p, tuple(candidate_seed(0, str(p), i) for i in range(size))) for p in prompts]
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as found:
        engine.generate(requests, sampling, ())
    print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=15, max_name_column_width=40))


if __name__ == "__main__":
    main()
