"""The engine that asks a server, against a stand-in that does less than it should, or worse."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_in import Behaviour, StandIn

from mathquorum.engines.base import Request, Sampling
from mathquorum.engines.server.answerers import Answered, Answerers, read_answered
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.engine import ServerEngine
from mathquorum.engines.server.faults import Fault
from mathquorum.engines.server.labels import label_shares
from mathquorum.engines.server.pacing import Gate, backoff, told_wait
from mathquorum.engines.server.settings import Server
from mathquorum.engines.server.spending import ANSWERED, Account, Sent
from mathquorum.engines.server.threads import map_threads
from mathquorum.engines.server.transport import Reply, Transport
from mathquorum.engines.settings import ModelUse
from mathquorum.errors import ModelError, SettingsError
from mathquorum.models import Hardware
from mathquorum.processes import Tell
from mathquorum.prompts import PLAIN, Prompt
from mathquorum.records import Candidate, Problem
from mathquorum.run import Run
from mathquorum.stages.base import Shard, no_progress
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_json, read_records, write_records

CHAT = Prompt(template="chat")
SHORT = Sampling(max_tokens=32)


@pytest.fixture
def serve() -> Iterator[Callable[..., StandIn]]:
    with ExitStack() as stack:
        yield lambda **does: stack.enter_context(StandIn(Behaviour(**does)).running())


def opened(stand_in: StandIn, folder: Path | None = None, **settings: Any) -> ServerEngine:
    use = ModelUse("a-model", PLAIN, Hardware(device="cpu"), folder=folder)
    return Server(**{"url": stand_in.url, "first_pause": 0.01, **settings}).open(use)


def sampled(stand_in: StandIn, folder: Path, number: int, problems: int = 3, **settings: Any) -> list[Candidate]:
    folder.mkdir(exist_ok=True)
    write_records(folder / "problems.jsonl", [Problem(f"p{n}", f"{n}+{n}", str(n)) for n in range(problems)])
    stage = Sample(
        problems=folder / "problems.jsonl",
        model="a-model",
        num_candidates=number,
        sampling=SHORT,
        engine=Server(**{"url": stand_in.url, "first_pause": 0.01, **settings}),
    )
    out = Run(folder / "run").do("pool", stage)
    return list(read_records(out / "candidates.jsonl", Candidate))


def summary(folder: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((folder / "run" / "pool" / "stage.json").read_text())["summary"]
    return held


# --- what a server can do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("does", "expected"),
    [
        ({}, None),
        ({"several": False}, "the server: one candidate per request"),
        ({"several": False, "refuses": True}, "the server: one candidate per request"),
        ({"seeds": "ignored"}, "the server: seeds are ignored"),
        (
            {"seeds": "fixed", "several": False},
            "the server: one candidate per request; whether seeds are honoured is not known, since different ones gave the same text",
        ),
        ({"sure_of": "1+1"}, None),
        (
            {"sure_of": ""},
            "the server: one candidate per request; whether seeds are honoured is not known, since different ones gave the same text",
        ),
        ({"sure_of": "1+1", "seeds": "ignored"}, "the server: seeds are ignored"),
        ({"likeliest": None}, "the server: no log-probabilities: no likelihoods, no confidences"),
        ({"likeliest": None, "refuses": True}, "the server: no log-probabilities: no likelihoods, no confidences"),
        ({"likeliest": 5, "refuses": True}, "the server: 5 likeliest tokens: no confidences"),
    ],
)
@pytest.mark.parametrize("wording", [PLAIN, CHAT])
def test_what_a_server_does_not_do_is_found_and_told(
    serve: Callable[..., StandIn], does: dict[str, Any], expected: str | None, wording: Prompt
) -> None:
    stand_in = serve(**does)
    engine = opened(stand_in)
    (found,) = engine.generate([Request(wording.generator("1+1"), (1, 2, 3, 4))], SHORT, ())
    assert engine.notice == expected
    assert len({c.text for c in found}) == (1 if does.get("seeds") == "fixed" or "sure_of" in does else 4)
    assert all((c.logprob is None) == (does.get("likeliest", 20) is None) for c in found)
    assert all((c.confidence is not None) == (does.get("likeliest", 20) == 20) for c in found)
    numbers = [body.get("n", 1) for body in stand_in.bodies]
    assert numbers[-1] == (4 if does.get("several", True) and does.get("sure_of") != "" else 1)


def test_a_seed_is_recorded_where_it_decided_the_text(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    kinds: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
        ({}, {"candidates_per_request": 1}, True),
        ({}, {}, False),
        ({"seeds": "ignored"}, {"candidates_per_request": 1}, False),
        ({"several": False}, {}, True),
    ]
    for number, (does, settings, seeded) in enumerate(kinds):
        found = sampled(serve(**does), tmp_path / str(number), 4, **settings)
        assert [c.seed is not None for c in found] == [seeded] * 12


def test_a_candidate_whose_seed_is_honoured_is_the_same_again(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_in = serve()
    first, again = (sampled(stand_in, tmp_path / name, 3, candidates_per_request=1) for name in "ab")
    assert first == again
    more = sampled(stand_in, tmp_path / "c", 5, candidates_per_request=1)
    assert [c for c in more if c.index < 3] == first


def test_prompts_go_as_text_or_as_messages(serve: Callable[..., StandIn]) -> None:
    stand_in = serve()
    opened(stand_in, extra={"top_k": 0}).generate([Request(PLAIN.generator("1+1"), (1,))], SHORT, ("\n\nProblem:",))
    text = stand_in.bodies[-1]
    assert text["prompt"] == PLAIN.generator("1+1") and "messages" not in text
    assert (text["top_k"], text["stop"], text["max_tokens"], text["seed"]) == (0, ["\n\nProblem:"], 32, 1)
    thinking = Prompt(template="chat", system="Be brief.", thinking=False)
    opened(stand_in).generate([Request(thinking.generator("1+1"), (None,))], Sampling(temperature=0), ())
    chat = stand_in.bodies[-1]
    assert [turn["role"] for turn in chat["messages"]] == ["system", "user"] and "prompt" not in chat
    assert chat["chat_template_kwargs"] == {"enable_thinking": False} and "seed" not in chat and "top_p" not in chat


def test_a_stop_text_that_the_server_passed_over_ends_the_candidate(serve: Callable[..., StandIn]) -> None:
    stand_in = serve(words="It is 4.\n\nProblem: and on")
    ((found,),) = opened(stand_in).generate([Request("1+1", (1,))], SHORT, ("\n\nProblem:",))
    assert found.text.endswith("It is 4.") and found.finished


def test_a_prompt_that_does_not_fit_gives_no_candidates_and_no_score(
    serve: Callable[..., StandIn], tmp_path: Path
) -> None:
    stand_in = serve(context=150)
    engine = opened(stand_in)
    engine.generate([Request("short", (1,))], SHORT, ())
    ((found,),) = engine.generate([Request("long " * 50, (1,))], SHORT, ())
    assert (found.text, found.num_tokens, found.finished) == ("", 0, False)
    assert engine.label_probabilities(["long " * 50], (" correct", " incorrect")) == [[]]


def test_choices_that_are_missing_are_asked_for_and_those_too_many_are_left(serve: Callable[..., StandIn]) -> None:
    for fault in ("too few", "too many"):
        stand_in = serve()
        engine = opened(stand_in)
        engine.generate([Request("1+1", (1,))], SHORT, ())
        stand_in.behaviour = replace(stand_in.behaviour, faults={fault: 1.0})
        (found,) = engine.generate([Request("1+1", tuple(range(8)))], SHORT, ())
        assert len(found) == len({c.text for c in found}) == 8


# --- faults -----------------------------------------------------------------------------------------------------------

FAULTS = dict.fromkeys(("429", "429 told", "500", "cut", "cut within", "slow", "malformed", "no choice"), 0.03)


def test_every_candidate_arrives_once_whatever_goes_wrong(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    """A small one of benchmarks/misbehaving.py, which has 10,000."""
    # what is sent half a second after it wanted to be left alone was sent although it was known
    faults = {**FAULTS, "429 told": 0.01, "429": 0.05, "too many": 0.06}
    stand_in = serve(faults=faults, slow=0.7, seeds="ignored", pause=0.6, notice=0.5)
    found = sampled(stand_in, tmp_path, 100, problems=4, candidates_per_request=1, timeout=0.5, concurrency=16)
    assert [(c.problem_id, c.index) for c in found] == [(f"p{p}", n) for p in range(4) for n in range(100)]
    assert len({c.text for c in found}) == 400
    assert all(stand_in.given[c.text] == 1 for c in found)
    counted = Counter(stand_in.counted)
    failed = sum(counted[name] for name in FAULTS)
    assert failed > 60
    tried = 9  # to find out what the server can do
    assert sum(counted.values()) - failed - 400 - tried <= 0.03 * (failed + 400)
    told = summary(tmp_path)
    assert told["requests"] == sum(counted.values())
    kinds = dict(part.split(": ") for part in told["requests without an answer"].split(", "))
    assert int(kinds["429"]) == counted["429"] + counted["429 told"] + counted["early"]
    assert int(kinds["500"]) == counted["500"] and int(kinds["too slow"]) == counted["slow"]
    assert int(kinds["cut off"]) == counted["cut"] + counted["cut within"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_only_fails_is_given_up_with_what_arrived_kept(
    serve: Callable[..., StandIn], tmp_path: Path, fault: str
) -> None:
    stand_in = serve(slow=0.6, pause=0.01)
    settings = {"candidates_per_request": 1, "timeout": 0.4, "attempts": 2, "concurrency": 2}
    sampled(stand_in, tmp_path / "other", 1, **settings)
    good = stand_in.behaviour
    stand_in.behaviour = replace(good, faults={fault: 0.35})
    with pytest.raises(ModelError, match=r"Sent . times\. What was answered is kept"):
        sampled(stand_in, tmp_path, 200, **settings)
    kept = list(read_records(tmp_path / "run" / "pool" / "candidates.partial.jsonl", Candidate))
    stand_in.behaviour = good
    stand_in.rest()  # what the first call gave up on may still be answered
    before = sum(stand_in.given.values())
    found = sampled(stand_in, tmp_path, 200, **{**settings, "timeout": 60.0})
    assert len(found) == 600 and set(kept) <= set(found)
    assert sum(stand_in.given.values()) - before == 600 - len(kept)
    assert summary(tmp_path)["requests"] > 600  # those of both calls


def test_a_kill_loses_nothing_that_arrived(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_in = serve(faults={"slow": 1.0}, slow=0.02)
    write_records(tmp_path / "problems.jsonl", [Problem("p", "1+1", "2")])
    stage = Sample(
        problems=tmp_path / "problems.jsonl",
        model="m",
        num_candidates=100,
        sampling=SHORT,
        engine=Server(url=stand_in.url, candidates_per_request=1, concurrency=4),
    )
    code = (
        "import pickle, sys; from pathlib import Path; from mathquorum.stages.base import no_progress; "
        "pickle.loads(Path(sys.argv[1]).read_bytes()).run(Path(sys.argv[1]).parent, no_progress)"
    )
    (tmp_path / "stage").write_bytes(pickle.dumps(stage))
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "stage")]) as process:
        while sum(stand_in.counted.values()) < 60:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    arrived = sum(stand_in.counted.values()) - 7  # but for those to find out what the server can do
    kept = list(read_records(tmp_path / "candidates.partial.jsonl", Candidate))
    assert arrived - 3 * 4 <= len(kept) < 100  # under way, or on their way to the disk
    stage.run(tmp_path, no_progress)
    found = list(read_records(tmp_path / "candidates.jsonl", Candidate))
    assert [c.index for c in found] == list(range(100)) and set(kept) <= set(found)
    assert len(stand_in.bodies) - 7 <= 100 + 3 * 4


class Limited:
    """In place of a transport: refuses for going too fast, meanwhile answering somebody else or nobody, and answers in the end."""

    url = "http://server/v1"

    def __init__(self, account: Account, refusals: int, others: int) -> None:
        self.account, self.left, self.others = account, refusals, others

    def post(self, path: str, body: Any) -> Reply:
        for _ in range(self.others):
            self.account.note(Sent(ANSWERED, 0.1))
        self.left -= 1
        if self.left >= 0:
            raise Fault("429", "Too fast.", limited=True)
        return Reply({"choices": [{"text": "4"}]}, None)


def test_waiting_in_line_is_no_failure() -> None:
    for others in (1, 0):
        account = Account(None)
        server: Any = Limited(account, 30, others)
        asker = Asker(server, account, Answerers(None, "s"), 1, attempts=3, sleep=lambda seconds: None)
        if others:
            assert asker.ask("/completions", {}).choices[0].text == "4"
        else:
            with pytest.raises(ModelError, match=r"Too fast\. Sent 3 times"):
                asker.ask("/completions", {})


def test_nobody_asks_while_the_server_wants_to_be_left_alone() -> None:
    now = 100.0
    gate = Gate(lambda: now)
    assert gate.left == 0
    gate.close(5)
    gate.close(2)
    assert gate.left == 5
    now = 104.0
    assert gate.left == 1
    now = 106.0
    assert gate.left == 0


@pytest.mark.parametrize(
    ("headers", "refused", "expected"),
    [
        ({"retry-after": "7"}, True, 7),
        ({"retry-after": "7"}, False, None),
        ({"retry-after": "7", "retry-after-ms": "250"}, True, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, True, 0),
        ({"retry-after": "soon"}, True, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, False, 360),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, False, 0.02),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, False, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, True, 30),
        ({"retry-after": "9" * 400}, True, float("9" * 32)),
        ({}, True, None),
    ],
)
def test_what_a_server_says_of_waiting_is_read(headers: dict[str, str], refused: bool, expected: float | None) -> None:
    assert told_wait(headers, refused) == expected


def test_waits_grow_to_a_limit_and_differ() -> None:
    assert [backoff(n, draw=lambda: 0.0) for n in (1, 2, 3, 99)] == [0.25, 0.5, 1.0, 15.0]
    assert len({backoff(3) for _ in range(20)}) > 10


def test_a_wait_of_hours_is_told_and_not_waited(serve: Callable[..., StandIn]) -> None:
    stand_in = serve(faults={"429 told": 1.0}, pause=7200)
    with pytest.raises(ModelError, match=r"asks to wait for 2\.0 hours"):
        opened(stand_in).generate([Request("1+1", (1,))], SHORT, ())


def test_a_server_that_sends_a_byte_now_and_then_is_too_slow(serve: Callable[..., StandIn]) -> None:
    stand_in = serve(faults={"dribble": 1.0})
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"did not answer in 0\.3 seconds \(engine.timeout\)"):
        opened(stand_in, timeout=0.3, attempts=1).generate([Request("1+1", (1,))], SHORT, ())
    assert time.monotonic() - began < 5  # it would take a minute


def test_no_more_are_under_way_than_was_said(serve: Callable[..., StandIn]) -> None:
    stand_in = serve(faults={"slow": 1.0}, slow=0.02, several=False)
    opened(stand_in, concurrency=3).generate([Request(str(n), tuple(range(4))) for n in range(5)], SHORT, ())
    assert 1 < stand_in.most_at_once <= 3


# --- keys, refusals and prices ----------------------------------------------------------------------------------------


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    serve: Callable[..., StandIn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stand_in = serve(key="s3cret-key")
    monkeypatch.setenv("MY_KEY", "s3cret-key")
    sampled(stand_in, tmp_path, 2, key_variable="MY_KEY")
    monkeypatch.setenv("MY_KEY", "s3cret-but-wrong")
    with pytest.raises(ModelError, match=r"Look whether the key in MY_KEY is right") as caught:
        opened(stand_in, key_variable="MY_KEY").generate([Request("1+1", (1,))], SHORT, ())
    assert "[key]" in str(caught.value)  # the server repeats it
    written = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    shown = f"{caught.value} {caught.value.__cause__} {caplog.text} {written}"
    assert "s3cret" not in shown and "MY_KEY" not in written
    assert stand_in.keys == {"Bearer s3cret-key", "Bearer s3cret-but-wrong"}


def test_without_a_key_none_is_sent_and_a_missing_one_is_named(
    serve: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    stand_in = serve(key="other")
    with pytest.raises(ModelError, match=r"name that: engine\.key_variable OPENAI_API_KEY"):
        opened(stand_in).generate([Request("1+1", (1,))], SHORT, ())
    assert stand_in.keys == {None}
    with pytest.raises(SettingsError, match="key_variable names NOT_THERE, which is not set"):
        opened(stand_in, key_variable="NOT_THERE")


def test_a_server_of_conversations_alone_says_what_to_set(serve: Callable[..., StandIn]) -> None:
    with pytest.raises(ModelError, match=r"refused 'a-model' \(404: Not Found\).*set prompt.template chat"):
        opened(serve(paths=("/chat/completions",))).generate([Request("1+1", (1,))], SHORT, ())


def test_nobody_there_is_told_at_once() -> None:
    with StandIn().running() as stand_in:
        pass
    with pytest.raises(ModelError, match="cannot be reached"):
        opened(stand_in, attempts=2).generate([Request("1+1", (1,))], SHORT, ())


def test_tokens_and_price_are_in_the_record(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_in = serve()
    sampled(stand_in, tmp_path, 4, prompt_price=2.0, completion_price=10.0)
    told = summary(tmp_path)
    sent = list(read_records(tmp_path / "run" / "pool" / "requests.jsonl", Sent))
    assert told["requests"] == len(sent) == len(stand_in.bodies)
    assert told["prompt tokens billed"] == 10 * len(sent)
    completion = sum(one.completion_tokens or 0 for one in sent)
    assert told["completion tokens billed"] == completion
    assert float(told["price"]) == pytest.approx((10 * len(sent) * 2 + completion * 10) / 1e6, abs=1e-6)
    assert told["answered by"] == "stand-in-1"


def test_shards_are_paid_for_together(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_in = serve()
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{n}", f"{n}+{n}", str(n)) for n in range(4)])
    engine = Server(url=stand_in.url, candidates_per_request=1)
    stage = Sample(problems=tmp_path / "problems.jsonl", model="m", num_candidates=3, sampling=SHORT, engine=engine)
    for number in (1, 2):
        Run(tmp_path / "run", only="pool", shard=Shard(number=number, of=2)).do("pool", stage)
    asked = len(stand_in.bodies)
    Run(tmp_path / "run").do("pool", stage)
    assert len(stand_in.bodies) == asked == summary(tmp_path)["requests"]
    assert summary(tmp_path)["answered by"] == "stand-in-1"


# --- who answered -----------------------------------------------------------------------------------------------------


def test_the_record_of_a_stage_names_every_server_that_made_a_part_of_it(
    serve: Callable[..., StandIn], tmp_path: Path
) -> None:
    """The first is broken after a while, and the run goes on with another."""
    write_records(tmp_path / "problems.jsonl", [Problem(f"p{n}", f"{n}+{n}", str(n)) for n in range(3)])

    def stage(engine: Server) -> Sample:
        return Sample(problems=tmp_path / "problems.jsonl", model="m", num_candidates=4, sampling=SHORT, engine=engine)

    first, second = serve(model="first-1", falls_after=8), serve(model="second-1")
    kept = {"candidates_per_request": 1, "concurrency": 1, "first_pause": 0.01, "attempts": 2}
    with pytest.raises(ModelError):
        Run(tmp_path / "run").do("pool", stage(Server(url=first.url, **kept)))
    pool = Run(tmp_path / "run").do("pool", stage(Server(url=second.url, **kept)))
    assert read_json(pool / "stage.json")["answered_by"] == [
        {"engine": "server", "address": first.url, "model": "first-1"},
        {"engine": "server", "address": second.url, "model": "second-1"},
    ]
    scores = ScoreCandidates(
        problems=tmp_path / "problems.jsonl", candidates=pool / "candidates.jsonl", model="m",
        engine=Server(url=serve(labels={" correct": 0.6}, model="judge").url),
    )  # fmt: skip
    judged = read_json(Run(tmp_path / "run").do("scores", scores) / "stage.json")
    assert [one["model"] for one in judged["answered_by"]] == ["judge"] and judged["summary"]["answered by"] == "judge"
    signal = scores.model_copy(update={"model": None})
    assert read_json(Run(tmp_path / "run").do("signal", signal) / "stage.json")["answered_by"] == []


def test_a_key_is_in_no_record(serve: Callable[..., StandIn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "secret-2718")
    sampled(serve(key="secret-2718", model="a model secret-2718"), tmp_path, 2, key_variable="A_KEY")
    files = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert files and not any(b"secret-2718" in file.read_bytes() for file in files)


def test_a_server_that_calls_itself_something_else_each_time_fills_no_record(tmp_path: Path) -> None:
    answerers = Answerers(tmp_path, "s")
    for number in range(1000):
        answerers.note(f"{number}" * 1000)
    found = read_answered(tmp_path)
    assert len(found) == 33 and found[-1] == Answered("s", "further names, which are not kept")
    assert max(len(one.model or "") for one in found) <= 200


def test_a_larger_pool_that_is_begun_with_another_runs_leaves_that_run_as_it_was(
    serve: Callable[..., StandIn], tmp_path: Path
) -> None:
    stand_in = serve()
    sampled(stand_in, tmp_path, 2)
    before = {file.name: file.read_bytes() for file in (tmp_path / "run" / "pool").iterdir()}
    stage = Sample(
        problems=tmp_path / "problems.jsonl",
        model="a-model",
        num_candidates=4,
        sampling=SHORT,
        engine=Server(url=stand_in.url),
    )
    more = Run(tmp_path / "more", source=tmp_path / "run").do("pool", stage)
    assert len(list(read_records(more / "candidates.jsonl", Candidate))) == 12
    assert "grown" in read_json(more / "stage.json")["summary"]
    assert {file.name: file.read_bytes() for file in (tmp_path / "run" / "pool").iterdir()} == before


# --- scores -----------------------------------------------------------------------------------------------------------

LABELS = (" correct", " incorrect")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({" correct": 0.6, " incorrect": 0.2, " a": 0.1}, 0.75),
        ({"Correct": 0.5, " correct": 0.25, "Incorrect": 0.25}, 0.75),
        ({" correct": 0.6, " inc": 0.2, " a": 0.1}, 0.75),
        ({" correct": 0.6, " in": 0.2, " a": 0.1}, 6 / 7),  # as " in all"
        ({"I": 0.5, "In": 0.3, "The": 0.1}, None),
        ({" Correct.": 0.3, "INCORRECT": 0.1}, 0.75),
        ({" correctly": 0.5, " correct": 0.3, " incorrect": 0.1}, 0.75),
        ({" ": 0.5, " correct": 0.3, " incorrect": 0.1}, 0.75),  # begins both, or nothing
        ({" correct": 0.6, " a": 0.3, " b": 0.1}, 6 / 7),  # the other has at most what the last has
        ({"Correct": 0.5, " correct": 0.3, " incorrect": 0.1}, 0.75),  # as they are written, where all are
        ({" yes": 0.6, " no": 0.3}, None),
    ],
)
def test_the_next_token_tells_the_label(tokens: dict[str, float], expected: float | None) -> None:
    shares = label_shares([(text, math.log(share)) for text, share in tokens.items()], LABELS)
    assert (None if shares is None else shares[0]) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("wording", [PLAIN, CHAT])
@pytest.mark.parametrize("does", [{}, {"likeliest": 5, "refuses": True}])
def test_scores_are_made_from_one_generated_token(
    serve: Callable[..., StandIn], does: dict[str, Any], wording: Prompt
) -> None:
    stand_in = serve(labels={" correct": 0.6, " incorrect": 0.2}, **does)
    engine = opened(stand_in)
    for values in engine.label_probabilities([wording.evaluator("1+1", str(n)) for n in range(5)], wording.labels):
        assert values == pytest.approx([0.75, 0.25])
    asked = stand_in.bodies[-1]
    assert asked["max_tokens"] == 1 and "prompt_logprobs" not in asked and not asked.get("echo")
    assert engine.notice is None


def test_a_label_of_several_tokens_weighs_their_product(serve: Callable[..., StandIn]) -> None:
    """As with an engine that has the tokenizer: what else begins like a label does not count for it."""
    after = {" in": {"cor": 0.5, "side": 0.5}, " incor": {"rect": 0.8, "porate": 0.2}}
    stand_in = serve(labels={" correct": 0.6, " in": 0.3, " a": 0.1}, labels_after=after)
    (found,) = opened(stand_in).label_probabilities([PLAIN.evaluator("1+1", "2")], LABELS)
    assert found == pytest.approx([0.6 / 0.72, 0.12 / 0.72])
    assert len(stand_in.bodies) == 3 and all(body["max_tokens"] == 1 for body in stand_in.bodies)
    (in_a_chat,) = opened(stand_in).label_probabilities([CHAT.evaluator("1+1", "2")], LABELS)
    assert in_a_chat == pytest.approx([0.6 / 0.7, 0.1 / 0.7])  # the turn is the server's, and " in" may begin anything
    stand_in = serve(labels={" correct": 0.6, " inc": 0.3, " a": 0.1})
    (in_a_chat,) = opened(stand_in).label_probabilities([CHAT.evaluator("1+1", "2")], LABELS)
    assert in_a_chat == pytest.approx([0.6 / 0.9, 0.3 / 0.9])


def test_a_beginning_that_goes_on_otherwise_decides_nothing(serve: Callable[..., StandIn]) -> None:
    engine = opened(serve(labels={" in": 0.6, " a": 0.3}, labels_after={" in": {" all": 0.9}}))
    assert engine.label_probabilities([PLAIN.evaluator("1+1", "2")], LABELS) == [[0.5, 0.5]]
    assert "no label among the likeliest tokens" in (engine.notice or "")


def test_only_beginnings_that_can_move_a_score_are_asked_about(serve: Callable[..., StandIn]) -> None:
    after = {f" {text}": {text: 0.9} for text in ("c", "co", "cor", "corr", "i", "in")}
    sure = serve(labels={" correct": 0.95, " incorrect": 0.04, " in": 0.009}, labels_after=after)
    opened(sure).label_probabilities([PLAIN.evaluator("1+1", "2")], LABELS)
    assert len(sure.bodies) == 1
    torn = serve(labels={f" {text}": 0.1 for text in ("c", "co", "cor", "corr", "i", "in")}, labels_after=after)
    opened(torn).label_probabilities([PLAIN.evaluator("1+1", "2")], LABELS)
    assert len(torn.bodies) == 5


def test_a_server_without_log_probabilities_cannot_score(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    for refuses in (False, True):
        engine = opened(serve(likeliest=None, refuses=refuses))
        with pytest.raises(ModelError, match=r"log-probabilities|logprobs"):
            engine.label_probabilities(["1+1"], LABELS)


def test_texts_without_a_label_are_undecided_and_counted(serve: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_in = serve(labels={" yes": 0.6, " no": 0.2})
    engine = opened(stand_in)
    assert engine.label_probabilities(["1+1", "2+2"], LABELS) == [[0.5, 0.5], [0.5, 0.5]]
    assert "no label among the likeliest tokens" in (engine.notice or "")
    write_records(tmp_path / "problems.jsonl", [Problem("p", "1+1", "2")])
    write_records(tmp_path / "candidates.jsonl", [Candidate("p", n, f"{n}", str(n)) for n in range(3)])
    score = ScoreCandidates(
        problems=tmp_path / "problems.jsonl",
        candidates=tmp_path / "candidates.jsonl",
        model="m",
        engine=Server(url=stand_in.url),
    )
    told = score.run(tmp_path, no_progress)
    assert told["texts without a label among the likeliest tokens, scored 0.5"] == 3


# --- threads ----------------------------------------------------------------------------------------------------------


def test_what_is_under_way_when_a_unit_fails_is_given_before_the_error() -> None:
    def handle(unit: int, tell: Tell) -> int:
        if unit == 1:
            time.sleep(0.02)
            raise ModelError("no")
        time.sleep(0.05)
        return unit

    found = []
    with pytest.raises(ModelError, match="no"):
        for number, _ in map_threads(lambda: handle, list(range(100)), 3):
            found.append(number)
    assert {0, 2} <= set(found) and len(found) < 10


def test_an_account_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "requests.jsonl").write_text('{"outcome": "answered", "seconds": 1.0}\n{"outcome": "ans')
    account = Account(tmp_path)
    account.note(Sent("429", 0.5))
    account.close()
    assert [one.outcome for one in read_records(tmp_path / "requests.jsonl", Sent)] == ["answered", "429"]


def test_attempts_end(serve: Callable[..., StandIn]) -> None:
    stand_in, slept = serve(faults={"500": 1.0}), list[float]()
    transport, account, answerers = Transport(stand_in.url, None, 5, 1), Account(None), Answerers(None, "s")
    asker = Asker(transport, account, answerers, 1, attempts=5, sleep=slept.append)
    with pytest.raises(ModelError, match=r"answered 500: It broke\. Sent 5 times"):
        asker.ask("/completions", {"prompt": "1+1", "max_tokens": 1})
    assert len(slept) == 4 and slept == sorted(slept) and sum(stand_in.counted.values()) == 5
