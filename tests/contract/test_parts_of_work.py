"""What every kind of engine owes a stage that is made in parts: in shards, or with more candidates later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mathquorum.engines import Embedded, Scripted
from mathquorum.engines.base import Sampling
from mathquorum.errors import RunError, SettingsError
from mathquorum.models import Hardware
from mathquorum.records import Candidate, Problem
from mathquorum.run import Run
from mathquorum.run.shards import missing_shards
from mathquorum.stages.base import Shard, no_progress, read_shard
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_records, write_records

ENGINES = {"embedded": Embedded(), "scripted": Scripted(texts=("It is 1.", "It is 2.", "The answer is 3."))}
CPU = Hardware(device="cpu")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Embedded | Scripted:
    found = ENGINES[request.param]
    assert isinstance(found, Embedded | Scripted)
    return found


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    texts = [f"{'1 + ' * (n % 4)}{n} = ?" for n in range(7)]  # not in order of length
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{n}", text, str(n)) for n, text in enumerate(texts)])
    return tmp_path / "problems.jsonl"


@pytest.fixture
def sampling(engine: Embedded | Scripted, problems: Path, tiny_model: Path) -> Sample:
    return Sample(
        problems=problems,
        model=str(tiny_model),
        num_candidates=3,
        sampling=Sampling(temperature=1.0, max_tokens=5),
        batch_rows=2,  # units of four problems
        hardware=CPU,
        engine=engine,
    )


def scoring(stage: Sample, candidates: Path) -> ScoreCandidates:
    return ScoreCandidates(
        problems=stage.problems, candidates=candidates, model=stage.model, hardware=CPU, engine=stage.engine
    )


# --- shards -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 3, 40])
def test_shards_put_together_are_the_bytes_of_one_process(sampling: Sample, tmp_path: Path, of: int) -> None:
    """Also where there are more shards than units, of which some have nothing to do."""
    whole = Run(tmp_path / "whole").do("pool", sampling)
    scores = Run(tmp_path / "whole").do("scores", scoring(sampling, whole / "candidates.jsonl"))
    place = tmp_path / "shards"
    for number in range(of, 0, -1):
        Run(place, only="pool", shard=Shard(number=number, of=of)).do("pool", sampling)
    assert missing_shards(place, "pool") == []
    pool = Run(place).do("pool", sampling)
    judging = scoring(sampling, pool / "candidates.jsonl")
    for number in range(1, of + 1):
        Run(place, only="scores", shard=Shard(number=number, of=of)).do("scores", judging)
    judged = Run(place).do("scores", judging)
    assert (pool / "candidates.jsonl").read_bytes() == (whole / "candidates.jsonl").read_bytes()
    assert (judged / "scores.jsonl").read_bytes() == (scores / "scores.jsonl").read_bytes()
    assert json.loads((pool / "stage.json").read_text())["summary"]["shards put together"] == of


def test_each_candidate_is_in_one_shard(sampling: Sample, tmp_path: Path) -> None:
    made: list[tuple[str, int]] = []
    for number in (1, 2, 3):
        place = Run(tmp_path, only="pool", shard=Shard(number=number, of=3)).do_together({"pool": sampling})["pool"]
        shard = place.with_name(f"pool.shard-{number}-of-3")
        made += [(c.problem_id, c.index) for c in read_records(shard / "candidates.jsonl", Candidate)]
    assert sorted(made) == [(f"p{n}", index) for n in range(7) for index in range(3)]


def test_what_shards_lack_is_made_with_them(sampling: Sample, tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole").do("pool", sampling) / "candidates.jsonl"
    run = Run(tmp_path / "run", only="pool", shard=Shard(number=2, of=2))
    run.do("pool", sampling)
    assert missing_shards(run.directory, "pool") == [Shard(number=1, of=2)]
    assert (Run(run.directory).do("pool", sampling) / "candidates.jsonl").read_bytes() == whole.read_bytes()


def test_a_shard_of_other_settings_or_that_was_changed_is_refused(sampling: Sample, tmp_path: Path) -> None:
    Run(tmp_path, only="pool", shard=Shard(number=1, of=2)).do("pool", sampling)
    with pytest.raises(RunError, match=r"pool.shard-1-of-2 is no shard of pool as it is now \(seed: 0, now 1\)"):
        Run(tmp_path).do("pool", sampling.model_copy(update={"seed": 1}))
    with (tmp_path / "pool.shard-1-of-2" / "candidates.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(RunError, match=r"candidates\.jsonl is changed"):
        Run(tmp_path).do("pool", sampling)


def test_shards_that_were_cut_differently_are_refused(problems: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Machines with unlike memory cut alike only where they are told how."""
    stage = Sample(
        problems=problems, model=str(tiny_model), num_candidates=2, sampling=Sampling(max_tokens=3), hardware=CPU
    )
    for number in (1, 2):
        place = tmp_path / f"pool.shard-{number}-of-2"
        place.mkdir()
        (place / "batch.json").write_text(json.dumps({"batch_rows": 8 * number, "unit_candidates": 4}))
        shard = stage.model_copy(update={"shard": Shard(number=number, of=2)})
        shard.run(place, no_progress)
    places = [tmp_path / f"pool.shard-{number}-of-2" for number in (1, 2)]
    (tmp_path / "pool").mkdir()
    with pytest.raises(RunError, match=r"cut differently \(.*16.* and .*8.*\).* Set batch_rows"):
        stage.gather(places, tmp_path / "pool")


