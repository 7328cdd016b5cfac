"""The laws of `stages.base.Stage`, over every stage."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
from tiny_models import solutions

from mathquorum import stages
from mathquorum.config import Settings
from mathquorum.engines.base import Sampling
from mathquorum.errors import MathquorumError
from mathquorum.objectives import MarginLoss
from mathquorum.records import AnswerCluster, Candidate, Problem, Score
from mathquorum.run import Run
from mathquorum.stages.base import Measurable, Placed, Stage, no_progress
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.combine import CombineScores
from mathquorum.stages.describe import Describe
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.pretrain import TinyBase
from mathquorum.stages.report import Report
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.split import Split
from mathquorum.stages.study_report import MeasuredPool, StudyReport
from mathquorum.store import write_records
from mathquorum.training.settings import Training

MEMBERS: tuple[type[Settings], ...] = (
    Cluster, CombineScores, Describe, Evaluate, Finetune, Label, Prepare, Report, Sample, ScoreCandidates, Split, StudyReport, TinyBase,
)  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A folder with what every stage reads: three problems with four candidates each, one of them without an answer."""
    place = tmp_path_factory.mktemp("inputs")
    (place / "model").symlink_to(tiny_model)
    problems = [Problem(f"p{n}", f"What is ${n}+3$?", str(n + 3), f"It is \\boxed{{{n + 3}}}") for n in range(3)]
    texts = ["\\boxed{3}", "so \\boxed{4}", "\\boxed{4.0}", "hm"]
    answers = ["3", "4", "4.0", None]
    candidates = [
        Candidate(p.id, i, text, answer, -1.0 - i, 3 + i)
        for p in problems
        for i, (text, answer) in enumerate(zip(texts, answers, strict=True))
    ]
    clusters = [
        AnswerCluster(p.id, answer, members, p.answer == answer)
        for p in problems
        for answer, members in (("4", (1, 2)), ("3", (0,)))
    ]
    write_records(place / "problems.jsonl", problems)
    write_records(place / "labeled.jsonl", solutions())
    write_records(place / "candidates.jsonl", candidates)
    write_records(place / "clusters.jsonl", clusters)
    write_records(place / "scores.jsonl", [Score(c.problem_id, c.index, 0.2 + 0.2 * c.index) for c in candidates[:12]])
    (place / "evaluation").mkdir()
    member(Evaluate, place).run(place / "evaluation", no_progress)
    return place


def member(kind: type[Settings], at: Path) -> Stage:
    """A small stage of that kind which reads what is there."""
    problems, candidates, clusters, scores = (
        at / f"{n}.jsonl" for n in ("problems", "candidates", "clusters", "scores")
    )
    pool = MeasuredPool(
        role="L", generator="ssft.main", seed=0, candidates=candidates, clusters=clusters, scores={"L.judge": scores}
    )
    made: dict[type[Settings], Stage] = {
        Cluster: Cluster(problems=problems, candidates=candidates),
        CombineScores: CombineScores(candidates=candidates, scores=(scores,), likelihood_weight=0.6),
        Describe: Describe(model=str(at / "model"), solutions={"a": at / "labeled.jsonl"}, problems={"t": problems}),
        Evaluate: Evaluate(problems=problems, candidates=candidates, clusters=clusters, scores=scores),
        Finetune: Finetune(
            model=str(at / "model"),
            tasks=(Task(objective=MarginLoss(), data=(at / "labeled.jsonl",), batch_size=2),),
            training=Training(steps=2, learning_rate=1e-3),
        ),
        Label: Label(problems=problems, candidates=candidates, clusters=clusters),
        Prepare: Prepare(sources=({"dataset": "jsonl", "path": problems},)),  # type: ignore[arg-type]
        Report: Report(evaluations={"one": at / "evaluation"}),
        Sample: Sample(
            problems=problems, model=str(at / "model"), num_candidates=3, sampling=Sampling(max_tokens=8)
        ),
        ScoreCandidates: ScoreCandidates(problems=problems, candidates=candidates, model=str(at / "model")),
        Split: Split(problems=problems, labeled=at / "labeled.jsonl", parts={"evaluator": 1}),
        StudyReport: StudyReport(
            problems=problems, validation=problems, pools=(pool,), validation_pools=(pool,), roles=("L",),
            sources=("main",), losses=("judge",), transferred="judge",
        ),
        TinyBase: TinyBase(
            size="nano", num_tokens=256, rows=2, context=32, vocabulary_size=300, tokenizer_documents=50, warmup_steps=1
        ),
    }  # fmt: skip
    return made[kind]


