"""What a recipe is said to take, checked by hand on shapes and sizes that are given."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typed import mathquorum

from mathquorum.cli.expecting import expected_seconds
from mathquorum.cli.planned import show_plan
from mathquorum.config import build, read_settings_file
from mathquorum.errors import SettingsError
from mathquorum.planning.assumptions import Assumptions, Machine
from mathquorum.planning.commands import commands_of
from mathquorum.planning.demand import Demand, Range, total
from mathquorum.planning.groups import groups
from mathquorum.planning.plan import Plan, make_plan
from mathquorum.planning.speed import Speed
from mathquorum.recipes import recipe
from mathquorum.run import PlannedStage, Run
from mathquorum.training.settings import Lora, Training

SIZES = {"problems.test": 500, "problems.main": 12_000}
GPU = Machine(name="card", devices=8, peak_flops=1e15, bandwidth=3e12, memory_gb=80)


@pytest.fixture
def shape_alone(tiny_model: Path, tmp_path: Path) -> Path:
    """A folder with a model's config and nothing else."""
    folder = tmp_path / "shape"
    folder.mkdir()
    shutil.copy(tiny_model / "config.json", folder)
    return folder


def planned(base: Path, run: Path, **values: Any) -> list[PlannedStage]:
    found = recipe("paper")
    given = {"base": str(base), "train": "math:train.jsonl", "test": "math:test.jsonl", **values}
    dry = Run(run, dry=True, on_paper=True)
    found.follow(dry, build(found.settings, given))
    return dry.plan


def plan(base: Path, run: Path, assumed: Assumptions, **values: Any) -> Plan:
    return make_plan(planned(base, run, **values), run, assumed)


def of(found: Plan, name: str) -> Demand:
    return next(demand for demand in found.stages if demand.name == name)


def test_the_readmes_command_takes_224_000_samples_and_saves_nine_models(shape_alone: Path, tmp_path: Path) -> None:
    found = plan(shape_alone, tmp_path / "run", Assumptions(sizes=SIZES))
    sampled = sum(d.calls.expected for d in found.stages if d.kind == "Sample" and not d.name.endswith("greedy"))
    assert sampled == 224_000 == 6 * 500 * 64 + 2000 * 16
    assert found.total.models == 9
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert "224,000 samples" in readme and "nine models" in readme


def test_what_a_stage_takes_is_counted_from_what_it_reads(shape_alone: Path, tmp_path: Path) -> None:
    assumed = Assumptions(sizes=SIZES, problem_tokens=100, solution_tokens=200)
    found = plan(shape_alone, tmp_path / "run", assumed, few_shot=False, batch_size=32)
    pool = of(found, "ssft.main.candidates")
    assert (pool.calls.expected, pool.read.expected) == (500 * 64, 500 * 100)
    assert (pool.written.low, pool.written.expected) == pytest.approx((0.6 * 200 * 32_000, 200 * 32_000))
    assert pool.written.high == 512 * 32_000, "never beyond max_tokens"
    tuned = of(found, "ssft.main")  # 10,000 solutions three times, 32 a step: 938 steps
    assert tuned.calls.expected == 938 * 32 and tuned.trained.expected == 938 * 32 * 300
    twice = of(found, "control.margin").trained.expected
    assert twice == pytest.approx(
        of(found, "mtsft.margin.evaluator").trained.expected + of(found, "mtsft.margin").trained.expected
    )
    judged = of(found, "ssft.main.scores.margin")
    assert judged.calls.expected == pytest.approx(0.8 * 32_000)
    assert judged.read.expected == pytest.approx(0.8 * 32_000 * 200 + 500 * 120)
    assert of(found, "ssft.main.scores.likelihood").calls.expected == 0


def test_data_that_are_here_are_looked_at_and_others_are_asked_for(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"problem": f"What is ${n}+1$?", "solution": f"It is $\\boxed{{{n + 1}}}$."} for n in range(40)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    values = {"train": str(tmp_path / "own.jsonl"), "evaluator": {"num_problems": 10, "num_candidates": 4}}
    found = plan(tiny_model, tmp_path / "run", Assumptions(sizes={"problems.test": 7}), **values)
    assert of(found, "evaluator.candidates").calls.expected == 40
    assert of(found, "ssft.main").calls.expected == 3 * 32, "30 solutions three times"
    assert not (tmp_path / "run").exists()
    with pytest.raises(
        SettingsError, match=r"problems\.test cannot be prepared .*\n.*--assume '\{sizes: \{problems\.test: NUMBER\}\}'"
    ):
        plan(tiny_model, tmp_path / "run", Assumptions(), **values)


