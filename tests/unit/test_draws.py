"""Drawing tokens: uniform numbers, the nucleus, and independence of the rows of a batch."""

from __future__ import annotations

import pytest
import torch

from mathquorum.engines.base import Sampling, candidate_seed
from mathquorum.engines.embedded import draws
from mathquorum.engines.embedded.draws import Nuclei, draw_tokens, uniform
from mathquorum.engines.embedded.footprint import DRAWN_AT_ONCE
from mathquorum.engines.embedded.steps import take_step


def test_uniform_is_splitmix64() -> None:
    """Against SplitMix64 in plain integers."""

    def reference(seed: int, step: int) -> float:
        mask = 2**64 - 1
        z = (seed + (step + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    seeds = [0, 1, 12345, 2**53 - 1, 2**62]
    for step in (0, 1, 500):
        assert uniform(torch.tensor(seeds), step).tolist() == [reference(seed, step) for seed in seeds]


def test_uniform_numbers_are_uniform_over_seeds_and_over_steps() -> None:
    over_seeds = uniform(torch.tensor([candidate_seed(0, "p", i) for i in range(20_000)]), 3)
    over_steps = torch.stack([uniform(torch.tensor([7]), step)[0] for step in range(20_000)])
    for numbers in (over_seeds, over_steps):
        assert numbers.min() >= 0 and numbers.max() < 1
        counts = torch.histc(numbers.float(), 10, 0, 1)
        assert ((counts - 2000) ** 2 / 2000).sum() < 33.7, "chi-squared of 9 degrees, p about 1e-4"


def test_tokens_are_drawn_with_the_probabilities_of_the_nucleus() -> None:
    probabilities = torch.tensor([0.05, 0.4, 0.15, 0.3, 0.1])
    numbers = (torch.arange(10_000).double() + 0.5) / 10_000
    drawn = draw_tokens(probabilities.log().expand(10_000, 5), numbers, temperature=1.0, top_p=0.8)
    shares = torch.bincount(drawn, minlength=5) / 10_000
    kept = torch.tensor([0.0, 0.4, 0.15, 0.3, 0.0])  # 0.4 + 0.3 < 0.8 <= 0.4 + 0.3 + 0.15
    assert torch.allclose(shares, kept / kept.sum(), atol=2e-4)


@pytest.mark.parametrize("top_p", [1e-9, 0.3])
def test_the_likeliest_token_is_always_kept(top_p: float) -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0]])
    for number in (0.0, 0.5, 1 - 2**-53):
        assert draw_tokens(logits, torch.tensor([number]).double(), 1.0, top_p).item() == 1


def test_a_low_temperature_takes_the_likeliest_and_full_top_p_can_take_any() -> None:
    logits = torch.tensor([[0.0, 1.0, 0.5]])
    last = torch.tensor([1 - 2**-53]).double()
    assert draw_tokens(logits, last, 0.01, 1.0).item() == 1
    assert draw_tokens(logits, last, 1.0, 1.0).item() == 0


def test_the_head_of_a_large_vocabulary_gives_the_draws_of_a_full_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    """With flat rows whose nucleus is longer than the head, with ties at its end, and with steep ones."""
    rows = torch.arange(300)
    logits = torch.randn((300, 4000), generator=torch.Generator().manual_seed(0)) * (rows % 10).unsqueeze(-1)
    logits[::7] = logits[::7].round()  # many ties
    numbers = uniform(rows, rows % 5)
    by_head = draw_tokens(logits, numbers, 0.9, 0.95)
    monkeypatch.setattr(draws, "_HEADS", ())
    assert torch.equal(by_head, draw_tokens(logits, numbers, 0.9, 0.95))


def test_a_step_of_its_own_for_each_row_is_that_step() -> None:
    seeds, steps = torch.tensor([3, 4, 5]), torch.tensor([0, 7, 2])
    apart = [uniform(seeds[i : i + 1], int(steps[i])).item() for i in range(3)]
    assert uniform(seeds, steps).tolist() == apart


def test_candidate_seeds_are_stable_and_differ() -> None:
    assert candidate_seed(0, "math/test/algebra/24", 3) == candidate_seed(0, "math/test/algebra/24", 3)
    seeds = {candidate_seed(run, problem, index) for run in range(3) for problem in "ab" for index in range(50)}
    assert len(seeds) == 300 and max(seeds) < 2**53


@pytest.mark.parametrize("size", [50, 300, 4000])
@pytest.mark.parametrize("top_p", [0.5, 0.95, 1.0])
def test_several_draws_of_a_row_are_those_of_its_copies(
    size: int, top_p: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vocabulary that is sorted whole, and one of which the head is; draws in one part and in several."""
    torch.manual_seed(0)
    logits = 3 * torch.randn(6, size)
    rows = torch.randint(6, (200,))
    numbers = torch.rand(200, dtype=torch.float64)
    expected = draw_tokens(logits[rows], numbers, 0.8, top_p)
    nuclei = Nuclei(logits, 0.8, top_p)
    assert torch.equal(nuclei.draw(rows, numbers), expected)
    monkeypatch.setattr(draws, "_GATHERED", 1000)
    assert torch.equal(nuclei.draw(rows, numbers), expected)


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("top_p", [0.5, 1.0])
def test_a_step_of_many_rows_gives_what_each_row_gives_alone(temperature: float, top_p: float) -> None:
    """Rows go through in parts; here one and a half."""
    size = 4000
    rows = 3 * (DRAWN_AT_ONCE["cpu"] // size) // 2
    logits = 3 * torch.randn((rows, size), generator=torch.Generator().manual_seed(0))
    drawn_from = torch.arange(rows).repeat_interleave(2)
    numbers = uniform(drawn_from, torch.arange(2 * rows))
    sampling = Sampling(temperature=temperature, top_p=top_p)
    whole = take_step(logits, sampling, drawn_from, numbers)
    for row in (0, 1, rows // 2, 2 * rows // 3, rows - 1):
        mine = drawn_from == row
        alone = take_step(logits[row : row + 1], sampling, torch.zeros(2, dtype=torch.int64), numbers[mine])
        assert torch.equal(whole.tokens[mine], alone.tokens)
        assert [whole.logprobs[2 * row], whole.logprobs[2 * row + 1]] == pytest.approx(alone.logprobs, abs=1e-5)
        assert whole.confidences[row] == pytest.approx(alone.confidences[0], abs=1e-5)
        assert whole.certainties[row] == pytest.approx(alone.certainties[0], abs=1e-5)
