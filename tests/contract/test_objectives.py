"""The laws of `objectives.base.Objective`, and each formula by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from tiny_models import FAMILIES, make_model, make_tokenizer, solutions

from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.evaluator import evaluator_scores
from mathquorum.models import Hardware, load_model
from mathquorum.models.codec import Codec
from mathquorum.objectives import (
    AnyObjective,
    ContrastiveLoss,
    CrossEntropyLoss,
    MarginLoss,
    PairwiseLoss,
    SolutionLoss,
    StepLoss,
)
from mathquorum.records import Candidate, LabeledSolution, Problem
from mathquorum.training.batches import plan_steps, step_chunks
from mathquorum.training.logprobs import LogprobReader

OBJECTIVES: list[AnyObjective] = [
    SolutionLoss(),
    CrossEntropyLoss(),
    CrossEntropyLoss(normalize="vocabulary"),
    MarginLoss(),
    PairwiseLoss(),
    ContrastiveLoss(),
    StepLoss(),
]

CODEC = Codec(make_tokenizer())


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: o.name)
class TestEveryObjective:
    def test_equal_arguments_give_equal_examples(self, objective: AnyObjective) -> None:
        first, second = (objective.examples(solutions(), CODEC, 200, seed=3) for _ in range(2))
        assert first == second and first.examples

    def test_reads_stay_inside_their_sequence_and_slots(self, objective: AnyObjective) -> None:
        for example in objective.examples(solutions(), CODEC, 200, 0).examples:
            for sequence in example.sequences:
                assert all(0 <= read.position < len(sequence.ids) for read in sequence.reads)
                assert all(0 <= read.slot < objective.num_slots for read in sequence.reads)

    def test_examples_that_are_too_long_are_counted(self, objective: AnyObjective) -> None:
        made = objective.examples(solutions(), CODEC, 10, 0)
        assert not made.examples and made.left_out["too long"] > 0

    def test_losses_are_one_per_example_and_lower_for_better_log_probabilities(self, objective: AnyObjective) -> None:
        better = torch.tensor([[-0.1, -5.0, -5.0, -0.1]])[:, : objective.num_slots]
        worse = torch.tensor([[-5.0, -0.1, -0.1, -5.0]])[:, : objective.num_slots]
        if isinstance(objective, MarginLoss | PairwiseLoss):  # slots: c, i of the correct; c, i of the incorrect
            better, worse = torch.tensor([[-0.1, -5.0, -5.0, -0.1]]), torch.tensor([[-5.0, -0.1, -0.1, -5.0]])
        assert objective.losses(better).shape == (1,)
        assert objective.losses(better).item() < objective.losses(worse).item()

    @pytest.mark.parametrize("trees", [True, False])
    @pytest.mark.parametrize("family", FAMILIES)
    def test_packed_rows_give_the_log_probabilities_of_single_texts(
        self, objective: AnyObjective, family: str, trees: bool, tmp_path: Path
    ) -> None:
        """With and without trees of the texts of an example, which begin alike."""
        loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
        examples = objective.examples(solutions(), loaded.codec, 200, 0).examples
        step = plan_steps([examples], [len(examples)], 1, seed=0)[0]
        widest = LogprobReader(loaded.model).longest_grouped if trees else 0
        chunks = step_chunks(step, [objective.num_slots], batch_tokens=2**20, longest_grouped=widest)
        windowed = "sliding_window" in FAMILIES[family]
        assert (chunks[0].groups is not None) == (trees and not windowed)
        assert len(chunks) == 1 and chunks[0].tensors["input_ids"].shape[0] < sum(len(e.sequences) for e in examples)
        with torch.inference_mode():
            packed = LogprobReader(loaded.model).read(chunks[0], len(examples) * objective.num_slots)
            single = []
            for example in step.examples[0]:
                slots = torch.zeros(objective.num_slots)
                for sequence in example.sequences:
                    logits = loaded.model(torch.tensor([sequence.ids]), use_cache=False).logits[0]
                    for read in sequence.reads:
                        slots[read.slot] += torch.log_softmax(logits[read.position], -1)[read.token]
                single.append(slots)
        assert torch.allclose(packed.view(-1, objective.num_slots), torch.stack(single), atol=2e-4)

    def test_a_step_has_one_loss_however_it_is_cut_and_shared(self, objective: AnyObjective, tiny_model: Path) -> None:
        loaded = load_model(str(tiny_model), Hardware())
        examples = objective.examples(solutions(), loaded.codec, 200, 0).examples
        step = plan_steps([examples], [len(examples)], 1, seed=0)[0]

        def loss(batch_tokens: int, world: int) -> float:
            total = 0.0
            for rank in range(world):
                for chunk in step_chunks(step, [objective.num_slots], batch_tokens, rank, world):
                    for part in chunk.parts:  # one, or none where the process has nothing left
                        slots = LogprobReader(loaded.model).read(chunk, part.num_examples * objective.num_slots)
                        total += (objective.losses(slots.view(part.num_examples, -1)).sum() / part.total).item()
            return total

        with torch.inference_mode():
            whole = loss(2**20, 1)
            assert loss(1, 1) == pytest.approx(whole, abs=1e-5)
            assert loss(150, 3) == pytest.approx(whole, abs=1e-5)


# --- by hand ---------------------------------------------------------------------------------------------------------


def log_s(correct: float, incorrect: float) -> float:
    return math.log(math.exp(correct) / (math.exp(correct) + math.exp(incorrect)))


def test_cross_entropy_by_hand() -> None:
    slots = torch.tensor([[-1.0, -2.0, -3.0, -0.5]])
    assert CrossEntropyLoss().losses(slots).item() == pytest.approx(-(log_s(-1, -2) + log_s(-0.5, -3)) / 2, abs=1e-6)
    assert CrossEntropyLoss(normalize="vocabulary").losses(slots).item() == pytest.approx(0.75)


@pytest.mark.parametrize("margin", [0.25, 1.0])
def test_margin_by_hand_and_zero_beyond_the_margin(margin: float) -> None:
    """The correct solution of the first pair has a score of 0.27, the incorrect one of 0.62; the second pair is well apart."""
    slots = torch.tensor([[-2.0, -1.0, -1.0, -1.5], [-0.01, -9.0, -9.0, -0.01]])
    lower, higher = math.log(1 / (1 + math.e)), math.log(1 / (1 + math.exp(-0.5)))
    assert log_s(-2, -1) == pytest.approx(lower) and log_s(-1, -1.5) == pytest.approx(higher)
    assert MarginLoss(margin=margin).losses(slots).tolist() == pytest.approx([higher - lower + margin, 0], abs=1e-6)
    assert MarginLoss(margin=20).losses(slots)[1].item() > 0


def test_margin_is_one_nat_by_default() -> None:
    equal = torch.tensor([[-1.0, -2.0, -1.0, -2.0]])
    assert MarginLoss().losses(equal).item() == pytest.approx(1.0)


def test_margin_moves_when_the_label_words_start_near_probability_zero() -> None:
    slots = torch.tensor([[-20.0, -20.0, -20.0, -20.0]], requires_grad=True)
    MarginLoss().losses(slots).sum().backward()
    assert slots.grad is not None and slots.grad.abs().max().item() == pytest.approx(0.5)


def test_pairwise_by_hand() -> None:
    slots = torch.tensor([[-1.0, -2.0, -3.0, -0.5]])
    assert PairwiseLoss().losses(slots).item() == pytest.approx(math.log(1 + math.exp(-(1.0 + 2.5))), abs=1e-6)


def test_contrastive_by_hand() -> None:
    assert ContrastiveLoss(margin=2.0).losses(torch.tensor([[-10.0, -11.0]])).item() == pytest.approx(1.0)


def test_the_solution_loss_reads_solution_and_end_of_sequence_and_nothing_of_the_prompt() -> None:
    tokenizer = CODEC.tokenizer
    (example, *_) = SolutionLoss().examples(solutions(1), CODEC, 200, 0).examples
    (sequence,) = example.sequences
    targets = [read.token for read in sequence.reads]
    assert tokenizer.decode(targets[:-1]) == solutions(1)[0].solution
    assert targets[-1] == tokenizer.eos_token_id
    assert example.count == len(targets)
    assert [read.position for read in sequence.reads] == list(
        range(len(sequence.ids) - len(targets) - 1, len(sequence.ids) - 1)
    )
    assert tokenizer.decode(sequence.ids[: -len(targets)]).endswith("Solution (fine):\n")


@pytest.mark.parametrize("objective", [CrossEntropyLoss(), MarginLoss(), PairwiseLoss(), ContrastiveLoss()])
def test_pairs_are_of_one_problem_balanced_and_never_twice(objective: AnyObjective) -> None:
    many = [LabeledSolution("a", "1?", f"r{i}", True) for i in range(3)]
    many += [LabeledSolution("a", "1?", f"w{i}", False) for i in range(2)]
    many += [LabeledSolution("b", "2?", "r", True)]
    made = objective.examples(many, CODEC, 200, 0)
    assert made.left_out == {"problems with one label only": 1}
    keys = [tuple(sequence.ids for sequence in example.sequences) for example in made.examples]
    assert len(set(keys)) == len(keys) == (5 if isinstance(objective, CrossEntropyLoss) else 6)


def test_step_labels_turn_incorrect_at_the_first_bad_step_and_stay_so() -> None:
    tokenizer = CODEC.tokenizer
    item = LabeledSolution("a", "1?", "xyz", False, None, ("x", "y", "z"), (1, -1, 1))
    made = StepLoss().examples([item], CODEC, 200, 0)
    correct = tokenizer(" correct")["input_ids"][0]
    right_words = [next(r.token for r in e.sequences[0].reads if r.slot == 0) == correct for e in made.examples]
    assert right_words == [True, False, False]


def test_a_neutral_step_is_good_or_bad_by_setting() -> None:
    item = LabeledSolution("a", "1?", "x", True, None, ("x",), (0,))
    first = [
        StepLoss(neutral=n).examples([item], CODEC, 200, 0).examples[0].sequences[0].reads for n in ("good", "bad")
    ]
    assert first[0] != first[1]


@pytest.mark.parametrize("single_token_labels", [True, False])
def test_training_and_engine_compute_one_score(single_token_labels: bool, tmp_path: Path) -> None:
    """Eq. 7 twice: through the objective's reads, and through the engine that scores candidates."""
    folder = make_model(tmp_path / "model", single_token_labels=single_token_labels)
    loaded = load_model(str(folder), Hardware())
    pair = solutions(1)
    (example,) = MarginLoss(pairs_per_problem=1).examples(pair, loaded.codec, 250, 0).examples
    step = plan_steps([[example]], [1], 1, seed=0)[0]
    (chunk,) = step_chunks(step, [4], 2**20)
    with torch.inference_mode():
        slots = LogprobReader(loaded.model).read(chunk, 4)
    trained = {torch.sigmoid(slots[0] - slots[1]).item(), torch.sigmoid(slots[2] - slots[3]).item()}
    candidates = [Candidate("p0", i, s.solution) for i, s in enumerate(pair)]
    scores = evaluator_scores(HuggingFaceEngine(loaded), Problem("p0", pair[0].problem), candidates)
    assert all(any(abs(value - score.value) < 1e-5 for score in scores) for value in trained)
