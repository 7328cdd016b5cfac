"""How good and how fast is the judge of answers? Ours beside Math-Verify and a string grader, interleaved in one run.

    python benchmarks/answers.py                     labelled pairs, clusters, real pools
    python benchmarks/answers.py --no-pools          the first two

Accuracy, false accepts and false rejects come from labelled pairs; pairs per second from processor time, with cold caches;
Maj@N from the pools of real samples, where a vote is taken among each grader's own clusters and judged by all alike.
Math-Verify is installed with the `dev` extra; without it its rows are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mathquorum.answers import cluster_answers, matches_reference, symbolic_report
from mathquorum.answers.reading import forget

Grader = Callable[[str, str], bool]  # (reference, answer)

PAIRS = ("math_model_pairs", "gsm8k_model_pairs", "gold_format_variants")
TYPICAL = "real_natural"
MAX_PAIR = 2_000  # characters: longer inputs are the business of the adversarial tests


def main() -> None:
    """Runs the benchmark and prints its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--no-pools", dest="pools", action="store_false", help="leave out the votes on real samples")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    graders = known_graders()
    figures: dict[str, Any] = {"pairs": pair_table(graders, options.data), "clusters": cluster_table(graders)}
    if options.pools:
        figures["pools"] = pool_table(graders, options.data)
    print(f"\nsymbolic tail of ours: {symbolic_report()}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


# --- graders ---------------------------------------------------------------------------------------------------------


def known_graders() -> dict[str, Grader]:
    """The graders by name, ours first."""
    graders: dict[str, Grader] = {"ours": matches_reference, "string": string_grader}
    try:
        import math_verify
    except ImportError:
        print("math-verify is not installed: its rows are left out")
        return graders
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    targets = (math_verify.LatexExtractionConfig(), math_verify.ExprExtractionConfig())

    def verify(gold: str, pred: str) -> bool:
        parsed = [math_verify.parse(_delimited(text), extraction_config=targets) for text in (gold, pred)]
        return bool(math_verify.verify(*parsed))

    return {**graders, "Math-Verify": verify}


def _delimited(text: str) -> str:
    """Math-Verify reads LaTeX only between delimiters."""
    return text if "$" in text or "\\boxed" in text or "\\(" in text or "\\[" in text else f"${text}$"


_REMOVED = re.compile(
    r"\\!|\\,|\\;|\\ |\\left|\\right|\^\{?\\circ\}?|\\?\$|\\?%|\s|\\text\{[^}]*\}\Z|\\mbox\{[^}]*\}(\^\d)?\Z|\.\Z"
)


def string_grader(gold: str, pred: str) -> bool:
    """Equal after the usual clean-up of strings, in the manner of the first MATH grader."""
    return _plain_string(gold) == _plain_string(pred)


def _plain_string(text: str) -> str:
    text = re.sub(r"\\[dt]frac", r"\\frac", text.strip())
    text = _REMOVED.sub("", text)
    text = re.sub(r"\A[a-zA-Z]=", "", text)
    text = re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac(\d)\{", r"\\frac{\1}{", text)
    text = re.sub(r"\\sqrt(\w)", r"\\sqrt{\1}", text)
    text = re.sub(r"\A(-?\d+)/(\d+)\Z", r"\\frac{\1}{\2}", text)
    text = "0" + text if text.startswith(".") else text
    return r"\frac{1}{2}" if text == "0.5" else text


# --- labelled pairs --------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """The verdicts of a grader on labelled pairs."""

    pairs: int = 0
    right: int = 0
    false_accepts: int = 0
    false_rejects: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, verdict: bool, label: bool, seconds: float) -> None:
        self.pairs += 1
        self.right += verdict == label
        self.false_accepts += verdict and not label
        self.false_rejects += label and not verdict
        self.seconds.append(seconds)

    def figures(self) -> dict[str, float]:
        return {
            "pairs": self.pairs,
            "accuracy": self.right / self.pairs,
            "false_accepts": self.false_accepts,
            "false_rejects": self.false_rejects,
            "pairs_per_second": self.pairs / sum(self.seconds),
        }


def pair_table(graders: dict[str, Grader], data: Path) -> dict[str, Any]:
    """Every grader on every set of labelled pairs, pair by pair in turn."""
    table: dict[str, Any] = {}
    print(f"{'labelled pairs':<24}{'grader':<13}{'pairs':>7}{'accuracy':>10}{'FP / FN':>12}{'pairs/s':>11}")
    for name, rows in labelled_sets(data):
        scores = {grader: Score() for grader in graders}
        for gold, pred, label in rows:
            forget()
            for grader, judge in graders.items():
                start = time.process_time()
                verdict = judge(gold, pred)
                scores[grader].add(verdict, label, time.process_time() - start)
        table[name] = {grader: score.figures() for grader, score in scores.items()}
        for grader, score in scores.items():
            print(
                f"{name:<24}{grader:<13}{score.pairs:>7}{score.right / score.pairs:>10.2%}"
                f"{f'{score.false_accepts} / {score.false_rejects}':>12}{score.pairs / sum(score.seconds):>11,.0f}"
            )
    return table


def labelled_sets(data: Path) -> Iterator[tuple[str, list[tuple[str, str, bool]]]]:
    """The names and rows (reference, answer, label) of the sets; typical pairs are a part of the first."""
    rows = [r for r in read_jsonl(data / "grader_pairs_dev.jsonl") if isinstance(r["equal"], bool)]
    rows = [r for r in rows if len(r["gold"]) + len(r["pred"]) < MAX_PAIR]
    yield "grader_pairs_dev", [(r["gold"], r["pred"], r["equal"]) for r in rows]
    yield "  typical of them", [(r["gold"], r["pred"], r["equal"]) for r in rows if r["family"] == TYPICAL]
    for name in PAIRS:
        rows = [r for r in read_jsonl(data / "answer_pairs" / f"{name}.jsonl.gz") if isinstance(r["equal"], bool)]
        yield name, [(r["gold"], r.get("pred", r.get("variant")), r["equal"]) for r in rows]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file, gzipped or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.split("\n") if line.strip()]


# --- clusters --------------------------------------------------------------------------------------------------------

VALUES = (
    r"\frac{1}{2}", "3", r"2\sqrt{3}", r"(1,2)", r"[1,2]", r"\frac{3\pi}{4}", "x^2+2x+1", "12", r"1,\!000", r"45^\circ",
    r"\frac{\sqrt{3}}{3}", "3+4i", r"(-\infty,3)", r"\{1,2,3\}", r"\begin{pmatrix}1\\2\end{pmatrix}", "-7", r"\frac{7}{3}",
    r"\text{even}", "y=2x+1", r"10\%", r"\$5.50", "2^{10}", r"\frac{x+1}{2}", "204_5", "3:2", r"1\pm\sqrt{2}", "-0.25",
    r"\sqrt[3]{4}", "e^2", r"\log_2 3", "2x(x-1)", r"[0,\infty)",
)  # fmt: skip
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda a: a,
    lambda a: f"${a}$",
    lambda a: a.replace("\\frac", "\\dfrac").replace(",", ", "),
    lambda a: f"\\boxed{{{a}}}",
    lambda a: f" {a}.",
    lambda a: a.replace("(", "\\left(").replace(")", "\\right)") if "]" not in a and "[" not in a else f"\\({a}\\)",
)


