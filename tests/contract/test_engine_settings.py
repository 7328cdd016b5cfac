"""What every kind of engine owes the stages that hold it as a setting."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_in import StandIn
from stand_in_vllm import make_environment

from mathquorum.config import Settings, build
from mathquorum.engines import AnyEngine, Embedded, Scripted, Server, Vllm
from mathquorum.engines.base import Sampling
from mathquorum.engines.settings import Cut, ModelUse, Share, Unit, Writing
from mathquorum.engines.vllm.running import SERVERS
from mathquorum.errors import DataError, RunError, SettingsError
from mathquorum.models import Hardware
from mathquorum.prompts import PLAIN
from mathquorum.records import Candidate, Problem, Score
from mathquorum.run import Run
from mathquorum.run.ledger import read_record
from mathquorum.stages.base import Parallel, Placed, no_progress
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.units import make_by_units
from mathquorum.store import read_records, to_row, write_records

ENGINES = {"embedded": Embedded(), "scripted": Scripted(texts=("It is 1.", "It is 2.", "The answer is 3."))}
SHORT = Sampling(temperature=1.0, max_tokens=6)


class Holder(Settings):
    """A stage's way to hold an engine."""

    engine: AnyEngine = Embedded()


@pytest.fixture(params=[*ENGINES, "server", "vllm"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnyEngine]:
    if request.param in ENGINES:
        yield ENGINES[request.param]
        return
    if request.param == "vllm":
        python = make_environment(tmp_path_factory.mktemp("vllm"))
        yield Vllm(python=str(python), candidates_per_request=1)
        SERVERS.end()
        return
    with StandIn().running() as stand_in:
        yield Server(url=stand_in.url, candidates_per_request=1)  # each candidate by its own seed


@pytest.fixture
def use(tiny_model: Path) -> ModelUse:
    return ModelUse(str(tiny_model), PLAIN, Hardware(device="cpu"), batch_rows=8)


def candidates_of(cut: Cut) -> Counter[tuple[int, int]]:
    return Counter((share.place, index) for unit in cut.units for share in unit for index in share.indices)


PROMPTS = ["a long question, with words", "1+1?", "another", "2+2?", "3?"] * 3


def test_every_candidate_is_in_one_unit(engine: AnyEngine, use: ModelUse, tmp_path: Path) -> None:
    writing = engine.cut_writing(use, Writing(PROMPTS, 3, 6), tmp_path / "batch.json")
    assert candidates_of(writing) == {(place, index): 1 for place in range(15) for index in range(3)}
    judging = engine.cut_judging(use, [2, 0, 3])
    assert candidates_of(judging) == {(place, i): 1 for place, number in ((0, 2), (2, 3)) for i in range(number)}


def test_what_was_measured_is_noted_and_read_from_there(engine: AnyEngine, tiny_model: Path, tmp_path: Path) -> None:
    use, note = ModelUse(str(tiny_model), PLAIN, Hardware(device="cpu")), tmp_path / "batch.json"
    first = engine.cut_writing(use, Writing(PROMPTS, 3, 6), note)
    assert engine.cut_writing(use, Writing(PROMPTS, 3, 6), note) == first
    if note.exists():
        note.write_text(json.dumps({"batch_rows": 3}))
        assert engine.cut_writing(use, Writing(PROMPTS, 3, 6), note) != first
        for text in ("{}", "[]", '{"batch_rows": 0}', '{"batch_rows": "many"}'):
            note.write_text(text)
            with pytest.raises(DataError, match="batch_rows' must be an integer of at least 1"):
                engine.cut_writing(use, Writing(PROMPTS, 3, 6), note)


def test_settings_choose_an_engine_by_its_kind(engine: AnyEngine) -> None:
    values = engine.model_dump()
    assert build(Holder, {"engine": values}).engine == engine
    assert pickle.loads(pickle.dumps(engine)) == engine
    with pytest.raises(SettingsError, match=rf"\b{engine.kind}\b"):
        build(Holder, {"engine": {"kind": "absent"}})


def test_settings_of_engines_load_nothing_heavy() -> None:
    code = "import sys, mathquorum.engines; print(*{'torch', 'transformers', 'tokenizers'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


# --- the stages that hold one -----------------------------------------------------------------------------------------


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{n}", f"{n} + {n} = ?", str(n)) for n in range(5)])
    return tmp_path / "problems.jsonl"


def sample(engine: AnyEngine, problems: Path, model: Path, workers: int = 1) -> Sample:
    return Sample(
        problems=problems,
        model=str(model),
        num_candidates=4,
        sampling=SHORT,
        batch_rows=4,
        hardware=Hardware(device="cpu"),
        workers=workers,
        engine=engine,
    )


def test_stages_make_the_same_bytes_with_any_number_of_workers(
    engine: AnyEngine, problems: Path, tiny_model: Path, tmp_path: Path
) -> None:
    made = []
    far = engine.url if isinstance(engine, Server) else None
    for workers in (1, 2):
        run = Run(tmp_path / str(workers), workers=workers)
        pool = run.do("pool", sample(engine, problems, tiny_model, workers)) / "candidates.jsonl"
        score = ScoreCandidates(problems=problems, candidates=pool, model=str(tiny_model), engine=engine)
        scores = run.do("scores", score) / "scores.jsonl"
        made.append((pool.read_bytes(), scores.read_bytes()))
        for place in ("pool", "scores"):
            record = read_record(run.directory / place)
            assert record and record.answered_by
            assert {(one.engine, one.address) for one in record.answered_by} == {(engine.kind, far)}
        assert len(list(read_records(pool, Candidate))) == len(list(read_records(scores, Score))) == 20
    assert made[0] == made[1]


def test_a_unit_that_was_begun_is_asked_again_whole_or_goes_on(
    engine: AnyEngine, problems: Path, tiny_model: Path, tmp_path: Path
) -> None:
    stage = sample(engine, problems, tiny_model)
    (tmp_path / "whole").mkdir()
    stage.run(tmp_path / "whole", no_progress)
    made = list(read_records(tmp_path / "whole" / "candidates.jsonl", Candidate))
    cut = engine.cut_writing(
        ModelUse(str(tiny_model), PLAIN, stage.hardware, 4), Writing(PROMPTS[:5], 4, 6), tmp_path / "batch.json"
    )
    marked = Candidate("p0", 0, "kept", "kept", None, 1, True, made[0].seed)
    for kept in ([marked], [marked, *made[1:4]]):  # of the first problem's candidates one, or all
        place = tmp_path / str(len(kept))
        place.mkdir()
        (place / "candidates.partial.jsonl").write_text("".join(json.dumps(to_row(c)) + "\n" for c in kept))
        stage.run(place, no_progress)
        found = list(read_records(place / "candidates.jsonl", Candidate))
        taken_over = cut.alone or (len(kept) == 4 and all(len(unit) == 1 for unit in cut.units))
        assert found == [marked if taken_over else made[0], *made[1:]]


def test_a_second_record_of_a_candidate_with_another_value_is_refused(
    problems: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pool, scores = tmp_path / "candidates.jsonl", [Score("p0", 0, 0.25), Score("p0", 1, 0.5), Score("p0", 0, 0.75)]
    write_records(pool, [Candidate("p0", 0, "a", "1"), Candidate("p0", 1, "b", "2")])
    stage = ScoreCandidates(problems=problems, candidates=pool, model=str(tiny_model), engine=ENGINES["scripted"])
    write_records(tmp_path / "scores.partial.jsonl", scores)
    with pytest.raises(DataError, match=r"scores.partial.jsonl holds two different records of candidate 0 of 'p0'"):
        stage.run(tmp_path, no_progress)
    write_records(tmp_path / "scores.partial.jsonl", [*scores[:2], scores[0]])
    stage.run(tmp_path, no_progress)
    assert list(read_records(tmp_path / "scores.jsonl", Score)) == scores[:2]


def test_what_is_asked_again_is_not_kept_beside_it(tmp_path: Path) -> None:
    """Else a second kill would leave two records of a candidate."""
    cut = Cut([(Share(0, (0, 1)),), (Share(1, (0, 1)),)], ModelUse("m", PLAIN, Hardware()))
    scores = [Score("1", 0, 0.5), Score("0", 0, 0.25), Score("1", 1, 0.75)]
    write_records(tmp_path / "scores.partial.jsonl", scores)

    def die(units: list[Unit]) -> Iterator[tuple[int, list[Score]]]:
        assert units == [cut.units[0]]
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        make_by_units(tmp_path / "scores.jsonl", Score, cut, lambda place, i: (str(place), i), die, lambda done: None)
    assert list(read_records(tmp_path / "scores.partial.jsonl", Score)) == [scores[0], scores[2]]


def test_a_cut_forgets_what_shares_a_unit_with_what_is_missing() -> None:
    units = [(Share(0, (0, 1)), Share(1, (0, 1))), (Share(2, (0, 1)),)]
    use = ModelUse("m", PLAIN, Hardware())

    def is_done(place: int, index: int) -> bool:
        return (place, index) != (1, 1)

    assert Cut(units, use).left(is_done) == [units[0]]
    assert Cut(units, use, alone=True).left(is_done) == [(Share(1, (1,)),)]


def test_the_stages_say_where_they_run_and_how_many_workers_they_take(problems: Path, tiny_model: Path) -> None:
    stage = sample(Embedded(), problems, tiny_model, workers=3)
    scored = ScoreCandidates(problems=problems, candidates=problems, hardware=Hardware(device="cpu"))
    assert isinstance(stage, Placed) and isinstance(stage, Parallel) and isinstance(scored, Placed)
    assert (stage.place(), stage.workers, scored.place()) == ("cpu, float32", 3, None)
    assert sample(Scripted(texts=("",)), problems, tiny_model).place() == "scripted"


def test_a_model_that_is_a_name_alone_is_known_by_it(
    problems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the engine takes names. A folder that has the name by chance is not looked at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-model").mkdir()
    stage = sample(ENGINES["scripted"], problems, Path("a-model"))
    run = Run(tmp_path / "run")
    run.do("pool", stage)
    assert json.loads((tmp_path / "run" / "pool" / "stage.json").read_text())["inputs"]["model"] == "name:a-model"
    (tmp_path / "a-model" / "notes.txt").write_text("now it holds something")
    run.do("pool", stage)
    with pytest.raises(RunError, match="model: there is no 'another-model'"):
        run.do("other", sample(Embedded(), problems, Path("another-model")))
