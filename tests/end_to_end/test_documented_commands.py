"""Every command of README.md and docs/*.md is typed as it stands there, in a folder where each name that it uses is something small.

Models are random ones of two layers, a run was made of 40 sums, servers are stand-ins. What is added makes a command small; what cannot
be run at all is in LISTED, with the reason, and is read by the command line down to checked settings.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
import yaml
from documented import PAGES, ROOT, Command, commands
from stand_in import Behaviour, StandIn
from stand_in_vllm import make_environment
from transformers import AutoConfig, AutoModelForSequenceClassification
from typer.testing import CliRunner

from mathquorum.assets import tiny_base_path
from mathquorum.cli import app
from mathquorum.cli.arguments import arguments_of
from mathquorum.engines.vllm.running import SERVERS
from mathquorum.models import load_tokenizer

LISTED: Mapping[str, tuple[str | None, str]] = {
    # What stands on the page; what is typed in its place, None for the same with --show; and why it is not run.
    "mathquorum study": ("plan study --commands", "an hour; tests/end_to_end/test_study.py follows a small one"),
    "mathquorum study --size own --bases '{S: Qwen/Qwen2.5-0.5B, L: Qwen/Qwen2.5-1.5B}' --config mine.yaml": (
        None,
        "hours",
    ),
    "mathquorum run paper --config recipe.yaml --cluster auto": (
        None,
        "a cluster; tests/end_to_end/test_cluster.py has one",
    ),
    "mathquorum run paper --config mine.yaml --generator.processes 8 --evaluator.training.processes 8": (
        None,
        "8 processes",
    ),
    "mathquorum train generator ... --training.accelerate fsdp.yaml": (
        None,
        "GPUs; tests/unit/test_launch.py launches",
    ),
    "accelerate launch --config_file fsdp.yaml -m mathquorum run paper --config mine.yaml": (
        None,
        "a launcher; tests/end_to_end/test_two_ranks.py has one",
    ),
}
OTHERS = {"ray": "starts a cluster on several machines", "python3": "makes an environment", "pip": "installs into one"}

PAPER = (
    "--num_candidates", "2", "--sampling.max_tokens", "16", "--workers", "1", "--batch_size", "4", "--few_shot", "false",
    "--generator.steps", "2", "--evaluator.num_problems", "8", "--evaluator.num_candidates", "4",
    "--evaluator.training.steps", "2", "--evaluator.batch_size", "4",
    "--mtsft.objectives", "margin", "--mtsft.evaluator.steps", "2", "--mtsft.generator.steps", "2",
)  # fmt: skip
FEW = ("--num_candidates", "2", "--sampling.max_tokens", "16")
SHORT = ("--training.steps", "2", "--batch_size", "2")
SMALLER: Mapping[tuple[str, ...], Sequence[str]] = {
    ("run", "paper"): PAPER,
    ("gather", "paper"): PAPER,
    ("run", "measure"): FEW,
    ("sample",): FEW,
    ("train", "generator"): SHORT,
    ("train", "evaluator"): SHORT,
    ("plan", "paper"): ("--no-calibration", "--out", "runs/plan"),  # it would measure the machine for a minute
    ("serve",): ("--port", "0"),
}
SOURCES = (
    "--base",
    "Qwen/Qwen2.5-1.5B",
    "--train",
    "math:train.jsonl",
    "--test",
    "math:math500.jsonl",
    "--out",
    "runs/paper",
)
ELLIPSES: Mapping[tuple[str, ...], Sequence[str]] = {
    ("run", "paper"): SOURCES,
    ("gather", "paper"): SOURCES,
    ("train", "generator"): ("--model", "MODEL", "--data", "labeled.jsonl", "--out", "runs/generator"),
}
MODELS = (
    "Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen3-0.6B", "GENERATOR", "EVALUATOR", "MODEL", "my-evaluator",
)  # fmt: skip
FOLLOWED_ELSEWHERE = {"extending.md": "tests/end_to_end/test_extending_page.py"}


def type_here(desk: Path, words: Sequence[str], allowed: Sequence[int] = (0,), said: str | None = None) -> str:
    """Types a command of ours in a folder, and makes sure of its exit code."""
    with contextlib.chdir(desk):
        done = CliRunner().invoke(app, arguments_of(words), input=said, env={"OPENAI_API_KEY": "key"})
    assert done.exit_code in allowed, f"{words}\n{done.output}\n{done.exception!r}"
    return done.output


# --- the desk ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that has a chat template, which knows of thinking."""
    folder = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("chat") / "model"))
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% if enable_thinking is false %}(no thoughts) {% endif %}{% endif %}"
    )
    return folder


