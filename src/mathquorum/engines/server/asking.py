"""Asking until there is an answer: what fails is asked again, later and later, and never more at once than was said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from mathquorum.engines.server.answerers import Answerers
from mathquorum.engines.server.faults import Fault, Refusal, TooLong
from mathquorum.engines.server.pacing import Gate, backoff
from mathquorum.engines.server.spending import ANSWERED, Account, Sent
from mathquorum.engines.server.transport import Transport
from mathquorum.engines.server.wire import Answer, read_answer
from mathquorum.errors import ModelError

__all__ = ["Asker"]

_TOO_LONG_TO_WAIT = 3600.0  # seconds


class Asker:
    """Sends requests to one server. Threads may share it.

    Args:
        transport: To it.
        account: Where each is noted.
        answerers: Where it is noted who answered.
        concurrency: Requests under way at most.
        attempts: Times that one is sent at most.
        first_pause: Seconds, as in `pacing.backoff`.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        transport: Transport,
        account: Account,
        answerers: Answerers,
        concurrency: int,
        attempts: int,
        first_pause: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport, self._account, self._answerers = transport, account, answerers
        self._attempts, self._first_pause, self._sleep = attempts, first_pause, sleep
        self._places = threading.Semaphore(concurrency)
        self._gate = Gate()

    @property
    def url(self) -> str:
        """Of the server."""
        return self._transport.url

    def close(self) -> None:
        """Ends connections and closes files."""
        self._transport.close()
        self._account.close()

    def ask(
        self,
        path: str,
        body: Mapping[str, Any],
        attempts: int | None = None,
        check: Callable[[Answer], str] = lambda answer: ANSWERED,
    ) -> Answer:
        """The server's answer, with at least one choice.

        Args:
            path: Below the server's address.
            body: Of the request.
            attempts: Times that it is sent at most, if not as many as usual.
            check: What an answer counts as: `ANSWERED` or `UNDECIDED`. Raises `Fault` for one that another try may better.

        Raises:
            ModelError: If there is none after all attempts.
            Refusal: If the server will not answer this.
        """
        failures, counted, answered = 0, 0, self._account.answered
        while True:
            self._wait_for_gate()
            try:
                with self._places:
                    return self._once(path, body, check)
            except Fault as fault:
                failures += 1
                # Where others are answered, waiting in line is no failure.
                counted += not fault.limited or self._account.answered == answered
                answered = self._account.answered
                if counted >= (attempts or self._attempts):
                    raise ModelError(
                        f"{fault.words} Sent {failures} times. What was answered is kept: look after the server, and run the "
                        "same command again to continue."
                    ) from fault
                self._pause(fault, failures)

    def _once(self, path: str, body: Mapping[str, Any], check: Callable[[Answer], str]) -> Answer:
        began = time.monotonic()

        def note(outcome: str, answer: Answer | None = None) -> None:
            usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens) if answer else (None, None)
            self._account.note(Sent(outcome, round(time.monotonic() - began, 3), *usage))

        try:
            reply = self._transport.post(path, body)
            answer = read_answer(reply.body)
            if not answer.choices:
                raise Fault("no choice", f"{self.url} answered without a choice.")
            outcome = check(answer)
        except Fault as fault:
            note(fault.kind)
            raise
        except Refusal as refusal:
            note("too long" if isinstance(refusal, TooLong) else str(refusal.status))
            raise
        note(outcome, answer)
        self._answerers.note(self._transport.hide(answer.model) if answer.model else None)
        if reply.wait:
            self._close_gate(reply.wait)
        return answer

    def _pause(self, fault: Fault, failures: int) -> None:
        if fault.wait is not None:
            self._close_gate(fault.wait)
        else:
            self._sleep(backoff(failures, self._first_pause))

    def _close_gate(self, seconds: float) -> None:
        if seconds > _TOO_LONG_TO_WAIT:
            raise ModelError(
                f"{self.url} asks to wait for {seconds / 3600:.1f} hours. What was answered is kept: run the same command again "
                "then to continue."
            )
        self._gate.close(seconds)

    def _wait_for_gate(self) -> None:
        while left := self._gate.left:
            self._sleep(left + backoff(1, self._first_pause))  # not all at the same moment
