"""The laws of `engines.base.Engine`, and the embedded engine against transformers itself."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import Compared, compare, distributions
from stand_in import StandIn
from tiny_models import FAMILIES, UNSHARED, make_letters, make_model

from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.engines.embedded import hf
from mathquorum.engines.embedded.decoding import decode_shared
from mathquorum.engines.embedded.hf import HuggingFaceEngine
from mathquorum.engines.embedded.shared_prompt import SharedPromptCache
from mathquorum.engines.rows import Ending, Row
from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.engines.server.settings import Server
from mathquorum.engines.settings import ModelUse
from mathquorum.errors import ModelError
from mathquorum.models import Hardware, LoadedModel, load_model, stop_tokens
from mathquorum.models.codec import Codec
from mathquorum.objectives import SolutionLoss
from mathquorum.prompts import PLAIN, Prompt, Shown
from mathquorum.records import LabeledSolution

PROMPTS = ["Problem:\nWhat is $2+3$?\n\nSolution:\n", "What is $7$?", "What is $8$?", "Add: $12+30=42$."]
GREEDY = Sampling(temperature=0, max_tokens=24)
NUCLEUS = Sampling(temperature=0.9, top_p=0.95, max_tokens=24)


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(str(tiny_model), Hardware())


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model whose texts tell its tokens."""
    return load_letters(tmp_path_factory.mktemp("letters") / "model")


def load_letters(folder: Path, family: str = "qwen2") -> LoadedModel:
    """With the tokenizer as it was made: for some families transformers reads another one from the folder."""
    loaded = load_model(str(make_model(folder, family, letters=True)), Hardware())
    return LoadedModel(loaded.model, Codec(make_letters()), loaded.device)


@pytest.fixture(params=["hf", "scripted", "server"])
def engine(request: pytest.FixtureRequest, loaded: LoadedModel) -> Iterator[Engine]:
    if request.param == "hf":
        yield HuggingFaceEngine(loaded)
    elif request.param == "scripted":
        yield ScriptedEngine(lambda prompt, seed: f"{len(prompt)} and {seed}", lambda prompt: 1 / len(prompt))
    else:
        with StandIn().running() as stand_in:
            yield Server(url=stand_in.url).open(ModelUse("a-model", PLAIN, Hardware()))


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


def same_draws(
    loaded: LoadedModel,
    asked: list[Request],
    sampling: Sampling,
    found: list[list[Completion]],
    expected: list[list[Completion]],
) -> list[Compared]:
    """Of each prompt: see `agreement.compare`. Batches of another make-up add floats in another order."""
    made = [
        compare(loaded, request.prompt, request.seeds, sampling, (), *completions)
        for request, *completions in zip(asked, found, expected, strict=True)
    ]
    assert sum(one.num_unread for one in made) == 0
    draws, certain = sum(one.num_draws for one in made), sum(one.num_certain for one in made)
    assert draws > 20 and certain > draws / 2, f"{certain} of {draws} draws are certain"
    for one, these, those in zip(made, found, expected, strict=True):
        pairs = [(a.logprob, b.logprob) for a, b, same in zip(these, those, one.equal, strict=True) if same]
        assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], abs=1e-3)
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_is_token_for_token_that_of_transformers(family: str, tmp_path: Path) -> None:
    """Up to a tie, if there is one."""
    loaded = load_letters(tmp_path / family, family)
    ours = HuggingFaceEngine(loaded).generate([Request(p, (None,)) for p in PROMPTS], GREEDY, ())
    draws = 0
    for prompt, found in zip(PROMPTS, ours, strict=True):
        ids = loaded.tokenizer(prompt, return_tensors="pt")
        theirs = loaded.model.generate(**ids, do_sample=False, max_new_tokens=24, pad_token_id=0)[0]
        theirs = theirs[ids["input_ids"].shape[1] :].tolist()
        text = loaded.tokenizer.decode(theirs, skip_special_tokens=True)
        expected = Completion(text, None, len(theirs), loaded.tokenizer.eos_token_id in theirs)
        draws += compare(loaded, prompt, (None,), GREEDY, (), found, [expected]).num_certain
    assert draws >= 4 * 20


