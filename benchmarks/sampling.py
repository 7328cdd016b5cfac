"""Sampling N candidates: ours beside transformers' `generate`, same model, same settings, one core, in turn.

    python benchmarks/sampling.py [--rounds 3] [--tokens 48]

Tokens per processor second, the ratio (median and range over rounds), the share of the machine's matrix product that ours
reaches (two operations per weight and token), and processor milliseconds per candidate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from pairs import matmul_peak, qwen2, time_in_turn, widened

from mathquorum.assets import tiny_base_path
from mathquorum.datasets import minimath
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.models import Hardware, LoadedModel, load_model
from mathquorum.prompts import Shown, generator_prompt


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48, help="per candidate at most")
    parser.add_argument("--only", type=int, help="this N alone")
    parser.add_argument("--model", default=str(tiny_base_path()), help="a Llama of the embedded base's shape")
    parser.add_argument("--style", help="the style tag of its prompts")
    parser.add_argument(
        "--continuous", action="store_true", help="beside generate_batch instead: one problem, minutes on a CPU"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    tiny = load_model(options.model, Hardware(device="cpu"))
    if options.continuous:
        (problem,) = minimath.load("test", 1)
        beside_continuous(tiny, generator_prompt(problem.text, options.style), options.rounds)
        return
    peak = matmul_peak()
    print(f"matrix product: {peak / 1e9:.0f} GFLOP/s\n")
    print("| model | problems | N | ours, tokens/s | generate, tokens/s | ratio | of the peak | ms per candidate |")
    print("|---|---|---|---|---|---|---|---|")
    device = torch.device("cpu")
    large = LoadedModel(widened(tiny.model, 4, 10), tiny.codec, device)
    untuned = LoadedModel(qwen2(512, 8, 8192), tiny.codec, device)
    for name, loaded, problems, sizes in (
        ("1.3 M", tiny, 8, (1, 4, 16, 64, 256)),
        ("32 M", large, 4, (1, 16, 64)),
        ("30 M, random weights", untuned, 2, (1, 16, 64)),
    ):
        weights = sum(p.numel() for p in loaded.model.parameters())
        for size in sizes:
            if options.only in (None, size):
                prompts = [generator_prompt(p.text, options.style) for p in minimath.load("test", problems)]
                row(name, loaded, weights, prompts, size, options.tokens, options.rounds, peak)


def row(
    name: str,
    loaded: LoadedModel,
    weights: int,
    prompts: Sequence[Shown],
    size: int,
    tokens: int,
    rounds: int,
    peak: float,
    beside: LoadedModel | None = None,
) -> None:
    """One line of the table; `generate` has the model `beside` where it is given."""
    engine = HuggingFaceEngine(loaded)
    requests = [Request(p, tuple(candidate_seed(0, str(p), i) for i in range(size))) for p in prompts]
    counts: dict[str, int] = {}

    def ours() -> None:
        found = engine.generate(requests, Sampling(temperature=0.8, top_p=0.95, max_tokens=tokens), ())
        counts["ours"] = sum(c.num_tokens for completions in found for c in completions)

    def theirs() -> None:
        counts["theirs"] = sum(generated(beside or loaded, prompt, size, tokens) for prompt in prompts)

    timed = time_in_turn(ours, theirs, rounds)
    rates = [counts["ours"] / median(timed.ours), counts["theirs"] / median(timed.theirs)]
    # The two draw different tokens, so their lengths differ a little: the ratio is of tokens per second.
    scale = counts["ours"] / counts["theirs"]
    ratios = sorted(scale * b / a for a, b in zip(timed.ours, timed.theirs, strict=True))
    cells = [
        name, len(prompts), size, f"{rates[0]:,.0f}", f"{rates[1]:,.0f}",
        f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        f"{100 * 2 * weights * rates[0] / peak:.0f} %",
        f"{1000 * median(timed.ours) / (len(prompts) * size):.1f}",
    ]  # fmt: skip
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def beside_continuous(loaded: LoadedModel, prompt: str, rounds: int, size: int = 16, tokens: int = 16) -> None:
    """Beside continuous batching with a paged cache, transformers' own for many candidates."""
    from transformers import GenerationConfig

    engine = HuggingFaceEngine(loaded)
    requests = [Request(prompt, tuple(candidate_seed(0, prompt, i) for i in range(size)))]
    end = loaded.tokenizer.eos_token_id
    config = GenerationConfig(
        do_sample=True, temperature=0.8, top_p=0.95, max_new_tokens=tokens, num_return_sequences=size,
        eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    timed = time_in_turn(
        lambda: engine.generate(requests, Sampling(temperature=0.8, top_p=0.95, max_tokens=tokens), ()),
        lambda: loaded.model.generate_batch([loaded.codec.prompt(prompt)], generation_config=config),
        rounds,
    )
    print(f"generate_batch, one problem, N = {size}, {tokens} tokens: {timed.ratio} times as long as ours")


def generated(loaded: LoadedModel, prompt: Shown, size: int, tokens: int) -> int:
    """How many tokens `generate` wrote."""
    ids = torch.tensor([loaded.codec.prompt(prompt)])
    end = loaded.tokenizer.eos_token_id
    call: Callable[..., Any] = loaded.model.generate
    with torch.inference_mode():
        found = call(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=0.8,
            top_p=0.95,
            top_k=0,
            max_new_tokens=tokens,
            num_return_sequences=size,
            pad_token_id=end,
            eos_token_id=end,
        )[:, ids.shape[1] :]
    ended = (found == end).int().cumsum(dim=-1) - (found == end).int() == 0  # up to and with the first end
    return int(ended.sum())


if __name__ == "__main__":
    main()
