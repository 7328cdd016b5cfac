"""The laws of `engines.base.Engine`, and the embedded engine against transformers itself."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import FAMILIES, UNSHARED, make_model

from mathquorum.engines import hf
from mathquorum.engines.base import Engine, Request, Sampling, candidate_seed
from mathquorum.engines.decoding import decode_shared
from mathquorum.engines.hf import HuggingFaceEngine
from mathquorum.engines.rows import Ending, Row
from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.engines.shared_prompt import SharedPromptCache
from mathquorum.errors import ModelError
from mathquorum.models import Codec, Hardware, LoadedModel, load_model, stop_tokens
from mathquorum.objectives import SolutionLoss
from mathquorum.prompts import generator_prompt
from mathquorum.records import LabeledSolution

PROMPTS = ["Problem:\nWhat is $2+3$?\n\nSolution:\n", "What is $7$?", "What is $8$?", "Add: $12+30=42$."]
GREEDY = Sampling(temperature=0, max_tokens=24)
NUCLEUS = Sampling(temperature=0.9, top_p=0.95, max_tokens=24)


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(str(tiny_model), Hardware())


@pytest.fixture(params=["hf", "scripted"])
def engine(request: pytest.FixtureRequest, loaded: LoadedModel) -> Engine:
    if request.param == "hf":
        return HuggingFaceEngine(loaded)
    return ScriptedEngine(lambda prompt, seed: f"{len(prompt)} and {seed}", lambda prompt: 1 / len(prompt))


def requests(num_candidates: int) -> list[Request]:
    seeds = [[candidate_seed(0, prompt, i) for i in range(num_candidates)] for prompt in PROMPTS]
    return [Request(prompt, tuple(s)) for prompt, s in zip(PROMPTS, seeds, strict=True)]


def test_one_completion_per_seed_in_order(engine: Engine) -> None:
    found = engine.generate(requests(3), NUCLEUS, ())
    assert [len(completions) for completions in found] == [3, 3, 3, 3]


def test_equal_arguments_give_equal_completions(engine: Engine) -> None:
    assert engine.generate(requests(4), NUCLEUS, ()) == engine.generate(requests(4), NUCLEUS, ())


def test_completions_are_cut_off_at_max_tokens_and_say_so(engine: Engine) -> None:
    for completions in engine.generate(requests(2), Sampling(max_tokens=2), ()):
        assert all(c.num_tokens <= 2 for c in completions)
        assert any(not c.finished for c in completions)


def test_label_probabilities_are_a_distribution_over_the_labels(engine: Engine) -> None:
    for values in engine.label_probabilities(PROMPTS, (" correct", " incorrect")):
        assert len(values) == 2 and min(values) >= 0 and sum(values) == pytest.approx(1)


# --- the embedded engine against transformers ------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_is_token_for_token_that_of_transformers(family: str, tmp_path: Path) -> None:
    loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
    ours = HuggingFaceEngine(loaded).generate([Request(p, (None,)) for p in PROMPTS], GREEDY, ())
    for prompt, (completion,) in zip(PROMPTS, ours, strict=True):
        ids = loaded.tokenizer(prompt, return_tensors="pt")
        theirs = loaded.model.generate(**ids, do_sample=False, max_new_tokens=24, pad_token_id=0)[0]
        theirs = theirs[ids["input_ids"].shape[1] :]
        assert completion.text == loaded.tokenizer.decode(theirs, skip_special_tokens=True)
        assert completion.num_tokens == len(theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_logprob_is_that_of_a_plain_forward_pass(family: str, tmp_path: Path) -> None:
    loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
    prompt = PROMPTS[0]
    (completions,) = HuggingFaceEngine(loaded).generate([Request(prompt, (1, 2, 3))], NUCLEUS, ())
    for completion in completions:
        before = loaded.tokenizer(prompt)["input_ids"]
        after = loaded.tokenizer(completion.text)["input_ids"]
        if completion.finished:
            after = [*after, loaded.tokenizer.eos_token_id]
        if len(after) != completion.num_tokens:
            continue  # the text can be tokenized otherwise than it was sampled
        with torch.inference_mode():
            logits = loaded.model(torch.tensor([before + after]), use_cache=False).logits[0]
        logprobs = torch.log_softmax(logits[len(before) - 1 : -1].double(), -1)
        expected = logprobs.gather(-1, torch.tensor(after).unsqueeze(-1)).sum().item()
        assert completion.logprob == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("shares", [True, False])
def test_a_candidate_does_not_depend_on_the_others_of_its_batch(
    shares: bool, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the last digits of floats, which do not change a token here."""
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: shares)
    together = HuggingFaceEngine(loaded).generate(requests(6), NUCLEUS, ())
    for request, expected in zip(requests(6), together, strict=True):
        for seed, completion in zip(request.seeds, expected, strict=True):
            alone = HuggingFaceEngine(loaded).generate([Request(request.prompt, (seed,))], NUCLEUS, ())[0][0]
            assert alone.text == completion.text


