"""What can go wrong between a server and us, as the parts of this engine tell one another. Users see `errors.ModelError`."""

from __future__ import annotations

__all__ = ["Fault", "Refusal", "TooLong"]


class Fault(Exception):
    """An answer that did not come, or that is none; asked again, it may come.

    Args:
        kind: In a word or two, as it is counted: "429", "cut off", "too slow".
        words: What a user should read if it stays so.
        wait: Seconds that the server asks to wait; None where it does not say.
        limited: Whether the server refused for going too fast.
    """

    def __init__(self, kind: str, words: str, wait: float | None = None, limited: bool = False) -> None:
        super().__init__(words)
        self.kind, self.words, self.wait, self.limited = kind, words, wait, limited


class Refusal(Exception):
    """An answer that will not change.

    Args:
        status: Of HTTP.
        words: The server's own, without keys.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class TooLong(Refusal):
    """The prompt, with the tokens that are to follow, does not fit the model's context."""
