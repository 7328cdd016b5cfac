"""The study from top to bottom.

 1. Problems: test and validation problems; solutions by source, and fresh problems for evaluators, without any of these.
 2. SSFT: per training seed and model, a generator on each source of solutions (Table 2).
 3. Labels: the main generators' candidates on the fresh problems, graded.
 4. Evaluators, from each model's labels (Tables 3, 6, 7).
 5. Sequential training and its controls (Table 4).
 6. Candidates of all of these, and of the bases with demonstrations (Table 5), on test problems; of the main generators on validation
    problems, too, where K, N' and stopping rules are chosen.
 7. Scores of the candidates, by evaluator.
 8. The report: every table, and a verdict on each of the paper's claims.

A training seed seeds its data's order, its samples and its labels.
"""

from __future__ import annotations

from pathlib import Path

from mathquorum.models import check_model
from mathquorum.recipes.study.parts import Problems, Trained, style
from mathquorum.recipes.study.pools import sample, score
from mathquorum.recipes.study.settings import Study
from mathquorum.recipes.study.training import label, sequential, train_evaluators, tune
from mathquorum.run import Run
from mathquorum.run.listing import Listing
from mathquorum.stages.describe import Describe
from mathquorum.stages.finetune import Finetune
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.study_report import StudyReport

__all__ = ["study"]


def study(run: Run, settings: Study) -> Path:
    """Lists the stages kind by kind, calls them, and returns the directory of the report."""
    s = settings
    if not run.dry and not run.finished("report"):
        for model in s.bases.values():
            check_model(model, s.prompt)
    stages = Listing(run.directory)

    # 1. Problems
    problems = _prepare(stages, s)
    parts = {"validation": problems.validation, "test": problems.test, "evaluator": problems.evaluator}
    data = stages.add("data", Describe(model=s.bases[s.largest], solutions=dict(problems.labeled), problems=parts))

    # 2. SSFT
    tuned = tune(stages, s, problems)
    main = {(g.role, g.seed): g for g in tuned if g.of == s.main}

    # 3. Labels, 4. evaluators, 5. sequential training
    labels = label(stages, s, problems.evaluator, main)
    evaluators = train_evaluators(stages, s, problems, main, labels)
    later = sequential(stages, s, problems, main, labels)

    # 6. Candidates
    everyone = [*_bases(s, problems), *tuned, *later]
    sampled = sample(stages, s, problems.test, everyone, "test")
    chosen_on = sample(stages, s, problems.validation, list(main.values()), "validation")

    # 7. Scores: each evaluator on its model's main generator, and one of each model on what else it is asked about
    pools = score(stages, s, problems.test, sampled, evaluators)
    validation_pools = score(stages, s, problems.validation, chosen_on, evaluators)

    # 8. Report
    report = stages.add(
        "report",
        StudyReport(
            problems=problems.test,
            validation=problems.validation,
            pools=pools,
            validation_pools=validation_pools,
            data=data / "data.json",
            logs=_logs(run.directory, stages, s),
            roles=tuple(s.bases),
            sources=tuple(s.train),
            losses=s.evaluators.losses,
            transferred=s.evaluators.transferred,
            mtsft=s.mtsft.losses,
            title=s.title,
            about=_about(s),
        ),
    )
    run.do_together(stages.stages)
    return report


def _prepare(stages: Listing, s: Study) -> Problems:
    policy = s.contamination
    test = stages.add("problems.test", Prepare(sources=(s.test,))) / "problems.jsonl"
    validation = stages.add(
        "problems.validation", Prepare(sources=(s.validation,), exclude=(test,), contamination=policy)
    )
    held_out = (test, validation / "problems.jsonl")
    train = {
        name: stages.add(f"problems.{name}", Prepare(sources=sources, exclude=held_out, contamination=policy))
        for name, sources in s.train.items()
    }
    seen = (*held_out, *(place / "problems.jsonl" for place in train.values()))
    fresh = stages.add(
        "problems.evaluator", Prepare(sources=(s.evaluators.problems,), exclude=seen, contamination=policy)
    )
    return Problems(
        test=test,
        validation=validation / "problems.jsonl",
        evaluator=fresh / "problems.jsonl",
        labeled={name: place / "labeled.jsonl" for name, place in train.items()},
    )


def _logs(directory: Path, stages: Listing, s: Study) -> dict[str, Path]:
    """Of the models of the first training seed, by role and what they are."""
    found = {}
    for name, stage in stages.stages.items():
        role, _, rest = name.partition(f".{s.seeds[0]}.")
        if isinstance(stage, Finetune) and role in s.bases and rest:
            found[f"{role}: {rest}"] = directory / name / "log.jsonl"
    return found


def _bases(s: Study, problems: Problems) -> list[Trained]:
    """The untrained models, with demonstrations in the style of each source."""
    return [
        Trained(role, "base", name, s.seeds[0], model, style(s, name), problems.labeled[name])
        for role, model in s.bases.items()
        for name in list(s.train)[:2]
    ]


def _about(s: Study) -> str:
    deep = f" ({s.main_candidates} for the main generator of {s.largest})" if s.main_candidates else ""
    models = " and ".join(f"{role} ({Path(model).name})" for role, model in s.bases.items())
    return (
        f"{models}; generators trained on {', '.join(s.train)}; {len(s.seeds)} training seeds; N = {s.num_candidates}{deep}, "
        f"temperature {s.sampling.temperature}, top-p {s.sampling.top_p}."
    )
