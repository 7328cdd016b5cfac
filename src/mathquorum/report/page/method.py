"""How figures are made, in the words of the page's last part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["METHOD", "settings_text"]

METHOD: tuple[tuple[str, str], ...] = (
    (
        "intervals",
        "Problems are what was sampled, so every interval is over problems. Means: Wilson's, for values other than 0 and 1 with the "
        "effective number of problems that the variance between them implies. Over several training runs: crossed random effects.",
    ),
    (
        "differences",
        "Of right-or-wrong outcomes: Bonett and Price 2012. Of others: the bootstrap over problems, expanded percentiles. p is "
        "the smallest 1 - level at which the interval leaves zero out.",
    ),
    ("correction", "Holm 1979, over the comparisons of one table."),
    (
        "curves",
        "Subsets without replacement: exact for pass@k, the vote and rr.all where that is quick, by seeded draws otherwise.",
    ),
    ("no answer", "A candidate without an answer is in no cluster and counts as wrong."),
    (
        "ties",
        "The larger summed score where a strategy reads scores, then the larger cluster, then the earliest member.",
    ),
)


def settings_text(config: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """The settings of an evaluation and its versions, in a line."""
    settings = [f"{key}: {', '.join(v) if isinstance(v, list | tuple) else v}" for key, v in config.items()]
    return "; ".join([*settings, ", ".join(f"{name} {version}" for name, version in versions.items())])
