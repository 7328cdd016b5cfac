"""The paper's tables, its figure and the controls it lacks, from what a study measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mathquorum.crossed import seeded_mean
from mathquorum.curves import Curve, CurvePoint
from mathquorum.evaluation import Curves
from mathquorum.metrics.estimates import estimate_json, read_estimate
from mathquorum.records import Estimate
from mathquorum.selection import Majority, Rerank, Strategy, TopScored, WeightedVote
from mathquorum.selection.outlook import Outlook
from mathquorum.selection.stopping import FixedBudget
from mathquorum.study import published
from mathquorum.study.measured import Generator, Measured, Rows, difference
from mathquorum.study.spending import choose_rule, replay_each, rules

__all__ = [
    "Cell",
    "Plan",
    "StudyRow",
    "StudyTable",
    "all_tables",
    "figure_1",
    "read_table",
    "table_json",
]

TOP = 8  # K of Table 3


@dataclass(frozen=True)
class Cell:
    """One place of a table: a figure in percent or a difference in points, a text, or nothing; and what the paper has."""

    estimate: Estimate | None = None
    paper: float | None = None
    text: str = ""
    is_difference: bool = False


@dataclass(frozen=True)
class StudyRow:
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class StudyTable:
    """A table.

    Attributes:
        key: "table2", "controls"; stable, for programs.
        columns: Headings, the row's name not among them.
        note: What a reader must know to read it.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[StudyRow, ...]
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """How a study names what the tables show.

    Attributes:
        roles: Models from the smaller, in the role of S*, to the larger, in the role of L. One alone stands for L.
        sources: Of the generators' solutions; the first is terse like MATH, the second fine like PRM800K, the last the
            main generator, whatever their number.
        losses: Evaluators of Tables 3 and 7, "margin" and "cross_entropy" in the paper.
        variants: Further evaluators, each of the larger model.
        transferred: The loss whose evaluators are put on other roles' candidates (Table 6).
        mtsft: Losses of the sequential training (Table 4).
        validation: The same generators on validation problems, for choosing K.
        data: Rows of Table 1, by source: counts and mean lengths.
        outlook: What stopping rules start from, measured on the validation problems.
    """

    roles: tuple[str, ...]
    sources: tuple[str, ...]
    losses: tuple[str, ...]
    variants: tuple[str, ...]
    transferred: str
    mtsft: tuple[str, ...]
    validation: Measured
    data: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    outlook: Outlook = field(default_factory=Outlook)

    @property
    def main(self) -> str:
        return f"ssft.{self.sources[-1]}"

    def paper_role(self, role: str) -> str:
        """Whose column of the paper stands beside a role's figures."""
        return "S" if len(self.roles) > 1 and role == self.roles[0] else "L"

    def paper_source(self, source: str) -> str | None:
        """Whose row of the paper: the first source stands for MATH, the second for PRM800K, the third for their union."""
        place = self.sources.index(source)
        return ("MATH", "PRM800K", "MATH + PRM800K")[place] if len(self.sources) == 3 else None


def all_tables(measured: Measured, plan: Plan) -> list[StudyTable]:
    """Tables 1 to 7 in the paper's order, then what it lacks. A table without a single row is left out."""
    even = measured.evened()
    fewest = min((g.num_candidates for g in even.generators.values()), default=0)
    of_first = f"Of each generator its first {fewest} candidates." if even is not measured else ""
    tables = [
        _data(plan),
        _with_note(_generators(even, plan), of_first),
        _reranking(measured, plan),
        _with_note(_mtsft(even, plan), of_first),
        _with_note(_demonstrations(even, plan), of_first),
        _with_note(_transfer(even, plan), of_first),
        _strategies(measured, plan),
        _evaluators(measured, plan),
        _with_note(_controls(even, plan), of_first),
        _clusters(measured, plan),
        _spending(measured, plan),
    ]
    return [table for table in tables if table.rows]


