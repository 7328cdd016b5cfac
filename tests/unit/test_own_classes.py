"""Own classes in place of built-in ones: by MODULE:CLASS and by entry point."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from own_modules import declare
from typed import mathquorum

import mathquorum as mq
from mathquorum.config import build, parse_overrides
from mathquorum.config.importing import declared
from mathquorum.errors import MathquorumError, RunError, SettingsError
from mathquorum.recipes.measure import Measure, measure
from mathquorum.records import AnswerCluster, Problem
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.selection.own import any_strategy
from mathquorum.serving.questions import Served
from mathquorum.serving.refusals import Refused
from mathquorum.serving.settings import Limits
from mathquorum.serving.wire import AskedChat, read_asked
from mathquorum.serving.work import Question
from mathquorum.solving.settings import Quorum
from mathquorum.stages.evaluate import Evaluate
from mathquorum.store import write_records

STRATEGY = '''
from pydantic import Field
from mathquorum import OwnStrategy

class Last(OwnStrategy):
    """The last cluster but so many."""
    skip: int = Field(default=0, ge=0)
    of: tuple[str, ...] = ()
    needs_scores = False

    def choose(self, clusters, scores):
        return clusters[max(0, len(clusters) - 1 - self.skip)]

class Scored(OwnStrategy):
    def choose(self, clusters, scores):
        return max(clusters, key=lambda cluster: scores[cluster.members[-1]])

class Wrong(Last):
    def choose(self, clusters, scores):
        return clusters[0].answer

class Empty(OwnStrategy):
    pass

class Other:
    pass

def last():
    pass
'''
CLUSTERS = [AnswerCluster("p", "a", (0, 1)), AnswerCluster("p", "b", (2,)), AnswerCluster("p", "c", (3,))]
SAMPLES = [{"id": "q", "problem": "1+1=?", "answer": "3", "samples": ["#### 2", "#### 2", "#### 3"]}]


# --- names and settings -----------------------------------------------------------------------------------------------


def test_a_text_a_mapping_and_an_object_are_the_same_strategy(write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    text = f'{name}:Last(skip=1, of=["x, y", "z"])'
    found = any_strategy(text)
    assert found.name == text
    assert found == any_strategy({"name": f"{name}:Last", "skip": 1, "of": ["x, y", "z"]}) == any_strategy(found)
    assert found.select(CLUSTERS, {}) is CLUSTERS[1]
    assert any_strategy(f"{name}:Last").name == f"{name}:Last"
    assert any_strategy(f"{name}:Last(skip=0)").name == f"{name}:Last", "a default is not named"


def test_python_takes_an_object(write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    module = __import__(name)
    one = module.Last(skip=1)
    assert one.model_copy(update={"skip": 2}).name == f"{name}:Last(skip=2)"
    given = {"problems": "p", "candidates": "c", "clusters": "c", "strategies": ["maj1", one]}
    assert build(Evaluate, given).strategies == ("maj1", f"{name}:Last(skip=1)")
    found = mq.vote([["#### 4", "#### 5", "#### 5"]], strategies=["maj1", module.Last(), f"{name}:Last(skip=1)"])
    assert found.answers(f"{name}:Last") == {"0": "4"}
    assert found.answers(f"{name}:Last(skip=1)") == {"0": "5"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{name}:Lost", "has no 'Lost'. Did you mean 'Last'? Known: Empty, Last, Scored, Wrong."),
        ("{name}_lost:Last", "there is no module '{name}_lost', neither installed nor in "),
        ("{name}.deeper:Last", "there is no module '{name}.deeper'"),
        ("{name}:Other", "Other is a class, not a subclass of mathquorum.OwnStrategy. Write class Other(OwnStrategy)."),
        ("{name}:last", "last is a function, not a subclass of mathquorum.OwnStrategy."),
        ("{name}:Empty", "Empty lacks choose. Write what mathquorum.OwnStrategy says of it."),
        ("{name}:OwnStrategy", "OwnStrategy is a class, not a subclass"),
        ("{name}:Last(skip=-1)", "{name}:Last: skip should be greater than or equal to 0. Got -1 instead."),
        ("{name}:Last(skp=1)", "{name}:Last: Unknown setting 'skp'. Did you mean 'skip'?"),
        ("{name}:Last(1)", "settings in brackets are given as NAME=VALUE. Got '1' instead."),
        ("{name}:Last(skip=1", "must end in )"),
        ("{name}.py:Last", "there is no module '{name}.py'"),
        ("./{name}:Last", "Unknown strategy './{name}:Last'."),
        ("{name}..x:Last", "is given as MODULE:CLASS, such as mypkg.mine:Mine. Got '{name}..x:Last' instead."),
        ("maj2", "Unknown strategy 'maj2'. Did you mean 'maj1'?"),
    ],
)
def test_what_cannot_be_used_is_told(given: str, told: str, write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    with pytest.raises(SettingsError) as caught:
        any_strategy(given.replace("{name}", name))
    assert told.replace("{name}", name) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import lost_package", "ModuleNotFoundError: No module named 'lost_package' ({file}, line 1)"),
        ("\n1 / 0", "ZeroDivisionError: division by zero ({file}, line 2)"),
        ("raise SystemExit(3)", "SystemExit: 3 ({file}, line 1)"),
        ("def f(:", "SyntaxError: invalid syntax"),
    ],
)
def test_a_module_that_fails_is_told_with_its_line(
    text: str, told: str, modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(text)
    with pytest.raises(SettingsError) as caught:
        any_strategy(f"{name}:Last")
    assert f"module {name} cannot be imported: {told}".replace("{file}", str(modules / f"{name}.py")) in str(
        caught.value
    )


def test_a_choice_that_is_no_cluster_is_told(write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    with pytest.raises(SettingsError, match=r"Wrong chose 'a' for problem 'p'. choose must return one of the clusters"):
        any_strategy(f"{name}:Wrong").select(CLUSTERS, {})
    assert any_strategy(f"{name}:Wrong").select([], {}) is None


# --- entry points -----------------------------------------------------------------------------------------------------


def test_an_entry_point_is_found_by_its_name(modules: Path, write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    declare(modules, "tiny", "mathquorum.strategies", **{"tiny-last": f"{name}:Last"})
    assert declared("mathquorum.strategies")["tiny-last"] and name not in sys.modules, "looking imports nothing"
    found = any_strategy("tiny-last(skip=1)")
    assert found.name == "tiny-last(skip=1)" and found.select(CLUSTERS, {}) is CLUSTERS[1]
    with pytest.raises(SettingsError, match="Did you mean 'tiny-last'"):
        any_strategy("tiny-lost")


def test_entry_points_that_cannot_be_used_are_told_when_they_are_named(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    good, broken = write_module(STRATEGY), write_module("import lost_package")
    declare(modules, "one", "mathquorum.strategies", maj1=f"{good}:Last", twice=f"{good}:Last", gone=f"{broken}:Last")
    declare(modules, "two", "mathquorum.strategies", twice=f"{good}:Scored", plain=good)
    for given, told in (
        ("maj1", f"'maj1' is a built-in strategy, and package one 1.0 also declares that name. Give '{good}:Last'"),
        ("twice", f"Several packages declare the strategy 'twice': one 1.0 ({good}:Last) and two 1.0 ({good}:Scored)"),
        ("gone", f"is the entry point {broken}:Last of package one 1.0, which cannot be loaded: ModuleNotFoundError"),
        ("plain", "plain is a module, not a subclass of mathquorum.OwnStrategy"),
    ):  # fmt: skip
        with pytest.raises(SettingsError) as caught:
            any_strategy(given)
        assert told in str(caught.value)
    assert any_strategy("w.rr").name == "w.rr"
    assert any_strategy(f"{good}:Last").select(CLUSTERS, {}) is CLUSTERS[2]


def test_a_package_whose_entry_points_cannot_be_read_hides_no_other(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(STRATEGY)
    declare(modules, "good", "mathquorum.strategies", good=f"{name}:Last")
    declare(modules, "bad", "mathquorum.strategies")
    (modules / "bad-1.0.dist-info" / "entry_points.txt").write_text("[mathquorum.strategies]\nno equals sign\n")
    sys.path.append(f"{modules}/./")
    assert any_strategy("good").select(CLUSTERS, {}) is CLUSTERS[2]


def test_a_broken_entry_point_breaks_no_command_that_does_not_name_it(modules: Path) -> None:
    (modules / "shouts.py").write_text("print('imported')\nraise SystemExit(9)\n")
    declare(modules, "one", "mathquorum.strategies", shouts="shouts:Last", maj1="shouts:Last")
    (modules / "s.jsonl").write_text(json.dumps(SAMPLES[0]))
    path = f"{modules}:{Path(__file__).parents[2] / 'src'}"
    for words in (["--help"], ["settings", "paper"], ["vote", str(modules / "s.jsonl")], ["grade", "1", "1"]):
        assert "imported" not in mathquorum(*words, PYTHONPATH=path).stdout
    refused = mathquorum("vote", str(modules / "s.jsonl"), "--strategies", "shouts", check=2, PYTHONPATH=path)
    assert "cannot be loaded: SystemExit: 9" in refused.stderr


# --- commands ---------------------------------------------------------------------------------------------------------


def test_a_command_finds_a_module_in_the_folder_that_it_is_typed_in(tmp_path: Path) -> None:
    last = "import sys, pathlib\nassert sys.path[-1] == str(pathlib.Path(__file__).parent), 'it would go before libraries'\n"
    (tmp_path / "votes.py").write_text(last + STRATEGY)
    (tmp_path / "s.jsonl").write_text(json.dumps(SAMPLES[0]))
    command = [sys.executable, "-P", "-c", "from mathquorum.cli import main; main()"]
    words = ["vote", "s.jsonl", "--strategies", "[maj1, {name: 'votes:Last'}]", "--json"]
    made = subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["picks"][0]["picks"]["votes:Last"]["answer"] == "3"


# --- runs -------------------------------------------------------------------------------------------------------------


def settings(folder: Path, *strategies: str) -> Measure:
    write_records(folder / "test.jsonl", [Problem(f"p{n}", f"{n}+{n}=?", str(2 * n)) for n in range(4)])
    texts = ["It is 4.", "It is 5.", "It is 4.", "It is 6."]
    values = {"model": "m", "test": str(folder / "test.jsonl"), "num_candidates": 4, "sampling": {"max_tokens": 16}}
    given = parse_overrides(["--strategies", ",".join(strategies)]) if strategies else {}
    return build(Measure, {**values, "engine": {"kind": "scripted", "texts": texts}}, given)


def test_a_run_measures_and_shows_own_strategies_and_is_done_again_when_their_file_changes(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(STRATEGY)
    wanted = settings(modules, f"{name}:Last", f"{name}:Last(skip=1)", f"{name}:Scored", "maj1")
    assert build(Measure, wanted.model_dump(mode="json")) == wanted
    report = measure(Run(modules / "run"), wanted)
    record = read_record(modules / "run" / "evaluation")
    assert record is not None
    assert record.settings["strategies"] == ["maj1", f"{name}:Last", f"{name}:Last(skip=1)"], "Scored needs scores"
    assert f"strategies.1 ({name}.py)" in record.inputs and f"strategies.0 ({name}.py)" not in record.inputs
    page = (report / "report.html").read_text()
    assert f"{name}:Last(skip=1)" in page
    again = Run(modules / "run", dry=True)
    measure(again, wanted)
    assert all(stage.complete for stage in again.plan)
    (modules / f"{name}.py").write_text(STRATEGY + "\n# another")
    with pytest.raises(
        RunError, match=rf"evaluation was made with other settings .*contents of strategies\.1 \({name}\.py\) changed"
    ):
        measure(Run(modules / "run", dry=True), wanted)


def test_nothing_that_a_run_names_is_imported_by_reading_it(modules: Path, write_module: Callable[[str], str]) -> None:
    name = write_module(STRATEGY)
    measure(Run(modules / "run"), settings(modules, f"{name}:Last"))
    (modules / f"{name}.py").write_text("print('imported')\n" + STRATEGY)
    path = f"{modules}:{Path(__file__).parents[2] / 'src'}"
    assert "imported" not in mathquorum("vote", str(modules / "run"), "--json", PYTHONPATH=path).stdout
    named = mathquorum("vote", str(modules / "run"), "--strategies", f"{name}:Last", "--json", PYTHONPATH=path).stdout
    assert named.startswith("imported") and f'"{name}:Last@4"' in named


def test_a_client_of_a_server_cannot_name_a_class_but_for_the_servers_own(write_module: Callable[[str], str]) -> None:
    used, other = write_module(STRATEGY), write_module(STRATEGY)

    def asked(name: str) -> Question:
        served = Served("m", build(Quorum, {"model": "x", "strategy": f"{used}:Last"}), Limits(), 16)
        held = {"model": "m", "messages": [{"role": "user", "content": "1+1?"}], "mathquorum": {"strategy": name}}
        return served.question(read_asked(AskedChat, json.dumps(held).encode()))

    assert asked(f"{used}:Last").strategy.name == f"{used}:Last" and asked("maj1").strategy.name == "maj1"
    with pytest.raises(Refused, match=r"mathquorum\.strategy is none that is known"):
        asked(f"{other}:Last")
    assert other not in sys.modules


def test_a_report_shows_the_choices_that_are_stored_and_needs_no_code(
    modules: Path, write_module: Callable[[str], str]
) -> None:
    name = write_module(STRATEGY)
    report = measure(Run(modules / "run"), settings(modules, f"{name}:Last"))
    (modules / f"{name}.py").unlink()
    again = """