@pytest.fixture(scope="module")
def rewards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rewards")
    AutoModelForSequenceClassification.from_config(
        AutoConfig.from_pretrained(tiny_base_path(), num_labels=1)
    ).save_pretrained(folder)
    load_tokenizer(str(tiny_base_path())).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with StandIn(Behaviour(labels={" correct": 0.6, " incorrect": 0.2})).running() as started:
        yield started.url


@pytest.fixture(scope="module")
def run(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe, made by the README's command."""
    desk = tmp_path_factory.mktemp("run")
    furnish(desk, model)
    (command,) = (c for c in commands(ROOT / "README.md") if c.words[1:3] == ("run", "paper"))
    torch.manual_seed(0)
    assert "Report: runs/qwen/report/report.html" in type_here(desk, [*command.words[1:], *PAPER])
    return desk / "runs" / "qwen"


def furnish(desk: Path, model: Path) -> None:
    """Data and models under the names of the pages."""
    sums = [
        {"problem": f"What is ${n}+3$?", "solution": f"It is $\\boxed{{{n + 3}}}$.", "answer": str(n + 3), "unique_id": f"p/{n}"}
        for n in range(30)
    ]  # fmt: skip
    write(desk / "train.jsonl", sums[:24])
    write(desk / "lightman_train.jsonl", sums[:24])
    write(desk / "math500.jsonl", sums[24:])
    write(desk / "test.jsonl", sums[24:])
    for name in MODELS:
        (desk / name).parent.mkdir(exist_ok=True)
        (desk / name).symlink_to(model)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def desk(model: Path, rewards: Path, run: Path, tmp_path: Path) -> Path:
    """The folder in which a reader types: with a finished run, parts of it under their own names, and settings in files."""
    furnish(tmp_path, model)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "reward-model").symlink_to(rewards)
    (tmp_path / "runs").mkdir()
    for name in ("RUN", "runs/demo"):
        (tmp_path / name).symlink_to(run)
    for name in ("runs/qwen", "runs/paper"):  # where a page runs the recipe, what is the same is there
        shutil.copytree(run, tmp_path / name, ignore=shutil.ignore_patterns("report"))  # which names its files
    shutil.copy(run / "problems.test" / "problems.jsonl", tmp_path / "problems.jsonl")
    shutil.copy(run / "ssft.main.candidates" / "candidates.jsonl", tmp_path / "candidates.jsonl")
    shutil.copy(run / "problems.main" / "labeled.jsonl", tmp_path / "labeled.jsonl")
    (tmp_path / "FRESH").symlink_to(run / "problems.main.split" / "evaluator" / "problems.jsonl")
    (tmp_path / "THEIRS").symlink_to(run / "evaluator.candidates" / "candidates.jsonl")
    (tmp_path / "problem.txt").write_text("What is $1+1$?")
    make_environment(tmp_path / "vllm-env" / "bin")
    (samples,) = re.findall(
        r"^```json\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "samples.jsonl").write_text(samples)
    extending = (ROOT / "docs" / "extending.md").read_text()
    (tmp_path / "votes.py").write_text(
        re.findall(r'^```python title="votes.py"\n(.*?)^```', extending, re.DOTALL | re.MULTILINE)[0]
    )
    recipe = {"base": "Qwen/Qwen2.5-1.5B", "train": "math:train.jsonl", "test": "math:math500.jsonl"}
    for name in ("mine.yaml", "recipe.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(recipe))
    (tmp_path / "fsdp.yaml").write_text("distributed_type: FSDP\n")
    return tmp_path


def _study(desk: Path) -> None:
    """On this page mine.yaml is one of `study`."""
    held = yaml.safe_load((ROOT / "docs" / "configs" / "main-generator.yaml").read_text())
    data = {"train": "math:train.jsonl", "validation": "math:math500.jsonl", "test": "math:test.jsonl"}
    evaluators = {**held["evaluators"], "problems": "math:lightman_train.jsonl"}
    (desk / "mine.yaml").write_text(
        yaml.safe_dump({**held, **data, "evaluators": evaluators, "contamination": "allow"})
    )


def _engines(desk: Path) -> None:
    """On this page recipe.yaml is one of `measure`."""
    (desk / "recipe.yaml").write_text(yaml.safe_dump({"model": "gpt", "test": "math:math500.jsonl"}))


def _solve(desk: Path) -> None:
    """On this page test.jsonl is one of GSM8K."""
    write(desk / "test.jsonl", [{"question": "What is $1+1$?", "answer": "1+1=2\n#### 2"}])


OF_PAGE = {"README.md": _study, "engines.md": _engines, "solve.md": _solve}


# --- typing -----------------------------------------------------------------------------------------------------------


def words_of(command: Command, url: str) -> list[str]:
    """The words after the program's name, with stand-ins for servers and for what a page leaves out."""
    words = [
        url if re.match(r"https?://(127\.0\.0\.1:\d+|api\.openai\.com)/v1$", word) else word
        for word in command.words[1:]
    ]
    if "..." in words:
        place = words.index("...")
        words[place : place + 1] = next(
            more for begin, more in ELLIPSES.items() if command.words[1 : len(begin) + 1] == begin
        )
    return words


def smaller(command: Command) -> Sequence[str]:
    """What is added to make a command small. With another prompt than the README's, of the recipe the plan and a first stage."""
    if command.page == "prompts.md" and command.words[1:3] == ("run", "paper"):
        return (*PAPER, "--only", "problems.test", "--out", "runs/other")
    return next((more for begin, more in SMALLER.items() if command.words[1 : len(begin) + 1] == begin), ())


def serve(desk: Path, words: Sequence[str], asked: Command | None) -> None:
    """Starts the server of a command, asks for its health, and for what a page's curl asks."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from mathquorum.cli import main; main()", *words],
        cwd=desk, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        place = next(found for line in process.stderr if (found := re.search(r"Serving \S+ at (\S+) ", line)))[1]
        assert request(place, "/healthz", None)[0] == 200
        if asked:
            body = json.loads(asked.words[asked.words.index("-d") + 1])
            status, answer = request(place, urlsplit(asked.words[1]).path, json.dumps(body))
            assert status == 200 and "mathquorum" in json.loads(answer)
    finally:
        process.terminate()
        process.wait(30)


def request(place: str, path: str, body: str | None) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection(urlsplit(place).netloc, timeout=120)) as connection:
        connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def follow(command: Command, desk: Path, url: str, page: Sequence[Command]) -> None:
    """Does what a command says, or the nearest that can be done here."""
    match command.words[0]:
        case "mathquorum" | "accelerate":
            words = words_of(command, url)
            listed = LISTED.get(shlex.join(command.words))
            if command.words[0] == "accelerate":
                words = words[words.index("mathquorum") + 1 :]
            if listed:
                elsewhere = (
                    () if "--out" in words else ("--out", "runs/shown")
                )  # the finished run has settings of its own
                type_here(desk, shlex.split(listed[0]) if listed[0] else [*words, "--show", *elsewhere])
            elif words[0] == "serve":
                curl = next((c for c in page if c.words[0] == "curl"), None)
                serve(desk, [*words, *smaller(command)], curl if words == ["serve"] else None)
            else:
                said = (desk / words[words.index("<") + 1]).read_text() if "<" in words else None
                typed = words[: words.index("<")] if "<" in words else words
                type_here(desk, [*typed, *smaller(command)], (0, 3) if words[0] == "solve" else (0,), said)
        case "make":
            subprocess.run(["make", "-n", *command.words[1:]], cwd=ROOT, check=True, capture_output=True)
        case "pip":
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert all(extra in extras for extra in re.findall(r"mathquorum\[(\w+)\]", " ".join(command.words)))


@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.stem)
def test_the_commands_of_a_page_can_be_typed(page: Path, desk: Path, server: str) -> None:
    if page.name in FOLLOWED_ELSEWHERE:
        assert (ROOT / FOLLOWED_ELSEWHERE[page.name]).exists()
        return
    OF_PAGE.get(page.name, lambda desk: None)(desk)
    found = list(commands(page))
    try:
        for command in found:
            follow(command, desk, server, found)
    finally:
        SERVERS.end()


def test_what_is_not_run_is_listed_and_still_stands_on_a_page() -> None:
    """So that the list does not outlive its commands, and grows by no command unseen."""
    every = [command for page in PAGES for command in commands(page)]
    typed = [shlex.join(command.words) for command in every]
    assert set(LISTED) <= set(typed) and len(LISTED) == 6
    assert {c.words[0] for c in every} == {"mathquorum", "make", "curl", "accelerate", *OTHERS}
    assert len(every) > 60