def _with_note(table: StudyTable, note: str) -> StudyTable:
    return replace(table, note=f"{table.note} {note}".strip())


# --- the paper's tables -----------------------------------------------------------------------------------------------


def _data(plan: Plan) -> StudyTable:
    figures = ("train", "validation", "test", "evaluator", "problem tokens", "solution tokens")
    rows = []
    for source, values in plan.data.items():
        name = plan.paper_source(source) if source in plan.sources else None
        paper = published.DATA.get(name or "", {})
        rows.append(StudyRow(source, tuple(_plain_cell(values.get(f), paper.get(f)) for f in figures)))
    return StudyTable(
        "table1",
        "Table 1: the data",
        figures,
        tuple(rows),
        "Solutions to train on; problems to choose on (validation), to measure on (test) and to train evaluators on; mean "
        "lengths in tokens of this study's model.",
    )


def _plain_cell(value: float | None, paper: float | None) -> Cell:
    if value is None:
        return Cell(paper=paper)
    return Cell(text=f"{value:,.0f}" if value == int(value) else f"{value:,.1f}", paper=paper)


def _generator_cells(generator: Generator, paper: Mapping[str, float]) -> tuple[Cell, ...]:
    rows = {
        "pass@1.greedy": generator.figure("pass@1.greedy"),
        "pass@1": generator.figure("pass@1"),
        "maj1": generator.strategy(Majority()),
        "pass@N": generator.figure("pass@N"),
    }
    return tuple(Cell(seeded_mean(name, values), paper.get(name)) for name, values in rows.items())


def _generator_columns(plan: Plan, measured: Measured) -> tuple[str, ...]:
    size = max(g.num_candidates for g in measured.generators.values())
    return ("Pass@1 (greedy)", "pass@1 (sampled)", f"Maj1@{size}", f"Pass@{size}")


