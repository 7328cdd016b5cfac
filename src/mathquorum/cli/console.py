"""What a person sees while a run goes on: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mathquorum.errors import visible_lines
from mathquorum.run import PlannedStage
from mathquorum.run.forecast import Expected, Forecast

__all__ = ["RunConsole"]

_LINE_EVERY = 15.0  # seconds between plain lines of one stage
_FORECAST_EVERY = (
    60.0  # seconds between lines on the whole plan, and before the first; in a long run a twentieth of what has passed
)


class RunConsole:
    """A `run.Listener` that shows the whole plan: which stage of how many, how far it is, how long it will take.

    Args:
        plan: The stages that the dry run found.
        console: Where to write.
        expecting: Finds how long stages should take. Called once, when that is first told, since by then data have been prepared.
        clock: Seconds.
    """

    def __init__(
        self,
        plan: list[PlannedStage],
        console: Console,
        expecting: Callable[[], Mapping[str, Expected]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._places = {stage.name: number for number, stage in enumerate(plan, start=1)}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._clock, self._began = clock, clock()
        self._forecast = Forecast(plan, self._began)
        self._expecting: Callable[[], Mapping[str, Expected]] | None = expecting
        self._forecast_told = self._began
        self._tasks: dict[str, TaskID] = {}
        self._spoke: dict[str, float] = {}

    def __enter__(self) -> RunConsole:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def _title(self, name: str) -> str:
        return f"[{self._places.get(name, '?')}/{len(self._places)}] {name}"

    def stage_began(self, name: str) -> None:
        """See `run.Listener`."""
        if self._console.is_terminal:
            self._tasks[name] = self._bars.add_task(self._title(name).replace("[", r"\["), total=None, note="")

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        """See `run.Listener`."""
        now = self._clock()
        left = self._forecast.advanced(name, done, total, now)
        if name in self._tasks:
            self._bars.update(self._tasks[name], completed=done, total=total, note=note)
        elif now - self._spoke.setdefault(name, now) >= _LINE_EVERY and (left is not None or note):
            self._spoke[name] = now
            told = "" if left is None else f", {_span(left)} left"
            self._say(f"{self._title(name)}: {done} of {total}{told}{f' ({note})' if note else ''}")
        self._say_what_is_left(now)

    def stage_ended(self, name: str, summary: Mapping[str, int | float | str], seconds: float, skipped: bool) -> None:
        """See `run.Listener`."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        told = "; ".join(
            f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}"
            for key, value in summary.items()
            if value != 0
        )
        state = "already done" if skipped else f"done in {_span(seconds)}"
        self._say(f"{self._title(name)}: {state}{' (' + told + ')' if told else ''}")
        self._forecast.ended(name, seconds, skipped)
        self._say_what_is_left(self._clock())

    def _say_what_is_left(self, now: float) -> None:
        """The forecast of the whole plan; now and then only, where lines do not replace each other."""
        if now - self._forecast_told < max(_FORECAST_EVERY, (now - self._began) / 20):
            return
        if self._expecting:
            self._forecast.expected, self._expecting = self._expecting(), None
        left = self._forecast.left(now)
        if left.seconds < 1:
            return
        self._forecast_told = now
        but = f"; stages of which nothing is known yet, not counted: {left.uncounted}" if left.uncounted else ""
        self._say(f"The whole plan: about {_span(left.seconds)} left{but}")

    def _say(self, text: str) -> None:
        self._console.print(visible_lines(text), markup=False, highlight=False, soft_wrap=True)


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