def varied_sets(sets: int = 8, size: int = 64) -> list[tuple[list[str], list[int]]]:
    """Sets of answers in varying spelling, with the number of the value behind each."""
    made = []
    for number in range(sets):
        draw = random.Random(number)
        values = draw.sample(range(len(VALUES)), 16)
        labels = [draw.choice(values) for _ in range(size)]
        made.append(([draw.choice(SPELLINGS)(VALUES[i]) for i in labels], labels))
    return made


def cluster_table(graders: dict[str, Grader]) -> dict[str, Any]:
    """Time to cluster 64 varied answers, and how many of 8 partitions are exact."""
    print(f"\n{'64 varied answers':<24}{'grader':<13}{'seconds':>10}{'exact partitions':>19}")
    sets = varied_sets()
    table: dict[str, Any] = {}
    for grader, judge in graders.items():
        seconds, exact = 0.0, 0
        for answers, labels in sets:
            forget()
            start = time.process_time()
            clusters = cluster_answers(answers) if grader == "ours" else pairwise_clusters(answers, judge)
            seconds += time.process_time() - start
            exact += {frozenset(c) for c in clusters} == _parts(labels)
        table[grader] = {"seconds": seconds / len(sets), "exact": exact, "sets": len(sets)}
        print(f"{'':<24}{grader:<13}{seconds / len(sets):>10.4f}{f'{exact} of {len(sets)}':>19}")
    return table


def _parts(labels: Sequence[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, other in enumerate(labels) if other == label) for label in labels}


def pairwise_clusters(answers: Sequence[str | None], judge: Grader) -> list[list[int]]:
    """Clusters as a grader without keys makes them: each answer joins the first cluster whose first member it equals."""
    clusters: list[list[int]] = []
    known: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is None:
            continue
        home = known.get(answer)
        if home is None:
            home = next((c for c in clusters if judge(str(answers[c[0]]), answer)), None)
        if home is None:
            home = []
            clusters.append(home)
        home.append(index)
        known[answer] = home
    return sorted(clusters, key=lambda c: (-len(c), c[0]))


# --- votes on real samples -------------------------------------------------------------------------------------------


def pool_table(graders: dict[str, Grader], data: Path) -> dict[str, Any]:
    """Maj@N of each pool with each grader's clusters: judged by the grader itself, and by ours for all."""
    print(f"\n{'Maj@N on real samples':<34}{'grader':<13}{'own judge':>11}{'our judge':>11}{'seconds':>10}")
    table: dict[str, Any] = {}
    for path in sorted((data / "candidates").glob("*.jsonl.gz")):
        problems = read_jsonl(path)
        name = path.name.removesuffix(".jsonl.gz")
        table[name] = {}
        for grader, judge in graders.items():
            forget()
            start = time.process_time()
            own = ours = 0
            for problem in problems:
                answers = [c["answer"] or None for c in problem["candidates"]]
                clusters = cluster_answers(answers) if grader == "ours" else pairwise_clusters(answers, judge)
                if clusters:
                    vote = str(answers[clusters[0][0]])
                    own += judge(problem["gold_answer"], vote)
                    ours += matches_reference(problem["gold_answer"], vote)
            table[name][grader] = {"own": own / len(problems), "ours": ours / len(problems)}
            seconds = time.process_time() - start
            print(f"{name:<34}{grader:<13}{own / len(problems):>11.1%}{ours / len(problems):>11.1%}{seconds:>10.1f}")
    return table


if __name__ == "__main__":
    main()
