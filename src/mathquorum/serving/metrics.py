"""Figures for Prometheus, in its text format: a handful of counters, which need no library."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

__all__ = ["Metrics"]

_BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)  # seconds
_HELP = {
    "requests_total": "Requests by path and status.",
    "candidates_total": "Candidates sampled for answered requests.",
    "prompt_tokens_total": "Tokens of prompts that were answered.",
    "completion_tokens_total": "Tokens of all candidates of answered requests.",
    "scored_texts_total": "Texts that the evaluator was asked about.",
    "quorums_total": "Quorums by outcome: clear, tie, no_answer.",
    "dropped_total": "Requests whose work was ended early: disconnected, timeout, shutdown.",
}

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counters and a histogram of the seconds that answers took. Threads may share it. Nothing that a request held is in it.

    Args:
        gauges: Figures that are read when they are asked for, by name.
    """

    def __init__(self, gauges: dict[str, Callable[[], int]]) -> None:
        self._gauges = gauges
        self._counts: dict[str, dict[Labels, int]] = {name: defaultdict(int) for name in _HELP}
        self._seconds: dict[Labels, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._sums: dict[Labels, float] = defaultdict(float)
        self._lock = threading.Lock()

    def count(self, name: str, more: int = 1, **labels: str) -> None:
        """Adds to a counter."""
        with self._lock:
            self._counts[name][tuple(labels.items())] += more

    def took(self, seconds: float, **labels: str) -> None:
        """An answer took so many seconds."""
        key = tuple(labels.items())
        with self._lock:
            self._seconds[key][sum(seconds > bound for bound in _BOUNDS)] += 1
            self._sums[key] += seconds

    @property
    def usual_seconds(self) -> float:
        """Mean time of an answer so far; 1 before there is one."""
        with self._lock:
            number = sum(map(sum, self._seconds.values()))
            return sum(self._sums.values()) / number if number else 1.0

    def text(self) -> str:
        """All of it, as `text/plain; version=0.0.4`."""
        lines = []
        for name, read in self._gauges.items():
            lines += [f"# TYPE mathquorum_{name} gauge", f"mathquorum_{name} {read()}"]
        with self._lock:
            for name, help_text in _HELP.items():
                lines += [f"# HELP mathquorum_{name} {help_text}", f"# TYPE mathquorum_{name} counter"]
                lines += [f"mathquorum_{name}{_braced(labels)} {value}" for labels, value in self._counts[name].items()]
            lines += [
                "# HELP mathquorum_answer_seconds Time of an answer.",
                "# TYPE mathquorum_answer_seconds histogram",
            ]
            for labels, counts in self._seconds.items():
                lines += self._histogram(labels, counts)
        return "\n".join(lines) + "\n"

    def _histogram(self, labels: Labels, counts: list[int]) -> list[str]:
        bounds = [*map(str, _BOUNDS), "+Inf"]
        sums = [sum(counts[: place + 1]) for place in range(len(counts))]
        name = "mathquorum_answer_seconds"
        return [
            *(f"{name}_bucket{_braced((*labels, ('le', le)))} {value}" for le, value in zip(bounds, sums, strict=True)),
            f"{name}_sum{_braced(labels)} {self._sums[labels]:.6f}",
            f"{name}_count{_braced(labels)} {sums[-1]}",
        ]


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
