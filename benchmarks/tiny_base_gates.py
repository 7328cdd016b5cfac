"""Measures whether a base model is what the recipes need: close to solving minimath, and able to check.

    python benchmarks/tiny_base_gates.py MODEL_FOLDER [--problems 200] [--candidates 64]

Prints one line per figure, each with its 95% interval, and the gate where there is one. The problems are those of the test
split, the equations are those whose left sides were held out of pre-training.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from mathquorum.answers import cluster_candidates, extract_answer
from mathquorum.assets import tiny_base_path
from mathquorum.datasets import minimath
from mathquorum.datasets.minimath.checks import KINDS, draw_equation
from mathquorum.engines.base import Completion, Request, Sampling, candidate_seed
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.evaluator import evaluator_scores, likelihood_scores
from mathquorum.metrics import Pool, evaluator_estimates
from mathquorum.metrics.evaluation import measure
from mathquorum.metrics.intervals import mean_estimate
from mathquorum.models import Hardware, load_model
from mathquorum.prompts import CORRECT, INCORRECT, STOP_STRINGS, generator_prompt
from mathquorum.records import Candidate, Estimate, LabeledSolution, Problem, Score
from mathquorum.selection import Majority, Rerank, WeightedVote

SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_tokens=160)
GREEDY = Sampling(temperature=0.0, max_tokens=160)
GATES = {"equations": "at least 0.85", "pass@1": "0.25 to 0.50", "pass@64": "above 0.90"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", default=tiny_base_path())
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--equations", type=int, default=1300)
    parser.add_argument(
        "--style", choices=minimath.STYLES, default=None, help="the prompt's style tag; none by default"
    )
    options = parser.parse_args()
    engine = HuggingFaceEngine(load_model(str(options.model), Hardware(device="cpu", threads=1)))
    for estimate in equation_estimates(engine, options.equations):
        show(estimate)
    problems = list(minimath.load("test", options.problems))
    for estimate in flawed_estimates(engine, options.problems):
        show(estimate)
    candidates = sample(engine, problems, options.candidates, options.style)
    show(
        mean_estimate(
            "candidates that differ from their correct cluster's commonest form", varied(problems, candidates)
        )
    )
    pools = [pool(engine, problem, candidates[problem.id], options.style) for problem in problems]
    scored = [evaluator_scores(engine, problem, candidates[problem.id]) for problem in problems]
    for estimate in measure(
        [with_scores(p, s) for p, s in zip(pools, scored, strict=True)], [Majority(), Rerank(), WeightedVote()]
    ):
        show(estimate)
    show_scores("the base's verdict", pools, scored)
    show_scores("the base's log-likelihood", pools, [likelihood_scores(candidates[problem.id]) for problem in problems])


def show(estimate: Estimate) -> None:
    gate = f"   gate: {GATES[estimate.name]}" if estimate.name in GATES else ""
    print(
        f"{estimate.name:40s} {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] n={estimate.count}{gate}",
        flush=True,
    )


def show_scores(title: str, pools: Sequence[Pool], scores: Sequence[list[Score]]) -> None:
    for estimate in evaluator_estimates([with_scores(p, s) for p, s in zip(pools, scores, strict=True)]):
        if estimate.name.startswith("auc"):
            show(Estimate(f"{estimate.name} of {title}", estimate.value, estimate.low, estimate.high, estimate.count))


def with_scores(pool: Pool, scores: Sequence[Score]) -> Pool:
    values = {score.index: score.value for score in scores}
    return Pool(pool.problem_id, pool.num_candidates, pool.clusters, values, pool.greedy_correct)


def equation_estimates(engine: HuggingFaceEngine, number: int) -> list[Estimate]:
    """Accuracy on single held-out equations, half of which are near misses: over all, and by kind.

    Each is a text of its own, begun as the tokenizer begins texts: with the mark that the base saw before every text.
    """
    rng = Random("gates")
    equations = [draw_equation(rng, held_out=True, kind=kind) for kind in KINDS for _ in range(number // len(KINDS))]
    found = engine.label_probabilities([f"{equation.text} is" for equation in equations], (CORRECT, INCORRECT))
    right = [float((p[0] > 0.5) == e.correct) for p, e in zip(found, equations, strict=True)]
    by_kind = {kind: [r for r, e in zip(right, equations, strict=True) if e.kind == kind] for kind in KINDS}
    return [mean_estimate("equations", right), *(mean_estimate(f"equations: {k}", v) for k, v in by_kind.items())]


def flawed_estimates(engine: HuggingFaceEngine, number: int) -> list[Estimate]:
    """Accuracy of the verdict in the evaluator's question on the suite's own flawed solutions of test problems."""
    estimates = []
    for style in minimath.STYLES:
        right = []
        for problem_id, group in _by_problem(minimath.load_flawed("test", style, number)).items():
            candidates = [Candidate(problem_id, i, item.solution) for i, item in enumerate(group)]
            scores = evaluator_scores(engine, Problem(problem_id, group[0].problem), candidates)
            hits = [(s.value > 0.5) == item.correct for s, item in zip(scores, group, strict=True)]
            right.append(sum(hits) / len(hits))
        estimates.append(mean_estimate(f"verdicts on flawed {style} solutions", right))
    return estimates


def _by_problem(items: Iterable[LabeledSolution]) -> dict[str, list[LabeledSolution]]:
    groups: dict[str, list[LabeledSolution]] = {}
    for item in items:
        groups.setdefault(item.problem_id, []).append(item)
    return groups


def sample(
    engine: HuggingFaceEngine, problems: Sequence[Problem], number: int, style: str | None
) -> dict[str, list[Candidate]]:
    requests = [
        Request(generator_prompt(p.text, style), tuple(candidate_seed(0, p.id, i) for i in range(number)))
        for p in problems
    ]
    written = engine.generate(requests, SAMPLING, STOP_STRINGS)
    return {p.id: [as_candidate(p.id, i, c) for i, c in enumerate(cs)] for p, cs in zip(problems, written, strict=True)}


def as_candidate(problem_id: str, index: int, completion: Completion) -> Candidate:
    answer = extract_answer(completion.text)
    return Candidate(
        problem_id, index, completion.text, answer, completion.logprob, completion.num_tokens, completion.finished
    )


def pool(engine: HuggingFaceEngine, problem: Problem, candidates: Sequence[Candidate], style: str | None) -> Pool:
    ((greedy,),) = engine.generate([Request(generator_prompt(problem.text, style), (None,))], GREEDY, STOP_STRINGS)
    right = cluster_candidates(problem.id, [as_candidate(problem.id, 0, greedy)], problem.answer)
    clusters = cluster_candidates(problem.id, candidates, problem.answer)
    return Pool(problem.id, len(candidates), clusters, greedy_correct=any(cluster.correct for cluster in right))


def varied(problems: Sequence[Problem], candidates: dict[str, list[Candidate]]) -> list[float]:
    """Per problem with a correct cluster, the share of its members that are not in its commonest form."""
    shares = []
    for problem in problems:
        for cluster in cluster_candidates(problem.id, candidates[problem.id], problem.answer):
            if cluster.correct:
                texts = [candidates[problem.id][i].answer for i in cluster.members]
                shares.append(1 - max(map(texts.count, texts)) / len(texts))
    return shares


if __name__ == "__main__":
    main()
