"""Scorers of a user's own, wherever a score is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_modules import declare
from typed import mathquorum

import mathquorum as mq
from mathquorum.config import Settings, build
from mathquorum.errors import SettingsError
from mathquorum.recipes.measure import Measure, measure
from mathquorum.recipes.paper_settings import Paper
from mathquorum.records import Candidate, Problem, Score
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.scorers import AnyOwnScorer, AnyScorer, Scorer
from mathquorum.scorers.own import own_scores, scorer_of
from mathquorum.solving.runs import quorum_of_run
from mathquorum.solving.settings import Quorum
from mathquorum.stages.base import no_progress
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_records, write_records

SCORER = '''
from pydantic import Field
from mathquorum import OwnScorer

class Ends(OwnScorer):
    """1 where the text ends so, else 0."""
    end: str = Field(default="5", coerce_numbers_to_str=True)
    wrong: str = ""

    def score(self, problem, candidates):
        found = [float(candidate.text.endswith(self.end)) for candidate in candidates]
        return {"few": found[1:], "nan": [float("nan")] * len(found), "two": [2.0] * len(found), "text": ["a"] * len(found)}.get(self.wrong, found)
'''
POOL = [Candidate("p", number, text, text[-1]) for number, text in enumerate(("is 4", "is 4", "is 5"))]


class Several(Settings):
    scorer: tuple[AnyScorer, ...] = ()
    one: AnyOwnScorer | None = None


@pytest.fixture
def files(modules: Path) -> dict[str, str]:
    write_records(modules / "problems.jsonl", [Problem("p", "2+3=?", "5")])
    write_records(modules / "candidates.jsonl", POOL)
    return {name: str(modules / f"{name}.jsonl") for name in ("problems", "candidates")}


def test_a_model_a_text_a_mapping_and_an_entry_point_are_scorers(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(SCORER)
    declare(modules, "ends", "mathquorum.scorers", ends=f"{name}:Ends")
    given = [
        "some/model",
        {"model": "m", "name": f"{name}:Ends"},
        f"{name}:Ends(end=4)",
        {"name": "ends", "label": "e"},
    ]
    made = build(Several, {"scorer": given, "one": "ends"})
    first, second, third, fourth = made.scorer
    assert isinstance(first, Scorer) and isinstance(second, Scorer), (
        "a scorer's name is not a class where it has a model"
    )
    assert [item.shown_as for item in made.scorer] == ["model", f"{name}:Ends", "Ends", "e"]
    assert third == scorer_of({"name": f"{name}:Ends", "end": "4"}) and type(fourth) is type(made.one) is type(third)
    assert build(Several, made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"one": "lost"}, "one: Unknown scorer 'lost'. One of your own is given as MODULE:CLASS."),
        ({"one": {"end": "4"}}, "one: Unknown scorer 'None'."),
        ({"scorer": ["{name}:Lost"]}, "scorer.0: scorer '{name}:Lost': module {name}"),
        ({"scorer": [{"model": "m", "read": 1}]}, "Unknown setting 'scorer.0.read'. Did you mean 'reads'?"),
        ({"scorer": ["{name}:Ends(label=a/b)"]}, "label String should match pattern"),
    ],
)
def test_what_cannot_be_used_is_told(given: dict[str, Any], message: str, write_module: Callable[[str], str]) -> None:
    name = write_module(SCORER)
    with pytest.raises(SettingsError) as caught:
        build(Several, json.loads(json.dumps(given).replace("{name}", name)))
    assert message.replace("{name}", name) in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("few", "gave 2 scores for the 3 candidates of problem 'p'. score must return one for each."),
        ("nan", "gave the score nan for a candidate of problem 'p'. Scores are numbers from 0 to 1"),
        ("two", "gave the score 2.0 for a candidate"),
        ("text", "gave the score 'a' for a candidate"),
    ],
)
def test_scores_that_are_none_are_told(wrong: str, message: str, write_module: Callable[[str], str]) -> None:
    scorer = scorer_of(f"{write_module(SCORER)}:Ends(wrong={wrong})")
    with pytest.raises(SettingsError) as caught:
        own_scores(scorer, Problem("p", ""), POOL)
    assert message in str(caught.value)


def test_the_stage_scores_by_it_and_remembers_its_file(
    modules: Path, write_module: Callable[[str], str], files: dict[str, str]
) -> None:
    name = write_module(SCORER)
    stage = build(ScoreCandidates, {**files, "scorer": f"{name}:Ends"})
    run = Run(modules / "run")
    made = run.do("scores", stage)
    assert list(read_records(made / "scores.jsonl", Score)) == [
        Score("p", 0, 0.0),
        Score("p", 1, 0.0),
        Score("p", 2, 1.0),
    ]
    record = read_record(made)
    assert record is not None and record.settings["scorer"]["name"] == f"{name}:Ends"
    assert f"scorer ({name}.py)" in record.inputs
    with pytest.raises(SettingsError, match="give model or scorer"):
        build(ScoreCandidates, {**files, "model": "m", "scorer": f"{name}:Ends"})
    with pytest.raises(SettingsError, match="a scorer of your own has no units"):
        build(ScoreCandidates, {**files, "scorer": f"{name}:Ends", "shard": "1/2"})
    again = modules / "again"
    again.mkdir()
    stage.run(again, no_progress)
    assert (again / "scores.jsonl").read_bytes() == (made / "scores.jsonl").read_bytes()


def test_votes_take_it_in_place_of_the_scores_that_are_there(modules: Path, write_module: Callable[[str], str]) -> None:
    name = write_module(SCORER)
    samples = [["#### 4", "#### 4", "#### 5"]]
    assert mq.vote(samples, strategies=["w.rr"], scorer=f"{name}:Ends").answers("w.rr") == {"0": "5"}
    held = {"id": "p", "problem": "2+3=?", "answer": "5", "samples": samples[0], "scores": [0.9, 0.9, 0.1]}
    (modules / "s.jsonl").write_text(json.dumps(held))
    assert mq.vote(modules / "s.jsonl", strategies="w.rr").answers("w.rr") == {"s/p": "4"}
    assert mq.vote(modules / "s.jsonl", strategies="w.rr", scorer=f"{name}:Ends").answers("w.rr") == {"s/p": "5"}
    with pytest.raises(SettingsError, match="Give scores or a scorer"):
        mq.vote(samples, scores=[[1, 1, 1]], scorer=f"{name}:Ends")


def test_solve_chooses_by_it(write_module: Callable[[str], str]) -> None:
    name = write_module(SCORER)
    engine = {"kind": "scripted", "texts": ["It is 4", "It is 4", "It is 5"]}
    given = {"scorer": f"{name}:Ends", "engine": engine}
    solved = mq.solve("2+3=?", "m", num_candidates=3, settings=given)
    voted = mq.solve("2+3=?", "m", num_candidates=3, settings={"engine": engine})
    assert set(solved.scores.values()) <= {0.0, 1.0} and not voted.scores
    assert solved.answer == ("It is 5" if any(c.text.endswith("5") for c in solved.candidates) else voted.answer)
    with pytest.raises(SettingsError, match="give evaluator or scorer"):
        build(Quorum, {"model": "m", "evaluator": "e", "scorer": f"{name}:Ends"})


def test_recipes_show_it_as_a_row_and_reading_the_run_imports_nothing(
    modules: Path, write_module: Callable[[str], str], files: dict[str, str]
) -> None:
    name = write_module(SCORER)
    values: dict[str, Any] = {"model": "m", "test": files["problems"], "num_candidates": 4}
    values |= {"engine": {"kind": "scripted", "texts": ["It is 4.", "It is 5"]}, "signals": ["likelihood"]}
    wanted = build(
        Measure, {**values, "scorer": [f"{name}:Ends", {"name": f"{name}:Ends", "end": "4", "label": "fours"}]}
    )
    report = measure(Run(modules / "run"), wanted)
    shown = json.loads((report / "evaluations.json").read_text())
    assert [row["scorer"] for row in shown.values()] == ["likelihood", "Ends", "fours"]
    (modules / f"{name}.py").write_text("print('imported')\n" + SCORER)
    found = quorum_of_run(modules / "run", "evaluation.Ends")
    assert found.lacks == f"{name}:Ends" and "scorer" not in found.settings
    path = f"{modules}:{Path(__file__).parents[2] / 'src'}"
    assert "imported" not in mathquorum("vote", str(modules / "run"), PYTHONPATH=path).stdout
    solved = mathquorum("solve", "2+3=?", "--model", str(modules / "run"), "--pool", "evaluation.Ends", PYTHONPATH=path)
    assert "imported" not in solved.stdout
    assert (
        f"Its scores are by {name}:Ends, which is not imported because a record names it: give --scorer"
        in solved.stderr
    )
    with pytest.raises(SettingsError, match="two scores would be called 'Ends'"):
        build(Measure, {**values, "scorer": [f"{name}:Ends", f'{name}:Ends(end="4")']})
    with pytest.raises(SettingsError, match="two scores would be called 'margin'"):
        build(Paper, {"base": "b", "train": "t", "test": "t", "scorer": f"{name}:Ends(label=margin)"})
