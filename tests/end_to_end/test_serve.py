"""An endpoint as clients meet it: OpenAI's own client, our server engine, and what sends nonsense."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from typed import mathquorum

from mathquorum.assets import tiny_base_path
from mathquorum.config import build
from mathquorum.engines import Server as ServerSettings
from mathquorum.engines.base import Request, Sampling, candidate_seed
from mathquorum.engines.opening import open_engine
from mathquorum.engines.settings import ModelUse
from mathquorum.errors import RunError, SettingsError
from mathquorum.models import Hardware
from mathquorum.prompts import PLAIN, generator_prompt
from mathquorum.serving.running import Server, serving
from mathquorum.serving.settings import Limits, Listening
from mathquorum.solving.settings import Quorum

PROBLEM = "Find t if 5t-12=23."
KEY = "a-key-of-the-tests"


def quorum(**values: Any) -> Quorum:
    return build(
        Quorum, {"model": str(tiny_base_path()), "num_candidates": 8, "sampling": {"max_tokens": 96}, **values}
    )


def scripted(*texts: str, **values: Any) -> Quorum:
    return quorum(model="x", engine={"kind": "scripted", "texts": texts}, **values)


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def server(log: list[str]) -> Iterator[Server]:
    with serving(quorum(), Listening(port=0, name="tiny", limits=Limits(body_bytes=20_000)), log.append) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Server) -> openai.OpenAI:
    return client_of(server)


def client_of(server: Server, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key=key, max_retries=0, timeout=60)


def ask(client: openai.OpenAI, text: str = PROBLEM, **options: Any) -> Any:
    return client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": text}], **options)


def post(
    server: Server, body: bytes, path: str = "/v1/chat/completions", **headers: str
) -> tuple[int, dict[str, str], Any]:
    place = urlsplit(server.url)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)) as connection:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(answer.read())


def get(server: Server, path: str) -> tuple[int, str]:
    place = urlsplit(server.url)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "tiny", "messages": [{"role": "user", "content": PROBLEM}], **fields}).encode()


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_quorums_choice_with_its_votes(client: openai.OpenAI) -> None:
    answer = ask(client, seed=1)
    own = answer.mathquorum
    chosen = next(cluster for cluster in own["clusters"] if cluster["chosen"])
    assert chosen["votes"] == max(cluster["votes"] for cluster in own["clusters"])
    assert own["answer"] == chosen["answer"] and own["answer"] in answer.choices[0].message.content
    assert own["num_candidates"] == 8 and own["seed"] == 1
    assert answer.usage.completion_tokens == own["num_tokens"] > 8 * 5, "the tokens of all candidates"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.choices[0].finish_reason == "stop" and answer.model == "tiny"


def test_a_seed_makes_an_answer_again_and_another_makes_another(client: openai.OpenAI) -> None:
    first, again, other = ask(client, seed=7), ask(client, seed=7), ask(client, seed=8)
    assert first.mathquorum == again.mathquorum and first.choices == again.choices
    assert first.mathquorum["num_tokens"] != other.mathquorum["num_tokens"]
    assert ask(client).mathquorum["seed"] != ask(client).mathquorum["seed"]


def test_a_stream_ends_in_the_same_answer(client: openai.OpenAI) -> None:
    whole = ask(client, seed=3)
    chunks = list(ask(client, seed=3, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert len([c for c in chunks if c.choices and c.choices[0].delta.content]) > 3
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage and not chunks[-1].choices
    assert next(c.mathquorum for c in chunks if hasattr(c, "mathquorum")) == whole.mathquorum
    assert all(c.usage is None for c in chunks[:-1])


def test_n_gives_the_best_of_each_answer_best_first(client: openai.OpenAI) -> None:
    answer = ask(client, seed=1, n=3)
    answers = [cluster["answer"] for cluster in answer.mathquorum["clusters"]]
    assert len(answer.choices) == 3 and [choice.index for choice in answer.choices] == [0, 1, 2]
    for choice, wanted in zip(answer.choices, answers, strict=False):
        assert wanted in choice.message.content


def test_completions_take_a_problem_and_best_of(client: openai.OpenAI) -> None:
    answer: Any = client.completions.create(model="tiny", prompt=PROBLEM, seed=1, n=2, best_of=4)
    assert answer.mathquorum["num_candidates"] == 4 and len(answer.choices) == 2
    text = "".join(
        c.choices[0].text for c in client.completions.create(model="tiny", prompt=PROBLEM, seed=1, stream=True)
    )
    assert text == ask(client, seed=1).choices[0].message.content


def test_a_request_has_its_own_quorum_settings(client: openai.OpenAI) -> None:
    assert ask(client, extra_body={"mathquorum": {"num_candidates": 3}}).mathquorum["num_candidates"] == 3
    assert ask(client, temperature=0).mathquorum["num_candidates"] == 1
    short = ask(client, max_completion_tokens=2)
    assert short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 16
    assert short.mathquorum["answer"] is None and short.mathquorum["num_cut_off"] == 8
    stopped = ask(client, seed=1, stop=["\n"])
    assert "\n" not in stopped.choices[0].message.content


def test_an_evaluator_has_its_say() -> None:
    texts = ("weak \\boxed{1}", "The answer is \\boxed{2}")
    with serving(scripted(*texts, evaluator="y", num_candidates=32), Listening(port=0, name="tiny")) as server:
        answer = ask(client_of(server), seed=0)
        assert answer.mathquorum["answer"] == "2" and answer.mathquorum["strategy"] == "w.rr"
        assert answer.mathquorum["num_scored"] == 2
        scores = {cluster["answer"]: cluster["mean_score"] for cluster in answer.mathquorum["clusters"]}
        assert scores == {"1": 0.1, "2": 0.9}
        with pytest.raises(openai.BadRequestError, match="log-probabilities"):
            ask(client_of(server), logprobs=True)


def test_log_probabilities_are_those_of_the_text(client: openai.OpenAI) -> None:
    choice = ask(client, seed=1, logprobs=True, top_logprobs=3).choices[0]
    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens).startswith(choice.message.content)
    assert 5 < len(tokens) < 96
    assert all(len(token.top_logprobs) == 3 and token.logprob <= 1e-6 for token in tokens)
    assert all(token.top_logprobs[0].logprob >= token.logprob - 1e-6 for token in tokens)
    chunks = [c for c in ask(client, seed=1, logprobs=True, stream=True) if c.choices and c.choices[0].logprobs]
    streamed = [token for c in chunks for token in c.choices[0].logprobs.content]
    assert [token.token for token in streamed] == [token.token for token in tokens]


# --- the bare model, and our own engine -------------------------------------------------------------------------------


def test_raw_is_the_generator_alone(client: openai.OpenAI) -> None:
    answer: Any = client.completions.create(
        model="tiny:raw", prompt=generator_prompt(PROBLEM), n=4, seed=5, max_tokens=64
    )
    engine = open_engine(str(tiny_base_path()))
    seeds = tuple(candidate_seed(5, "request", place) for place in range(4))
    written = engine.generate([Request(generator_prompt(PROBLEM), seeds)], Sampling(max_tokens=64), ())[0]
    assert [choice.text for choice in answer.choices] == [completion.text for completion in written]
    assert answer.usage.completion_tokens == sum(completion.num_tokens or 0 for completion in written)
    assert "clusters" not in answer.mathquorum


def test_our_server_engine_samples_and_scores_from_it(server: Server) -> None:
    use = ModelUse("tiny:raw", PLAIN, Hardware())
    far, near = ServerSettings(url=server.url).open(use), open_engine(str(tiny_base_path()))
    request = Request("So", tuple(range(6)))
    (written,) = far.generate([request], Sampling(max_tokens=64), ("\n\n",))
    assert len(written) == 6 and all(c.text and c.logprob is not None and c.confidence is not None for c in written)
    assert len({c.text for c in written}) > 1
    judged = [PLAIN.evaluator(PROBLEM, text) for text in ("It is 7.", "It is 8.")]
    for found, wanted in zip(
        far.label_probabilities(judged, PLAIN.labels), near.label_probabilities(judged, PLAIN.labels), strict=True
    ):
        assert sum(found) == pytest.approx(1) and len(found) == len(wanted) == 2
    assert far.notice is None, "seeds, choices and log-probabilities: all that it looks for is there"
    far.close()


def test_raw_alone_has_the_plain_name() -> None:
    with serving(quorum(), Listening(port=0, name="tiny", raw=True)) as server:
        assert [model.id for model in client_of(server).models.list()] == ["tiny"]
        assert "clusters" not in ask(client_of(server), max_tokens=8).mathquorum


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "param", "words"),
    [
        ({"model": "other"}, 404, "model", "There are: tiny, tiny:raw"),
        ({"messages": []}, 400, "messages", "at least 1"),
        ({"messages": [{"role": "user", "content": "  "}]}, 400, "messages", "empty"),
        ({"messages": [{"role": "user", "content": 5}]}, 400, "messages.0.content", "string"),
        (
            {"messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]},
            400,
            "messages",
            "plain text",
        ),
        ({"messages": [{"role": "assistant", "content": "a"}]}, 400, "messages", "last message"),
        ({"n": 0}, 400, "n", "greater than or equal to 1"),
        ({"n": "2"}, 400, "n", "integer"),
        ({"n": 9}, 400, "n", "at most the number of candidates"),
        ({"mathquorum": {"num_candidates": 100000}}, 400, "n", "256 candidates at most"),
        ({"mathquorum": {"strategy": "w.rr"}}, 400, "mathquorum.strategy", "no evaluator"),
        ({"mathquorum": {"strategy": "zzz"}}, 400, "mathquorum.strategy", "none that is known"),
        ({"max_tokens": 100000}, 400, "max_tokens", "at most 4096"),
        ({"temperature": -1}, 400, "temperature", "greater"),
        ({"top_logprobs": 21, "logprobs": True}, 400, "top_logprobs", "less than or equal to 20"),
        ({"secret_field": 1}, 400, "secret_field", "Unknown field"),
        ({"tools": [{"type": "function"}]}, 400, "tools", "not supported"),
        ({"frequency_penalty": 0.5}, 400, "frequency_penalty", "not supported"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, 400, "chat_template_kwargs", "no thinking"),
        ({"messages": [{"role": "user", "content": "word " * 3000}]}, 400, "messages", "maximum context"),
    ],
)
def test_requests_that_cannot_be_answered_say_why(
    server: Server, fields: dict[str, Any], status: int, param: str, words: str
) -> None:
    found, headers, answer = post(server, body(**fields))
    assert (found, answer["error"]["param"]) == (status, param)
    assert words in answer["error"]["message"] and headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"model": "tiny", "messages": [{"role": "user", "content": "\\ud800"}]}',
    ],
)
def test_malformed_bodies_are_refused(server: Server, sent: bytes) -> None:
    status, _, answer = post(server, sent)
    assert status == 400 and answer["error"]["type"] == "invalid_request_error"


def test_harmless_fields_are_taken(server: Server) -> None:
    fields = {
        "user": "me",
        "store": False,
        "top_k": 0,
        "min_p": 0.0,
        "frequency_penalty": 0,
        "logit_bias": {},
        "n": None,
    }
    assert post(server, body(max_tokens=2, **fields))[0] == 200


def test_what_was_asked_is_not_repeated_in_errors_or_logs(server: Server, log: list[str]) -> None:
    word = "PURPLE-ELEPHANT"
    sent = [body(messages=[{"role": "user", "content": word}], n=word), body(model=word), body(max_tokens=2, messages=[{"role": "user", "content": word}]), word.encode()]  # fmt: skip
    answers = [post(server, each)[2] for each in sent]
    post(server, sent[2], f"/v1/{word}?{word}")
    said = [json.dumps(answer["error"]) for answer in answers if "error" in answer] + log
    assert len(said) > 3 and not any(word in line for line in said)


def test_a_body_that_is_too_long_is_not_read(server: Server) -> None:
    status, headers, answer = post(server, body(messages=[{"role": "user", "content": "x" * 30_000}]))
    assert status == 413 and headers["connection"] == "close" and answer["error"]["code"] == "request_too_large"

    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with suppress(OSError):  # it may hang up before the last piece
            for _ in range(4):
                connection.sendall(b"2328\r\n" + b"x" * 9000 + b"\r\n")
        assert b" 413 " in connection.recv(4096)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with serving(quorum(), Listening(port=0, limits=Limits(body_seconds=0.2))) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
            connection.sendall(
                b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
            )
            assert b" 408 " in connection.recv(4096)


def test_only_json_is_taken_and_only_from_this_machine(server: Server) -> None:
    assert post(server, body(), **{"Content-Type": "text/plain"})[0] == 415
    assert post(server, body(), Host="evil.example")[0] == 403, "a name that leads here"
    assert post(server, body(), Host="[")[0] == 403
    assert post(server, body(), Origin="http://evil.example")[0] == 403, "a page in a browser"


def test_a_wrong_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATHQUORUM_API_KEY", KEY)
    lines: list[str] = []
    with serving(quorum(), Listening(port=0, name="tiny"), lines.append) as server:
        for wrong in ("none", KEY + "x", KEY[:-1], "ключ"):
            status, headers, answer = post(server, body(), Authorization=f"Bearer {wrong}".encode().decode("latin-1"))
            assert (status, headers["www-authenticate"]) == (401, "Bearer") and KEY not in json.dumps(answer)
        assert post(server, body())[0] == 401
        assert get(server, "/metrics")[0] == 401 and get(server, "/healthz") == (200, "ok\n")
        with pytest.raises(openai.AuthenticationError):
            ask(client_of(server, "wrong"))
        assert ask(client_of(server, KEY), max_tokens=2).choices
        assert post(server, body(max_tokens=2), Authorization=f"Bearer {KEY}", Host="any.example")[0] == 200
    assert not any(KEY in line for line in lines)


def test_other_hosts_need_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MATHQUORUM_API_KEY", raising=False)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(SettingsError, match="MATHQUORUM_API_KEY"):
            Listening(host=host).key()
    assert Listening(host="::1").key() is None and Listening(host="127.1.2.3").key() is None
    monkeypatch.setenv("MATHQUORUM_API_KEY", "  ")
    with pytest.raises(SettingsError):
        Listening(host="0.0.0.0").key()


def test_an_address_in_use_is_told(server: Server) -> None:
    with pytest.raises(RunError, match="Cannot listen at"):
        Server(quorum(), Listening(port=urlsplit(server.url).port or 0), print)


# --- many at once -----------------------------------------------------------------------------------------------------


def waiting(server: Server, wanted: int) -> None:
    """Until so many requests are in work."""
    until = time.monotonic() + 60
    while f"requests_in_flight {wanted}\n" not in get(server, "/metrics")[1]:
        assert time.monotonic() < until
        time.sleep(0.01)


def in_background(act: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_short_request_beside_a_long_one_is_answered_before_the_long_one_ends() -> None:
    ended: list[str] = []

    def long() -> None:
        ask(client_of(server), extra_body={"mathquorum": {"num_candidates": 32}})
        ended.append("long")

    with serving(quorum(), Listening(port=0, name="tiny", turn=2)) as server:
        thread = in_background(long)
        waiting(server, 1)
        ask(client_of(server), extra_body={"mathquorum": {"num_candidates": 2}}, max_tokens=4)
        ended.append("short")
        thread.join()
    assert ended == ["short", "long"]


def test_answers_do_not_depend_on_who_else_asks(client: openai.OpenAI) -> None:
    alone = [ask(client, seed=seed).choices for seed in range(4)]
    together: dict[int, Any] = {}
    threads = [
        in_background(lambda seed=seed: together.update({seed: ask(client, seed=seed).choices})) for seed in range(4)
    ]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert [together[seed] for seed in range(4)] == alone


def test_more_requests_than_are_taken_are_told_to_come_later() -> None:
    with serving(quorum(), Listening(port=0, name="tiny", turn=1, limits=Limits(requests=1))) as server:
        thread = in_background(lambda: ask(client_of(server), extra_body={"mathquorum": {"num_candidates": 24}}))
        waiting(server, 1)
        status, headers, answer = post(server, body())
        assert status == 429 and int(headers["retry-after"]) >= 1 and answer["error"]["type"] == "rate_limit_error"
        thread.join()
        assert post(server, body(max_tokens=2))[0] == 200


def test_a_client_that_goes_away_ends_its_work() -> None:
    with serving(quorum(), Listening(port=0, name="tiny", turn=1)) as server:
        for fields in ({}, {"stream": True}):
            place = urlsplit(server.url)
            with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)) as connection:
                asked = body(mathquorum={"num_candidates": 256}, max_tokens=4000, **fields)
                connection.request("POST", "/v1/chat/completions", asked, {"Content-Type": "application/json"})
                waiting(server, 1)
            waiting(server, 0)
        assert 'dropped_total{reason="disconnected"} 2' in get(server, "/metrics")[1]


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    limits = Limits(seconds=0.05)
    with serving(quorum(num_candidates=256), Listening(port=0, name="tiny", turn=4, limits=limits)) as server:
        status, headers, answer = post(server, body())
        assert (status, headers["x-should-retry"], answer["error"]["code"]) == (408, "false", "timeout")
        with pytest.raises(openai.APIError, match="was not there within"):
            list(ask(client_of(server), stream=True))


def test_health_and_figures(server: Server, client: openai.OpenAI) -> None:
    assert get(server, "/healthz") == (200, "ok\n")
    before = figures(server)
    answer = ask(client, seed=1)
    after = figures(server)
    assert (
        after["mathquorum_completion_tokens_total"] - before["mathquorum_completion_tokens_total"]
        == answer.usage.completion_tokens
    )
    assert after["mathquorum_candidates_total"] - before["mathquorum_candidates_total"] == 8
    assert after["mathquorum_requests_in_flight"] == 0
    for line in get(server, "/metrics")[1].splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) mathquorum_\w+ .+|mathquorum_\w+(\{(\w+="[^"]*",?)+\})? [0-9.]+', line), (
            line
        )


def figures(server: Server) -> dict[str, float]:
    rows = [line.rsplit(" ", 1) for line in get(server, "/metrics")[1].splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in rows}


# --- as a command -----------------------------------------------------------------------------------------------------


def started(*words: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from mathquorum.cli import main; main()", "serve", "--port", "0", *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"Serving (\S+) at (\S+) ", line):
            return process, found[2]
    raise AssertionError("it did not start")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_end(sent: int) -> None:
    process, url = started("--turn", "4", "-n", "32", "--name", "tiny")
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)
    answers: list[Any] = []
    thread = in_background(lambda: answers.append(ask(client)))
    place = urlsplit(url)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with closing(http.client.HTTPConnection(place.hostname or "", place.port)) as connection:
            connection.request("GET", "/metrics")
            if b"requests_in_flight 1\n" in connection.getresponse().read():
                break
    process.send_signal(sent)
    thread.join()
    assert answers and answers[0].choices[0].message.content
    assert process.wait(60) == 0
    with pytest.raises(openai.APIConnectionError):
        ask(client)


def test_requests_that_do_not_end_in_time_are_told_so() -> None:
    process, url = started("-n", "256", "--turn", "1", "--name", "tiny", "--limits.shutdown_seconds", "0")
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)
    stream = ask(client, stream=True, max_tokens=4000)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(openai.APIError, match="The server is stopping"):
        list(stream)
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--host", "0.0.0.0"], 2, "MATHQUORUM_API_KEY"),
        (["./absent"], 1, "There is no model folder './absent'"),
        (["--strategy", "w.rr"], 2, "needs scores"),
        (["--strategy", "zzz"], 2, "Unknown strategy"),
        (["x", "--limits.request", "3"], 2, "Did you mean 'requests'"),
        (["x", "--prot", "3"], 2, "Unknown setting 'prot'"),
        (["--port", "99999"], 2, "less than or equal to 65535"),
    ],
)
def test_misuse_is_told_before_anything_is_loaded(words: list[str], code: int, text: str) -> None:
    assert text in mathquorum("serve", *words, check=code, MATHQUORUM_API_KEY="").stderr
