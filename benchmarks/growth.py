"""How the cost of sampling and scoring grows: with problems, with the length of solutions, with the model.

    python benchmarks/growth.py [--rounds 2]

Processor seconds on one core, best of the rounds, per candidate; beside each the factor from the row above. Linear cost is a
flat last column but one. Models other than the embedded one are random: what they write ends at the limit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence

import torch
from pairs import matmul_peak, qwen2

from mathquorum.assets import tiny_base_path
from mathquorum.datasets import minimath
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.evaluator import evaluator_scores
from mathquorum.models import Hardware, LoadedModel, load_model, load_tokenizer
from mathquorum.models.codec import Codec
from mathquorum.prompts import generator_prompt
from mathquorum.records import Candidate, Problem

VOCABULARY = 8192


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    peak = matmul_peak()
    print(f"matrix product: {peak / 1e9:.0f} GFLOP/s\n")
    print("| | sampling, ms per candidate | factor | of the peak | scoring, ms per candidate | factor |")
    print("|---|---|---|---|---|---|")
    tiny = load_model(str(tiny_base_path()), Hardware(device="cpu"))
    table(((f"{n} problems", tiny, n, 16, 64) for n in (10, 100, 1000)), peak, options.rounds)
    one = random_model(128, 6)
    table(((f"{n} tokens", one, 4, 16, n) for n in (16, 64, 256)), peak, options.rounds)
    sizes = ((128, 6), (384, 6), (768, 14))
    table(((millions(m), m, 2, 16, 32) for m in (random_model(*size) for size in sizes)), peak, options.rounds)


def random_model(width: int, layers: int) -> LoadedModel:
    codec = Codec(load_tokenizer(str(tiny_base_path())))
    return LoadedModel(qwen2(width, layers, VOCABULARY), codec, torch.device("cpu"))


def millions(loaded: LoadedModel) -> str:
    return f"{num_weights(loaded) / 1e6:.1f} M weights"


def num_weights(loaded: LoadedModel) -> int:
    return sum(p.numel() for p in loaded.model.parameters())


def table(rows: Iterable[tuple[str, LoadedModel, int, int, int]], peak: float, rounds: int) -> None:
    """One row per (name, model, problems, candidates, tokens)."""
    before: tuple[float, float] | None = None
    for name, loaded, num_problems, size, tokens in rows:
        problems = list(minimath.load("test", num_problems))
        sampling, scoring, total = measure(loaded, problems, size, tokens, rounds)
        costs = (1000 * sampling / (num_problems * size), 1000 * scoring / (num_problems * size))
        factors = [f"{now / then:.2f}" for now, then in zip(costs, before, strict=True)] if before else ["", ""]
        share = f"{100 * 2 * num_weights(loaded) * total / sampling / peak:.0f} %"
        print(f"| {name} | {costs[0]:.1f} | {factors[0]} | {share} | {costs[1]:.1f} | {factors[1]} |", flush=True)
        before = costs


def measure(
    loaded: LoadedModel, problems: Sequence[Problem], size: int, tokens: int, rounds: int
) -> tuple[float, float, int]:
    """Processor seconds of sampling and of scoring, and the tokens that were written."""
    engine = HuggingFaceEngine(loaded)
    requests = [
        Request(generator_prompt(p.text, None), tuple(candidate_seed(0, p.id, i) for i in range(size)))
        for p in problems
    ]
    written: list[list[Candidate]] = []

    def sample() -> None:
        found = engine.generate(requests, Sampling(temperature=0.8, max_tokens=tokens), ())
        written[:] = [
            [Candidate(p.id, i, c.text, None, None, c.num_tokens) for i, c in enumerate(completions)]
            for p, completions in zip(problems, found, strict=True)
        ]

    def score() -> None:
        for problem, candidates in zip(problems, written, strict=True):
            evaluator_scores(engine, problem, candidates)

    sampling, scoring = best(sample, rounds), best(score, rounds)
    return sampling, scoring, sum(c.num_tokens or 0 for candidates in written for c in candidates)


def best(job: Callable[[], None], rounds: int) -> float:
    """Processor seconds of the quickest of the rounds."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        job()
        found.append(time.process_time() - began)
    return min(found)


if __name__ == "__main__":
    main()