def test_only_sampling_and_scoring_have_shards(problems: Path, tmp_path: Path) -> None:
    from mathquorum.stages.cluster import Cluster

    with pytest.raises(SettingsError, match="clusters is a Cluster stage and is not cut into shards"):
        Run(tmp_path, only="clusters", shard=Shard(number=1, of=2)).do(
            "clusters", Cluster(problems=problems, candidates=problems)
        )
    with pytest.raises(ValueError, match="shard goes with a model"):
        ScoreCandidates(problems=problems, candidates=problems, shard=Shard(number=1, of=2))


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b", "1/2/3", "-1/4", "1/0", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard"):
        read_shard(text)


# --- more candidates --------------------------------------------------------------------------------------------------


def indices(pool: Path, below: int) -> list[str]:
    """The lines of candidates with a lower index."""
    lines = (pool / "candidates.jsonl").read_text().splitlines()
    return [line for line in lines if json.loads(line)["index"] < below]


def more(stage: Sample, number: int) -> Sample:
    return stage.model_copy(update={"num_candidates": number})


def test_raising_n_keeps_the_first_candidates_byte_for_byte(sampling: Sample, tmp_path: Path) -> None:
    first = Run(tmp_path / "first").do("pool", sampling)
    before = (first / "candidates.jsonl").read_bytes()
    there = Run(tmp_path / "second", source=tmp_path / "first").do("pool", more(sampling, 5))
    here = Run(tmp_path / "first").do("pool", more(sampling, 5))
    assert (there / "candidates.jsonl").read_bytes() == (here / "candidates.jsonl").read_bytes()
    assert "\n".join(indices(there, 3)) + "\n" == before.decode()
    assert len(indices(there, 5)) == 7 * 5
    again = Run(tmp_path / "first").do("pool", more(sampling, 8))
    assert indices(again, 5) == indices(there, 5) and len(indices(again, 8)) == 7 * 8
    assert json.loads((again / "grown.json").read_text()) == [3, 5]


def test_only_the_new_candidates_are_sampled(sampling: Sample, tmp_path: Path) -> None:
    pool = Run(tmp_path).do("pool", sampling)
    lines = [json.loads(line) for line in (pool / "candidates.jsonl").read_text().splitlines()]
    (pool / "stage.json").unlink()
    marked = [{**line, "text": "kept"} for line in lines]
    (pool / "candidates.jsonl").write_text("".join(json.dumps(line) + "\n" for line in marked))
    more(sampling, 5).run(pool, no_progress)
    made = [json.loads(line) for line in (pool / "candidates.jsonl").read_text().splitlines()]
    assert [line["index"] for line in made if line["text"] == "kept"] == [0, 1, 2] * 7


def test_growing_that_was_stopped_goes_on(sampling: Sample, tmp_path: Path) -> None:
    Run(tmp_path / "run").do("pool", sampling)
    Run(tmp_path / "other").do("pool", sampling)
    whole = Run(tmp_path / "other").do("pool", more(sampling, 5))

    class Stopped(Exception):
        pass

    class Stopping:
        def stage_began(self, name: str) -> None: ...

        def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
            if done > 7 * 3:
                raise Stopped

        def stage_ended(self, name: str, summary: object, seconds: float, skipped: bool) -> None: ...

    with pytest.raises(Stopped):
        Run(tmp_path / "run", listener=Stopping()).do("pool", more(sampling, 5))
    with pytest.raises(RunError, match="num_candidates: 5, now 3"):
        Run(tmp_path / "run").do("pool", sampling)
    grown = Run(tmp_path / "run").do("pool", more(sampling, 5))
    assert (grown / "candidates.jsonl").read_bytes() == (whole / "candidates.jsonl").read_bytes()


def test_n_is_not_lowered_and_nothing_else_grows(sampling: Sample, tmp_path: Path) -> None:
    Run(tmp_path).do("pool", sampling)
    with pytest.raises(RunError, match="num_candidates: 3, now 2"):
        Run(tmp_path).do("pool", more(sampling, 2))
    with pytest.raises(RunError, match=r"num_candidates: 3, now 5; seed: 0, now 1"):
        Run(tmp_path).do("pool", more(sampling, 5).model_copy(update={"seed": 1}))


def test_a_pool_that_others_were_made_from_grows_elsewhere(sampling: Sample, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    pool = run.do("pool", sampling)
    scores = scoring(sampling, pool / "candidates.jsonl")
    run.do("scores", scores)
    for dry in (True, False):
        with pytest.raises(RunError, match=r"pool would grow \(num_candidates 3 to 5\), but scores was made from"):
            Run(tmp_path / "run", dry=dry).do("pool", more(sampling, 5))
    other = Run(tmp_path / "other", source=tmp_path / "run")
    grown = other.do("pool", more(sampling, 5))
    assert indices(grown, 3) == indices(pool, 3)
    assert "taken_from" not in json.loads((grown / "stage.json").read_text())["summary"]
