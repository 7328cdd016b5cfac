"""Choices among the answers to one problem: the letter alone, the letter with its text, and the text alone are one answer.

Which text belongs to a letter only an answer that says both can tell, so this is decided for all answers to a problem together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

__all__ = ["with_choices_joined"]

Key = tuple[Any, ...]


def with_choices_joined(clusters: Mapping[Key, list[int]]) -> list[list[int]]:
    """Clusters in which "B", "(B) 12" and "12" are one where the answers say, one to one, that B is 12.

    A letter that comes with several texts, or a text with several letters, joins nothing: it may be no choice at all.

    Args:
        clusters: The indices of the answers with each key.
    """
    texts, letters = defaultdict(set), defaultdict(set)
    for key in clusters:
        if key[0] == "choice":
            texts[key[1]].add(key[2])
            letters[key[2]].add(key[1])
    homes: dict[Key, Key] = {}
    for letter, said in texts.items():
        (text,) = said if len(said) == 1 else (None,)
        if text is not None and len(letters[text]) == 1 and text not in texts and letter not in letters:
            homes |= dict.fromkeys((letter, text), ("choice", letter, text))
    joined: dict[Key, list[int]] = {}
    for key, members in clusters.items():
        joined.setdefault(homes.get(key, key), []).extend(members)
    return [sorted(members) for members in joined.values()]
