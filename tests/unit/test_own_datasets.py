"""Datasets of a user's own, wherever problems are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_modules import declare

from mathquorum import datasets
from mathquorum.config import Settings, build, parse_overrides
from mathquorum.datasets.source import AnySource, Source, Sources, read_source
from mathquorum.errors import DataError, RunError, SettingsError
from mathquorum.recipes.measure import Measure, measure
from mathquorum.records import LabeledSolution, Problem
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.stages.prepare import Prepare
from mathquorum.store import read_records

DATASET = '''
from pydantic import Field
from mathquorum import LabeledSolution, OwnDataset, Problem

class Sums(OwnDataset):
    """n+n=?"""
    largest: int = Field(default=3, ge=1)
    wrong: str = ""

    def problems(self, path, split):
        extra = int(path.read_text()) if path else 0
        for n in range(1, self.largest + 1 + extra):
            answer = str(2 * n)
            yield {
                "type": (n, answer), "number": Problem(f"s{n}", f"{n}+{n}=?", 2 * n), "twice": Problem("s", f"{n}+{n}=?", answer),
                "empty": Problem(f"s{n}", " ", answer),
            }.get(self.wrong, Problem(f"s{n}", f"{n}+{n}=?", answer, f"#### {answer}"))

class Judged(Sums):
    def solutions(self, path, split):
        yield LabeledSolution("s1", "1+1=?", "#### 2", True)
        yield LabeledSolution("other" if self.wrong == "other" else "s1", "1+1=?", "#### 3", False)
'''


class Given(Settings):
    test: AnySource
    train: Sources = ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{name}:Sums", None),
        ("{name}:Sums(largest=2)", None),
        ("{name}:Sums(largest=2):{file}", "{file}"),
        ("sums", None),
        ("sums(largest=2):{file}", "{file}"),
    ],
)
def test_a_text_names_a_dataset_with_its_settings_and_its_path(
    text: str, path: str | None, modules: Path, write_module: Callable[[str], str]
) -> None:
    name, file = write_module(DATASET), modules / "more.txt"
    file.write_text("1")
    declare(modules, "sums", "mathquorum.datasets", sums=f"{name}:Sums", math=f"{name}:Sums")
    made = build(
        Given,
        parse_overrides(["--test", text.format(name=name, file=file), "--train", text.format(name=name, file=file)]),
    )
    assert made.test.path == (path and file) and made.train == (made.test,)
    wanted = (2 if "largest" in text else 3) + bool(path)
    reading = read_source(made.test, seed=0)
    assert [problem.answer for problem in reading.problems] == [str(2 * n) for n in range(1, wanted + 1)]
    assert len(reading.solutions) == wanted and all(solution.correct for solution in reading.solutions)
    assert build(Given, made.model_dump(mode="json")) == made


def test_a_mapping_names_it_too_and_what_is_not_there_is_not_mistaken_for_it(
    modules: Path, write_module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write_module(DATASET)
    made = build(Source, {"dataset": {"name": f"{name}:Sums", "largest": 2}, "limit": 1, "style": "terse"})
    assert made.dataset == f"{name}:Sums(largest=2)"
    assert {solution.style for solution in read_source(made, 0).solutions} == {"terse"}
    assert len(list(datasets.load(f"{name}:Sums"))) == 3
    (modules / "here").mkdir()
    monkeypatch.chdir(modules)
    with pytest.raises(SettingsError, match=r"Unknown dataset 'mth'\. Did you mean 'math'"):
        build(Given, {"test": "mth:here"})
    with pytest.raises(SettingsError, match=r"Unknown dataset 'mth'\. Did you mean 'math'"):
        build(Given, {"test": "mth:test.jsonl"})
    assert build(Given, {"test": "jsonl:other.jsonl"}).test.dataset == "jsonl"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dataset": "{name}:Sums", "hub": "a/b"}, "is read from files only: give a path"),
        ({"dataset": "{name}:Sums", "columns": {"problem": "q"}}, "columns go with dataset 'jsonl'"),
        ({"dataset": "{name}:Sums(largest=0)"}, "dataset: {name}:Sums: largest should be greater than or equal to 1"),
        ({"dataset": "{name}:Problem"}, "Problem is a class, not a subclass of mathquorum.OwnDataset"),
        ({"dataset": "jsn", "path": "p"}, "Unknown dataset 'jsn'. Did you mean 'jsonl'?"),
        (
            {"dataset": "math", "path": "p"},
            "'math' is a built-in dataset, and package sums 1.0 also declares that name",
        ),
    ],
)
def test_what_cannot_be_used_is_told(
    given: dict[str, Any], message: str, modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(DATASET)
    declare(modules, "sums", "mathquorum.datasets", math=f"{name}:Sums")
    with pytest.raises(SettingsError) as caught:
        build(Source, json.loads(json.dumps(given).replace("{name}", name)))
    assert message.replace("{name}", name) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sums(wrong=type)", "problem 1 is (1, '2'), not a mathquorum.Problem."),
        ("Sums(wrong=number)", "problem 1 has answer 2, where a text must stand"),
        ("Sums(wrong=empty)", "problem 1 has text ' ', where a text must stand"),
        ("Sums(wrong=twice)", "gave two problems with the id 's'."),
        ("Judged(wrong=other)", "solution 2 is of problem 'other', which problems did not give."),
    ],
)
def test_what_is_no_problem_is_told(text: str, message: str, write_module: Callable[[str], str]) -> None:
    source = build(Source, {"dataset": f"{write_module(DATASET)}:{text}"})
    with pytest.raises(DataError) as caught:
        read_source(source, 0)
    assert message in str(caught.value)


def test_its_own_solutions_are_labelled(modules: Path, write_module: Callable[[str], str]) -> None:
    name = write_module(DATASET)
    made = Run(modules / "run").do("problems", build(Prepare, {"sources": f"{name}:Judged"}))
    assert [s.correct for s in read_records(made / "labeled.jsonl", LabeledSolution)] == [True, False]
    assert len(list(read_records(made / "problems.jsonl", Problem))) == 3
    assert json.loads((made / "report.json").read_text())["sources"][0]["dataset"] == f"{name}:Judged"


def test_a_recipe_measures_on_it_and_again_when_its_file_changes(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(DATASET)
    engine = {"kind": "scripted", "texts": ["It is 4."]}
    wanted = build(Measure, {"model": "m", "test": f"{name}:Sums", "num_candidates": 2, "engine": engine})
    measure(Run(modules / "run"), wanted)
    record = read_record(modules / "run" / "problems.test")
    assert record is not None and record.settings["sources"][0]["dataset"] == f"{name}:Sums"
    again = Run(modules / "run", dry=True)
    measure(again, wanted)
    assert all(stage.complete for stage in again.plan)
    (modules / f"{name}.py").write_text(DATASET + "# other")
    with pytest.raises(RunError, match=rf"contents of sources\.0\.dataset \({name}\.py\) changed"):
        measure(Run(modules / "run", dry=True), wanted)