def test_a_forecast_has_something_to_expect_of_every_stage_of_a_machine_that_was_not_measured(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [{"problem": f"What is ${n}+1$?", "solution": f"It is $\\boxed{{{n + 1}}}$."} for n in range(40)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "test.jsonl").write_text('{"problem": "What is $50+1$?", "answer": "51"}\n')
    values = {"evaluator": {"num_problems": 10, "num_candidates": 4}}
    files = {"train": str(tmp_path / "own.jsonl"), "test": str(tmp_path / "test.jsonl")}
    stages = planned(tiny_model, tmp_path / "run", **files, **values)
    found = expected_seconds(stages, tmp_path / "run", 1)
    assert found.keys() == {stage.name for stage in stages} and all(of.seconds > 0 for of in found.values())
    assert {"Sample", "Finetune"} <= {stage.kind for stage in stages if found[stage.name].in_proportion}
    assert not found["report"].in_proportion, "no model"
    Path(files["test"]).unlink()
    assert expected_seconds(stages, tmp_path / "run", 1) == {}, "a forecast never stops a run"


def test_a_servers_prices_are_added_up(shape_alone: Path, tmp_path: Path) -> None:
    found = recipe("sample")
    engine = {"kind": "server", "url": "http://127.0.0.1:1/v1", "candidates_per_request": 16, "completion_price": 2.0}
    stage = build(found.settings, {"problems": "p.jsonl", "model": "far", "num_candidates": 64, "engine": engine})
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "a", "text": "1+1?"}) + "\n")
    dry = Run(tmp_path / "run", dry=True, on_paper=True)
    dry.do("candidates", stage.model_copy(update={"problems": tmp_path / "p.jsonl"}))
    made = make_plan(dry.plan, tmp_path / "run", Assumptions(problem_tokens=100, solution_tokens=200, prompt_price=0.5))
    (demand,) = made.stages
    assert demand.calls.expected == 4 and demand.memory == 0 and demand.seconds is None
    assert demand.price and demand.price.expected == pytest.approx((4 * 100 * 0.5 + 64 * 200 * 2.0) / 1e6)


def test_seconds_on_a_stated_machine_follow_from_its_numbers(shape_alone: Path, tmp_path: Path) -> None:
    one, eight = (
        plan(
            shape_alone, tmp_path / "run", Assumptions(sizes=SIZES, machine=GPU.model_copy(update={"devices": devices}))
        )
        for devices in (1, 8)
    )
    assert eight.speeds == ("8 x card",)
    times = [found.total.seconds for found in (one, eight)]
    assert times[0] and times[1] and times[1].expected < times[0].expected
    assert of(eight, "ssft.main").memory < of(one, "ssft.main").memory


def test_seconds_add_up() -> None:
    speed = Speed("x", loading=2.0, reading=0.001, step=0.1, row=0.01, training=0.01, update=1.0, writing=1e-9)
    assert speed.sampling(prompts=1000, written=500, rows=10) == pytest.approx(2 + 1 + 500 * (0.01 + 0.01))
    training = Training(steps=4, checkpoint_seconds=60)
    plain = speed.fitting(1000, 4, saved=1e9, kept=3e9, training=training)
    assert plain == pytest.approx(2 + 10 + 4 + 3 + 1), "a checkpoint at the end, and the model"
    lora = speed.fitting(1000, 4, saved=0, kept=0, training=training.model_copy(update={"lora": Lora()}))
    assert lora == pytest.approx(2 + 10 * 2 / 3)


def test_a_total_is_of_what_is_left_and_of_what_is_in_memory_together() -> None:
    def demand(memory: float, seconds: Range | None, complete: bool = False) -> Demand:
        return Demand("a", "Sample", calls=Range(1, 2, 3), memory=memory, seconds=seconds, complete=complete)

    time = Range.exactly(5)
    stages = [demand(1e9, time), demand(3e9, time), demand(2e9, time), demand(9e9, time, complete=True)]
    found = total(stages, at_once=2)
    assert (found.calls, found.memory, found.seconds) == (Range(3, 6, 9), 5e9, Range.exactly(15))
    assert total([*stages, demand(0, None)]).seconds is None


def test_a_scheduler_gets_a_command_for_each_stage_and_shard(shape_alone: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    lines = list(commands_of(planned(shape_alone, run), ("paper", "--base", "a b", "--out", str(run)), run, shards=3))
    stages = planned(shape_alone, run)
    cut = [
        s
        for s in stages
        if s.kind == "Sample" or (s.kind == "ScoreCandidates" and s.name.endswith(("margin", "entropy")))
    ]
    assert len(lines) == len(stages) + 3 * len(cut)
    shards = [line for line in lines if "--only ssft.main.candidates " in f"{line} "]
    assert [line.split("#")[0].split("--only")[1].strip() for line in shards] == [
        *(f"ssft.main.candidates --shard {number}/3" for number in (1, 2, 3)),
        "ssft.main.candidates",
    ]
    assert all("'a b'" in line for line in lines)
    assert "# after problems.test, ssft.main" in shards[0] and shards[3].startswith("mathquorum gather paper")
    assert "# after ssft.main.candidates.shard-1-of-3, " in shards[3]


def test_the_page_on_scale_has_the_figures_that_the_plan_prints() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "scale.md").read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in re.findall(r"```\n(.*?)```", page, re.DOTALL)]
    at_ease = {"checkpoint_steps": 100_000}
    often: dict[str, Any] = {}
    seldom = {
        "generator": at_ease,
        "evaluator": {"training": at_ease},
        "mtsft": {"evaluator": at_ease, "generator": at_ease},
    }
    for block, values, times in ((blocks[1], often, 1), (blocks[2], seldom, 1), (blocks[3], seldom, 100)):
        assert [line for line in block if not line.startswith("mathquorum")] == printed(root, values, times)


