"""The engine that starts vLLM: with a stand-in for it. What is started is ended, however we end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_in_vllm import make_environment, started, still_run

from mathquorum.engines import Vllm
from mathquorum.engines.base import Request, Sampling
from mathquorum.engines.settings import ModelUse
from mathquorum.engines.vllm.running import SERVERS
from mathquorum.errors import MathquorumError, ModelError
from mathquorum.models import Hardware
from mathquorum.objectives import SolutionLoss
from mathquorum.prompts import PLAIN
from mathquorum.records import Candidate, Problem, Score
from mathquorum.run import Run
from mathquorum.stages.base import no_progress
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_records, write_records
from mathquorum.training.settings import Training


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    SERVERS.end()


def adapter(folder: Path, base: Path, rank: int = 20) -> Path:
    folder.mkdir()
    held = {"base_model_name_or_path": str(base), "r": rank, "peft_type": "LORA"}
    (folder / "adapter_config.json").write_text(json.dumps(held))
    return folder


def ask(engine: Vllm, folder: Path, model: str = "owner/model") -> None:
    use = ModelUse(model, PLAIN, Hardware(device="cpu"), folder=folder)
    engine.open(use).generate([Request("1+1", (1,))], Sampling(max_tokens=8), ())


def test_generator_and_evaluator_are_two_adapters_of_one_server(tiny_model: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "environment")
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{n}", f"{n}+1", str(n + 1)) for n in range(3)])
    generator, evaluator = adapter(tmp_path / "g", tiny_model), adapter(tmp_path / "e", tiny_model, 8)
    engine = Vllm(
        python=str(python),
        adapters={"generator": generator, "evaluator": evaluator},
        dtype="bfloat16",
        max_model_len=2048,
        tensor_parallel=2,
        arguments=("--enforce-eager",),
    )
    run = Run(tmp_path / "run")
    sample = Sample(problems=tmp_path / "problems.jsonl", model=str(generator), num_candidates=4, engine=engine)
    pool = run.do("pool", sample) / "candidates.jsonl"
    score = ScoreCandidates(problems=sample.problems, candidates=pool, model=str(evaluator), engine=engine)
    scores = run.do("scores", score) / "scores.jsonl"
    assert len(list(read_records(pool, Candidate))) == 12
    assert {round(s.value, 6) for s in read_records(scores, Score)} == {0.75}

    (start,) = started(tmp_path / "environment")
    told = start["arguments"]
    assert told[:4] == ["serve", str(tiny_model), "--host", "127.0.0.1"]
    assert told[told.index("--max-lora-rank") + 1] == "32" and told[told.index("--max-loras") + 1] == "2"
    at = told.index("--lora-modules")
    assert [json.loads(word) for word in told[at + 1 : at + 3]] == [
        {"name": "evaluator", "path": str(evaluator)},
        {"name": "generator", "path": str(generator)},
    ]
    for name, value in (("--dtype", "bfloat16"), ("--tensor-parallel-size", "2"), ("--max-model-len", "2048")):
        assert told[told.index(name) + 1] == value
    assert told[-1] == "--enforce-eager"
    asked = [json.loads((tmp_path / "run" / name / "server.json").read_text()) for name in ("pool",)]
    assert asked[0]["server"] == "vllm"
    assert "loading weights" in (tmp_path / "run" / "vllm.log").read_text()
    everything = "".join(file.read_text() for file in (tmp_path / "run").rglob("*") if file.is_file())
    assert start["key"] and start["key"] not in everything and start["key"] not in " ".join(told)
    SERVERS.end()
    assert still_run(start["pids"]) == []


def test_another_server_ends_the_first_and_the_same_is_shared(tmp_path: Path) -> None:
    engine = Vllm(python=str(make_environment(tmp_path / "environment")))
    for model in ("owner/model", "owner/model", "owner/other"):
        ask(engine, tmp_path, model)
    first, second = started(tmp_path / "environment")
    assert still_run(first["pids"]) == []
    assert second["arguments"][1] == "owner/other"


CODE = """
import signal, sys, time
from pathlib import Path
from mathquorum.engines import Vllm
from mathquorum.engines.settings import ModelUse
from mathquorum.models import Hardware
from mathquorum.objectives import SolutionLoss
from mathquorum.prompts import PLAIN

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would this
folder = Path(sys.argv[1])
use = ModelUse("owner/model", PLAIN, Hardware(device="cpu"), folder=folder)
Vllm(python=str(folder / "environment" / "python")).open(use)
print("open", flush=True)
if sys.argv[2] == "wait":
    time.sleep(600)
