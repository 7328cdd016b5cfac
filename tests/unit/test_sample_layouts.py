"""Every layout in which people keep samples, on small files made after what each system writes: one problem, two solutions."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mathquorum.datasets.contents import opened
from mathquorum.datasets.inspect_logs import Limits, archived_samples
from mathquorum.datasets.samples import SampleSet, read_samples
from mathquorum.errors import DataError

Q = "What is $2+3$?"
GOOD, BAD = "It is $\\boxed{5}$.", "It is $\\boxed{6}$."
USER = {"role": "user", "content": Q}


def says(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def chosen(text: str, index: int = 0, reason: str = "stop") -> dict[str, Any]:
    return {"index": index, "message": says(text), "logprobs": None, "finish_reason": reason}


def lm_eval(filter_name: str, filtered: list[Any]) -> dict[str, Any]:
    return {
        "doc_id": 0, "doc": {"question": Q, "answer": "2+3 = <<2+3=5>>5\n#### 5"}, "target": "2+3 = <<2+3=5>>5\n#### 5",
        "arguments": {"gen_args_0": {"arg_0": f"Question: {Q}\nAnswer:", "arg_1": {"until": ["Question:"], "temperature": 1.0}}},
        "resps": [[GOOD, BAD]], "filtered_resps": filtered, "filter": filter_name, "metrics": ["exact_match"], "doc_hash": "0a",
        "exact_match": 1.0,
    }  # fmt: skip


def batch(custom_id: str, *texts: str) -> dict[str, Any]:
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [chosen(t, i) for i, t in enumerate(texts)],
    }
    return {
        "id": "batch_req_1",
        "custom_id": custom_id,
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }


def inspected(epoch: int, text: str) -> dict[str, Any]:
    output = {
        "model": "m",
        "choices": [{"message": {**says(text), "source": "generate"}, "stop_reason": "stop"}],
        "completion": text,
    }
    return {
        "id": 1, "epoch": epoch, "input": [{"id": "x", **USER}], "target": "5", "choices": None, "messages": [USER, says(text)],
        "output": output, "scores": {"match": {"value": "C", "answer": text}}, "metadata": {}, "store": {}, "model_usage": {},
    }  # fmt: skip


LOG = {
    "version": 2,
    "status": "success",
    "eval": {"task": "sum", "model": "openai/m", "config": {"epochs": 2}},
    "results": {},
}

ROWS: dict[str, list[dict[str, Any]]] = {
    "lm-evaluation-harness, two filters": [lm_eval("strict-match", [["5", "[invalid]"]]), lm_eval("flexible-extract", [["5", "6"]])],
    "lm-evaluation-harness, majority": [lm_eval("maj@2", ["5"])],
    "messages as entries": [{"problem": Q, "answer": "5", "samples": [says(GOOD), says(BAD)]}],
    "conversations as entries": [{"problem": Q, "answer": "5", "outputs": [[USER, says(GOOD)], [USER, says(BAD)]]}],
    "messages of parts": [{"problem": Q, "answer": "5", "responses": [{"role": "assistant", "content": [{"type": "text", "text": t}]} for t in (GOOD, BAD)]}],
    "generation as a list": [{"problem": Q, "expected_answer": "5", "generation": [GOOD, BAD], "predicted_answer": ["5", "6"]}],
    "OpenMathInstruct-1": [
        {"question": Q, "expected_answer": "5", "predicted_answer": a, "error_message": "", "is_correct": a == "5",
         "generation_type": "without_reference_solution", "dataset": "math", "generated_solution": t}
        for t, a in ((GOOD, "5"), (BAD, "6"))
    ],
    "OpenMathInstruct-2": [{"problem": Q, "generated_solution": t, "expected_answer": "5", "problem_source": "math"} for t in (GOOD, BAD)],
    "AceMath": [{"messages": [USER], "answer": t, "ground_truth": "5"} for t in (GOOD, BAD)],
    "messages with the answer beside": [{"messages": [USER, says(t)], "answer": "5"} for t in (GOOD, BAD)],
    "ShareGPT": [{"conversations": [{"from": "user", "value": Q}, {"from": "assistant", "value": t}], "answer": 5} for t in (GOOD, BAD)],
    "one row per sample, by id": [{"id": 7, "question": Q, "answer": "5", "response": t, "sample": n} for n, t in enumerate((GOOD, BAD))],
    "one row per sample, by text": [{"prompt": Q, "target": "5", "completion": t} for t in (GOOD, BAD)],
    "verl rollouts": [{"input": Q, "output": t, "gts": "5", "score": 1.0, "step": 3} for t in (GOOD, BAD)],
    "OpenR1": [{"problem": Q, "solution": GOOD, "answer": "5", "generations": [GOOD, BAD], "finish_reasons": ["stop", "length"],
                "is_reasoning_complete": [True, False], "messages": [USER, says(GOOD)]}],
    "vLLM offline": [{"request_id": "0", "prompt": Q, "answer": "5", "outputs": [
        {"index": i, "text": t, "token_ids": [1, 2], "cumulative_logprob": -1.5, "finish_reason": "stop"} for i, t in enumerate((GOOD, BAD))]}],
    "server responses": [{"problem": Q, "answer": "5", "id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [chosen(GOOD), chosen(BAD, 1, "length")]}],
    "numbered columns": [{"problem": Q, "answer": "5", "response_1": GOOD, "response_2": BAD}],
    "answers without texts": [{"problem": Q, "expected_answer": "5", "answers": ["5", "6"]}],
    "objects with answers alone": [{"problem": Q, "gold": 5, "samples": [{"answer": "5"}, {"answer": 6}]}],
    "data in an object": [{"data": [{"problem": Q, "answer": "5", "samples": [GOOD, BAD]}]}],
    "inspect_ai, .json": [{**LOG, "samples": [inspected(1, GOOD), inspected(2, BAD)]}],
}  # fmt: skip
NO_PROBLEM = {"batch"}


def check(found: SampleSet, problem: str = Q) -> None:
    (item,) = found.samples
    assert (item.problem.text, item.problem.answer) == (problem, "5")
    assert [candidate.answer for candidate in item.candidates] == ["5", "6"]


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def listed(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows[0] if len(rows) == 1 else rows, indent=2))
    return path


def packed(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(gzip.compress(lines(path, rows).read_bytes()))
    return path


@pytest.mark.parametrize("write", [lines, listed, packed])
@pytest.mark.parametrize("layout", ROWS)
def test_a_layout_is_read_whatever_the_file_is_called(layout: str, write: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("x.jsonl", "x.json", "x"):
        check(read_samples(write(tmp_path / name, ROWS[layout])))


@pytest.mark.parametrize("name", ["x.parquet", "x.jsonl"])
@pytest.mark.parametrize(
    "layout",
    ["OpenMathInstruct-2", "messages as entries", "AceMath", "vLLM offline", "lm-evaluation-harness, majority"],
)
def test_a_layout_is_read_from_parquet(layout: str, name: str, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(ROWS[layout]), tmp_path / name)
    check(read_samples(tmp_path / name))


@pytest.mark.parametrize(
    "row",
    [
        {"doc": {"query": Q, "choices": ["5"], "gold_index": [0], "id": "0", "task_name": "math_500", "specific": {}},
         "metric": {"pass@k": 1.0}, "model_response": {"input": Q, "text": [GOOD, BAD], "output_tokens": [[1], [2]], "text_post_processed": None}},
        {"doc": {"query": Q, "choices": [GOOD], "gold_index": 0, "id": "0"}, "metric": {"em": 1.0}, "model_response": {"text": [GOOD, BAD]}},
        {"example": Q, "instruction": "", "full_prompt": Q, "num_effective_few_shots": 0, "predictions": [GOOD, BAD], "gold": ["5"],
         "choices": [], "gold_index": [], "metrics": {"em": 1.0}, "truncated": [0], "padded": [0]},
        {"example": Q, "full_prompt": Q, "predictions": repr([GOOD, BAD]), "gold": "['5']", "metrics": "{}"},
    ],
)  # fmt: skip
def test_details_of_lighteval(row: dict[str, Any], tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    row = {name: {**value, "none": None} if value == {} else value for name, value in row.items()}
    if "doc" in row:
        row["doc"].pop("specific", None)
    parquet.write_table(arrow.Table.from_pylist([row]), tmp_path / "details_math_500_2026.parquet")
    check(read_samples(tmp_path / "details_math_500_2026.parquet"))


def archive(path: Path, *samples: dict[str, Any], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("_journal/start.json", json.dumps(LOG))
        for sample in samples:
            file.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        file.writestr("summaries.json", "[]")
        file.writestr("header.json", json.dumps(LOG))
    return path


def test_logs_of_inspect_as_archives(tmp_path: Path) -> None:
    found = read_samples(archive(tmp_path / "log.eval", inspected(2, BAD), inspected(1, GOOD)))
    check(found)
    assert found.samples[0].models == ("m", "m")
    failed = {**inspected(3, ""), "output": {"model": "m", "choices": []}, "error": {"message": "time-out"}}
    found = read_samples(archive(tmp_path / "log.eval", inspected(1, GOOD), inspected(2, BAD), failed))
    check(found)
    assert found.notices == {"requests that failed: no solution": 1}


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(file=1_000_000), r"samples/1_epoch_1.json: unpacks to more than"),
        (Limits(total=1_000_000), r"log.eval unpacks to more than"),
        (Limits(files=3), r"log.eval unpacks to more than 3 files"),
    ],
)
def test_archives_are_read_under_limits(limits: Limits, text: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "log.eval", inspected(1, " " * 2_000_000))
    with opened(path) as file:
        assert len(list(archived_samples(file, path))) == 1
    with opened(path) as file, pytest.raises(DataError, match=text):
        list(archived_samples(file, path, limits))


def test_broken_and_other_archives_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "log.eval", inspected(1, GOOD))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"cannot be unpacked"):
        read_samples(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "x")
    with pytest.raises(DataError, match=r"zip file without samples of inspect_ai"):
        read_samples(path)


def test_batches_are_joined_with_problems_by_custom_id(tmp_path: Path) -> None:
    problems = lines(tmp_path / "problems.jsonl", [{"id": "p1", "problem": Q, "answer": "5"}])
    check(read_samples(lines(tmp_path / "out.jsonl", [batch("p1", GOOD, BAD)]), problems))
    failed = {"id": "b", "custom_id": "p1", "response": None, "error": {"code": "batch_expired", "message": "late"}}
    rows = [batch("p1-0", GOOD), batch("p1-1", BAD), failed]
    found = read_samples(lines(tmp_path / "out.jsonl", rows), problems)
    check(found)
    assert found.notices == {"requests that failed: no solution": 1}
    message = {"content": [{"type": "text", "text": BAD}], "model": "c", "stop_reason": "end_turn", "role": "assistant"}
    other = {"custom_id": "p1", "result": {"type": "succeeded", "message": message}}
    check(
        read_samples([lines(tmp_path / "a.jsonl", [batch("p1", GOOD)]), lines(tmp_path / "b.jsonl", [other])], problems)
    )


def test_a_batch_without_problems_is_read_without_references(tmp_path: Path) -> None:
    (item,) = read_samples(lines(tmp_path / "out.jsonl", [batch("p1", GOOD, BAD)])).samples
    assert (item.problem.id, item.problem.answer, len(item.candidates)) == ("out/p1", None, 2)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("cell", [json.dumps([GOOD, BAD]), repr([GOOD, BAD])])
def test_tables_with_lists_in_cells_or_one_row_per_sample(separator: str, cell: str, tmp_path: Path) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    (tmp_path / "a.csv").write_text(f"problem{separator}answer{separator}samples\n{Q}{separator}5{separator}{quoted}\n")
    check(read_samples(tmp_path / "a.csv"))
    rows = "".join(f'{Q}{separator}5{separator}"So,\n{text}"\n' for text in (GOOD, BAD))
    (tmp_path / "b.txt").write_text(f"\ufeffproblem{separator}answer{separator}response\n{rows}")
    check(read_samples(tmp_path / "b.txt"))


def test_columns_are_said_and_a_mapping_overrides(tmp_path: Path) -> None:
    row = {"q": Q, "gold": "7", "key": 5, "texts": [GOOD, BAD], "rewards": [0.1, 0.9], "meta": {}}
    path = lines(tmp_path / "x.jsonl", [row])
    with pytest.raises(
        DataError, match=r"cannot tell which column holds the solutions.*--columns.*Columns there: q, gold"
    ):
        read_samples(path)
    found = read_samples(path, columns={"problem": "q", "reference": "key", "samples": "texts"})
    check(found)
    assert found.columns == ("columns read: problem=q, reference=key, samples=texts; not read: gold, rewards, meta",)
    assert any("'rewards' looks like scores" in notice for notice in found.notices or {})
    found = read_samples(path, columns={"problem": "q", "reference": "key", "samples": "texts", "scores": "rewards"})
    assert found.samples[0].scores == (0.1, 0.9)
    with pytest.raises(DataError, match="there is no column 'question'"):
        read_samples(path, columns={"problem": "question", "samples": "texts"})


def test_a_mapping_overrides_one_column_of_a_known_format(tmp_path: Path) -> None:
    row = {**lm_eval("none", [["5", "6"]]), "target": "7"}
    row["doc"]["key"] = "5"
    check(read_samples(lines(tmp_path / "x.jsonl", [row]), columns={"reference": "doc.key"}))


def test_a_text_that_was_cut_off_is_known_from_the_file(tmp_path: Path) -> None:
    texts = ["so 2+3 is 5", "so 2+3 is 5"]
    row = {"problem": Q, "answer": "5", "responses": texts, "finish_reasons": ["stop", "length"]}
    (item,) = read_samples(lines(tmp_path / "x.jsonl", [row])).samples
    assert [candidate.finished for candidate in item.candidates] == [True, False]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (json.dumps({"problem": Q}).encode("utf-16"), "is UTF-16 text. Save it as UTF-8: iconv"),
        (json.dumps({"problem": Q}).encode("utf-16-le"), "is UTF-16 text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 9\n", "is a Git LFS pointer.*git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"\x80\x04\x95\x10\x00", "is a Python pickle. Reading it could run code"),
        (b'{"problem": "1?", "samples": ["a"]}\n{"problem": "\xff"}\n', "line 2: not UTF-8: byte 0xff"),
        (b'{"problem": "1?", "samples": ["a"]}\n{"problem": "2?", "sam', "line 2: not valid JSON.*cut off while it was written"),
        (b"problem,answer\n1?,2,3\n", "line 2: has 3 cells, and the first line names 2 columns"),
        (b"", "no rows"),
        (b'{"resps": [[["-1.5", "False"]]], "doc": {}}\n', "line 1: holds log-likelihoods of choices"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_named(content: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=text):
        read_samples(tmp_path / "x.jsonl")


@pytest.mark.parametrize(
    ("value", "answer"),
    [(10**400 + 1, str(10**400 + 1)), (0.5, "0.5"), (3.0, "3"), (["5"], "5"), (None, None), (float("nan"), None), ("7", "7")],
)  # fmt: skip
def test_answers_that_are_numbers_of_any_length_are_read(value: object, answer: str | None, tmp_path: Path) -> None:
    (item,) = read_samples(lines(tmp_path / "x.jsonl", [{"problem": Q, "answer": value, "samples": [GOOD]}])).samples
    assert item.problem.answer == answer


@pytest.mark.parametrize("value", [True, ["5", "6"], {"x": 1}, float("inf")])
def test_other_answers_are_refused_by_file_and_line(value: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x.jsonl, line 1: field 'answer' must be one answer"):
        read_samples(lines(tmp_path / "x.jsonl", [{"problem": Q, "answer": value, "samples": [GOOD]}]))


def test_a_score_that_is_null_or_nan_costs_one_candidate_its_score(tmp_path: Path) -> None:
    row = {"problem": Q, "answer": "5", "samples": [GOOD, BAD, GOOD], "scores": [0.5, None, float("nan")]}
    assert read_samples(lines(tmp_path / "x.jsonl", [row])).samples[0].scores == (0.5, None, None)


def test_a_solution_that_is_null_or_an_empty_cell_is_a_candidate_without_an_answer(tmp_path: Path) -> None:
    (item,) = read_samples(
        lines(tmp_path / "x.jsonl", [{"problem": Q, "answer": "5", "samples": [GOOD, None]}])
    ).samples
    assert [candidate.answer for candidate in item.candidates] == ["5", None]
    (tmp_path / "x.csv").write_text(f"problem,answer,response\n{Q},5,{GOOD}\n{Q},5,\n")
    (item,) = read_samples(tmp_path / "x.csv").samples
    assert [candidate.answer for candidate in item.candidates] == ["5", None]
