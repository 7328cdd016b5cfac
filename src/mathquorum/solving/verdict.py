"""What a choice rests on: how many had an answer, whether the vote was a tie; in words and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Any

from mathquorum.metrics.estimates import rounded
from mathquorum.records import AnswerCluster
from mathquorum.solving.method import Solved

__all__ = ["Verdict", "solved_json", "verdict"]

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True)
class Verdict:
    """How a problem's candidates came out.

    Attributes:
        num_answered: Candidates with an answer.
        num_cut_off: Candidates that a limit of tokens ended.
        num_tied: Clusters that share the most votes: 1 is no tie, 0 no answer at all.
        by_scores: Whether scores had a part in the choice.
    """

    num_candidates: int
    num_answered: int
    num_cut_off: int
    num_tied: int
    votes: int
    by_scores: bool

    def words(self) -> list[str]:
        """Sentences that a reader of the answer should know; none where there is nothing to say."""
        said = []
        missing = self.num_candidates - self.num_answered
        if self.num_answered and self.num_tied > 1:
            number = _NUMBERS.get(self.num_tied, str(self.num_tied))
            how = "the scores decided" if self.by_scores else "the answer that came first was taken"
            each = "1 vote" if self.votes == 1 else f"{self.votes} votes"
            said.append(f"A {number}-way tie: {number} answers have {each} each; {how}.")
        if self.num_answered and 2 * missing > self.num_candidates:
            said.append(f"Most candidates had no answer: {missing} of {self.num_candidates}.")
        if self.num_cut_off and (not self.num_answered or 2 * missing > self.num_candidates):
            said.append(f"{self.num_cut_off} were cut off: more tokens (max_tokens) may help.")
        return said


def verdict(solved: Solved) -> Verdict:
    """What a problem's choice rests on."""
    votes = [len(cluster.members) for cluster in solved.clusters]
    return Verdict(
        num_candidates=len(solved.candidates),
        num_answered=sum(votes),
        num_cut_off=sum(not candidate.finished for candidate in solved.candidates),
        num_tied=sum(number == votes[0] for number in votes),
        votes=votes[0] if votes else 0,
        by_scores=bool(solved.scores),
    )


def solved_json(solved: Solved, strategy: str) -> dict[str, Any]:
    """The answer with its clusters, votes and scores. Names are those of `vote.picks.pick_json`."""
    known, best = verdict(solved), solved.best
    return {
        "answer": solved.chosen.answer if solved.chosen else None,
        "strategy": strategy,
        "num_candidates": known.num_candidates,
        "num_answered": known.num_answered,
        "num_cut_off": known.num_cut_off,
        "num_tied": known.num_tied,
        "clusters": [_cluster_json(solved, cluster) for cluster in solved.clusters],
        "solution": best.text if best else None,
        "candidate": best.index if best else None,
        "num_tokens": sum(candidate.num_tokens or 0 for candidate in solved.candidates),
        "notes": known.words(),
    }


def _cluster_json(solved: Solved, cluster: AnswerCluster) -> dict[str, Any]:
    scores = [solved.scores[index] for index in cluster.members if index in solved.scores]
    return {
        "answer": cluster.answer,
        "votes": len(cluster.members),
        "score": rounded(fsum(scores)) if scores else None,
        "mean_score": rounded(fsum(scores) / len(scores)) if scores else None,
        "correct": cluster.correct,
        "chosen": cluster == solved.chosen,
    }