@pytest.mark.parametrize("family", [*FAMILIES, *UNSHARED])
@pytest.mark.parametrize(("temperature", "batch_rows"), [(1.0, 17), (0.1, 17), (1.0, 512)])
def test_candidates_that_share_a_prompt_are_those_of_single_rows(
    family: str, temperature: float, batch_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts longer than the sliding window of the families that have one. In few rows, so that prompts wait until those before
    them have ended, or start again; in more rows and tokens than buffers have at first. At the low temperature many
    candidates begin alike."""
    loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
    sampling = Sampling(temperature=temperature, top_p=0.9, max_tokens=40)
    together = HuggingFaceEngine(loaded, batch_rows=batch_rows)
    found = together.generate(requests(9), sampling, ())
    assert (together.notice is not None) == (family in UNSHARED)
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: False)
    expected = HuggingFaceEngine(loaded).generate(requests(9), sampling, ())
    for of_request, alone in zip(found, expected, strict=True):
        assert [c.text for c in of_request] == [c.text for c in alone]
        assert [c.logprob for c in of_request] == pytest.approx([c.logprob for c in alone], abs=1e-3)


@pytest.fixture
def widths(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shape of what the model is given, call by call."""
    found: list[tuple[int, ...]] = []
    forward = loaded.model.forward

    def noted(*arguments: Any, **options: Any) -> Any:
        found.append(tuple(options["input_ids"].shape))
        return forward(*arguments, **options)

    monkeypatch.setattr(loaded.model, "forward", noted)
    return found


def decoded(loaded: LoadedModel, sampling: Sampling, batch_rows: int, number: int) -> list[list[Row]]:
    prompts = [loaded.codec.prompt(prompt) for prompt in PROMPTS]
    rows = [[Row(place, index, seed=index) for index in range(number)] for place in range(len(prompts))]
    decode_shared(
        loaded,
        list(zip(prompts, rows, strict=True)),
        sampling,
        Ending(loaded.tokenizer, stop_tokens(loaded), ()),
        batch_rows,
    )
    return rows


def test_what_candidates_have_in_common_is_computed_once(loaded: LoadedModel, widths: list[tuple[int, ...]]) -> None:
    rows = decoded(loaded, Sampling(temperature=0.1, max_tokens=12), 512, 12)
    texts = [(row.request, tuple(row.tokens)) for of_prompt in rows for row in of_prompt]
    beginnings = {(prompt, tokens[:length]) for prompt, tokens in texts for length in range(1, len(tokens))}
    read = sum(len(loaded.codec.prompt(prompt)) for prompt in PROMPTS) + len(beginnings)
    assert sum(rows * width for rows, width in widths) == read
    assert len(beginnings) < sum(len(tokens) for _, tokens in texts) / 2


def test_prompts_start_again_where_there_is_no_room(loaded: LoadedModel, widths: list[tuple[int, ...]]) -> None:
    few, many = (decoded(loaded, Sampling(temperature=1.0, max_tokens=24), size, 9) for size in (17, 512))
    assert [[r.tokens for r in rows] for rows in few] == [[r.tokens for r in rows] for rows in many]
    begun = [width for _, width in widths if width > 1]
    assert len(begun) > 2 * len(PROMPTS)  # both times once, and some once more
    steps = [rows for rows, width in widths if width == 1]
    in_few = steps[: len(steps) - 23]  # when all fit, 23 steps follow the first tokens
    assert max(in_few) <= 0.8 * 17 + 9
    assert max(steps) > 2 * 17 - 9


def test_prompts_that_leave_little_room_end_where_the_context_does(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = hf.context_length(loaded.model)
    long = "1+" * 300
    prompts = [PROMPTS[0], *(_of_length(loaded, long, context - left) for left in (3, 0)), PROMPTS[1]]
    asked = [Request(prompt, (1, 2, 3)) for prompt in prompts]
    found = HuggingFaceEngine(loaded).generate(asked, NUCLEUS, ())
    assert max(c.num_tokens for c in found[1]) == 3 and [c.num_tokens for c in found[2]] == [0, 0, 0]
    assert max(c.num_tokens for c in found[3]) > 3
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: False)
    alone = HuggingFaceEngine(loaded).generate(asked, NUCLEUS, ())
    assert [[c.text for c in of_request] for of_request in found] == [
        [c.text for c in of_request] for of_request in alone
    ]


def _of_length(loaded: LoadedModel, text: str, length: int) -> str:
    """The text's beginning that has so many tokens."""
    return next(text[:end] for end in range(len(text)) if len(loaded.codec.prompt(text[:end])) == length)


def test_the_memory_of_a_cache_is_free_as_soon_as_it_is_done_with() -> None:
    gc.disable()
    try:
        cache = SharedPromptCache(2, torch.device("cpu"))
        known = weakref.ref(cache)
        del cache
        assert known() is None
    finally:
        gc.enable()


def test_batches_are_halved_where_memory_runs_out(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = HuggingFaceEngine(loaded).generate(requests(9), NUCLEUS, ())
    whole = hf.decode_shared

    def small(*arguments: Any) -> None:
        if arguments[-1] > 16:
            raise torch.OutOfMemoryError("too much")
        whole(*arguments)

    monkeypatch.setattr(hf, "decode_shared", small)
    found = HuggingFaceEngine(loaded, batch_rows=128).generate(requests(9), NUCLEUS, ())
    assert [[c.text for c in of_request] for of_request in found] == [[c.text for c in r] for r in expected]


def test_candidates_differ_by_their_seeds(loaded: LoadedModel) -> None:
    (completions,) = HuggingFaceEngine(loaded).generate([requests(16)[0]], Sampling(temperature=1.0), ())
    assert len({c.text for c in completions}) > 8


def test_a_stop_text_ends_the_completion_and_is_left_out(loaded: LoadedModel) -> None:
    (plain,) = HuggingFaceEngine(loaded).generate([Request(PROMPTS[0], (None,))], GREEDY, ())
    text = plain[0].text
    stop = text[5:8]
    ((stopped,),) = HuggingFaceEngine(loaded).generate([Request(PROMPTS[0], (None,))], GREEDY, (stop,))
    assert stopped.text == text[: text.find(stop)]
    assert stopped.finished


def test_a_prompt_that_fills_the_context_gets_an_empty_unfinished_completion(loaded: LoadedModel) -> None:
    ((completion,),) = HuggingFaceEngine(loaded).generate([Request("1+" * 300, (None,))], GREEDY, ())
    assert (completion.text, completion.num_tokens, completion.finished) == ("", 0, False)


def test_a_prompt_that_does_not_fit_has_no_label_probabilities_and_the_others_have(loaded: LoadedModel) -> None:
    labels = (" correct", " incorrect")
    found = HuggingFaceEngine(loaded).label_probabilities([PROMPTS[0], "1+" * 300, PROMPTS[1]], labels)
    assert found[1] == [] and [found[0], found[2]] == HuggingFaceEngine(loaded).label_probabilities(PROMPTS[:2], labels)


@pytest.mark.parametrize("single_token_labels", [True, False])
def test_label_probabilities_are_the_formula_of_the_paper(single_token_labels: bool, tmp_path: Path) -> None:
    """Eq. 7 with labels of one and of several tokens, in a padded batch, against one plain forward pass each."""
    loaded = load_model(str(make_model(tmp_path / "model", single_token_labels=single_token_labels)), Hardware())
    labels = (" correct", " incorrect")
    found = HuggingFaceEngine(loaded).label_probabilities(PROMPTS, labels)
    for prompt, values in zip(PROMPTS, found, strict=True):
        totals = []
        for label in labels:
            before = loaded.tokenizer(prompt)["input_ids"]
            after = loaded.tokenizer(label)["input_ids"]
            with torch.inference_mode():
                logits = loaded.model(torch.tensor([before + after]), use_cache=False).logits[0]
            logprobs = torch.log_softmax(logits[len(before) - 1 : -1].double(), -1)
            totals.append(logprobs.gather(-1, torch.tensor(after).unsqueeze(-1)).sum())
        expected = torch.softmax(torch.stack(totals), 0).tolist()
        assert values == pytest.approx(expected, abs=1e-5)
        assert (len(after) == 1) == single_token_labels


@pytest.mark.parametrize("family", [*FAMILIES, *UNSHARED])
@pytest.mark.parametrize("single_token_labels", [True, False])
def test_texts_that_begin_alike_are_weighed_as_one_by_one(
    family: str, single_token_labels: bool, tmp_path: Path
) -> None:
    """More texts than a row holds, some of them beginnings of others, in the smallest batches."""
    path = make_model(tmp_path / family, family, single_token_labels=single_token_labels)
    loaded = load_model(str(path), Hardware())
    labels = (" correct", " incorrect")
    starts = [f"Here is a math problem: {p} Solve it" for p in ("1+1", "12+30=42", "12+31=43")]
    prompts = [start + " and add"[:cut] * (1 + cut % 3) for start in starts for cut in range(9)]
    engine = HuggingFaceEngine(loaded, batch_tokens=1)
    for prompt, values in zip(prompts, engine.label_probabilities(prompts, labels), strict=True):
        totals = []
        for label in labels:
            before, after = loaded.codec.prompt(prompt), loaded.codec.label(label)
            with torch.inference_mode():
                logits = loaded.model(torch.tensor([before + after]), use_cache=False).logits[0]
            logprobs = torch.log_softmax(logits[len(before) - 1 : -1].double(), -1)
            totals.append(logprobs.gather(-1, torch.tensor(after).unsqueeze(-1)).sum())
        assert values == pytest.approx(torch.softmax(torch.stack(totals), 0).tolist(), abs=1e-4)


def test_a_chat_template_wraps_the_prompt_in_training_and_sampling_alike(tiny_model: Path) -> None:
    loaded = load_model(str(tiny_model), Hardware())
    loaded.tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    chat = LoadedModel(loaded.model, Codec(loaded.tokenizer, "chat"), loaded.device)
    prompt = generator_prompt("What is $2+3$?")
    shown = loaded.tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
    assert chat.codec.prompt(prompt) == list(shown["input_ids"])
    (example,) = (
        SolutionLoss().examples([LabeledSolution("a", "What is $2+3$?", "5", True)], chat.codec, 200, 0).examples
    )
    assert list(example.sequences[0].ids[: len(shown["input_ids"])]) == list(shown["input_ids"])
    ((told,),) = HuggingFaceEngine(chat).generate([Request(prompt, (None,))], GREEDY, ())
    ((plain,),) = HuggingFaceEngine(loaded).generate([Request(f"<user>{prompt}<assistant>", (None,))], GREEDY, ())
    assert told == plain


def test_a_model_without_a_chat_template_says_so(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="has no chat template"):
        load_model(str(tiny_model), Hardware(), "chat")
