"""Another run's results are taken over where name and identity are equal, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mathquorum.config import InputPath, Settings
from mathquorum.errors import RunError
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.stages.base import Progress, Stage, Summary


class Make(Settings):
    """Writes a number that is its own and what it reads together, in a folder."""

    value: int
    source: InputPath | None = None

    def run(self, out: Path, progress: Progress) -> Summary:
        before = int((self.source / "made" / "value.txt").read_text()) if self.source else 0
        (out / "made").mkdir(exist_ok=True)
        (out / "made" / "value.txt").write_text(str(self.value + before))
        return {"value": self.value}


class Heard:
    """Which stages ran, and what was told of those that were not."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.skipped: dict[str, Mapping[str, int | float | str]] = {}

    def stage_began(self, name: str) -> None:
        self.ran.append(name)

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None: ...

    def stage_ended(self, name: str, summary: Summary, seconds: float, skipped: bool) -> None:
        if skipped:
            self.skipped[name] = summary


def three(run: Path, middle: int = 2, last: int = 3) -> dict[str, Stage]:
    return {
        "first": Make(value=1),
        "second": Make(value=middle, source=run / "first"),
        "third": Make(value=last, source=run / "second"),
    }


def follow(run: Path, source: Path | None = None, workers: int = 1, **values: int) -> Heard:
    heard = Heard()
    Run(run, source=source, listener=heard, workers=workers).do_together(three(run, **values))
    return heard


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_the_same_is_taken_over_and_the_rest_is_made(tmp_path: Path, workers: int) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    heard = follow(new, source=old, workers=workers, middle=5)
    assert heard.ran == ["second", "third"], "third has the settings of the old one, and reads something else"
    assert heard.skipped == {"first": {f"taken over from {old}, files": 1}}
    assert (new / "third" / "made" / "value.txt").read_text() == "9"
    record = read_record(new / "first")
    assert record and record.taken_from == str(old)


def test_what_was_taken_over_is_complete_without_the_earlier_run(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    follow(new, source=old, last=4)
    old.rename(tmp_path / "away")
    heard = follow(new, last=4)
    assert heard.ran == [] and set(heard.skipped) == {"first", "second", "third"}


def test_a_change_made_in_the_new_run_does_not_reach_the_old_one(tmp_path: Path) -> None:
    """Files are links where the disk allows it; a stage that is made again puts another file in their place."""
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    follow(new, source=old)
    file = new / "first" / "made" / "value.txt"
    assert file.samefile(old / "first" / "made" / "value.txt")
    file.unlink()
    heard = follow(new)
    assert heard.ran == ["first"]
    assert (old / "first" / "made" / "value.txt").read_text() == file.read_text() == "1"


def test_a_stage_whose_files_are_not_as_it_made_them_is_not_taken(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    (old / "second" / "made" / "value.txt").write_text("77")
    assert follow(new, source=old).ran == ["second"], "the third is the same once the second is made again"


def test_a_dry_run_tells_what_will_be_taken_over(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    dry = Run(new, source=old, dry=True)
    dry.do_together(three(new, last=4))
    assert [stage.note for stage in dry.plan] == [f"taken over from {old}"] * 2 + [""]
    assert not new.exists()


def test_a_stage_that_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    follow(old)
    follow(new)
    record = json.loads((new / "first" / "stage.json").read_text())
    (new / "first" / "started.json").write_text(json.dumps(record))
    (new / "first" / "stage.json").unlink()
    assert follow(new, source=old).ran == ["first"]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run to take results from"):
        Run(tmp_path / "new", source=tmp_path)


# --- one stage --------------------------------------------------------------------------------------------------------


def test_only_one_stage_is_called(tmp_path: Path) -> None:
    heard = Heard()
    for name in ("first", "second"):
        Run(tmp_path, only=name, listener=heard).do_together(three(tmp_path))
    assert heard.ran == ["first", "second"] and not (tmp_path / "third").exists()


def test_a_stage_alone_needs_what_it_reads(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"second: source: there is no .*first"):
        Run(tmp_path, only="second").do_together(three(tmp_path))


def test_stages_may_be_made_beside_each_other_and_none_twice(tmp_path: Path) -> None:
    with Run(tmp_path, only="first").locked(), Run(tmp_path, only="second").locked():
        with (
            pytest.raises(RunError, match=r"Another process is working in .* at first"),
            Run(tmp_path, only="first").locked(),
        ):
            pass
        with pytest.raises(RunError, match="Another process is working in"), Run(tmp_path).locked():
            pass
    with Run(tmp_path).locked(), pytest.raises(RunError, match="Another"), Run(tmp_path, only="first").locked():
        pass
