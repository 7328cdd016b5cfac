"""Training: ours beside TRL's SFTTrainer (packing on) and RewardTrainer on the same examples, one core, in turn.

    python benchmarks/training.py [--rounds 2] [--steps 3]     useful tokens per processor second, and the ratio
    python benchmarks/training.py --lora FOLDER                 the same with LoRA (r = 16, all linear layers) on a model of yours
    python benchmarks/training.py --evaluator FOLDER            evaluators, all weights, on a model of yours, 4 pairs a step
    python benchmarks/training.py --memory                      peak memory of a step of 2,048 tokens, vocabulary 150,000

Useful tokens are those of solutions and their ends, which the loss is over, or for evaluators those of the judged texts.
Both write a checkpoint at their end, as is their default. The first needs TRL, which is not among this project's dependencies:
`pip install trl`.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from pairs import qwen2

from mathquorum.assets import tiny_base_path
from mathquorum.datasets import minimath
from mathquorum.models import Hardware, load_model, load_tokenizer, silence_transformers
from mathquorum.models.codec import Codec
from mathquorum.objectives import PairwiseLoss, SolutionLoss
from mathquorum.objectives.examples import Example
from mathquorum.prompts import evaluator_prompt, generator_prompt
from mathquorum.records import LabeledSolution
from mathquorum.training.batches import plan_steps
from mathquorum.training.lora import freeing_at_once, new_adapter
from mathquorum.training.settings import Lora, Training
from mathquorum.training.trainer import WeightedObjective, train

ROW = 512  # tokens of a packed row of TRL
LARGE_VOCABULARY = 150_000


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3, help="optimizer steps per round")
    parser.add_argument("--only", choices=("sft", "evaluator"))
    parser.add_argument("--lora", metavar="FOLDER", help="train adapters on this model")
    parser.add_argument("--evaluator", metavar="FOLDER", help="train evaluators on this model")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", choices=("ours", "plain"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    silence_transformers()
    if options.memory_of:
        print(peak_memory(options.memory_of))
    elif options.memory:
        memory_table()
    elif options.evaluator:
        print("| task | model | ours, useful tokens/s | TRL | ratio |\n|---|---|---|---|---|")
        evaluator_row(options.evaluator, Path(options.evaluator).name, 4, options.rounds, options.steps)
    elif options.lora:
        lora_table(options.lora, options.rounds, options.steps)
    else:
        speed_table(options.rounds, options.steps, options.only)


# --- speed ------------------------------------------------------------------------------------------------------------


def speed_table(rounds: int, steps: int, only: str | None) -> None:
    codec = Codec(load_tokenizer(str(tiny_base_path())))
    print("| task | model | ours, useful tokens/s | TRL | ratio |\n|---|---|---|---|---|")
    if only != "evaluator":
        generator_rows(codec, rounds, steps)
    if only != "sft":
        evaluator_row(str(tiny_base_path()), "1.3 M, vocabulary 768", 16, rounds, steps)


def generator_rows(codec: Codec, rounds: int, steps: int) -> None:
    solutions = list(minimath.load_solutions("train", "fine", 32 * steps))
    useful = sum(len(codec.continuation(s.solution)) + 1 for s in solutions)
    for name, make in (("1.3 M, vocabulary 768", tiny_model), ("30 M, vocabulary 150,000", large_model)):
        row(
            f"SSFT | {name}", useful, rounds,
            lambda make=make: ours(make(), SolutionLoss(), solutions, codec, 32, steps),
            lambda make=make: sft_trainer(make(), codec, solutions, steps),
        )  # fmt: skip


def tiny_model() -> Any:
    return whole_model(str(tiny_base_path()))


def whole_model(folder: str) -> Any:
    return load_model(folder, Hardware(device="cpu"), dtype=torch.float32).model


def large_model() -> Any:
    return qwen2(192, 4, LARGE_VOCABULARY)


def evaluator_row(folder: str, name: str, batch: int, rounds: int, steps: int) -> None:
    codec, pairs = Codec(load_tokenizer(folder)), judged_pairs(batch * steps)
    judged = [solution for pair in pairs for solution in pair]
    row(
        f"evaluator, pairwise | {name}",
        sum(len(codec.prompt(evaluator_prompt(s.problem, s.solution))) for s in judged), rounds,
        lambda: ours(whole_model(folder), PairwiseLoss(pairs_per_problem=1), judged, codec, batch, steps),
        lambda: reward_trainer(folder, codec, pairs, batch, steps),
    )  # fmt: skip


def judged_pairs(number: int) -> list[tuple[LabeledSolution, LabeledSolution]]:
    """A right and a wrong solution of each of so many problems."""
    found = []
    by_problem: dict[str, list[LabeledSolution]] = {}
    for item in minimath.load_flawed("evaluator", "fine", 20 * number, num_solutions=4, slip_rate=0.1):
        by_problem.setdefault(item.problem_id, []).append(item)
    for items in by_problem.values():
        right, wrong = ([i for i in items if i.correct is label] for label in (True, False))
        if right and wrong:
            found.append((right[0], wrong[0]))
    return found[:number]


def row(name: str, useful: int, rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    pairs = []
    for number in range(rounds + 1):
        pair = ours(), theirs()
        if number:
            pairs.append(pair)
    ratios = sorted(b / a for a, b in pairs)
    rates = [useful / median(values) for values in zip(*pairs, strict=True)]
    shown = f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    print(f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} | {shown} |", flush=True)


def lora_table(folder: str, rounds: int, steps: int) -> None:
    """Eight solutions a step."""
    codec, lora = Codec(load_tokenizer(folder)), Lora()
    solutions = list(minimath.load_solutions("train", "fine", 8 * steps))
    useful = sum(len(codec.continuation(s.solution)) + 1 for s in solutions)

    print("| task | model | ours, useful tokens/s | TRL with peft | ratio |\n|---|---|---|---|---|")
    row(
        f"SSFT, LoRA r = {lora.r} | {Path(folder).name}", useful, rounds,
        lambda: ours(new_adapter(whole_model(folder), lora, 0), SolutionLoss(), solutions, codec, 8, steps, lora),
        lambda: sft_trainer(whole_model(folder), codec, solutions, steps, lora),
    )  # fmt: skip


def ours(model: Any, objective: Any, data: Sequence[LabeledSolution], codec: Codec, batch: int, steps: int,
    lora: Lora | None = None,
) -> float:  # fmt: skip
    """Processor seconds of the training alone."""
    examples: tuple[Example, ...] = objective.examples(data, codec, 512, 0).examples
    plan = plan_steps([examples], [batch], steps, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        with freeing_at_once() if lora else contextlib.nullcontext():
            train(
                model, plan, [WeightedObjective(objective, 1.0)], Training(steps=steps, learning_rate=1e-4, lora=lora),
                0, Hardware(device="cpu"), Path(folder), lambda done, total: None,
            )  # fmt: skip
        return time.process_time() - began


def sft_trainer(
    model: Any, codec: Codec, solutions: Sequence[LabeledSolution], steps: int, lora: Lora | None = None
) -> float:
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    rows = [{"prompt": generator_prompt(s.problem, s.style), "completion": s.solution} for s in solutions]
    total = sum(len(codec.prompt(r["prompt"])) + len(codec.continuation(r["completion"])) + 1 for r in rows)
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder, packing=True, max_length=ROW, use_cpu=True, report_to="none", disable_tqdm=True,
            per_device_train_batch_size=max(1, round(total / steps / ROW)), num_train_epochs=1,
            logging_steps=10, learning_rate=1e-4, completion_only_loss=True, bf16=False, gradient_checkpointing=False,
        )  # fmt: skip
        adapter = lora and LoraConfig(
            task_type="CAUSAL_LM", r=lora.r, lora_alpha=lora.alpha, target_modules="all-linear"
        )
        trainer = SFTTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=codec.tokenizer,
            peft_config=adapter,
        )  # fmt: skip
        began = time.process_time()
        trainer.train()
        return time.process_time() - began


def reward_trainer(
    folder: str, codec: Codec, pairs: Sequence[tuple[LabeledSolution, LabeledSolution]], batch: int, steps: int
) -> float:
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    rows = [
        {
            "chosen": evaluator_prompt(right.problem, right.solution),
            "rejected": evaluator_prompt(wrong.problem, wrong.solution),
        }
        for right, wrong in pairs
    ]
    with tempfile.TemporaryDirectory() as place:
        arguments = RewardConfig(
            output_dir=place, use_cpu=True, report_to="none", disable_tqdm=True, max_length=512, max_steps=steps,
            per_device_train_batch_size=batch, logging_steps=10, learning_rate=1e-4, bf16=False,
            gradient_checkpointing=False,
        )  # fmt: skip
        trainer = RewardTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=codec.tokenizer
        )
        began = time.process_time()
        trainer.train()
        return time.process_time() - began


# --- memory -----------------------------------------------------------------------------------------------------------


def memory_table() -> None:
    print("| step of 2,048 tokens, 30 M weights, vocabulary 150,000 | peak memory above the model's, GB |\n|---|---|")
    for name in ("ours", "plain"):
        done = subprocess.run(
            [sys.executable, __file__, "--memory-of", name], capture_output=True, text=True, check=True
        )
        print(f"| {name} | {float(done.stdout.split()[-1]):.2f} |", flush=True)


def peak_memory(name: str) -> float:
    """GB above what the process held before the step: of ours, or of a plain loss over all logits, as the Trainer's."""
    model = qwen2(192, 4, LARGE_VOCABULARY).train()
    codec = Codec(load_tokenizer(str(tiny_base_path())))
    data, tokens = [], 0
    for item in minimath.load_solutions("train", "fine", 100):
        tokens += len(codec.prompt(generator_prompt(item.problem, item.style))) + len(codec.continuation(item.solution))
        if tokens > 2048:
            break
        data.append(item)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name == "ours":
        ours(model, SolutionLoss(), data, codec, len(data), 1)
    else:
        ids = torch.randint(1, 700, (4, 512))
        optimizer = torch.optim.AdamW(model.parameters())
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20


if __name__ == "__main__":
    main()
