"""Scoring the candidates of a problem: ours beside a padded batch over all candidates, and beside one by one.

    python benchmarks/scoring.py [--problems 12] [--candidates 64]

Candidates are sampled from the embedded base, so that they repeat and begin alike as a model's own do. One core, in turn;
ratios are medians over problems with their range. The last line is the largest difference of a score.
"""

from __future__ import annotations

import argparse
from statistics import median

import torch
from pairs import time_in_turn

from mathquorum.assets import tiny_base_path
from mathquorum.datasets import minimath
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.embedded.beginnings import logprobs_by_padding
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.evaluator import evaluator_scores
from mathquorum.models import Hardware, load_model
from mathquorum.prompts import CORRECT, INCORRECT, STOP_STRINGS, evaluator_prompt, generator_prompt
from mathquorum.records import Candidate


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=12)
    parser.add_argument("--candidates", type=int, default=64)
    options = parser.parse_args()
    loaded = load_model(str(tiny_base_path()), Hardware(device="cpu", threads=1))
    engine = HuggingFaceEngine(loaded)
    labels = [loaded.codec.label(word)[0] for word in (CORRECT, INCORRECT)]
    ratios: dict[str, list[float]] = {"padded batch of all": [], "padded batch of distinct texts": [], "one by one": []}
    worst, distinct = 0.0, []
    for problem in minimath.load("test", options.problems):
        seeds = tuple(candidate_seed(0, problem.id, i) for i in range(options.candidates))
        request = Request(generator_prompt(problem.text, "fine"), seeds)
        (written,) = engine.generate([request], Sampling(temperature=0.8, max_tokens=160), STOP_STRINGS)
        candidates = [Candidate(problem.id, i, c.text) for i, c in enumerate(written)]
        texts = [loaded.codec.prompt(evaluator_prompt(problem.text, c.text)) for c in candidates]
        once = [list(text) for text in {tuple(text) for text in texts}]
        distinct.append(len(once))
        others = {
            "padded batch of all": [texts],
            "padded batch of distinct texts": [once],
            "one by one": [[text] for text in texts],
        }
        with torch.inference_mode():
            for name, batches in others.items():
                timed = time_in_turn(
                    lambda problem=problem, candidates=candidates: evaluator_scores(engine, problem, candidates),
                    lambda batches=batches: [logprobs_by_padding(loaded, batch, labels) for batch in batches],
                    rounds=1,
                )
                ratios[name].append(timed.theirs[0] / timed.ours[0])
            expected = torch.softmax(torch.cat([logprobs_by_padding(loaded, [t], labels) for t in texts]), -1)[:, 0]
        found = [score.value for score in evaluator_scores(engine, problem, candidates)]
        worst = max(worst, max(abs(a - b) for a, b in zip(found, expected.tolist(), strict=True)))
    print(
        f"{options.problems} problems, {options.candidates} candidates, {median(distinct):.0f} distinct texts (median)\n"
    )
    print("| against | times as long |\n|---|---|")
    for name, values in ratios.items():
        print(f"| {name} | {median(values):.1f} ({min(values):.1f} to {max(values):.1f}) |")
    print(f"\nlargest difference of a score: {worst:.1e}")


if __name__ == "__main__":
    main()
