"""What every name on the page means: the tables show it on hover, and the glossary lists it."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["explain_name", "glossary"]

_NAMES: tuple[tuple[str, str], ...] = (
    (r"pass@1\.greedy", "Share of problems whose one greedy solution is correct: the paper's Pass@1."),
    (r"pass@1", "Share of correct candidates: the accuracy to expect of one sample."),
    (r"pass(@(\d+|N|k))?", "The ceiling (oracle): a problem counts where any of its candidates is correct."),
    (r"maj1(@(\d+|N))?", "The vote: the answer of the largest cluster of candidates with equivalent answers (self-consistency)."),
    (r"maj(\d*)(@(\d+|N))?", "An oracle: a problem counts where any of its {0} largest clusters is correct. What a perfect choice among them would reach."),
    (r"rr\.all", "Re-ranking: the answer of the candidate with the best score of all."),
    (r"rr\.top(\d*)", "Re-ranking within the {0} largest clusters: the answer of their best-scored candidate (RR.MajK)."),
    (r"w\.rr\.top(\d*)", "Weighted re-ranking within the {0} largest clusters."),
    (r"w\.rr", "Weighted re-ranking: the cluster whose scores have the largest sum."),
    (r"maj1\.top(\d*)", "The vote among the {0} best-scored candidates (Maj1.TopN')."),
    (r"pv(\.alpha.*)?", "Pessimistic verification: mean score less a penalty for small clusters (arXiv 2510.14913)."),
    (r"borda(\.p.*)?", "A vote weighted by the rank of each candidate's score."),
    (r"deepconf\.keep(\d*)", "A weighted vote among the {0}% of candidates with the highest scores (arXiv 2508.15260)."),
    (r"auc\.within", "Chance that a right candidate outscores a wrong one of the same problem; mean over problems. Decides whether re-ranking can help; 50% is chance."),
    (r"auc\.pairs", "The same, over pairs: problems with more pairs count more."),
    (r"auc", "Chance that a right candidate outscores a wrong one, over all problems. Also high for a score that only knows which problems are hard."),
    (r"ece", "Expected calibration error: how far scores are from the share that is right. Lower is better."),
    (r"brier", "Mean squared error of the score as a probability. Lower is better."),
    (r"calls", "Evaluator calls as a share of those for all candidates."),
    (r"base\.(.*)", "The model before fine-tuning, prompted with demonstrations in the style {0}."),
    (r"base", "The model before fine-tuning."),
    (r"ssft\.(.*)", "Supervised solution fine-tuning on the solutions {0}."),
    (r"mtsft\.(.*)\.evaluator", "The second stage of mtsft.{0}: evaluator and likelihood losses together."),
    (r"evaluator\.(.*)", "The evaluator trained with loss {0}."),
    (r"mtsft\.(.*)", "Multi-task sequential fine-tuning: generator, then evaluator with loss {0}, then generator again."),
    (r"control\.(.*)", "The control of mtsft.{0}: solution fine-tuning continued for as many steps and tokens."),
    (r"mixed\.(.*)", "Both tasks of mtsft.{0} trained at once for as many steps."),
    (r"scores", "The scores that stand in the files."),
    (r"(.*)\.with_likelihood_score", "The scores of {0} with the generator's log-likelihood added."),
    (r"with_likelihood", "An evaluator trained with cross-entropy and a likelihood term."),
    (r"from_generator", "An evaluator trained from the generator."),
    (r"pairwise", "An evaluator trained to score the right of two solutions higher."),
    (r"mean", "The mean of several evaluators' scores."),
    (r"likelihood", "The generator's own probability of the solution, by that of the problem's likeliest candidate: a score that needs no training."),
    (r"confidence", "The generator's mean token confidence (arXiv 2508.15260): needs no training."),
    (r"certainty", "Self-certainty: how far the generator's distributions are from uniform (arXiv 2502.18581): needs no training."),
    (r"margin", "An evaluator trained with the margin loss on pairs of right and wrong solutions."),
    (r"cross_entropy", "An evaluator trained with cross-entropy to say whether a solution is correct."),
)  # fmt: skip

_WORDS = {
    "candidate": "One sampled solution.",
    "cluster": "Candidates of a problem whose final answers are equivalent.",
    "score": "A number in [0, 1] that an evaluator gives a candidate: how probably it is correct.",
    "95% interval": "Where the figure would lie for other problems of the kind, 95 times in 100. Candidates of one problem hang together, so problems are counted, not candidates.",
    "points": "Differences of percentages.",
    "better, worse": "Problems on which the first of two is better, or worse.",
    "p": "The smallest 1 - level at which the interval leaves zero out: below 0.05 exactly where the 95% interval does.",
    "p (Holm)": "The same, corrected for the number of comparisons in its table: of many comparisons some would seem clear by chance.",
    "bold": "The interval leaves zero out, and the corrected p is below 0.05 too.",
    "K": "How many of the largest clusters are considered.",
    "N": "How many candidates are sampled per problem.",
}  # fmt: skip


def explain_name(name: str) -> str:
    """What a figure, model or score is; "" where the name is not one of ours. "A + B" is generator A under score B.

    Example:
        >>> explain_name("rr.top8")
        'Re-ranking within the 8 largest clusters: the answer of their best-scored candidate (RR.MajK).'
    """
    name = _plain(name)
    if " + " in name:
        return " ".join(filter(None, map(explain_name, name.split(" + ", 1))))
    if " - " in name:
        first, second = name.split(" - ", 1)
        return f"{first} less {second}. {explain_name(first)}"
    for pattern, meaning in _NAMES:
        if found := re.fullmatch(pattern, name):
            number = (found.groups() or ("",))[0]
            return meaning.replace("{0}", number or "K")
    return _WORDS.get(name, "")


def _plain(name: str) -> str:
    """The name without the role of its model ("L: ssft.both"), and as the paper's tables have it ("RR.Top-8", "Pass@1 (greedy)")."""
    name = re.sub(r"^[^\s:+]{1,40}: (?=\w)", "", name)
    if re.fullmatch(r"(Pass|pass)@\S+ \((greedy|sampled)\)", name):
        return "pass@1.greedy" if "greedy" in name else "pass@1"
    if re.fullmatch(r"(Pass|Maj\d*)@\d+|Maj1|W?\.?RR(\.\S+)?|Maj1\.TopN", name):
        return re.sub(r"top-?n?(?=\d|$)|majk", "top", name.lower())
    return "calls" if name == "evaluator calls" else re.sub(r"^[SL]\.(?=\w)", "", name)


def glossary(names: Iterable[str]) -> list[tuple[str, str]]:
    """The names that the page shows and that can be explained, each once, then the words of its text."""
    found = {name: explain_name(name) for name in dict.fromkeys(names)}
    return [(name, meaning) for name, meaning in found.items() if meaning and name not in _WORDS] + list(_WORDS.items())