if sys.argv[2] == "fail":
    raise RuntimeError("oh")
"""


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT", "end", "fail"])
def test_the_server_ends_when_we_do(how: str, tmp_path: Path) -> None:
    make_environment(tmp_path / "environment")
    what = "wait" if how.startswith("SIG") else how
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(tmp_path), what], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as ours:
        assert ours.stdout and ours.stdout.readline() == "open\n"
        if what == "wait":
            ours.send_signal(signal.Signals[how])
    (start,) = started(tmp_path / "environment")
    assert len(start["pids"]) == 3 and still_run(start["pids"]) == []


def test_the_server_ends_when_who_watches_it_is_killed(tmp_path: Path) -> None:
    ask(Vllm(python=str(make_environment(tmp_path / "environment"))), tmp_path)
    (start,) = started(tmp_path / "environment")
    server, child, supervisor = start["pids"]
    os.kill(supervisor, signal.SIGKILL)
    assert still_run([server, supervisor]) == []
    os.kill(child, signal.SIGKILL)  # that it left its session and that nobody is left to end it is beyond us


def test_a_server_that_ended_is_started_again(tmp_path: Path) -> None:
    engine = Vllm(python=str(make_environment(tmp_path / "environment")))
    ask(engine, tmp_path)
    os.kill(started(tmp_path / "environment")[0]["pids"][0], signal.SIGKILL)
    assert still_run(started(tmp_path / "environment")[0]["pids"]) == []
    ask(engine, tmp_path)
    assert len(started(tmp_path / "environment")) == 2


def test_one_that_dies_while_it_starts_is_told_with_its_last_words(tmp_path: Path) -> None:
    engine = Vllm(python=str(make_environment(tmp_path / "environment", dies=True)))
    with pytest.raises(ModelError, match=r"vLLM ended while it started \(exit code 1\)(.|\n)*no room for the weights"):
        ask(engine, tmp_path)
    assert still_run(started(tmp_path / "environment")[0]["pids"]) == []


def test_one_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    engine = Vllm(python=str(make_environment(tmp_path / "environment", hangs=True)), start_timeout=1.5)
    with pytest.raises(
        ModelError, match=r"did not answer in 1\.5 seconds \(engine\.start_timeout\)(.|\n)*loading weights"
    ):
        ask(engine, tmp_path)
    assert still_run([pid for start in started(tmp_path / "environment") for pid in start["pids"]]) == []


def test_a_port_that_somebody_took_is_no_end(tmp_path: Path) -> None:
    engine = Vllm(python=str(make_environment(tmp_path / "environment", **{"loses its port": True})))
    ask(engine, tmp_path)
    assert len(started(tmp_path / "environment")) == 2


def test_without_vllm_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    for python in (str(make_environment(tmp_path / "environment", vllm=False)), str(tmp_path / "absent")):
        with pytest.raises(ModelError, match=r"engine\.python .*pip install vllm\. Then give engine\.python"):
            ask(Vllm(python=python), tmp_path)


def test_training_has_the_gpu_for_itself(tmp_path: Path) -> None:
    ask(Vllm(python=str(make_environment(tmp_path / "environment"))), tmp_path)
    task = Task(objective=SolutionLoss(), data=(tmp_path / "labeled.jsonl",))
    train = Finetune(model="absent", tasks=(task,), training=Training(steps=1))
    with pytest.raises(MathquorumError):
        train.run(tmp_path, no_progress)
    assert still_run(started(tmp_path / "environment")[0]["pids"]) == []
