"""Label probabilities from a server: of one generated token, and where a label is several, of each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from mathquorum.engines.base import Sampling
from mathquorum.engines.server.asking import Asker
from mathquorum.engines.server.faults import Fault, Refusal, TooLong
from mathquorum.engines.server.labels import Likeliest, begins_label, label_shares, with_whole_labels
from mathquorum.engines.server.refusals import explain
from mathquorum.engines.server.settings import Asked
from mathquorum.engines.server.spending import ANSWERED, UNDECIDED
from mathquorum.engines.server.wire import Answer, body_of, path_of
from mathquorum.errors import ModelError
from mathquorum.prompts import Shown

__all__ = ["Judge"]

_LABEL_STEP = Sampling(temperature=1.0, top_p=1.0, max_tokens=1)  # the model's own distribution
_UNTOLD = 5  # answers without log-probabilities, and none with them, that say that there are none
_WIDTHS = (20, 5)  # likeliest tokens to ask for, where a server may refuse the first


class Judge:
    """Asks for labels. Threads may share it.

    Args:
        asker: Of the server.
        model: By the server's name.
        asked: The settings.
        key_variable: For messages.
    """

    def __init__(self, asker: Asker, model: str, asked: Asked, key_variable: str | None) -> None:
        self._asker, self._model, self._asked, self._key_variable = asker, model, asked, key_variable
        self._lock = threading.Lock()
        self._width = 0  # of _WIDTHS, the first that the server takes
        self._told = self._untold = 0  # answers, by whether they had log-probabilities
        self.undecided = 0
        """Texts with no label among the likeliest tokens."""

    def probabilities(self, labels: Sequence[str], shown: Shown) -> list[float]:
        """Of each label after a prompt; nothing where that is too long. Where no label is among the likeliest tokens, each has the same share.

        The server's tokenizer is not known. After a text a beginning of a label is appended to it and asked about in its turn; in a chat, where
        the server writes the turn, a beginning of three letters counts for the whole label.

        Raises:
            ModelError: If the server tells no log-probabilities, or refuses.
        """
        try:
            first = self._likeliest(shown, partial(self._outcome, labels, isinstance(shown, str)))
            whole = self._continued(first, labels, shown) if isinstance(shown, str) else first
        except TooLong:
            return []
        least = min((logprob for _, logprob in first), default=None)
        shares = label_shares(whole, labels, least)
        if shares is None:
            with self._lock:
                self.undecided += 1
        return shares or [1 / len(labels)] * len(labels)

    def _continued(self, first: Likeliest, labels: Sequence[str], prompt: str) -> Likeliest:
        return with_whole_labels(first, labels, lambda text: self._likeliest(prompt + text, self._check_told))

    def _likeliest(self, shown: Shown, check: Callable[[Answer], str]) -> Likeliest:
        width = self._width
        body = body_of(self._model, shown, _LABEL_STEP, likeliest=_WIDTHS[width], extra=self._asked.extra)
        try:
            return _first(self._asker.ask(path_of(shown), body, check=check))
        except TooLong:
            raise
        except Refusal as refusal:
            if width + 1 == len(_WIDTHS) or refusal.status not in (400, 422):
                raise explain(refusal, self._asker.url, self._model, path_of(shown), self._key_variable) from refusal
        with self._lock:
            self._width = max(self._width, width + 1)
        return self._likeliest(shown, check)

    def _outcome(self, labels: Sequence[str], goes_on: bool, answer: Answer) -> str:
        """What an answer about a label counts as; with `goes_on` a beginning will be asked about."""
        self._check_told(answer)
        found = _first(answer)
        if label_shares(found, labels) or (goes_on and any(begins_label(text, labels) for text, _ in found)):
            return ANSWERED
        return UNDECIDED

    def _check_told(self, answer: Answer) -> str:
        """Makes sure that log-probabilities are there. An answer that lacks what others had is asked for again; where none has it, no other will."""
        told = bool(answer.choices[0].tokens) or answer.usage.completion_tokens == 0  # nothing was written
        with self._lock:
            self._told += told
            self._untold += not told
            if not told and not self._told and self._untold >= _UNTOLD:
                raise ModelError(
                    f"{self._asker.url} tells no log-probabilities of generated tokens (top_logprobs), which scores are made "
                    "from. Ask one that does (vLLM; llama.cpp's server, its Python one with --logits_all true), or score with "
                    "engine.kind embedded."
                )
        if not told:
            raise Fault(
                "no log-probabilities", f"{self._asker.url} left out the log-probabilities that were asked for."
            )
        return ANSWERED


def _first(answer: Answer) -> Likeliest:
    tokens = answer.choices[0].tokens
    return tokens[0].likeliest if tokens else ()