@pytest.mark.parametrize("family", FAMILIES)
def test_logprob_is_that_of_a_plain_forward_pass(family: str, tmp_path: Path) -> None:
    loaded = load_letters(tmp_path / family, family)
    prompt, compared = PROMPTS[0], 0
    (completions,) = HuggingFaceEngine(loaded).generate([Request(prompt, (1, 2, 3))], NUCLEUS, ())
    for completion in completions:
        before, after = loaded.codec.prompt(prompt), loaded.tokenizer(completion.text)["input_ids"]
        if completion.finished:
            after = [*after, loaded.tokenizer.eos_token_id]
        assert len(after) == completion.num_tokens
        tables = distributions(loaded, before, after[:-1])
        expected = sum(math.log(table[token]) for table, token in zip(tables, after, strict=True))
        assert completion.logprob == pytest.approx(expected, abs=1e-4)
        compared += 1
    assert compared == 3


@pytest.mark.parametrize("shares", [True, False])
def test_a_candidate_does_not_depend_on_the_others_of_its_batch(
    shares: bool, letters: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to draws that the last digits of floats decide."""
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: shares)
    together = HuggingFaceEngine(letters).generate(requests(6), NUCLEUS, ())
    alone = [
        [
            HuggingFaceEngine(letters).generate([Request(asked.prompt, (seed,))], NUCLEUS, ())[0][0]
            for seed in asked.seeds
        ]
        for asked in requests(6)
    ]
    same_draws(letters, requests(6), NUCLEUS, together, alone)


@pytest.mark.parametrize("family", [*FAMILIES, *UNSHARED])
@pytest.mark.parametrize(("temperature", "batch_rows"), [(1.0, 17), (0.1, 17), (1.0, 512)])
def test_candidates_that_share_a_prompt_are_those_of_single_rows(
    family: str, temperature: float, batch_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts longer than the sliding window of the families that have one. In few rows, so that prompts wait until those before
    them have ended, or start again; in more rows and tokens than buffers have at first. At the low temperature many
    candidates begin alike."""
    loaded = load_letters(tmp_path / family, family)
    sampling = Sampling(temperature=temperature, top_p=0.9, max_tokens=40)
    together = HuggingFaceEngine(loaded, batch_rows=batch_rows)
    found = together.generate(requests(9), sampling, ())
    assert (together.notice is not None) == (family in UNSHARED)
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: False)
    expected = HuggingFaceEngine(loaded).generate(requests(9), sampling, ())
    same_draws(loaded, requests(9), sampling, found, expected)


