"""What is done for a request: a quorum's choice, or what the generator writes by itself. Both are turns, for `scheduling.Lanes`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from mathquorum.engines.base import Completion, Engine, Request, Sampling, candidate_seed
from mathquorum.engines.tokens import TellsTokens, TokenLogprob
from mathquorum.errors import DataError
from mathquorum.evaluator import Judge
from mathquorum.prompts import Prompt, Shown
from mathquorum.records import AnswerCluster, Problem
from mathquorum.selection import Strategy
from mathquorum.serving.refusals import Refused
from mathquorum.solving import Solved, solve_in_turns

__all__ = ["Answered", "Choice", "Engines", "Question", "quorum_turns", "raw_turns"]

_NAME = "request"  # what seeds of candidates are made from, in the place of a problem's id
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Engines:
    """What a lane asks."""

    generator: Engine
    evaluator: Judge | None


@dataclass(frozen=True)
class Question:
    """A request, as the model is to be asked.

    Attributes:
        prompt: What the generator goes on from.
        problem: What the evaluator is asked about.
        wording: How it is asked.
        number: Choices to give back.
        num_candidates: Candidates to sample; those of a raw model are its choices.
        stop: Texts that end a candidate.
        likeliest: As in `wire.AskedChat.likeliest`.
        turn: Candidates of one turn.
    """

    prompt: Shown
    problem: str
    wording: Prompt
    strategy: Strategy
    sampling: Sampling
    number: int
    num_candidates: int
    seed: int
    stop: Sequence[str]
    likeliest: int | None
    turn: int


@dataclass(frozen=True)
class Choice:
    """One text of an answer. tokens: None where no log-probabilities were asked for."""

    text: str
    finished: bool
    tokens: Sequence[TokenLogprob] | None


@dataclass(frozen=True)
class Answered:
    """What came of a request.

    Attributes:
        prompt_tokens: Of the prompt, which is read once for all candidates; None where the engine does not tell.
        completion_tokens: Of all candidates.
        solved: The quorum; None of a raw model.
        num_scored: Texts that the evaluator was asked about.
    """

    choices: Sequence[Choice]
    prompt_tokens: int | None
    completion_tokens: int
    seed: int
    solved: Solved | None = None
    num_scored: int = 0


def quorum_turns(question: Question, engines: Engines, tell: Tell) -> Generator[int, None, Answered]:
    """Samples, clusters, scores and chooses. The first choice is the best candidate of the chosen cluster, further ones are those of the next
    clusters: `n` are the best of all candidates, as in OpenAI's `best_of`.

    Raises:
        Refused: If the prompt does not fit the model's context, or log-probabilities cannot be told.
    """
    _check(question, engines.generator)
    solved = yield from solve_in_turns(
        Problem(_NAME, question.problem),
        engines.generator,
        question.strategy,
        engines.evaluator,
        num_candidates=question.num_candidates,
        sampling=question.sampling,
        prompt=question.prompt,
        wording=question.wording,
        seed=question.seed,
        turn=question.turn,
        stop=question.stop,
        tell=tell,
    )
    places = _best_first(solved, question.strategy)[: question.number]
    answered = _answered(question, engines.generator, solved.completions, places)
    scored = len({candidate.text for candidate in solved.candidates if candidate.index in solved.scores})
    return replace(answered, solved=solved, num_scored=scored)


def raw_turns(question: Question, engines: Engines, tell: Tell) -> Generator[int, None, Answered]:
    """Samples, and gives all of it back.

    Raises:
        Refused: As `quorum_turns`.
    """
    _check(question, engines.generator)
    written: list[Completion] = []
    for first in range(0, question.number, question.turn):
        places = range(first, min(first + question.turn, question.number))
        request = Request(question.prompt, tuple(candidate_seed(question.seed, _NAME, place) for place in places))
        written += engines.generator.generate([request], question.sampling, question.stop, tell)[0]
        yield len(written)
    return _answered(question, engines.generator, written, range(len(written)))


def _check(question: Question, generator: Engine) -> None:
    if question.likeliest is not None and not isinstance(generator, TellsTokens):
        raise Refused(
            400,
            "This model's engine tells no log-probabilities of tokens. Leave logprobs out.",
            "unsupported",
            "logprobs",
        )


def _answered(question: Question, generator: Engine, written: Sequence[Completion], places: Sequence[int]) -> Answered:
    if all(completion.num_tokens == 0 for completion in written):
        raise Refused(
            400,
            "The prompt is too long: it fills the model's maximum context length.",
            "context_length_exceeded",
            "messages",
        )
    choices = [
        Choice(written[place].text, written[place].finished, _tokens(question, generator, written[place]))
        for place in places
    ]
    prompt_tokens = generator.num_tokens(question.prompt) if isinstance(generator, TellsTokens) else None
    return Answered(choices, prompt_tokens, sum(c.num_tokens or 0 for c in written), question.seed)


def _tokens(question: Question, generator: Engine, completion: Completion) -> Sequence[TokenLogprob] | None:
    if question.likeliest is None or not isinstance(generator, TellsTokens):
        return None
    return generator.token_logprobs(question.prompt, completion, question.likeliest)


def _best_first(solved: Solved, strategy: Strategy) -> list[int]:
    """All candidates: the best of each cluster in the order in which the strategy would choose them, then each one's second best, and so
    on; those without an answer last."""
    ranked = [_members(solved, cluster) for cluster in _ranked(solved, strategy)]
    found = [
        members[place]
        for place in range(max(map(len, ranked), default=0))
        for members in ranked
        if place < len(members)
    ]
    return found + [candidate.index for candidate in solved.candidates if candidate.index not in set(found)]


def _ranked(solved: Solved, strategy: Strategy) -> list[AnswerCluster]:
    left, ranked = list(solved.clusters), []
    chosen = solved.chosen
    while chosen is not None:
        ranked.append(chosen)
        left.remove(chosen)
        try:
            chosen = strategy.select(left, solved.scores)
        except DataError:  # no scores were wanted of those that could not be chosen
            chosen = left[0]
    return ranked


def _members(solved: Solved, cluster: AnswerCluster) -> list[int]:
    return sorted(cluster.members, key=lambda index: (-solved.scores.get(index, 0.0), index))
