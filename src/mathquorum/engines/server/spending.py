"""What asking has cost: a line for each request, kept as they come, so that a stage that is continued tells of all of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mathquorum.store import Appender, read_records

__all__ = ["ANSWERED", "FILE", "UNDECIDED", "Account", "Sent", "Spent", "read_sent", "read_spent", "spent_of"]

FILE = "requests.jsonl"

ANSWERED = "answered"
UNDECIDED = "answered without a label"
"""As a score, with no label among the likeliest tokens."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request.

    Attributes:
        outcome: `ANSWERED`, `UNDECIDED`, or what went wrong: "429", "cut off".
        seconds: Until the answer was there, or until it was clear that there would be none.
        prompt_tokens: As the server bills them; None where it does not say.
        completion_tokens: Likewise.
    """

    outcome: str
    seconds: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class Spent:
    """What requests come to.

    Attributes:
        requests: All that were sent.
        failed: Those that brought no answer, by what went wrong.
        unbilled: Answered ones of which the server did not say what it bills.
        undecided: Answered ones whose label is not known.
    """

    requests: int
    failed: Mapping[str, int]
    prompt_tokens: int
    completion_tokens: int
    unbilled: int
    undecided: int

    def price(self, of_prompt: float | None, of_completion: float | None) -> float | None:
        """In the currency of the prices, which are those of a million tokens; None without a price."""
        if of_prompt is None and of_completion is None:
            return None
        return (self.prompt_tokens * (of_prompt or 0.0) + self.completion_tokens * (of_completion or 0.0)) / 1e6

    def shown(self, of_prompt: float | None, of_completion: float | None) -> dict[str, int | float | str]:
        """For a stage's summary."""
        price = self.price(of_prompt, of_completion)
        return {
            "requests": self.requests,
            "requests without an answer": ", ".join(
                f"{kind}: {number:,}" for kind, number in sorted(self.failed.items())
            )
            or 0,
            "prompt tokens billed": self.prompt_tokens,
            "completion tokens billed": self.completion_tokens,
            "requests whose tokens the server did not count": self.unbilled,
            "texts without a label among the likeliest tokens, scored 0.5": self.undecided,
            **({} if price is None else {"price": f"{price:.6f}".rstrip("0").rstrip(".")}),
        }


def spent_of(sent: Iterable[Sent]) -> Spent:
    """What these requests come to."""
    failed: Counter[str] = Counter()
    requests = prompt = completion = unbilled = undecided = 0
    for one in sent:
        requests += 1
        if one.outcome not in (ANSWERED, UNDECIDED):
            failed[one.outcome] += 1
            continue
        undecided += one.outcome == UNDECIDED
        prompt += one.prompt_tokens or 0
        completion += one.completion_tokens or 0
        unbilled += one.prompt_tokens is None or one.completion_tokens is None
    return Spent(requests, dict(failed), prompt, completion, unbilled, undecided)


def read_sent(folder: Path) -> Iterator[Sent]:
    """The requests that are noted in a stage's folder."""
    file = folder / FILE
    return read_records(file, Sent) if file.exists() else iter(())


def read_spent(folder: Path) -> Spent:
    """What they come to."""
    return spent_of(read_sent(folder))


class Account:
    """Where requests are noted. Threads may share it.

    Args:
        folder: None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._open = ExitStack()
        self._file = self._open.enter_context(Appender(folder / FILE)) if folder else None
        self._lock = threading.Lock()
        self.answered = 0

    def note(self, sent: Sent) -> None:
        """Keeps one."""
        with self._lock:
            self.answered += sent.outcome in (ANSWERED, UNDECIDED)
            if self._file:
                self._file.append([sent])

    def close(self) -> None:
        """Closes the file."""
        self._open.close()
