"""Texts that begin alike as a prefix tree: each common beginning is one path, computed once.

A model reads a tree as a row of tokens with two things of its own: a token's position is its depth, and it attends to its
ancestors only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["PrefixTree"]


@dataclass
class PrefixTree:
    """A prefix tree in the order in which its texts came; the latest text is the one that a next one can share with.

    Attributes:
        ids: The token of each place.
        depths: How many tokens come before it in its texts.
        parents: The place before it; -1 for a first token.

    Example:
        >>> tree = PrefixTree()
        >>> tree.add([5, 6, 7]), tree.add([5, 6, 8])
        ([0, 1, 2], [0, 1, 3])
        >>> tree.parents
        [-1, 0, 1, 1]
    """

    ids: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    _path: list[int] = field(default_factory=list)

    def num_new(self, text: Sequence[int]) -> int:
        """How many places the text would add."""
        return len(text) - self._num_shared(text)

    def add(self, text: Sequence[int]) -> list[int]:
        """The places of the text's tokens, new ones made where it leaves the latest text."""
        path = self._path[: self._num_shared(text)]
        for token in text[len(path) :]:
            self.parents.append(path[-1] if path else -1)
            self.depths.append(len(path))
            path.append(len(self.ids))
            self.ids.append(token)
        self._path = path
        return list(path)

    def _num_shared(self, text: Sequence[int]) -> int:
        shared = 0
        for place, token in zip(self._path, text, strict=False):
            if self.ids[place] != token:
                break
            shared += 1
        return shared

    @property
    def is_branched(self) -> bool:
        """Whether it is more than one text."""
        return self.parents != list(range(-1, len(self.parents) - 1))

    def sight(self) -> npt.NDArray[np.bool_]:
        """The places that each place attends to: (places, places)."""
        seen = np.eye(len(self.ids), dtype=bool)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                seen[place] |= seen[parent]
        return seen
