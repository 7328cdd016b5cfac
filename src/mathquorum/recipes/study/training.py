"""The models of a study: generators on solutions, evaluators on labels, and both one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mathquorum.recipes.study.parts import Kind, Problems, Trained, finetune, models, sampler, solutions, style
from mathquorum.recipes.study.settings import Study
from mathquorum.run.listing import Listing
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.finetune import Task
from mathquorum.stages.label import Label
from mathquorum.training.settings import Training

__all__ = ["ByModel", "Evaluators", "Labels", "label", "sequential", "train_evaluators", "tune"]

ByModel = Mapping[tuple[str, int], Trained]
"""The main generators, by role and seed."""

Labels = Mapping[tuple[str, int], Path]
"""What evaluators learn from, by role and seed."""

Evaluators = Mapping[tuple[str, int, str], str]
"""The model of each evaluator, by role, seed and name."""


def tune(stages: Listing, s: Study, problems: Problems) -> list[Trained]:
    """Table 2: a generator on each source, with every seed."""
    found = {}
    for role, base, seed in models(s):
        for name in reversed(s.train):
            stage = finetune(s, base, seed, s.generator, solutions(s, problems, name))
            model = str(stages.add(f"{role}.{seed}.ssft.{name}", stage) / "model")
            found[role, name, seed] = Trained(role, "ssft", name, seed, model, style(s, name))
    return [found[role, name, seed] for role in s.bases for name in s.train for seed in s.seeds]


def label(stages: Listing, s: Study, problems: Path, main: ByModel) -> Labels:
    """Each model's own candidates on fresh problems, graded: the evaluators' examples."""
    labels = {}
    for role, _, seed in models(s):
        name, generator = f"{role}.{seed}.evaluator", main[role, seed]
        sample = sampler(s, problems, generator, s.evaluators.num_candidates)
        candidates = stages.add(f"{name}.candidates", sample) / "candidates.jsonl"
        cluster = Cluster(problems=problems, candidates=candidates)
        clusters = stages.add(f"{name}.clusters", cluster) / "clusters.jsonl"
        stage = Label(problems=problems, candidates=candidates, clusters=clusters, style=generator.style, seed=seed)
        labels[role, seed] = stages.add(f"{name}.labels", stage) / "labeled.jsonl"
    return labels


def _verdicts(s: Study, name: str, labels: Path) -> Task:
    return Task(objective=s.evaluators.variants[name].objective, data=(labels,), batch_size=s.evaluators.batch_size)


def train_evaluators(stages: Listing, s: Study, problems: Problems, main: ByModel, labels: Labels) -> Evaluators:
    """Tables 3, 6 and 7: an evaluator of each variant, for the models that get it."""
    evaluators = {}
    for role, base, seed in models(s):
        for name, variant in s.evaluators.variants.items():
            if variant.roles == "largest" and role != s.largest:
                continue
            tasks = [_verdicts(s, name, labels[role, seed])]
            if variant.likelihood_weight:
                tasks.append(solutions(s, problems, s.main, variant.likelihood_weight))
            start = base if variant.start == "base" else main[role, seed].model
            stage = finetune(s, start, seed, s.evaluators.training, *tasks)
            evaluators[role, seed, name] = str(stages.add(f"{role}.{seed}.evaluator.{name}", stage) / "model")
    return evaluators


def sequential(stages: Listing, s: Study, problems: Problems, main: ByModel, labels: Labels) -> list[Trained]:
    """Table 4, and the controls: solution fine-tuning continued as long, and both tasks at once."""
    trained = []
    for role, _, seed in models(s):
        if s.mtsft.roles == "all" or role == s.largest:
            made = _later(stages, s, problems, main[role, seed], labels[role, seed])
            for (kind, loss), model in sorted(made.items(), key=lambda item: _KINDS.index(item[0][0])):
                trained.append(Trained(role, kind, loss, seed, model, style(s, s.main)))
    return trained


_KINDS: tuple[Kind, ...] = ("mtsft", "control", "mixed")


def _later(stages: Listing, s: Study, problems: Problems, start: Trained, labels: Path) -> dict[tuple[Kind, str], str]:
    """The models that one main generator becomes, by kind and loss."""
    references = solutions(s, problems, s.main)
    likelihood = solutions(s, problems, s.main, s.mtsft.likelihood_weight)
    unlimited = s.mtsft.generator.model_copy(update={"steps": None, "epochs": None})
    name = f"{start.role}.{start.seed}"
    made: dict[tuple[Kind, str], Path] = {}

    def train(stage: str, model: str, training: Training, *tasks: Task, budget: tuple[Path, ...] = ()) -> Path:
        return stages.add(f"{name}.{stage}", finetune(s, model, start.seed, training, *tasks, budget=budget))

    for loss in s.mtsft.losses:
        both = (_verdicts(s, loss, labels), likelihood)
        second = train(f"mtsft.{loss}.evaluator", start.model, s.mtsft.evaluator, *both)
        third = train(f"mtsft.{loss}", str(second / "model"), s.mtsft.generator, references)
        budget = (second / "budget.json", third / "budget.json")
        made["mtsft", loss] = third
        made["control", loss] = train(f"control.{loss}", start.model, unlimited, references, budget=budget)
        if loss == s.mtsft.losses[-1] and (mixed := _mixed(s)):
            made["mixed", loss] = train(f"mixed.{loss}", start.model, mixed, *both)
    return {key: str(place / "model") for key, place in made.items()}


def _mixed(s: Study) -> Training | None:
    """Both tasks at once, for as many steps as the two stages have. Only where both count steps."""
    first, then = s.mtsft.evaluator.steps, s.mtsft.generator.steps
    if not s.mtsft.mixed or first is None or then is None:
        return None
    return s.mtsft.evaluator.model_copy(update={"steps": first + then})
