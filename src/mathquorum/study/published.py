"""What the paper reports (Liu et al. 2023, arXiv 2310.10047): the figures of Tables 2 to 7 and of Figure 1, in percent.

Tables were read off the PDF; Figure 1 was digitised, and its values snapped to multiples of 0.2, one problem of 500.
Roles are "S" for PaLM 2-S* and "L" for PaLM 2-L. Pass@1 is that of the greedy solution, N is 64.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "DATA",
    "DEMONSTRATIONS",
    "FIGURE_1",
    "GENERATORS",
    "MTSFT",
    "RERANKING",
    "STRATEGIES",
    "TRANSFER",
]

Figures = Mapping[str, float]

DATA: dict[str, Figures] = {
    "MATH": {"train": 11000, "validation": 1000, "test": 500, "problem tokens": 90.2, "solution tokens": 249.6},
    "PRM800K": {"train": 6473, "validation": 564, "test": 512, "problem tokens": 57.3, "solution tokens": 305.2},
}
"""Table 1: examples, and mean lengths in tokens."""


def _generator(greedy: float, vote: float, ceiling: float) -> Figures:
    return {"pass@1.greedy": greedy, "maj1": vote, "pass@N": ceiling}


GENERATORS: dict[tuple[str, str], Figures] = {
    ("S", "few-shot"): _generator(17.4, 27.2, 67.8),
    ("S", "MATH"): _generator(19.8, 32.4, 74.8),
    ("S", "PRM800K"): _generator(20.8, 41.2, 73.8),
    ("S", "MATH + PRM800K"): _generator(22.6, 38.8, 72.6),
    ("L", "few-shot"): _generator(33.4, 47.6, 79.4),
    ("L", "MATH"): _generator(32.8, 49.2, 82.2),
    ("L", "PRM800K"): _generator(34.8, 54.2, 83.4),
    ("L", "MATH + PRM800K"): _generator(35.6, 55.2, 82.8),
}
"""Table 2, by role and source of the solutions."""

RERANKING: dict[tuple[str, str], Figures] = {
    ("S", "margin"): {"pass@1.greedy": 22.6, "maj1": 38.8, "rr.all": 32.4, "rr.top8": 36.6},
    ("S", "cross_entropy"): {"pass@1.greedy": 22.6, "maj1": 38.8, "rr.all": 33.6, "rr.top8": 35.4},
    ("L", "margin"): {"pass@1.greedy": 35.6, "maj1": 55.2, "rr.all": 57.0, "rr.top8": 58.8},
    ("L", "cross_entropy"): {"pass@1.greedy": 35.6, "maj1": 55.2, "rr.all": 56.8, "rr.top8": 58.8},
}
"""Table 3, by role and loss of the evaluator."""

MTSFT: dict[str, Figures] = {
    "ssft": _generator(35.6, 55.2, 82.8),
    "margin": _generator(37.6, 57.2, 82.6),
    "cross_entropy": _generator(36.2, 56.6, 82.2),
}
"""Table 4, PaLM 2-L alone."""

DEMONSTRATIONS: dict[tuple[str, str], Figures] = {
    ("S", "MATH"): _generator(17.4, 27.2, 67.8),
    ("S", "PRM800K"): _generator(19.2, 27.8, 70.0),
    ("L", "MATH"): _generator(33.4, 47.6, 79.4),
    ("L", "PRM800K"): _generator(31.4, 47.2, 82.4),
}
"""Table 5, by role and style of the demonstrations."""

TRANSFER: dict[tuple[str, str], Figures] = {
    ("S", "S"): {"pass@1.greedy": 22.6, "maj1": 38.8, "rr.all": 32.4, "rr.top8": 36.6},
    ("S", "L"): {"pass@1.greedy": 35.6, "maj1": 55.2, "rr.all": 48.4, "rr.top8": 50.6},
    ("L", "S"): {"pass@1.greedy": 22.6, "maj1": 38.8, "rr.all": 46.0, "rr.top8": 46.4},
    ("L", "L"): {"pass@1.greedy": 35.6, "maj1": 55.2, "rr.all": 56.8, "rr.top8": 58.8},
}
"""Table 6, by evaluator and generator. Its caption says cross-entropy, while S on S has Table 3's figures for the margin."""

STRATEGIES: dict[str, Figures] = {
    "margin": {"rr.all": 57.0, "rr.top": 59.4, "w.rr": 60.8, "w.rr.top": 60.8, "maj1": 55.2, "maj1.top": 59.4},
    "cross_entropy": {"rr.all": 56.8, "rr.top": 59.4, "w.rr": 60.8, "w.rr.top": 61.2, "maj1": 55.2, "maj1.top": 60.0},
}
"""Table 7, PaLM 2-L, K and N' best in hindsight, by loss."""

FIGURE_1: dict[str, dict[int, float]] = {
    "rr.top": {
        1: 55.2, 2: 57.8, 3: 56.6, 4: 57.2, 5: 58.0, 6: 58.8, 7: 58.8, 8: 58.8, 9: 59.0, 10: 58.6, 11: 58.4, 12: 58.2,
        13: 57.6, 14: 57.6, 15: 57.8, 16: 57.6, 18: 57.4, 25: 57.0, 32: 56.8,
    },
    "w.rr.top": {
        1: 55.2, 2: 58.2, 3: 58.8, 4: 60.4, 5: 60.8, 6: 61.0, 7: 60.8, 8: 61.0, 9: 61.0, 10: 61.0, 11: 61.2, 12: 61.2,
        13: 61.2, 14: 61.2, 15: 61.0, 16: 61.0, 17: 61.2, 29: 61.0, 30: 60.8,
    },
    "maj1.top": {
        1: 56.8, 2: 57.8, 3: 59.2, 4: 60.0, 5: 60.0, 6: 58.6, 7: 58.8, 8: 58.6, 9: 58.2, 10: 58.6, 11: 59.2, 12: 57.6,
        13: 59.0, 17: 59.2, 20: 58.4, 24: 57.8, 29: 58.4, 36: 57.4, 40: 56.4, 53: 56.4, 59: 55.2,
    },
    "calls": {
        1: 42, 2: 51, 3: 56, 4: 60, 5: 63, 6: 65, 8: 69, 10: 72, 16: 78, 20: 82, 32: 90, 40: 95, 50: 98, 64: 100,
    },
}  # fmt: skip
"""Figure 1 (cross-entropy, PaLM 2-L), by K or N'; calls of the evaluator as a share of all 64, by K."""