@pytest.fixture
def widths(letters: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shape of what the model is given, call by call."""
    found: list[tuple[int, ...]] = []
    forward = letters.model.forward

    def noted(*arguments: Any, **options: Any) -> Any:
        found.append(tuple(options["input_ids"].shape))
        return forward(*arguments, **options)

    monkeypatch.setattr(letters.model, "forward", noted)
    return found


def decoded(
    loaded: LoadedModel, sampling: Sampling, batch_rows: int, number: int, shown: Sequence[str] = PROMPTS
) -> list[list[Row]]:
    prompts = [loaded.codec.prompt(prompt) for prompt in shown]
    rows = [[Row(place, index, seed=index) for index in range(number)] for place in range(len(prompts))]
    decode_shared(
        loaded,
        list(zip(prompts, rows, strict=True)),
        sampling,
        Ending(loaded.tokenizer, stop_tokens(loaded), ()),
        batch_rows,
    )
    return rows


def test_what_candidates_have_in_common_is_computed_once(letters: LoadedModel, widths: list[tuple[int, ...]]) -> None:
    rows = decoded(letters, Sampling(temperature=0.1, max_tokens=12), 512, 12)
    texts = [(row.request, tuple(row.tokens)) for of_prompt in rows for row in of_prompt]
    beginnings = {(prompt, tokens[:length]) for prompt, tokens in texts for length in range(1, len(tokens))}
    read = sum(len(letters.codec.prompt(prompt)) for prompt in PROMPTS) + len(beginnings)
    assert sum(rows * width for rows, width in widths) == read
    assert len(beginnings) < sum(len(tokens) for _, tokens in texts) / 2


def test_what_prompts_begin_with_is_read_once(letters: LoadedModel, widths: list[tuple[int, ...]]) -> None:
    """Demonstrations, say. Each prompt by itself gives the same."""
    demonstrations = "Add: $1+1=2$. Add: $2+2=4$. Add: $3+3=6$. "
    shown = [demonstrations + prompt for prompt in PROMPTS]
    rows = decoded(letters, GREEDY, 512, 2, shown)
    begun = [width for _, width in widths if width > 1]
    common = len(letters.codec.prompt(demonstrations))
    assert begun == [common, *(len(letters.codec.prompt(prompt)) - common for prompt in shown)]
    for alone, prompt in zip(rows, shown, strict=True):
        ((one, _),) = decoded(letters, GREEDY, 512, 2, [prompt])
        assert alone[0].tokens == one.tokens
        assert alone[0].logprob == pytest.approx(one.logprob, abs=1e-4)


def test_prompts_start_again_where_there_is_no_room(letters: LoadedModel, widths: list[tuple[int, ...]]) -> None:
    sampling = Sampling(temperature=1.0, max_tokens=24)
    few, many = (decoded(letters, sampling, size, 9) for size in (17, 512))
    begun = [width for _, width in widths if width > 1]
    assert len(begun) > 2 * len(PROMPTS)  # both times once, and some once more
    steps = [rows for rows, width in widths if width == 1]
    in_few = steps[: len(steps) - 23]  # when all fit, 23 steps follow the first tokens
    assert max(in_few) <= 0.8 * 17 + 9
    assert max(steps) > 2 * 17 - 9
    ending = Ending(letters.tokenizer, stop_tokens(letters), ())
    asked = [Request(prompt, tuple(range(9))) for prompt in PROMPTS]
    texts = [[[ending.completion(row, 32) for row in rows] for rows in of_size] for of_size in (few, many)]
    same_draws(letters, asked, sampling, *texts)


def test_prompts_that_leave_little_room_end_where_the_context_does(
    letters: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = hf.context_length(letters.model)
    long = "1+" * 300
    prompts = [PROMPTS[0], *(_of_length(letters, long, context - left) for left in (3, 0)), PROMPTS[1]]
    asked = [Request(prompt, (1, 2, 3)) for prompt in prompts]
    found = HuggingFaceEngine(letters).generate(asked, NUCLEUS, ())
    assert max(c.num_tokens for c in found[1]) == 3 and [c.num_tokens for c in found[2]] == [0, 0, 0]
    assert max(c.num_tokens for c in found[3]) > 3
    monkeypatch.setattr(hf, "can_share_prompts", lambda *_: False)
    alone = HuggingFaceEngine(letters).generate(asked, NUCLEUS, ())
    assert found[2] == alone[2]
    others = [[*texts[:2], texts[3]] for texts in (asked, found, alone)]
    same_draws(letters, others[0], NUCLEUS, *others[1:])


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


def test_batches_are_halved_where_memory_runs_out(letters: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = HuggingFaceEngine(letters).generate(requests(9), NUCLEUS, ())
    whole = hf.decode_shared

    def small(*arguments: Any) -> None:
        if arguments[-2] > 16:
            raise torch.OutOfMemoryError("too much")
        whole(*arguments)

    monkeypatch.setattr(hf, "decode_shared", small)
    found = HuggingFaceEngine(letters, batch_rows=128).generate(requests(9), NUCLEUS, ())
    same_draws(letters, requests(9), NUCLEUS, found, expected)


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


class AsWritten(Codec):
    """Reads names of control tokens in a plain prompt as these tokens."""

    def prompt(self, shown: Shown) -> list[int]:
        assert isinstance(shown, str)
        return self.continuation(shown)


def test_a_chat_template_wraps_the_prompt_in_training_and_sampling_alike(tiny_model: Path) -> None:
    loaded = load_model(str(tiny_model), Hardware())
    turns = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<eos>{% endfor %}"
    loaded.tokenizer.chat_template = turns + "{% if add_generation_prompt %}<assistant>{% endif %}"
    chat = LoadedModel(loaded.model, Codec(loaded.tokenizer, Prompt(template="chat", instruction="")), loaded.device)
    prompt = "What is $2+3$?"
    shown = loaded.tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
    conversation = chat.codec.wording.generator(prompt)
    assert chat.codec.prompt(conversation) == list(shown["input_ids"])
    (example,) = (
        SolutionLoss().examples([LabeledSolution("a", "What is $2+3$?", "5", True)], chat.codec, 200, 0).examples
    )
    assert list(example.sequences[0].ids[: len(shown["input_ids"])]) == list(shown["input_ids"])
    ((told,),) = HuggingFaceEngine(chat).generate([Request(conversation, (None,))], GREEDY, ())
    as_written = LoadedModel(loaded.model, AsWritten(loaded.tokenizer), loaded.device)
    request = Request(f"<user>{prompt}<eos><assistant>", (None,))
    ((plain,),) = HuggingFaceEngine(as_written).generate([request], GREEDY, ())
    assert told == plain


def test_a_model_without_a_chat_template_says_so(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="has no chat template"):
        load_model(str(tiny_model), Hardware(), Prompt(template="chat"))
