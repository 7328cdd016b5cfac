"""What a user can get wrong, or a machine: each is said in words, or counted and shown, and nothing earlier is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import make_model, make_tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from mathquorum.config import build
from mathquorum.engines.base import Sampling
from mathquorum.errors import DataError, ModelError, RunError
from mathquorum.models import Hardware, load_model
from mathquorum.models.codec import Codec
from mathquorum.objectives import MarginLoss, SolutionLoss
from mathquorum.recipes.paper import Paper, paper
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.run import Run
from mathquorum.stages.base import no_progress
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.sample import Sample
from mathquorum.store import write_records
from mathquorum.training.settings import Training

TRAIN = [
    {"problem": f"What is ${n}+3$?", "solution": f"So $\\boxed{{{n + 3}}}$", "answer": str(n + 3)} for n in range(20)
]
TEST = [
    {"problem": f"What is ${n}+5$?", "solution": f"So $\\boxed{{{n + 5}}}$", "answer": str(n + 5)} for n in range(3)
]
SETTINGS = [
    "--generator.epochs", "null", "--generator.steps", "400", "--generator.checkpoint_steps", "2",
    "--evaluator.num_problems", "5", "--batch_size", "4",
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def start(data: Path, model: Path, *words: str, file_limit: int | None = None) -> subprocess.Popen[str]:
    """The command `run paper` in a session of its own; no file may grow beyond `file_limit` bytes. It hears Ctrl-C even where the
    tests were started in the background, by a shell that has its background jobs ignore it."""

    def limit() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    sources = ["--train", str(data / "train.jsonl"), "--test", str(data / "test.jsonl"), "--out", str(data / "run")]
    return subprocess.Popen(
        [sys.executable, "-c", "from mathquorum.cli import main; main()", "run", "paper", "--base", str(model), *sources, *SETTINGS, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def fails(process: subprocess.Popen[str], code: int) -> str:
    _, error = process.communicate(timeout=60)
    assert process.returncode == code, error
    assert "Traceback" not in error
    return error


# --- models ----------------------------------------------------------------------------------------------------------


def _without_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(dict(list(weights.items())[1:]), folder / "model.safetensors", metadata={"format": "pt"})


def _cut_off(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("break_it", "text"),
    [
        (lambda folder: (folder / "config.json").unlink(), "it has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer of .* cannot be loaded"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokens for any text"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be loaded"),
        (_cut_off, "cannot be loaded: SafetensorError"),
        (_without_a_weight, "lack 1 of its weights"),
    ],
)
def test_a_model_folder_that_is_not_whole_is_refused(
    break_it: Callable[[Path], object], text: str, tiny_model: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    break_it(folder)
    with pytest.raises(ModelError, match=text):
        load_model(str(folder), Hardware())


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_weights_that_are_no_numbers_are_refused(temperature: float, tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    save_file({k: w * torch.nan for k, w in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    write_records(tmp_path / "problems.jsonl", [Problem("a", "1?", "1")])
    sample = Sample(
        problems=tmp_path / "problems.jsonl",
        model=str(folder),
        num_candidates=2,
        sampling=Sampling(temperature=temperature),
    )
    with pytest.raises(ModelError, match="NaN"):
        Run(tmp_path / "run").do("candidates", sample)


def _wordless() -> PreTrainedTokenizerFast:
    """A tokenizer that knows one word."""
    words = Tokenizer(models.WordLevel({"<unk>": 0, "<eos>": 1, "is": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", unk_token="<unk>")


def test_label_words_that_the_tokenizer_cannot_write_are_named() -> None:
    pair = [LabeledSolution("a", "is", "is", correct) for correct in (True, False)]
    with pytest.raises(ModelError, match="cannot write the label word ' correct'"):
        MarginLoss().examples(pair, Codec(_wordless()), 100, 0)


def test_a_model_without_the_label_words_is_refused_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    wordless = make_model(
        tmp_path / "wordless", "llama"
    )  # of qwen2 transformers would make a tokenizer without any word
    _wordless().save_pretrained(wordless)
    files = {name: str(data / f"{name}.jsonl") for name in ("train", "test")}
    with pytest.raises(ModelError, match="cannot write the label word"):
        paper(Run(tmp_path / "run"), build(Paper, {"base": str(wordless), **files}))
    assert not (tmp_path / "run").exists()


# --- data ------------------------------------------------------------------------------------------------------------


def test_a_wrong_column_is_a_failure_that_names_the_columns(data: Path, tiny_model: Path) -> None:
    (data / "train.jsonl").write_text('{"q": "1+1?", "a": "2"}\n')
    error = fails(start(data, tiny_model), 1)
    assert "train.jsonl, line 1" in error and "Columns there: a, q" in error


def test_a_cut_off_line_is_a_failure_that_names_it(data: Path, tiny_model: Path) -> None:
    whole = (data / "train.jsonl").read_text()
    (data / "train.jsonl").write_text(whole[: len(whole) // 2 - 5])
    assert "cut off while it was written" in fails(start(data, tiny_model), 1)


def test_parts_larger_than_the_data_are_refused_before_training(data: Path, tiny_model: Path) -> None:
    error = fails(start(data, tiny_model, "--evaluator.num_problems", "20"), 1)
    assert "evaluator.num_problems asks for 20 problems" in error


def _labels(place: Path, problems: list[Problem], texts: list[str]) -> Label:
    write_records(place / "problems.jsonl", problems)
    made = [Candidate(p.id, i, t, t.partition("= ")[2] or None) for p in problems for i, t in enumerate(texts)]
    write_records(place / "candidates.jsonl", made)
    paths = {"problems": place / "problems.jsonl", "candidates": place / "candidates.jsonl"}
    clusters = Run(place / "run").do("clusters", Cluster(**paths))
    return Label(**paths, clusters=clusters / "clusters.jsonl")


def test_candidates_that_are_all_equal_or_all_wrong_are_counted_and_teach_nothing(tmp_path: Path) -> None:
    label = _labels(tmp_path, [Problem("a", "2?", "2"), Problem("b", "3?", "3")], ["= 2", "= 2", "= 2"])
    with pytest.raises(DataError, match=r"No problem of 2 has both .* \(1 all correct, 1 without a correct one\)"):
        Run(tmp_path / "run").do("labels", label)


def test_problems_without_an_answer_are_counted_and_not_measured(tmp_path: Path) -> None:
    _labels(tmp_path, [Problem("a", "2?", "2"), Problem("b", "3?")], ["= 2", "= 3", ""])
    place = Run(tmp_path / "run").do(
        "evaluation",
        Evaluate(
            problems=tmp_path / "problems.jsonl",
            candidates=tmp_path / "candidates.jsonl",
            clusters=tmp_path / "run" / "clusters" / "clusters.jsonl",
        ),
    )
    summary = json.loads((place / "stage.json").read_text())["summary"]
    assert (summary["problems"], summary["without a reference"]) == (1, 1)


def test_empty_solutions_are_left_out_and_counted() -> None:
    items = [LabeledSolution("a", "1?", text, True) for text in ("= 1", "", " \n")]
    made = SolutionLoss().examples(items, Codec(make_tokenizer()), 100, 0)
    assert len(made.examples) == 1 and made.left_out == {"empty": 2}


def test_a_prompt_longer_than_the_context_is_counted_and_the_others_are_sampled(
    tiny_model: Path, tmp_path: Path
) -> None:
    write_records(tmp_path / "problems.jsonl", [Problem("a", "1?", "1"), Problem("b", "1+" * 300, "1")])
    sample = Sample(
        problems=tmp_path / "problems.jsonl", model=str(tiny_model), num_candidates=2, sampling=Sampling(max_tokens=4)
    )
    place = Run(tmp_path / "run").do("candidates", sample)
    summary = json.loads((place / "stage.json").read_text())["summary"]
    assert summary["prompt longer than the context"] == 1 and summary["candidates"] == 4


# --- the machine -----------------------------------------------------------------------------------------------------


# Too small for the weights of a checkpoint, and for its optimizer state, which torch writes with errors of its own.
@pytest.mark.parametrize(("file_limit", "workers"), [(100_000, "2"), (300_000, "1")])
def test_a_full_disk_is_said_in_words_and_complete_stages_are_kept(
    file_limit: int, workers: str, data: Path, tiny_model: Path
) -> None:
    error = fails(start(data, tiny_model, "--workers", workers, file_limit=file_limit), 1)
    assert "checkpoints cannot be written" in error and "run the same command again" in error
    assert (data / "run" / "problems.test" / "stage.json").exists()
    assert not (data / "run" / "ssft.main" / "stage.json").exists()


def test_ctrl_c_ends_at_once_and_says_how_to_go_on(data: Path, tiny_model: Path) -> None:
    process = start(data, tiny_model)
    checkpoints = data / "run" / "ssft.main" / "checkpoints"
    deadline = time.monotonic() + 40
    while not list(checkpoints.glob("checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    assert "Run the same command again to continue" in fails(process, 130)


def _finetune(place: Path, model: Path) -> Finetune:
    items = [LabeledSolution(f"p{n}", f"{n}?", f"= {n}", True) for n in range(4)]
    write_records(place / "labeled.jsonl", items)
    task = Task(objective=SolutionLoss(), data=(place / "labeled.jsonl",), batch_size=2)
    return Finetune(model=str(model), tasks=(task,), training=Training(steps=3, learning_rate=1e-3))


def test_a_stage_stopped_just_before_its_end_does_no_work_again(tiny_model: Path, tmp_path: Path) -> None:
    """Stopped after its files were whole and before stage.json was written."""
    write_records(tmp_path / "problems.jsonl", [Problem("a", "1?", "1")])
    sample = Sample(
        problems=tmp_path / "problems.jsonl", model=str(tiny_model), num_candidates=2, sampling=Sampling(max_tokens=4)
    )
    for name, stage, made in (
        ("candidates", sample, "candidates.jsonl"),
        ("model", _finetune(tmp_path, tiny_model), "model/model.safetensors"),
    ):
        advanced: list[int] = []
        place = tmp_path / name
        place.mkdir()
        first = stage.run(place, no_progress)
        before = (place / made).read_bytes()
        again = stage.run(place, lambda done, total, note="", advanced=advanced: advanced.append(done))
        assert again == first and (place / made).read_bytes() == before
        assert len(advanced) <= 1, "nothing was computed: at most the first report, of everything done"


def test_a_training_that_breaks_the_weights_is_a_failure_even_when_no_step_was_logged(
    tiny_model: Path, tmp_path: Path
) -> None:
    stage = _finetune(tmp_path, tiny_model)
    broken = Finetune(model=stage.model, tasks=stage.tasks, training=Training(steps=3, learning_rate=1e30))
    with pytest.raises(ModelError, match="stopped being a number"):
        Run(tmp_path / "run").do("model", broken)


def test_an_unknown_logger_is_misuse(data: Path, tiny_model: Path) -> None:
    assert "loggers: wandbb cannot be used" in fails(start(data, tiny_model, "--generator.loggers", "[wandbb]"), 2)


def test_files_without_a_ledger_are_not_taken_over(tiny_model: Path, tmp_path: Path) -> None:
    result = Run(tmp_path / "run").do("model", _finetune(tmp_path, tiny_model))
    (result / "stage.json").unlink()
    with pytest.raises(RunError, match="no record of how they were made"):
        Run(tmp_path / "run").do("model", _finetune(tmp_path, tiny_model))