def _generators(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        names = [(f"base.{plan.sources[0]}", "few-shot"), *((f"ssft.{s}", s) for s in plan.sources)]
        for name, shown in names:
            if generator := measured.get(role, name):
                source = "few-shot" if shown == "few-shot" else plan.paper_source(shown)
                paper = published.GENERATORS.get((plan.paper_role(role), source or ""), {})
                rows.append(StudyRow(f"{role}: {shown}", _generator_cells(generator, paper)))
    return StudyTable(
        "table2",
        "Table 2: supervised solution fine-tuning",
        _generator_columns(plan, measured),
        tuple(rows),
        f"Few-shot: the base with demonstrations in the style of {plan.sources[0]}.",
    )


def _reranking(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        generator = measured.get(role, plan.main)
        if generator is None:
            continue
        for evaluator in (*(f"{role}.{loss}" for loss in plan.losses), "likelihood"):
            if evaluator in generator.evaluators:
                loss = evaluator.removeprefix(f"{role}.")
                paper = published.RERANKING.get((plan.paper_role(role), loss), {})
                cells = _reranking_cells(generator, evaluator, paper)
                rows.append(StudyRow(f"{role}: {loss}", cells))
    return StudyTable(
        "table3",
        "Table 3: solution-cluster re-ranking",
        ("Pass@1 (greedy)", "Maj1", "RR.All", f"RR.Top-{TOP}", "W.RR"),
        tuple(rows),
        f"Candidates of {plan.main}. Likelihood: the generator's own, the score that needs no training.",
    )


def _reranking_cells(generator: Generator, evaluator: str, paper: Mapping[str, float]) -> tuple[Cell, ...]:
    strategies: tuple[Strategy, ...] = (Majority(), Rerank(), Rerank(TOP), WeightedVote())
    greedy = Cell(seeded_mean("pass@1.greedy", generator.figure("pass@1.greedy")), paper.get("pass@1.greedy"))
    return (
        greedy,
        *(
            Cell(seeded_mean(s.name, generator.strategy(s, evaluator if s.needs_scores else None)), paper.get(s.name))
            for s in strategies
        ),
    )


def _mtsft(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        names = [(plan.main, "ssft"), *((f"mtsft.{loss}", loss) for loss in plan.mtsft)]
        names += [(name, "") for name in _control_names(measured, role)]
        for name, key in names:
            if (generator := measured.get(role, name)) and (key != "ssft" or len(names) > 1):
                paper = published.MTSFT.get(key, {}) if plan.paper_role(role) == "L" else {}
                rows.append(StudyRow(f"{role}: {name}", _generator_cells(generator, paper)))
    return StudyTable(
        "table4",
        "Table 4: multi-task sequential fine-tuning",
        _generator_columns(plan, measured),
        tuple(rows),
        "control: solution fine-tuning continued for the steps and tokens of both later stages. mixed: both tasks at once for "
        "as many steps.",
    )


def _control_names(measured: Measured, role: str) -> list[str]:
    return [n for r, n in measured.generators if r == role and n.startswith(("control.", "mixed."))]


def _demonstrations(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for role in plan.roles:
        for source in plan.sources[:2]:
            if generator := measured.get(role, f"base.{source}"):
                paper = published.DEMONSTRATIONS.get((plan.paper_role(role), plan.paper_source(source) or ""), {})
                rows.append(StudyRow(f"{role}: {source}", _generator_cells(generator, paper)))
    return StudyTable(
        "table5",
        "Table 5: the style of the demonstrations",
        _generator_columns(plan, measured),
        tuple(rows),
        "The base, not fine-tuned; only the solutions that its prompt shows differ.",
    )


def _transfer(measured: Measured, plan: Plan) -> StudyTable:
    rows = []
    for judge in plan.roles:
        for role in plan.roles:
            generator, evaluator = measured.get(role, plan.main), f"{judge}.{plan.transferred}"
            if len(plan.roles) > 1 and generator and evaluator in generator.evaluators:
                paper = published.TRANSFER.get((plan.paper_role(judge), plan.paper_role(role)), {})
                rows.append(
                    StudyRow(f"evaluator {judge}, generator {role}", _reranking_cells(generator, evaluator, paper))
                )
    return StudyTable(
        "table6",
        "Table 6: evaluators on the other model's candidates",
        ("Pass@1 (greedy)", "Maj1", "RR.All", f"RR.Top-{TOP}", "W.RR"),
        tuple(rows),
        f"Evaluators trained with {plan.transferred}.",
    )


_SWEEPS: dict[str, Callable[[int], Strategy]] = {"rr.top": Rerank, "w.rr.top": WeightedVote, "maj1.top": TopScored}


def _strategies(measured: Measured, plan: Plan) -> StudyTable:
    role = plan.roles[-1]
    generator, validation = measured.get(role, plan.main), plan.validation.get(role, plan.main)
    rows = []
    for loss in plan.losses:
        evaluator = f"{role}.{loss}"
        if generator is None or evaluator not in generator.evaluators:
            continue
        rows.append(
            StudyRow(
                f"{loss}, K best in hindsight",
                _strategy_cells(generator, evaluator, generator, published.STRATEGIES.get(loss, {})),
            )
        )
        if validation and evaluator in validation.evaluators:
            rows.append(StudyRow(f"{loss}, K from validation", _strategy_cells(generator, evaluator, validation, {})))
    return StudyTable(
        "table7",
        "Table 7: six strategies",
        ("RR.All", "RR.MajK", "W.RR", "W.RR.MajK", "Maj1", "Maj1.TopN"),
        tuple(rows),
        f"Candidates of {role}: {plan.main}. The paper chose K and N' in hindsight, on the test problems: too good to be "
        "true. Chosen on validation problems they are what a user gets.",
    )


def _strategy_cells(
    generator: Generator, evaluator: str, chooser: Generator, paper: Mapping[str, float]
) -> tuple[Cell, ...]:
    cells = []
    for name, shown in (
        ("rr.all", Rerank()),
        ("rr.top", None),
        ("w.rr", WeightedVote()),
        ("w.rr.top", None),
        ("maj1", Majority()),
        ("maj1.top", None),
    ):
        text = ""
        if shown is None:
            best = best_number(chooser, evaluator, name)
            strategy, text = _SWEEPS[name](best), f"at {best}"
        else:
            strategy = shown
        rows = generator.strategy(strategy, evaluator if strategy.needs_scores else None)
        cells.append(Cell(seeded_mean(name, rows), paper.get(name), text))
    return tuple(cells)


def best_number(generator: Generator, evaluator: str, sweep: str) -> int:
    """The K, or N', with the best mean accuracy over seeds and problems; the smallest of equals."""
    found = {k: generator.strategy(_SWEEPS[sweep](k), evaluator).mean() for k in sweep_numbers(generator)}
    return max(found, key=lambda k: (round(float(found[k]), 9), -k))


def sweep_numbers(generator: Generator) -> list[int]:
    """1 to 16 one by one, then in steps of about a fifth, up to N."""
    numbers = [1]
    while numbers[-1] < generator.num_candidates:
        numbers.append(
            min(generator.num_candidates, numbers[-1] + max(1, numbers[-1] // 5 if numbers[-1] >= 16 else 1))
        )
    return numbers


# --- what the paper lacks ---------------------------------------------------------------------------------------------


def _evaluators(measured: Measured, plan: Plan) -> StudyTable:
    """How good each evaluator is, and what choosing by it brings over the vote."""
    rows = []
    for role in plan.roles:
        generator = measured.get(role, plan.main)
        for evaluator in generator.evaluators if generator else ():
            assert generator is not None
            if evaluator != "likelihood" and not evaluator.startswith(f"{role}."):
                continue
            rows.append(
                StudyRow(f"{role}: {evaluator.removeprefix(f'{role}.')}", _evaluator_cells(generator, evaluator))
            )
    return StudyTable(
        "evaluators",
        "Evaluators: do they rank, and does it pay?",
        ("AUC within", "AUC overall", "ECE", "RR.All - Maj1", f"RR.Top-{TOP} - Maj1", "W.RR - Maj1"),
        tuple(rows),
        "AUC within a problem, in percent: 50 is chance; only this can help to choose. AUC over all candidates is also high "
        "for an evaluator that knows which problems are hard. AUC overall and ECE: mean over seeds (lowest to highest). "
        "Differences in points, paired by problem and nested by seed.",
    )


def _evaluator_cells(generator: Generator, evaluator: str) -> tuple[Cell, ...]:
    within = generator.within_auc(evaluator)
    figures = generator.evaluator_figures(evaluator)
    vote = generator.strategy(Majority())
    strategies: tuple[Strategy, ...] = (Rerank(), Rerank(TOP), WeightedVote())
    return (
        Cell(within) if within else Cell(text="no problem has both labels"),
        *(_range_cell([f[name] for f in figures if name in f]) for name in ("auc", "ece")),
        *(_difference_cell(f"{s.name} - maj1", generator.strategy(s, evaluator), vote) for s in strategies),
    )


def _range_cell(values: Sequence[float]) -> Cell:
    if not values:
        return Cell()
    mean = 100 * sum(values) / len(values)
    return Cell(text=f"{mean:.1f} ({100 * min(values):.1f} to {100 * max(values):.1f})")


def _difference_cell(name: str, first: Rows, second: Rows) -> Cell:
    return Cell(difference(name, first, second).estimate, is_difference=True)


def _controls(measured: Measured, plan: Plan) -> StudyTable:
    """What each later stage adds to equal training without it."""
    rows = []
    for role in plan.roles:
        for loss in plan.mtsft:
            generator = measured.get(role, f"mtsft.{loss}")
            others = [plan.main, *_control_names(measured, role), *(f"mtsft.{o}" for o in plan.mtsft if o < loss)]
            for other in others:
                if generator and (against := measured.get(role, other)):
                    rows.append(
                        StudyRow(f"{role}: mtsft.{loss} - {other}", _control_cells(generator, against, role, plan))
                    )
    return StudyTable(
        "controls",
        "MTSFT against its controls",
        ("Pass@1 (greedy)", "pass@1 (sampled)", "Maj1", "Pass@N", "then SCR: W.RR", f"then SCR: RR.Top-{TOP}"),
        tuple(rows),
        "Differences in points, paired by problem and nested by training seed. Then SCR: the candidates of both under the same "
        f"evaluator ({plan.transferred}), which was trained on those of {plan.main}.",
    )


def _control_cells(first: Generator, second: Generator, role: str, plan: Plan) -> tuple[Cell, ...]:
    cells = [_difference_cell(name, first.figure(name), second.figure(name)) for name in ("pass@1.greedy", "pass@1")]
    cells.append(_difference_cell("maj1", first.strategy(Majority()), second.strategy(Majority())))
    cells.append(_difference_cell("pass@N", first.figure("pass@N"), second.figure("pass@N")))
    evaluator = f"{role}.{plan.transferred}"
    strategies: tuple[Strategy, ...] = (WeightedVote(), Rerank(TOP))
    for strategy in strategies:
        if evaluator in first.evaluators and evaluator in second.evaluators:
            rows = (g.strategy(strategy, evaluator) for g in (first, second))
            cells.append(_difference_cell(strategy.name, *rows))
        else:
            cells.append(Cell())
    return tuple(cells)


def _spending(measured: Measured, plan: Plan) -> StudyTable:
    """What stopping early costs and saves, against all N candidates with every distinct text scored."""
    role = plan.roles[-1]
    generator, validation = measured.get(role, plan.main), plan.validation.get(role, plan.main)
    evaluator = f"{role}.{plan.transferred}"
    rows, note = [], ""
    if generator is not None and evaluator in generator.evaluators:
        size = generator.num_candidates
        outlook = plan.outlook
        shown = [FixedBudget(size, weighted=True), *rules(size, outlook)]
        spent = replay_each(generator, evaluator, shown)
        spent_by = {rule.name: of_rule for rule, of_rule in zip(shown, spent, strict=True)}
        full = spent_by[shown[0].name]
        if validation is not None and evaluator in validation.evaluators:
            note = f" What sure choice and worthwhile start from was measured on validation problems: {_outlook_text(outlook)}."
            costs = "a third of the tokens and a quarter of the calls, less 5%"
            chosen = choose_rule(validation, evaluator, outlook)
            if chosen:
                spent_by[f"{chosen.name} from validation"] = spent_by[chosen.name]
                note += f" The gain from validation is the least that spends at most {costs} there."
            else:
                note += f" No gain spends as little as {costs} there, so none was chosen."
        for name, of_rule in spent_by.items():
            cells = (
                Cell(seeded_mean(name, of_rule.correct)),
                _difference_cell(f"{name} - w.rr", of_rule.correct, full.correct),
                Cell(text=f"{of_rule.candidates.mean():.1f}"),
                _share_cell(of_rule.tokens, full.tokens),
                _share_cell(of_rule.calls, full.calls),
            )
            rows.append(StudyRow(name, cells))
    return StudyTable(
        "spending",
        "Test-time compute: stopping early",
        ("accuracy", "against W.RR with all", "candidates", "tokens, %", "evaluator calls, %"),
        tuple(rows),
        f"Candidates of {role}: {plan.main}, scores of {plan.transferred}, replayed in sampling order. Shares are of what W.RR "
        "spends with all candidates and every distinct text with an answer scored once." + note,
    )


def _outlook_text(outlook: Outlook) -> str:
    scores, chance = outlook.scores, outlook.chance
    return (
        f"scores of mean {scores.mean:.2f}, spreading by {scores.of_problems:.2f} over problems, {scores.of_clusters:.2f} over clusters, "
        f"{scores.of_texts:.2f} over texts; rate exponent {outlook.rate_exponent:.2f}; likelihood weight "
        f"{outlook.likelihood_weight:g}; chance to be right with sharpness {chance.sharpness:g} and {chance.none_right:g} for none"
    )


def _share_cell(spent: Rows, full: Rows) -> Cell:
    return Cell(text=f"{100 * spent.sum() / max(1.0, float(full.sum())):.1f}")


def _clusters(measured: Measured, plan: Plan) -> StudyTable:
    """What clustering by equivalence is worth, against equal strings."""
    rows = []
    for (role, name), generator in measured.generators.items():
        varied = _varied(generator)
        vote, strings = generator.strategy(Majority()), generator.string_vote()
        cells = (
            Cell(text=f"{100 * varied:.1f}" if varied is not None else ""),
            Cell(seeded_mean("vote by string", strings)),
            Cell(seeded_mean("maj1", vote)),
            _difference_cell("maj1 - vote by string", vote, strings),
        )
        rows.append(StudyRow(f"{role}: {name}", cells))
    return StudyTable(
        "clusters",
        "Clusters: vote by equivalence against vote by string",
        ("other forms in correct clusters, %", "vote by string", "vote by equivalence", "difference"),
        tuple(rows),
        "First column: candidates of correct clusters whose answer is not written in the cluster's commonest form, mean over "
        "problems.",
    )


def _varied(generator: Generator) -> float | None:
    shares = []
    for stored in generator.seeds.values():
        for pool in stored.pools:
            answers = stored.answers.get(pool.problem_id, {})
            for cluster in pool.clusters:
                if cluster.correct:
                    forms = [answers[index] for index in cluster.members]
                    shares.append(1 - max(map(forms.count, set(forms))) / len(forms))
    return sum(shares) / len(shares) if shares else None


# --- Figure 1 ---------------------------------------------------------------------------------------------------------


def figure_1(generator: Generator, evaluator: str) -> Curves:
    """Accuracy over K and N' with the share of evaluator calls, intervals over problems and seeds."""
    numbers = sweep_numbers(generator)
    sweeps = {
        name: _curve(name, numbers, (generator.strategy(make(k), evaluator) for k in numbers))
        for name, make in _SWEEPS.items()
    }
    ceiling = _curve("maj", numbers, (generator.oracle(k) for k in numbers))
    calls = _curve("calls", numbers, (generator.calls(k) for k in numbers))
    return Curves((), (ceiling, sweeps["rr.top"], sweeps["w.rr.top"]), (sweeps["maj1.top"],), calls)


def _curve(name: str, numbers: Sequence[int], values: Iterable[Rows]) -> Curve:
    found = [seeded_mean(name, rows) for rows in values]
    return Curve(name, tuple(CurvePoint(k, e.value, e.low, e.high) for k, e in zip(numbers, found, strict=True)))


def table_json(table: StudyTable) -> dict[str, Any]:
    """For programs: fractions, and the paper's figures in percent as it prints them."""
    return {
        "title": table.title,
        "note": table.note,
        "columns": list(table.columns),
        "rows": [{"name": row.name, "cells": [_cell_json(cell) for cell in row.cells]} for row in table.rows],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    held: dict[str, Any] = {}
    if cell.estimate:
        held |= estimate_json(cell.estimate)
    if cell.text:
        held["text"] = cell.text
    if cell.paper is not None:
        held["paper"] = cell.paper
    if cell.is_difference:
        held["difference"] = True
    return held


def read_table(key: str, held: Mapping[str, Any]) -> StudyTable:
    """The table that `table_json` gave. An estimate takes the heading of its column for its name."""
    rows = tuple(
        StudyRow(row["name"], tuple(_read_cell(*pair) for pair in zip(held["columns"], row["cells"], strict=True)))
        for row in held["rows"]
    )
    return StudyTable(key, held["title"], tuple(held["columns"]), rows, held["note"])


def _read_cell(column: str, held: Mapping[str, Any]) -> Cell:
    found = read_estimate(column, held, f"study.json, {column}") if "value" in held else None
    return Cell(found, held.get("paper"), held.get("text", ""), held.get("difference", False))
