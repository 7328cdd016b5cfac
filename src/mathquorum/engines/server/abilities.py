"""What a server can do of what we would ask for. Servers that ignore what they do not know are found out by their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mathquorum.engines.base import Sampling
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.faults import Refusal, TooLong
from mathquorum.engines.server.wire import Answer, body_of, path_of
from mathquorum.errors import ModelError
from mathquorum.prompts import Message, Shown

__all__ = ["Abilities", "Question", "find_abilities"]

_TRIED = Sampling(
    temperature=1.5, top_p=1.0, max_tokens=16
)  # hot, so that two texts are hardly ever the same by chance
_OPEN = "Forty random words, no two alike:"  # what nobody is sure of; a problem may have one solution, to the letter
_ATTEMPTS = 6  # a server that cannot do a thing may fail rather than refuse
_SEEDS = (20231016, 1729, 65537)
_UNKNOWN = "whether seeds are honoured is not known, since different ones gave the same text"
_MOST_LIKELIEST = (20, 5)  # what OpenAI's chat and completions give, and others after them


@dataclass(frozen=True)
class Abilities:
    """What a server does.

    Attributes:
        several: Whether it gives several choices, which differ; None where that was not asked.
        seeds: "honoured": the same seed gave the same text each time, and others gave others. "ignored": the same seed gave another text. "unknown": all
            texts were the same, which may be the server's doing or that of a model which is sure.
        likeliest: How many likeliest tokens it tells of each step; 0 for the chosen one alone, None for no log-probabilities.
    """

    several: bool | None
    seeds: str
    likeliest: int | None

    def words(self, wanted: int | None) -> list[str]:
        """What a user should know who asks for so many likeliest tokens."""
        lacking = wanted is not None and (self.likeliest is None or self.likeliest < wanted)
        return [
            *(["one candidate per request"] if self.several is False else []),
            *({"ignored": ["seeds are ignored"], "honoured": []}.get(self.seeds, [_UNKNOWN])),
            *(["no log-probabilities: no likelihoods, no confidences"] if lacking and self.likeliest is None else []),
            *([f"{self.likeliest} likeliest tokens: no confidences"] if lacking and self.likeliest is not None else []),
        ]


@dataclass(frozen=True)
class Question:
    """What it is tried with: a prompt, asked for a few tokens."""

    model: str
    shown: Shown
    extra: dict[str, Any]

    def open(self) -> Question:
        """In its place one that has many answers, put in the same manner."""
        if isinstance(self.shown, str):
            return replace(self, shown=f"{_OPEN}\n")
        return replace(self, shown=replace(self.shown, messages=(Message("user", _OPEN),)))

    def put(self, asker: Asker, attempts: int | None, **asked: Any) -> Answer:
        """The answer to it."""
        body = body_of(self.model, self.shown, _TRIED, extra=self.extra, **asked)
        return asker.ask(path_of(self.shown), body, attempts)


def find_abilities(asker: Asker, question: Question, likeliest: int | None, several: bool) -> Abilities:
    """Tries everything, each alone, in at most eleven short requests.

    Args:
        asker: Of the server.
        question: What it is tried with first. Whether texts differ is seen by an open one.
        likeliest: As `Abilities.likeliest`: as many as will be asked for.
        several: Whether several choices will be asked for.

    Raises:
        ModelError: If it does not answer even what every server does.
        Refusal: If it refuses that.
    """
    question.put(asker, None)
    of_many = question.open()
    texts = [_text(_try(asker, of_many, seed=seed)) for seed in (*_SEEDS, *_SEEDS[:2])]
    return Abilities(
        several=any(_differ(_try(asker, of_many, number=2)) for _ in range(2)) if several else None,
        seeds=_seeds(texts[: len(_SEEDS)], texts[len(_SEEDS) :]),
        likeliest=next((n for n in _levels(likeliest) if _tells(_try(asker, question, likeliest=n), n)), None),
    )


def _levels(likeliest: int | None) -> Sequence[int]:
    """What is asked for, from most to least."""
    return () if likeliest is None else (*(n for n in _MOST_LIKELIEST if n <= likeliest), 0)


def _try(asker: Asker, question: Question, **asked: Any) -> Answer | None:
    """None where the server does not do it."""
    try:
        return question.put(asker, _ATTEMPTS, **asked)
    except TooLong:
        raise
    except (Refusal, ModelError):
        return None


def _differ(answer: Answer | None) -> bool:
    return answer is not None and len(answer.choices) == 2 and len({choice.text for choice in answer.choices}) == 2


def _text(answer: Answer | None) -> str | None:
    return answer.choices[0].text if answer else None


def _seeds(texts: Sequence[str | None], again: Sequence[str | None]) -> str:
    """As in `Abilities`, from the texts of different seeds, and from those of the first of these when asked again.

    That two seeds gave their texts again and three gave different ones is hardly chance, however sure the model is: where two texts are equal with
    probability q, it is about q^2 (1 - q)^3, 0.035 at most.
    """
    if None in (*texts, *again) or any(one != two for one, two in zip(texts, again, strict=False)):
        return "ignored"
    return "honoured" if len(set(texts)) == len(texts) else "unknown"


def _tells(answer: Answer | None, number: int) -> bool:
    tokens = answer.choices[0].tokens if answer else None
    return bool(tokens) and any(
        len(token.likeliest) >= number for token in tokens or ()
    )  # equal spellings fall together
