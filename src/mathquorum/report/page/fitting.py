"""The inspector's data cut to what fits: first all texts whole, then shorter ones, then fewer, then fewer problems.

What was cut is counted, and the page says so. Compressed by gzip, which every browser undoes, and written in base64.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mathquorum.report.page.inspector import InspectedPool, Looked, looked_json

__all__ = ["Packed", "pack"]


@dataclass(frozen=True)
class Size:
    """How much of the texts is kept.

    Attributes:
        members: Per cluster so many candidates' texts, the earliest and the best-scored first; None is all.
        characters: Of each text, from its beginning and its end.
        share: Of the problems.
    """

    members: int | None
    characters: int
    share: float = 1.0


_SIZES = (
    *(Size(None, characters) for characters in (20_000, 4_000, 2_000, 1_200, 700)),
    *(Size(members, characters) for members, characters in ((8, 1_200), (4, 1_200), (3, 800), (2, 800), (1, 800), (1, 400), (1, 160), (0, 0))),
    *(Size(0, 0, share) for share in (0.5, 0.25, 0.1, 0.03, 0.01)),
)  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """Compressed data and what they hold of the whole.

    Attributes:
        text: Base64 of gzipped JSON.
        num_texts: Candidates whose text is there, whole or shortened.
        num_whole: Those of them whose text is whole.
        num_candidates: All.
        num_problems: Problems that are there, of `total_problems`, over all pools.
    """

    text: str
    num_texts: int
    num_whole: int
    num_candidates: int
    num_problems: int
    total_problems: int


def pack(pools: Sequence[InspectedPool], budget: int) -> Packed:
    """The most that fits.

    Args:
        budget: Characters of base64, at most; the smallest of sizes is taken where nothing fits.
    """
    bare = [_pool_json(pool) for pool in pools]
    packed = None
    for size in _SIZES:
        packed = _packed(pools, bare, size)
        if len(packed.text) <= budget:
            break
    assert packed is not None
    return packed


def _pool_json(pool: InspectedPool) -> dict[str, Any]:
    names = list(dict.fromkeys(name for looked in pool.problems for found in looked.chosen.values() for name in found))
    return {
        "name": pool.name,
        "scorers": list(pool.scorers),
        "strategies": names,
        "problems": [looked_json(looked, names) for looked in pool.problems],
    }


def _packed(pools: Sequence[InspectedPool], bare: Sequence[dict[str, Any]], size: Size) -> Packed:
    texts, whole, kept, total, problems = 0, 0, [], 0, {}
    for pool, held in zip(pools, bare, strict=True):
        number = -(-len(pool.problems) * size.share // 1)
        rows = []
        for looked, row in zip(pool.problems[: int(number)], held["problems"], strict=False):
            shown = {i: _shortened(looked.candidates[i].text, size.characters) for i in _kept(looked, size.members)}
            texts += len(shown)
            whole += sum(text == looked.candidates[i].text for i, text in shown.items())
            rows.append({**row, "t": shown})
            problems[looked.problem.id] = _problem_json(looked)
        total += sum(looked.num_candidates for looked in pool.problems)
        kept.append({**held, "problems": rows})
    document = json.dumps({"pools": kept, "problems": problems}, ensure_ascii=True, separators=(",", ":"))
    return Packed(
        base64.b64encode(gzip.compress(document.encode(), 6, mtime=0)).decode(),
        texts,
        whole,
        total,
        sum(len(held["problems"]) for held in kept),
        sum(len(pool.problems) for pool in pools),
    )


def _problem_json(looked: Looked) -> dict[str, Any]:
    problem = looked.problem
    held = {
        "t": _shortened(problem.text, 8_000),
        "r": problem.answer,
        "s": problem.subject,
        "l": problem.level,
        "w": None if problem.solution is None else _shortened(problem.solution, 2_000),
    }
    return {key: value for key, value in held.items() if value is not None}


def _kept(looked: Looked, members: int | None) -> Iterator[int]:
    """Of each cluster the earliest, the best by any score, then the next; of those without an answer as many in all."""
    answered: set[int] = set()
    for cluster in looked.clusters:
        answered.update(cluster.members)
        best = [max(cluster.members, key=lambda i: found.get(i, 0.0)) for found in looked.scores.values()]
        order = dict.fromkeys((cluster.members[0], *best, *cluster.members))
        yield from (i for i in list(order)[:members] if i in looked.candidates)
    yield from [i for i in sorted(looked.candidates) if i not in answered][:members]


def _shortened(text: str, characters: int) -> str:
    """The beginning and the end, which holds the answer, with the number of characters between that were left out."""
    if len(text) <= characters:
        return text
    head, tail = 2 * characters // 3, characters // 3
    return f"{text[:head]} […{len(text) - head - tail:,} characters…] {text[len(text) - tail :]}"
