"""Why does sequential training bring nothing in miniature? One change at a time, on validation problems.

    python benchmarks/mtsft.py STUDY_RUN OUT [--seeds 0] [--problems 160] [--candidates 32]

STUDY_RUN is the directory of `mathquorum study --size small`, or of the main generator alone: its generators and its evaluators' examples are where
every variant begins. Each row changes one thing of the study's MTSFT (cross-entropy, likelihood weight 1, 30 steps of
either stage, learning rate 3e-4) and is compared, problem by problem, with solution fine-tuning continued for as many
steps and tokens. Nothing here looks at a test problem.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.pool_files import PoolFiles, StoredPool, read_pool
from mathquorum.objectives import CrossEntropyLoss, SolutionLoss
from mathquorum.recipes.study import SmallStudy
from mathquorum.records import Problem
from mathquorum.report.tables import percent, points
from mathquorum.run import Run
from mathquorum.selection import Majority
from mathquorum.stages.base import Stage
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.stages.sample import Sample
from mathquorum.store import read_records
from mathquorum.study.measured import Generator, Rows, difference


@dataclass(frozen=True)
class Variant:
    """What is changed of the study's MTSFT."""

    name: str
    weight: float = 1.0
    evaluator_steps: int = 30
    evaluator_rate: float = 3e-4
    generator_steps: int = 30
    first_steps: int = 0
    """Of solution fine-tuning, before both it and its control begin."""

    @property
    def start(self) -> str:
        """The name of the generator that it begins with."""
        return f"ssft + {self.first_steps}" if self.first_steps else "ssft"

    @property
    def control(self) -> str:
        """Its name: variants of equal steps and data share one."""
        alone = "" if self.weight else ", labels alone"
        return f"control of {self.start}, {self.evaluator_steps}+{self.generator_steps}{alone}"


VARIANTS = (
    Variant("as in the study"),
    Variant("no likelihood term", weight=0.0),
    Variant("likelihood weight 4", weight=4.0),
    Variant("evaluator rate 1e-4", evaluator_rate=1e-4),
    Variant("10 evaluator steps", evaluator_steps=10),
    Variant("90 evaluator steps", evaluator_steps=90),
    Variant("90 generator steps", generator_steps=90),
    Variant("a generator of 320 more steps", first_steps=320),
)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--problems", type=int, default=160)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    run = Run(options.out, workers=options.workers)
    source = Source(dataset="minimath", split="validation", limit=options.problems)
    problems = run.do("problems", Prepare(sources=(source,))) / "problems.jsonl"
    stages: dict[str, Stage] = {}
    for seed in options.seeds:
        for variant in VARIANTS:
            train(stages, run.directory, options.study, variant, seed)
    models = {
        n: run.directory / n / "model" for n, s in stages.items() if isinstance(s, Finetune) and ".second" not in n
    }
    models |= {f"ssft.{seed}": options.study / f"L.{seed}.ssft.both" / "model" for seed in options.seeds}
    for name, model in models.items():
        measure(stages, run.directory, problems, name, model, options.candidates)
    run.do_together(stages)
    show(run.directory, problems, options.seeds)


def train(stages: dict[str, Stage], at: Path, study: Path, variant: Variant, seed: int) -> None:
    """Adds the two stages of the variant, and its control unless one of equal length and data is there."""
    settings = SmallStudy()
    solutions = Task(
        objective=SolutionLoss(), data=(study / "problems.both" / "labeled.jsonl",), batch_size=settings.batch_size
    )
    labels = study / f"L.{seed}.evaluator.labels" / "labeled.jsonl"
    verdicts = Task(objective=CrossEntropyLoss(), data=(labels,), batch_size=settings.evaluators.batch_size)
    along = solutions.model_copy(update={"weight": variant.weight})
    base = settings.mtsft.generator
    start = str(study / f"L.{seed}.ssft.both" / "model")
    if variant.first_steps:
        first = f"{variant.start}.{seed}"
        stages[first] = Finetune(
            model=start,
            tasks=(solutions,),
            training=settings.generator.model_copy(update={"steps": variant.first_steps}),
            seed=seed,
        )
        start = str(at / first / "model")
    second, third = f"{variant.name}.second.{seed}", f"{variant.name}.{seed}"
    stages[second] = Finetune(
        model=start,
        tasks=(verdicts, along) if variant.weight else (verdicts,),
        training=base.model_copy(update={"steps": variant.evaluator_steps, "learning_rate": variant.evaluator_rate}),
        seed=seed,
    )
    stages[third] = Finetune(
        model=str(at / second / "model"),
        tasks=(solutions,),
        training=base.model_copy(update={"steps": variant.generator_steps}),
        seed=seed,
    )
    stages.setdefault(
        f"{variant.control}.{seed}",
        Finetune(
            model=start,
            tasks=(solutions,),
            training=base.model_copy(update={"steps": None}),
            match_budget=(at / second / "budget.json", at / third / "budget.json"),
            seed=seed,
        ),
    )


def measure(stages: dict[str, Stage], at: Path, problems: Path, name: str, model: Path, number: int) -> None:
    """Adds the sampling of a model."""
    settings = SmallStudy()
    style = settings.train[settings.main][0].style
    for part, count, temperature in (("candidates", number, settings.sampling.temperature), ("greedy", 1, 0.0)):
        sampling = settings.sampling.model_copy(update={"temperature": temperature})
        place = at / f"{name}.{part}" / "candidates.jsonl"
        stages[f"{name}.{part}"] = Sample(
            problems=problems, model=str(model), num_candidates=count, sampling=sampling, style=style
        )
        stages[f"{name}.{part}.clusters"] = Cluster(problems=problems, candidates=place)


def show(at: Path, problems: Path, seeds: list[int]) -> None:
    """One row per variant, in Markdown."""
    graded = list(read_records(problems, Problem))
    print(
        "| | pass@1 | against its control | against its start | greedy, against its control | vote, against its control |"
    )
    print("|---|---|---|---|---|---|")
    for variant in VARIANTS:
        names = (variant.name, variant.control, variant.start)
        found, control, start = (rows(at, graded, name, seeds) for name in names)
        found_at = seeded_mean("pass@1", found["pass@1"])
        cells = [f"{percent(found_at.value)} [{percent(found_at.low)}, {percent(found_at.high)}]"]
        for figure, other in (("pass@1", control), ("pass@1", start), ("greedy", control), ("maj1", control)):
            e = difference(figure, found[figure], other[figure]).estimate
            cells.append(f"{points(e.value)} [{points(e.low)}, {points(e.high)}]")
        print(f"| {variant.name} | {' | '.join(cells)} |", flush=True)


def rows(at: Path, problems: list[Problem], name: str, seeds: list[int]) -> dict[str, Rows]:
    """Figures by seed and problem."""
    pools = {seed: stored(at, problems, f"{name}.{seed}") for seed in seeds}
    generator = Generator(name, pools)
    return {
        "pass@1": generator.figure("pass@1"),
        "greedy": generator.figure("pass@1.greedy"),
        "maj1": generator.strategy(Majority()),
    }


def stored(at: Path, problems: list[Problem], name: str) -> StoredPool:
    """The pool of one model."""
    files = PoolFiles(at / f"{name}.candidates", at / f"{name}.candidates.clusters", at / f"{name}.greedy.clusters")
    return read_pool(files, problems)


if __name__ == "__main__":
    main()