def test_a_long_plan_is_told_by_kind_of_work_and_each_stage_when_asked(shape_alone: Path, tmp_path: Path) -> None:
    def told(one_by_one: bool, **assumed: Any) -> list[str]:
        text, run = io.StringIO(), tmp_path / "run"
        stages = planned(shape_alone, run)
        made = make_plan(stages, run, Assumptions(sizes=SIZES, **assumed))
        show_plan(made, stages, Console(file=text), one_by_one=one_by_one)
        return text.getvalue().splitlines()

    stages, lines = planned(shape_alone, tmp_path / "run"), told(False)
    assert lines[0].startswith(f"Together, {len(stages)} stages: ") and len(lines) < 10
    kinds = [re.fullmatch(r"(\w.*), (\d+) stages?: .*", line) for line in lines[1:]]
    counted = {found[1]: int(found[2]) for found in kinds if found}
    assert list(counted) == ["training", "sampling", "scoring", "data, clusters, figures"]
    assert sum(counted.values()) == len(stages)
    assert counted["training"] == sum(item.kind == "Finetune" for item in stages)
    timed = told(False, machine=GPU)
    assert sum(line.startswith("    longest: ") for line in timed) == 4
    whole = told(True)
    assert whole[0] == lines[0] and [line.split()[1] for line in whole[1 : 1 + len(stages)]] == [s.name for s in stages]


def test_groups_add_up_to_the_whole(shape_alone: Path, tmp_path: Path) -> None:
    made = plan(shape_alone, tmp_path / "run", Assumptions(sizes=SIZES, machine=GPU))
    found = groups(made.stages)
    for field in ("read", "written", "trained", "disk", "seconds"):
        parts = [getattr(group.total, field).expected for group in found]
        assert sum(parts) == pytest.approx(getattr(made.total, field).expected)
    assert max(group.total.memory for group in found) == made.total.memory
    longest = next(group for group in found if group.name == "training").longest
    times = [demand.seconds.expected for demand in longest if demand.seconds]
    assert times == sorted(times, reverse=True) and len(times) == 9


def printed(root: Path, values: dict[str, Any], times: int) -> list[str]:
    """The lines of the plan on paper, with so many times the problems."""
    found = recipe("paper")
    file = read_settings_file(root / "docs" / "configs" / "scale.yaml")
    settings = build(found.settings, {**file, "base": str(root / file["base"])}, values)
    assumed = build(Assumptions, read_settings_file(root / "docs" / "configs" / "scale-assumed.yaml"))
    assumed = assumed.model_copy(update={"sizes": {name: times * number for name, number in assumed.sizes.items()}})
    dry = Run(Path("runs/scale"), dry=True, on_paper=True)
    found.follow(dry, settings)
    text = io.StringIO()
    show_plan(make_plan(dry.plan, dry.directory, assumed), dry.plan, Console(file=text), one_by_one=False)
    return text.getvalue().splitlines()


def test_the_command_prints_plan_and_commands(tmp_path: Path) -> None:
    words = ("demo", "--out", str(tmp_path / "run"))
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    text = mathquorum("plan", *words, "--no-calibration", **environment).stdout
    each = mathquorum("plan", *words, "--no-calibration", "--stages", **environment).stdout
    assert "ssft.fine.candidates  (Sample, to do): 2,400 samples" in each and "ssft.fine.candidates" not in text
    assert text.startswith("Together, 54 stages: ") and "7 models saved" in text and "sampling, 13 stages: " in text
    assert "Times: not known" in text
    held = json.loads(mathquorum("plan", *words, "--no-calibration", "--json", **environment).stdout)
    assert held["total"]["models"] == 7 and held["total"]["seconds"] is None
    shown = mathquorum("run", "demo", "--show", "--out", str(tmp_path / "run"), **environment).stdout
    assert "2,400 samples" in shown and "Together, 54 stages:" in shown
    lines = mathquorum("plan", *words, "--commands", "--shards", "2", **environment).stdout.splitlines()
    assert f"mathquorum run demo --out {tmp_path / 'run'} --only problems.test" in lines
    assert "--shards goes with --commands" in mathquorum("plan", *words, "--shards", "2", check=2).stderr
    assert "--size goes with study, not with demo" in mathquorum("plan", *words, "--size", "full", check=2).stderr
    assert not (tmp_path / "run").exists()
