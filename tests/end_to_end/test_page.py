"""The page in a real browser: it opens without a fault and without the network, its filters and keys work, and texts stay texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, browsing, find_browser

from mathquorum.report.page.render import MAX_BYTES
from mathquorum.voting.measured import measure_samples
from mathquorum.voting.page import write_report

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\x1b[31mred\x07\u202e"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip("needs chromium or google-chrome on the PATH: a page is tested in a real browser")
    with browsing(program, tmp_path_factory.mktemp("profile")) as started:
        yield started


def box(answer: object) -> str:
    return f"Since $x^2 = 4$, it is $\\boxed{{{answer}}}$."


def row(name: str, answers: list[Any], scores: list[float], reference: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": name, "problem": f"What is $\\frac{{1}}{{2}}$ of {name}?", "answer": reference, "samples": [box(a) for a in answers], "scores": scores, **more}  # fmt: skip


ROWS = [
    row("vote-wrong-best-right", [2, 2, 2, 1], [0.1, 0.2, 0.1, 0.9], subject="Algebra", level=1),
    row("vote-right-best-wrong", [1, "\\frac{2}{2}", 3, 1], [0.1, 0.2, 0.9, 0.1], subject="Algebra", level=2),
    row("all-right", [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5], subject="Geometry", level=1),
    row("none-right", [4, 5, 4, 5], [0.4, 0.1, 0.4, 0.1], subject="Geometry", level=2),
    {**row("hostile " + HOSTILE, [1, 7, 7, 7], [0.9, 0.1, 0.2, 0.3]), "problem": HOSTILE},
]


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    file = folder / "samples.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    write_report({"samples": measure_samples([file])}, [file], folder / "report")
    return folder / "report" / "report.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("page"), ROWS)


def found(browser: Browser) -> list[str]:
    """The problems that the inspector lists, without the name of their file."""
    names = browser.run("[...document.querySelectorAll('#problems .row b')].map((b) => b.textContent)")
    return [name.removeprefix("samples/") for name in names]


def press_filter(browser: Browser, name: str) -> None:
    browser.run(
        f"[...document.querySelectorAll('#filters button')].find((b) => b.textContent.startsWith({name!r})).click()"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 900, 1440])
def test_it_opens_at_every_width_with_its_charts_and_nothing_cut_off(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    browser.faults.clear()
    browser.look(width, dark=dark)
    browser.open(page)
    browser.run("dispatchEvent(new Event('beforeprint'))")  # draws what is out of sight, too
    charts = browser.run("[...document.querySelectorAll('.chart')].map((c) => [c.id, c.childElementCount])")
    assert len(charts) >= 7 and all(count for _, count in charts), charts
    assert browser.run("document.documentElement.scrollWidth") <= width
    wide = browser.run(
        "[...document.querySelectorAll('main table, main figure, main .inspector')]"
        ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert wide == []
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") != dark
    assert browser.faults == []


def test_filters_show_the_problems_that_they_name(browser: Browser, page: Path) -> None:
    browser.faults.clear()
    browser.look(1440)
    browser.open(page)
    assert len(found(browser)) == 5
    press_filter(browser, "vote wrong, re-rank right")
    assert [name.split(" ")[0] for name in found(browser)] == ["vote-wrong-best-right", "hostile"]
    press_filter(browser, "vote right, re-rank wrong")
    assert found(browser) == ["vote-right-best-wrong"]
    press_filter(browser, "no right candidate")
    assert found(browser) == ["none-right"]
    press_filter(browser, "tied votes")
    assert found(browser) == ["none-right"]
    press_filter(browser, "all")
    for control, value in (("first", "maj1"), ("first-is", "right"), ("second", "rr.all"), ("second-is", "wrong")):
        browser.run(
            f"(() => {{ const s = document.getElementById({control!r}); s.value = {value!r};"
            "s.dispatchEvent(new Event('change')); })()"
        )
    assert found(browser) == ["vote-right-best-wrong"]
    assert browser.faults == []


def test_a_slash_searches_and_arrows_move_through_the_problems(browser: Browser, page: Path) -> None:
    browser.look(1440)
    browser.open(page)
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    for letter in "geometry":
        browser.press(letter)
    assert found(browser) == ["all-right", "none-right"]
    assert browser.run("document.getElementById('found').textContent") == "2 of 5 problems"
    browser.press("ArrowDown")
    assert browser.run("document.activeElement.id") == "problems"
    browser.press("ArrowDown")
    assert browser.run("document.querySelector('#detail h3').textContent") == "samples/none-right"


def test_a_problem_shows_its_clusters_why_they_were_merged_and_what_would_have_flipped_the_choice(
    browser: Browser, page: Path
) -> None:
    browser.faults.clear()
    browser.look(1440)
    browser.open(page)
    press_filter(browser, "vote right, re-rank wrong")
    browser.run("document.querySelectorAll('#detail details').forEach((d) => { d.open = true; })")
    browser.until("document.querySelectorAll('#detail details.member').length")
    browser.run("document.querySelectorAll('#detail details.member').forEach((d) => { d.open = true; })")
    browser.until("document.querySelectorAll('#detail .solution').length === 4")
    text = browser.run("document.getElementById('detail').textContent")
    assert "3 votes of 4" in text and "summed score 0.40" in text and "best 0.900" in text
    assert "the same number, 1" in text  # 2/2 and 1
    assert "3 more votes" in text and "w.rr" in text
    assert browser.run("document.querySelectorAll('#detail .problem math mfrac').length") == 1
    assert browser.run("document.querySelectorAll('#detail .solution math').length") >= 8  # LaTeX is set
    assert browser.run("document.querySelectorAll('#detail .cluster').length") == 2
    assert browser.faults == []


def test_texts_of_models_stay_texts_and_what_is_unseen_is_written_out(browser: Browser, page: Path) -> None:
    browser.faults.clear()
    browser.look(1440)
    browser.open(page)
    browser.run("(() => { const s = document.getElementById('search'); s.value = 'hostile'; s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    text = browser.run("document.getElementById('detail').textContent")
    assert "<script>document.title='owned'</script>" in text and "onerror" in text
    assert "\\x1b[31mred\\x07\\u202e" in text and "\x1b" not in text
    assert "owned" not in browser.run("document.title")
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0
    assert browser.faults == []


def test_a_script_that_is_not_ours_does_not_run(browser: Browser, page: Path, tmp_path: Path) -> None:
    """Were a text to slip through after all, the policy would stop it."""
    copy = tmp_path / "report.html"
    copy.write_text(page.read_text().replace("<h1>", "<script>document.title='owned'</script><h1>", 1))
    browser.faults.clear()
    browser.open(copy)
    assert "owned" not in browser.run("document.title")
    assert any("Content Security Policy" in fault for fault in browser.faults)
    browser.faults.clear()


def test_names_are_explained_to_pointer_and_keyboard(browser: Browser, page: Path) -> None:
    browser.look(1440)
    browser.open(page)
    browser.run("document.querySelector('.term[data-tip]').focus()")
    assert "sample" in browser.run("document.querySelector('.tip').textContent")
    browser.press("Escape")
    assert browser.run("document.querySelector('.tip')") is None


def test_many_problems_are_listed_a_window_at_a_time(browser: Browser, tmp_path: Path) -> None:
    rows = [row(f"p{n}", [n % 3, 1, 2, 1], [0.1, 0.2, 0.3, 0.4]) for n in range(400)]
    browser.faults.clear()
    browser.look(1440)
    browser.open(write(tmp_path, rows))
    assert browser.run("document.getElementById('found').textContent") == "400 of 400 problems"
    assert len(found(browser)) < 40
    browser.run("document.getElementById('problems').focus()")
    browser.press("End")
    assert browser.run("document.querySelector('#detail h3').textContent") == "samples/p399"
    assert browser.faults == []


def test_without_references_the_choices_are_there_and_the_page_says_what_is_missing(
    browser: Browser, tmp_path: Path
) -> None:
    rows = [{key: value for key, value in r.items() if key != "answer"} for r in ROWS]
    browser.faults.clear()
    browser.look(390)
    browser.open(write(tmp_path, rows))
    assert len(found(browser)) >= 4
    assert "no reference answers" in browser.run("document.querySelector('#top').textContent")
    assert browser.run("document.querySelectorAll('.why').length") >= 6
    assert "maj1" in browser.run("document.getElementById('detail').textContent")
    assert browser.faults == []


def test_a_page_stays_small_by_shortening_texts_and_says_so(browser: Browser, tmp_path: Path) -> None:
    """Texts that do not compress."""
    import random

    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    rows = []
    for n in range(40):
        made = row(f"p{n}", [n % 3, 1, 2, 1, 2, 2], [0.1] * 6)
        made["samples"] = ["".join(draw.choices(letters, k=30_000)) + " " + text for text in made["samples"]]
        rows.append(made)
    page = write(tmp_path, rows)
    assert page.stat().st_size <= MAX_BYTES
    browser.faults.clear()
    browser.look(900)
    browser.open(page)
    said = browser.run("document.querySelector('.keys-help').textContent")
    assert re.search(r"texts of 240 of 240 candidates, 240 of them shortened", said)
    assert browser.faults == []