def contents(place: Path) -> dict[str, bytes]:
    return {str(file.relative_to(place)): file.read_bytes() for file in sorted(place.rglob("*")) if file.is_file()}


def test_every_stage_is_a_member() -> None:
    modules = [import_module(f"{stages.__name__}.{found.name}") for found in pkgutil.iter_modules(stages.__path__)]
    kinds = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Settings) and "run" in vars(kind)
    }
    assert kinds == set(MEMBERS)


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
class TestEveryStage:
    def test_equal_settings_and_inputs_give_equal_bytes_and_it_reads_what_it_declares(
        self, kind: type[Settings], inputs: Path, tmp_path: Path, opened: list[str]
    ) -> None:
        """Run twice, and a third time where it has run. What it reads besides would escape the ledger."""
        before, summaries, told = contents(inputs), [], []
        stage = member(kind, inputs)
        for name in ("one", "two", "one"):
            (tmp_path / name).mkdir(exist_ok=True)
            del opened[:]
            summaries.append(stage.run(tmp_path / name, lambda *done: told.append(done)))
            declared = declared_inputs(stage)
            read = {Path(path) for path in opened if Path(path).is_relative_to(inputs)}
            # A page tells dates, seconds and devices, which the record beside a declared file has.
            read -= {place.parent / "stage.json" for place in declared} | {place / "stage.json" for place in declared}
            assert all(any(path.is_relative_to(place) for place in declared) for path in read), read
            if name == "two":
                assert contents(tmp_path / "one") == contents(tmp_path / "two") != {}
                kept = contents(tmp_path / "one")
        assert contents(tmp_path / "one") == kept
        assert summaries[0] == summaries[1]
        assert all(isinstance(value, int | float | str) for value in summaries[0].values())
        assert all(0 <= done <= total for done, total, *_ in told)
        assert contents(inputs) == before

    def test_a_changed_input_is_refused_by_the_ledger(self, kind: type[Settings], inputs: Path, tmp_path: Path) -> None:
        """Each of the files that it declares, one at a time: a line more, or a file more in a folder."""
        copy = tmp_path / "inputs"
        copy_all(inputs, copy)
        stage, run = member(kind, copy), Run(tmp_path / "run")
        run.do("stage", stage)
        for place in sorted(set(declared_inputs(stage))):
            file = next(path for path in sorted(place.rglob("*")) if path.is_file()) if place.is_dir() else place
            kept = file.read_bytes()
            file.write_bytes(kept + b" ")
            with pytest.raises(MathquorumError):
                run.do("stage", stage)
            file.write_bytes(kept)
        run.do("stage", stage)

    def test_it_can_be_asked_beforehand(self, kind: type[Settings], inputs: Path) -> None:
        stage = member(kind, inputs)
        amount = stage.amount() if isinstance(stage, Measurable) else None
        assert amount is None or amount >= 0
        assert not isinstance(stage, Placed) or stage.place() in (None, "cpu, float32")


def declared_inputs(stage: Stage) -> list[Path]:
    """Every path in its settings: those that are none of its inputs would not be there."""
    assert isinstance(stage, Settings)
    found: list[Path] = []

    def walk(value: object) -> None:
        if isinstance(value, Mapping):
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)
        elif isinstance(value, str) and Path(value).is_absolute() and Path(value).exists():
            found.append(Path(value))

    walk(stage.model_dump(mode="json"))
    return found


def copy_all(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in sorted(source.rglob("*")):
        if file.is_file():
            (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / file.relative_to(source)).write_bytes(file.read_bytes())
    (target / "model").mkdir(exist_ok=True)
    for file in (source / "model").iterdir():
        (target / "model" / file.name).write_bytes(file.read_bytes())
