"""A real server against the embedded engine on the same model. Opt-in: it needs a server that was started by hand, and minutes.

MATHQUORUM_SERVER='{"url": "http://127.0.0.1:8000/v1", "served_model": "NAME", "extra": {"top_k": 0, "min_p": 0}}'
MATHQUORUM_SERVER_FOLDER=/folder/of/the/same/model        for the embedded engine
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mathquorum.engines import AnyEngine, Embedded, Server
from mathquorum.engines.base import Sampling
from mathquorum.metrics.results import read_results
from mathquorum.prompts import Prompt
from mathquorum.records import Candidate, Estimate, Score
from mathquorum.run import Run
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_json, read_records

GSM8K = Path(__file__).parents[1] / "data" / "gsm8k" / "test.jsonl.gz"
PROBLEMS, CANDIDATES, TOKENS = map(int, os.environ.get("MATHQUORUM_SERVER_SIZE", "20,8,200").split(","))
CHAT = os.environ.get("MATHQUORUM_SERVER_TEMPLATE", "chat") == "chat"
SOURCE = (
    Source(dataset="gsm8k", path=GSM8K, limit=PROBLEMS)
    if CHAT
    else Source(dataset="minimath", split="test", limit=PROBLEMS)
)


@pytest.fixture(scope="module")
def server() -> Server:
    if "MATHQUORUM_SERVER" not in os.environ or "MATHQUORUM_SERVER_FOLDER" not in os.environ:
        pytest.skip("asks a server that MATHQUORUM_SERVER and MATHQUORUM_SERVER_FOLDER name; they are not set")
    return Server(**json.loads(os.environ["MATHQUORUM_SERVER"]))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return Path(os.environ.get("MATHQUORUM_SERVER_RUNS", tmp_path))


def measured(run: Run, name: str, engine: AnyEngine) -> tuple[Path, Estimate]:
    problems = run.do("problems", Prepare(sources=(SOURCE,)))
    sample = Sample(
        problems=problems / "problems.jsonl",
        model=os.environ["MATHQUORUM_SERVER_FOLDER"],
        num_candidates=CANDIDATES,
        sampling=Sampling(temperature=0.8, max_tokens=TOKENS),
        style=None if CHAT else "fine",
        prompt=Prompt(template="chat" if CHAT else "plain"),
        engine=engine,
    )
    pool = run.do(f"{name}.candidates", sample)
    clusters = run.do(f"{name}.clusters", Cluster(problems=sample.problems, candidates=pool / "candidates.jsonl"))
    evaluation = run.do(
        f"{name}.evaluation",
        Evaluate(problems=sample.problems, candidates=pool / "candidates.jsonl", clusters=clusters / "clusters.jsonl"),
    )
    estimates = read_results(evaluation / "results.json").estimates
    return pool, next(estimate for estimate in estimates if estimate.name == "pass@1")


def test_a_real_server_samples_as_well_as_the_embedded_engine(server: Server, runs: Path, tmp_path: Path) -> None:
    pool, theirs = measured(Run(tmp_path), "server", server)
    here, ours = measured(Run(runs / "embedded"), "embedded", Embedded())
    for place, estimate in ((pool, theirs), (here, ours)):
        found = list(read_records(place / "candidates.jsonl", Candidate))
        lengths = sum(c.num_tokens or 0 for c in found) / len(found)
        known = [c.logprob / c.num_tokens for c in found if c.logprob is not None and c.num_tokens]
        print(
            f"{place.name}: pass@1 {estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}], {lengths:.0f} tokens each, "
            f"{sum(known) / len(known) if known else float('nan'):.3f} nats a token",
            {name: value for name, value in read_json(place / "stage.json")["summary"].items() if value},
        )
        assert len(found) == PROBLEMS * CANDIDATES
    assert ours.low <= theirs.value <= ours.high or theirs.low <= ours.value <= theirs.high
    record = read_json(pool / "stage.json")
    assert record["settings"]["engine"]["kind"] == "server" and record["device"] == "server"


def test_a_real_server_scores_as_the_embedded_engine_does(server: Server, runs: Path, tmp_path: Path) -> None:
    """Where it tells log-probabilities, and each label is one token of the model's: of others a server's score reads the first alone."""
    pool, _ = measured(Run(runs / "embedded"), "embedded", Embedded())
    found = []
    for name, engine in (("server", server), ("embedded", Embedded())):
        score = ScoreCandidates(
            problems=runs / "embedded" / "problems" / "problems.jsonl",
            candidates=pool / "candidates.jsonl",
            model=os.environ["MATHQUORUM_SERVER_FOLDER"],
            prompt=Prompt(template="chat" if CHAT else "plain"),
            engine=engine,
        )
        found.append([s.value for s in read_records(Run(tmp_path).do(name, score) / "scores.jsonl", Score)])
    apart = [abs(theirs - ours) for theirs, ours in zip(*found, strict=True)]
    print(f"scores: {len(apart)}, apart by {sum(apart) / len(apart):.4f} on average, {max(apart):.4f} at most")
    assert sum(apart) / len(apart) < 0.05