import sys
from pathlib import Path
from mathquorum.config import build
from mathquorum.stages.base import no_progress
from mathquorum.stages.report import Report

run, name = Path(sys.argv[1]), sys.argv[2]
kinds = {"problems": "problems.test", "candidates": "candidates", "clusters": "clusters"}
pool = {kind: run / stage / f"{kind}.jsonl" for kind, stage in kinds.items()}
stage = build(Report, {"evaluations": {"model": {"results": run / "evaluation", "generator": "model", "pool": pool}}})
chosen = run / "evaluation" / "selections.jsonl"
for number in range(3):
    if number == 2:
        chosen.write_text(chosen.read_text().replace('"It is 6"', '"It is 5"'))
    out = run / f"again{number}"
    out.mkdir()
    stage.run(out, no_progress)
assert name not in sys.modules
"""
    subprocess.run([sys.executable, "-c", again, str(modules / "run"), name], check=True, capture_output=True)
    first, *others = ((p / "report.html").read_text() for p in (report, *sorted((modules / "run").glob("again*"))))
    assert f"{name}:Last" in first and all(f"{name}:Last" in page for page in others)
    assert others[0] == others[1] != others[2]


def test_another_process_finds_the_class_where_this_one_did(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(STRATEGY)
    sys.path.append(str(tmp_path))
    held = pickle.dumps(any_strategy("elsewhere:Last(skip=2)"))
    sys.path.remove(str(tmp_path))
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).name)"
    told = subprocess.run([sys.executable, "-c", code], input=held, capture_output=True, check=True, cwd="/")
    assert told.stdout.decode().strip() == "elsewhere:Last(skip=2)"


def test_a_class_without_a_file_works_at_a_prompt_and_not_in_a_run() -> None:
    names: dict[str, object] = {"__name__": "__console__"}
    exec(compile(STRATEGY, "<stdin>", "exec"), names)
    made = names["Last"]()  # type: ignore[operator]
    assert mq.vote([["#### 4", "#### 5"]], strategies=[made]).answers(made.name) == {"0": "5"}
    with pytest.raises(SettingsError, match="is in no file"):
        made.files()


def test_stage_settings_say_where_a_wrong_strategy_stands() -> None:
    given = {"problems": "p", "candidates": "c", "clusters": "c", "strategies": ["maj1", "lost_module:Last"]}
    with pytest.raises(MathquorumError, match=r"strategies\.1: strategy 'lost_module:Last': there is no module"):
        build(Evaluate, given)
