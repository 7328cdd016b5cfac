"""What every recipe keeps apart, seen in its plan: golden plans, and laws that hold however a plan is changed.

`make plans` writes the golden plans again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from golden_plans import PLANS, planned, read, written

Plan = dict[str, dict[str, Any]]


@pytest.fixture(params=PLANS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plan(name: str, tmp_path: Path) -> Plan:
    return written(planned(name, tmp_path), tmp_path)


def test_the_plan_is_the_golden_one(name: str, plan: Plan) -> None:
    golden = read(name)
    assert plan.keys() == golden.keys()
    for stage, told in plan.items():
        assert told == golden[stage], f"{stage} differs. If that is meant: make plans, and read what changes."


def test_a_second_training_seed_repeats_what_is_trained_with_its_own_models(tmp_path: Path) -> None:
    plan = written(planned("paper-two-training-seeds", tmp_path), tmp_path)
    again = {stage.removesuffix(".seed-1") for stage in plan if stage.endswith(".seed-1")}
    assert again == {
        s for s in plan if not s.startswith(("problems.", "base.", "report")) and not s.endswith(".seed-1")
    }
    for stage in again:
        made = {maker(file, plan) for file in files(plan[f"{stage}.seed-1"])}
        assert all(name.endswith(".seed-1") or name.startswith("problems.") for name in made), stage
        assert plan[f"{stage}.seed-1"].get("seed", 1) == 1, stage


def test_what_a_stage_reads_was_made_by_an_earlier_one(plan: Plan) -> None:
    earlier: set[str] = set()
    for stage, told in plan.items():
        for file in files(told):
            assert maker(file, plan) in earlier, f"{stage} reads {file}"
        earlier.add(stage)


def test_nothing_is_trained_on_test_or_validation_problems(plan: Plan) -> None:
    trained = [stage for stage, told in plan.items() if told["stage"] in ("Finetune", "Label")]
    assert trained
    for stage in trained:
        seen = origins(stage, plan)
        assert not seen & {"problems.test", "problems.validation"}, stage
        assert seen & {stage for stage, told in plan.items() if told["stage"] == "Prepare"}, stage


def test_training_problems_are_checked_against_test_problems(plan: Plan) -> None:
    held_out = [f"run/{stage}/problems.jsonl" for stage in ("problems.test", "problems.validation") if stage in plan]
    for stage, told in plan.items():
        if told["stage"] == "Prepare" and stage not in ("problems.test", "problems.validation"):
            assert set(held_out) <= set(told["exclude"]), stage


def test_evaluators_learn_from_problems_that_their_candidates_generator_was_not_trained_on(plan: Plan) -> None:
    labels = [told for told in plan.values() if told["stage"] == "Label"]
    assert labels
    for told in labels:
        sampled = plan[maker(told["candidates"], plan)]
        assert sampled["problems"] == told["problems"]
        solutions = list(trained_on(sampled["model"], plan))
        assert solutions
        for data in solutions:
            assert apart(data, told["problems"], plan), f"{told['candidates']}: its generator saw {data}"


@pytest.mark.parametrize("name", ["paper", "study"])
def test_candidates_are_scored_where_the_scoring_hardware_says_and_all_else_where_hardware_does(
    name: str, tmp_path: Path
) -> None:
    changed = planned(
        name, tmp_path, hardware={"dtype": "bfloat16"}, scoring_hardware={"dtype": "float32", "threads": 2}
    )
    used = {
        (stage["stage"], *stage["hardware"].items())
        for stage in written(changed, tmp_path).values()
        if "hardware" in stage
    }
    written_in, scored_in = (("dtype", "bfloat16"),), (("dtype", "float32"), ("threads", 2))
    assert used == {("Finetune", *written_in), ("Sample", *written_in), ("ScoreCandidates", *scored_in)}


def test_the_study_chooses_on_validation_problems(tmp_path: Path) -> None:
    """Its report gets pools of both kinds, each sampled and scored on its own problems."""
    plan = written(planned("study", tmp_path), tmp_path)
    told = plan["report"]
    for problems, pools in (("problems", "pools"), ("validation", "validation_pools")):
        assert told[pools]
        for pool in told[pools]:
            for file in (pool["candidates"], pool["clusters"], *pool.get("scores", {}).values()):
                made = plan[maker(file, plan)]
                assert made.get("problems", told[problems]) == told[problems], file
    assert told["problems"] == "run/problems.test/problems.jsonl"
    assert told["validation"] == "run/problems.validation/problems.jsonl"


# --- walking a plan ---------------------------------------------------------------------------------------------------


def files(told: Any) -> Iterator[str]:
    """The files of the run that these settings name."""
    if isinstance(told, Mapping):
        for item in told.values():
            yield from files(item)
    elif isinstance(told, list):
        for item in told:
            yield from files(item)
    elif isinstance(told, str) and told.startswith("run/"):
        yield told


def maker(file: str, plan: Plan) -> str:
    return file.split("/")[1] if file.split("/")[1] in plan else f"nobody makes {file}"


def origins(stage: str, plan: Plan) -> set[str]:
    """All stages whose results came into this one's; problems that it only excludes did not."""
    told = {key: value for key, value in plan[stage].items() if key != "exclude"}
    direct = {maker(file, plan) for file in files(told)}
    return direct.union(*(origins(other, plan) for other in direct))


def trained_on(model: str, plan: Plan) -> Iterator[str]:
    """The files of solutions of a model and of those that it was trained from."""
    while model.startswith("run/"):
        told = plan[maker(model, plan)]
        yield from (file for task in told["tasks"] for file in task["data"])
        model = told["model"]


def apart(solutions: str, problems: str, plan: Plan) -> bool:
    """Whether the solutions are of other problems: another part of the same split, or excluded when these were made."""
    one, other = Path(solutions).parent, Path(problems).parent
    if one.parent == other.parent and plan.get(one.parent.name, {}).get("stage") == "Split":
        return one != other
    return str(one / "problems.jsonl") in plan[maker(problems, plan)].get("exclude", [])
