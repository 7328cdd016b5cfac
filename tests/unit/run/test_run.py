"""The ledger: complete stages are skipped, others are refused, and half-way ones go on."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Annotated

import pytest

from mathquorum.config import InputPath, Runtime, Settings
from mathquorum.errors import DataError, RunError
from mathquorum.models import Hardware
from mathquorum.records import Score
from mathquorum.run import Run
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import identity_of
from mathquorum.run.ledger import Begun
from mathquorum.stages.base import Progress, Stage, Summary
from mathquorum.stages.sample import Sample
from mathquorum.store import Appender, read_records, write_records


class Write(Settings):
    """Writes a number; counts how often it ran."""

    value: int = 1
    workers: Annotated[int, Runtime()] = 1
    source: InputPath | None = None

    def run(self, out: Path, progress: Progress) -> Summary:
        progress(1, 1)
        with (out / "runs.txt").open("a") as file:
            file.write("x")
        before = int((self.source / "value.txt").read_text()) if self.source else 0
        (out / "value.txt").write_text(str(self.value + before))
        return {"value": self.value}


class FailsOnce(Settings):
    """Leaves half of its work at the first call."""

    value: int = 1

    def run(self, out: Path, progress: Progress) -> Summary:
        with Appender(out / "part.jsonl") as file:
            done = {s.index for s in read_records(out / "part.jsonl", Score)}
            for index in range(4):
                if index not in done:
                    if index == 2 and not done:
                        raise DataError("out of luck")
                    file.append([Score("a", index, self.value)])
        write_records(out / "scores.jsonl", read_records(out / "part.jsonl", Score))
        return {}


class Tell(Settings):
    """Writes how many workers it was given."""

    workers: Annotated[int, Runtime()] = 1

    def run(self, out: Path, progress: Progress) -> Summary:
        (out / "workers.txt").write_text(str(self.workers))
        time.sleep(0.5)
        return {}


class Die(Settings):
    def run(self, out: Path, progress: Progress) -> Summary:
        os._exit(9)


def times_run(place: Path) -> int:
    return len((place / "runs.txt").read_text())


def test_a_complete_stage_is_not_run_again(tmp_path: Path) -> None:
    for workers in (1, 3):
        run = Run(tmp_path)
        first = run.do("first", Write(value=2, workers=workers))
        second = run.do("second", Write(value=3, source=first))
    assert (second / "value.txt").read_text() == "5"
    assert times_run(first) == times_run(second) == 1


def test_stage_json_tells_what_was_done(tmp_path: Path) -> None:
    place = Run(tmp_path).do("first", Write(value=2))
    record = json.loads((place / "stage.json").read_text())
    assert record["stage"] == "Write" and record["settings"] == {"value": 2} and record["summary"] == {"value": 2}
    assert record["versions"]["python"] and "seconds" in record and not (place / "started.json").exists()


def test_other_settings_are_refused_with_the_fields_that_differ(tmp_path: Path) -> None:
    Run(tmp_path).do("first", Write(value=2))
    with pytest.raises(RunError, match=r"first was made with other settings \(value: 2, now 3\)"):
        Run(tmp_path).do("first", Write(value=3))


def test_changed_inputs_are_refused(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = run.do("first", Write())
    run.do("second", Write(source=first))
    (first / "value.txt").write_text("7")
    with pytest.raises(RunError, match="contents of source changed"):
        Run(tmp_path).do("second", Write(source=first))


def test_a_moved_run_is_still_complete(tmp_path: Path) -> None:
    run = Run(tmp_path / "old")
    run.do("second", Write(source=run.do("first", Write())))
    (tmp_path / "old").rename(tmp_path / "new")
    run = Run(tmp_path / "new")
    second = run.do("second", Write(source=run.do("first", Write())))
    assert times_run(second) == 1


def test_a_stage_that_failed_half_way_goes_on_and_keeps_its_settings(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        Run(tmp_path).do("first", FailsOnce())
    with pytest.raises(RunError, match="value: 1, now 2"):
        Run(tmp_path).do("first", FailsOnce(value=2))
    place = Run(tmp_path).do("first", FailsOnce())
    assert [s.index for s in read_records(place / "scores.jsonl", Score)] == [0, 1, 2, 3]


def test_a_dry_run_plans_and_writes_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", dry=True)
    run.do("second", Write(source=run.do("first", Write())))
    assert [(stage.name, stage.complete) for stage in run.plan] == [("first", False), ("second", False)]
    assert not (tmp_path / "run").exists()


def test_a_dry_run_finds_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"first: source: there is no '.*absent'"):
        Run(tmp_path / "run", dry=True).do("first", Write(source=tmp_path / "absent"))


def test_stages_side_by_side_make_what_they_make_alone(tmp_path: Path) -> None:
    stages = {name: Write(value=number) for number, name in enumerate("abc")}
    alone = Run(tmp_path / "alone").do_together(stages)
    together = Run(tmp_path / "together", workers=2).do_together(stages)
    assert [(p / "value.txt").read_text() for p in alone.values()] == [
        (p / "value.txt").read_text() for p in together.values()
    ]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_stages_called_together_wait_for_those_whose_files_they_read(tmp_path: Path, workers: int) -> None:
    stages = {
        "a": Write(value=1),
        "b": Write(value=10, source=tmp_path / "a"),
        "other": Write(value=5),
        "c": Write(value=100, source=tmp_path / "b"),
        "d": Write(value=1000, source=tmp_path / "b"),
    }
    places = Run(tmp_path, workers=workers).do_together(stages)
    values = {name: int((place / "value.txt").read_text()) for name, place in places.items()}
    assert values == {"a": 1, "b": 11, "other": 5, "c": 111, "d": 1011}
    shutil.rmtree(places["b"])  # the same files come out, so those who read them are not run again
    shutil.rmtree(places["other"])
    Run(tmp_path, workers=workers).do_together(stages)
    assert [times_run(place) for place in places.values()] == [1] * 5
    assert Run(tmp_path, dry=True).do_together(stages) == places


class Meet(Settings):
    """Waits until its partner is there too, so it ends only where both run at once."""

    partner: str
    source: InputPath | None = None

    def run(self, out: Path, progress: Progress) -> Summary:
        (out / "here").write_text("")
        deadline = time.monotonic() + 60
        while not (out.parent / self.partner / "here").exists():
            assert time.monotonic() < deadline, f"{self.partner} did not come"
            time.sleep(0.02)
        return {}


def test_a_stage_begins_while_another_that_it_does_not_need_still_runs(tmp_path: Path) -> None:
    """The second and the third stage wait for each other, and the third needs the first."""
    stages: dict[str, Stage] = {
        "first": Write(),
        "slow": Meet(partner="later"),
        "later": Meet(partner="slow", source=tmp_path / "first"),
    }
    places = Run(tmp_path, workers=2).do_together(stages)
    assert all((place / "stage.json").exists() for place in places.values())


@pytest.mark.parametrize(("workers", "shares"), [(8, [3, 4, 1]), (4, [1, 2, 1]), (2, [1, 1, 1])])
def test_workers_are_shared_among_the_stages_that_can_use_them(tmp_path: Path, workers: int, shares: list[int]) -> None:
    stages: dict[str, Stage] = {"a": Tell(workers=9), "b": Tell(workers=9), "c": Tell(workers=1)}
    places = Run(tmp_path, workers=workers).do_together(stages)
    told = [int((place / "workers.txt").read_text()) for place in places.values()]
    assert told == shares


def test_one_that_was_made_with_other_settings_is_refused_though_it_had_to_wait(tmp_path: Path) -> None:
    def stages(value: int) -> dict[str, Write]:
        return {"a": Write(), "b": Write(value=value, source=tmp_path / "a"), "c": Write()}

    places = Run(tmp_path, workers=2).do_together(stages(1))
    shutil.rmtree(places["a"])
    with pytest.raises(RunError, match="b was made with other settings"):
        Run(tmp_path, workers=2).do_together(stages(2))


class Lonely(Settings):
    """Writes what else was at work when it began and when it ended."""

    beside: Path
    alone: bool

    def takes_all(self) -> bool:
        return self.alone

    def run(self, out: Path, progress: Progress) -> Summary:
        mark = self.beside / out.name
        seen = sorted(path.name for path in self.beside.iterdir())
        mark.touch()
        time.sleep(0.5)
        seen += sorted(path.name for path in self.beside.iterdir() if path != mark)
        mark.unlink()
        (out / "seen.json").write_text(json.dumps(seen))
        return {}


def test_nothing_runs_beside_a_stage_that_wants_the_machine_for_itself(tmp_path: Path) -> None:
    """One that launches processes of its own."""
    (tmp_path / "at work").mkdir()
    stages = {name: Lonely(beside=tmp_path / "at work", alone=name == "b") for name in "abc"}
    places = Run(tmp_path / "run", workers=3).do_together(stages)
    assert [json.loads((places[name] / "seen.json").read_text()) for name in "abc"] == [[], [], []]


def test_errors_of_side_by_side_stages_come_back_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="out of luck"):
        Run(tmp_path, workers=2).do_together({"a": FailsOnce(), "b": Write()})


def test_a_process_that_dies_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="b ended without a word"):
        Run(tmp_path, workers=2).do_together({"a": Write(), "b": Die()})


def test_a_stage_is_not_continued_on_another_device(tmp_path: Path) -> None:
    stage = Sample(problems=tmp_path / "problems.jsonl", model="owner/name", hardware=Hardware(device="cpu"))
    (tmp_path / "problems.jsonl").write_text("")
    begun = Begun(**identity_of(stage, Fingerprints()).model_dump(), device="cuda, bfloat16")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "started.json").write_text(begun.model_dump_json())
    with pytest.raises(RunError, match="begun on cuda, bfloat16 and would go on on cpu, float32"):
        Run(tmp_path).do("s", stage)


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    with Run(tmp_path).locked(), pytest.raises(RunError, match="Another process is working"), Run(tmp_path).locked():
        pass
