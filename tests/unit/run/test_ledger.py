"""Records are what they say, and the files of stages are what the records say."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.errors import RunError
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.stages.base import Progress, Summary


class Inner(Settings):
    """Settings within settings."""

    depth: int = 1
    added: str = "as before"


class Make(Settings):
    """Writes a file, a folder, and what it read."""

    former = frozenset({"gone"})
    value: int = 1
    inner: Inner = Inner()
    parts: tuple[Inner, ...] = (Inner(),)
    named: dict[str, Inner] = Field(default_factory=lambda: {"a": Inner(), "b": Inner()})
    source: InputPath | None = None
    start: InputModel | None = None
    workers: Annotated[int, Runtime()] = 1

    def run(self, out: Path, progress: Progress) -> Summary:
        (out / "model").mkdir(exist_ok=True)
        (out / "model" / "weights.bin").write_bytes(bytes([self.value]) * 8)
        (out / "value.txt").write_text(str(self.value))
        return {"value": self.value}


class Bundle(Settings):
    """Reads files by name, several for each."""

    sources: dict[str, tuple[InputPath, ...]]

    def run(self, out: Path, progress: Progress) -> Summary:
        (out / "joined.txt").write_text("".join(file.read_text() for of in self.sources.values() for file in of))
        return {}


def flip(file: Path) -> None:
    """One byte; the size stays."""
    held = file.read_bytes()
    file.write_bytes(bytes([held[0] ^ 1]) + held[1:])


def edit(file: Path, without: Collection[str] = (), **values: object) -> None:
    """Changes fields of a record, and leaves some out."""
    held = {**json.loads(file.read_text()), **values}
    file.write_text(json.dumps({name: value for name, value in held.items() if name not in without}))


def test_the_record_tells_what_was_made_from_what(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = run.do("first", Make(workers=3))
    record = read_record(run.do("second", Make(source=first / "value.txt", start="owner/name")))
    assert record is not None and record.outputs is not None
    assert set(record.outputs) == {"value.txt", "model/weights.bin"}
    assert record.inputs.keys() == {"source", "start"} and record.inputs["start"] == "hub:owner/name"
    assert record.arguments == {"workers": 1} and "workers" not in record.settings
    made = read_record(first)
    assert made is not None and made.arguments == {"workers": 3} and made.summary == {"value": 1}


@pytest.mark.parametrize("file", ["value.txt", "model/weights.bin"])
@pytest.mark.parametrize("read", ["value.txt", "model", ""])
def test_inputs_that_are_not_what_their_maker_made_are_refused(tmp_path: Path, file: str, read: str) -> None:
    run = Run(tmp_path)
    first = run.do("first", Make())
    flip(first / file)
    stage = Make(source=first / read)
    if read in ("", file.partition("/")[0]):
        for again in (run, Run(tmp_path), Run(tmp_path, dry=True)):
            with pytest.raises(RunError, match=rf"second: .* is not what first made: {file} is changed. Put it back"):
                again.do("second", stage)
        assert not (tmp_path / "second").exists()
        flip(first / file)
    assert Run(tmp_path).do("second", stage).exists()


def test_a_file_that_nobody_recorded_is_no_part_of_an_input(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = run.do("first", Make())
    (first / "model" / "more.bin").write_text("x")
    with pytest.raises(RunError, match=r"first made: model/more.bin is new"):
        run.do("second", Make(source=first / "model"))
    (first / "model" / "more.bin").rename(first / "model" / ".more.bin")
    assert run.do("second", Make(source=first / "model")).exists()


def test_a_record_of_anybody_elsewhere_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stage.json").write_text("{}")
    (tmp_path / "data" / "a.txt").write_text("x")
    assert Run(tmp_path / "run").do("first", Make(source=tmp_path / "data" / "a.txt")).exists()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("harm", ["gone", "changed"])
@pytest.mark.parametrize("file", ["value.txt", "model/weights.bin"])
def test_a_stage_whose_files_are_gone_or_changed_is_made_again(
    tmp_path: Path, harm: str, file: str, workers: int
) -> None:
    stages = {"first": Make(), "second": Make(source=tmp_path / "first" / "value.txt"), "third": Make(value=3)}
    places = Run(tmp_path, workers=workers).do_together(stages)
    held = (places["first"] / file).read_bytes()
    if harm == "gone":
        (places["first"] / file).unlink()
    else:
        flip(places["first"] / file)
    dry = Run(tmp_path, dry=True)
    dry.do_together(stages)
    assert [stage.complete for stage in dry.plan] == [False, True, True]
    Run(tmp_path, workers=workers).do_together(stages)
    record = read_record(places["first"])
    assert (places["first"] / file).read_bytes() == held
    assert record is not None and record.summary["made again, since"] == f"{file} is {harm}"
    aside = (places["first"] / file).with_name(f".{Path(file).name}.changed")
    assert aside.exists() == (harm == "changed"), "what somebody changed is kept"
    Run(tmp_path, workers=workers).do_together(stages)
    dry = Run(tmp_path, dry=True)
    dry.do_together(stages)
    assert all(stage.complete for stage in dry.plan)


def test_a_file_beside_those_of_a_stage_does_not_undo_it(tmp_path: Path) -> None:
    place = Run(tmp_path).do("first", Make())
    (place / "notes.md").write_text("mine")
    run = Run(tmp_path)
    run.do("first", Make())
    assert run.plan[0].complete


@pytest.mark.parametrize("name", ["stage.json", "started.json"])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", "field 'stage' is missing"),
        ("[]", "is not the record of a stage"),
        ("null", "is not the record of a stage"),
        ("", "is not valid JSON"),
        ('{"stage": 3, "settings": {}, "inputs": {}}', "field 'stage' should be a valid string"),
        ('{"stage": "Make", "settings": {}}', "field 'inputs' is missing"),
        ('{"stage": "Make", "settings": {}, "inputs": {"source": 7}, "device": null}', "field 'inputs.source' should"),
    ],
)
def test_a_record_that_is_none_is_refused_in_words(tmp_path: Path, name: str, text: str, fault: str) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / name).write_text(text)
    for dry in (True, False):
        with pytest.raises(RunError) as caught:
            Run(tmp_path, dry=dry).do("first", Make())
        assert f"{name} " in str(caught.value) and fault in str(caught.value) and "Delete" in str(caught.value)


@pytest.mark.parametrize("field", ["settings", "inputs", "device", "summary", "versions", "commit", "began", "seconds"])
def test_a_record_that_lacks_a_field_is_refused(tmp_path: Path, field: str) -> None:
    place = Run(tmp_path).do("first", Make())
    edit(place / "stage.json", without=(field,))
    with pytest.raises(RunError, match=f"field '{field}' is missing"):
        Run(tmp_path).do("first", Make())


def test_a_record_of_a_later_version_is_refused(tmp_path: Path) -> None:
    edit(Run(tmp_path).do("first", Make()) / "stage.json", format=3)
    with pytest.raises(RunError, match="field 'format' should be 1 or 2"):
        Run(tmp_path).do("first", Make())


def test_a_record_from_before_outputs_were_kept_is_taken_over(tmp_path: Path) -> None:
    place = Run(tmp_path).do("first", Make())
    edit(place / "stage.json", without=("format", "outputs", "arguments"))
    flip(place / "value.txt")
    run = Run(tmp_path)
    run.do("first", Make())
    assert run.plan[0].complete
    assert run.do("second", Make(source=place / "value.txt")).exists()
    with pytest.raises(RunError, match="value: 1, now 2"):
        Run(tmp_path).do("first", Make(value=2))


@pytest.mark.parametrize("file", ["stage.json", "started.json"])
def test_a_setting_newer_than_the_record_counts_as_its_default(tmp_path: Path, file: str) -> None:
    place = Run(tmp_path).do("first", Make())
    if file == "started.json":
        shutil.copy(place / "stage.json", place / "started.json")
        (place / "stage.json").unlink()
    old = {"depth": 1}
    edit(place / file, settings={"value": 1, "inner": old, "parts": [old], "named": {"a": old, "b": old}})
    with pytest.raises(RunError, match=r"\(inner.added: 'absent', now 'new'\)"):
        Run(tmp_path).do("first", Make(inner=Inner(added="new")))
    with pytest.raises(RunError, match=r"\(parts.0.added: 'absent', now 'new'\)"):
        Run(tmp_path).do("first", Make(parts=(Inner(added="new"),)))
    assert Run(tmp_path).do("first", Make()) == place


def test_a_setting_that_is_no_more_is_passed_over_where_the_stage_names_it(tmp_path: Path) -> None:
    place = Run(tmp_path).do("first", Make())
    known = json.loads((place / "stage.json").read_text())["settings"]
    edit(place / "stage.json", settings={**known, "gone": 12})
    assert Run(tmp_path).do("first", Make()) == place
    edit(place / "stage.json", settings={**known, "other": 12})
    with pytest.raises(RunError, match=r"\(other: 12, now 'absent'\)"):
        Run(tmp_path).do("first", Make())


def test_an_entry_that_a_record_lacks_is_a_difference_though_the_default_has_it(tmp_path: Path) -> None:
    only = {"a": Inner()}
    Run(tmp_path).do("first", Make(named=only))
    with pytest.raises(RunError, match=r"named\.b\.added: 'absent', now 'as before'"):
        Run(tmp_path).do("first", Make())
    Run(tmp_path).do("second", Make(parts=()))
    with pytest.raises(RunError, match=r"parts: \[\], now 'absent'; parts\.0\.added"):
        Run(tmp_path).do("second", Make())


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    left = [tmp_path / "first" / f".{name}.x7_2abcd" for name in ("started.json", "stage.json", "candidates.jsonl")]
    left.append(tmp_path / ".settings.yaml.k3j9d8sl")
    kept = [tmp_path / "first" / ".model", tmp_path / "first" / ".gitignore", tmp_path / ".notes.md"]
    for file in left + kept:
        file.write_text("half")
    run = Run(tmp_path)
    with run.locked():
        run.do("first", Make())
    assert not any(file.exists() for file in left) and all(file.exists() for file in kept)


def test_the_inputs_of_a_run_are_read_once(tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("x" * 1000)
    os.utime(source, (1e9, 1e9))
    dry = Run(tmp_path / "run", dry=True)
    for number in range(5):
        dry.do(f"stage{number}", Make(value=number, source=source))
    assert dry.fingerprints.num_read == 1
    run = Run(tmp_path / "run", fingerprints=dry.fingerprints)
    before = dry.fingerprints.num_read
    for number in range(5):
        run.do(f"stage{number}", Make(value=number, source=source))
    assert run.fingerprints.num_read == before + 10, "each stage reads its two outputs"


def test_files_in_tuples_by_name_are_inputs(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file in files:
        file.write_text(file.name)
    stage = Bundle(sources={"first": (files[0], files[1]), "second": (files[2],)})
    run = Run(tmp_path / "run")
    run.do("bundle", stage)
    record = read_record(tmp_path / "run" / "bundle")
    assert record is not None and set(record.inputs) == {"sources.first.0", "sources.first.1", "sources.second.0"}
    files[1].write_text("changed")
    with pytest.raises(RunError, match=r"sources\.first\.1"):
        run.do("bundle", stage)
