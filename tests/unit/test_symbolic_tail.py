"""The symbolic tail: worked out in other processes, in time or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mathquorum.answers import EquivalenceSettings, equivalent, symbolic_report
from mathquorum.errors import SettingsError

PATIENT = EquivalenceSettings(symbolic_seconds=20)
HOPELESS = r"\int_0^1 \frac{\sin(x^x)}{\log(1+x^{x^x})} dx"


def test_calculus_is_worked_out() -> None:
    assert equivalent(r"\int_0^1 x^2\,dx", r"\frac13", PATIENT)
    assert equivalent(r"\sum_{n=1}^{\infty}\frac{1}{n^2}", r"\frac{\pi^2}{6}", PATIENT)
    assert equivalent(r"\lim_{x\to 0}\frac{\sin x}{x}", "1", PATIENT)
    assert equivalent(r"\frac{d}{dx} x^3", "3x^2", PATIENT)
    assert not equivalent(r"\int_0^1 x^2\,dx", r"\frac12", PATIENT)


def test_what_runs_out_of_time_is_not_shown_equal_and_is_counted() -> None:
    before = symbolic_report().timed_out
    assert not equivalent(HOPELESS, "2", EquivalenceSettings(symbolic_seconds=0.3))
    assert symbolic_report().timed_out == before + 1
    assert equivalent(r"\int_0^2 x\,dx", "2", PATIENT)  # a killed worker is replaced


def test_threads_share_the_workers() -> None:
    with ThreadPoolExecutor(8) as threads:
        verdicts = threads.map(
            lambda n: equivalent(rf"\int_0^{n} x\,dx", rf"\frac{{{n * n}}}{{2}}", PATIENT), range(1, 9)
        )
        assert all(verdicts)


def test_no_process_starts_before_it_is_needed_and_none_outlives_us() -> None:
    program = """
import sys
from mathquorum.answers import EquivalenceSettings, equivalent
assert equivalent("1/2", "0.5") and "mathquorum.answers.symbolic_pool" not in sys.modules
assert equivalent(r"\\int_0^1 2x dx", "1", EquivalenceSettings(symbolic_seconds=20))
assert "sympy" not in sys.modules
print(*[w.process.pid for w in sys.modules["mathquorum.answers.symbolic_pool"].pool._idle])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    for number in done.stdout.split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)


def test_the_tail_can_be_turned_off() -> None:
    before = symbolic_report().asked
    assert not equivalent(r"\int_0^3 x\,dx", "4.5", EquivalenceSettings(symbolic_seconds=0))
    assert symbolic_report().asked == before


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(SettingsError, match="symbolic_seconds"):
        EquivalenceSettings(symbolic_seconds=-1)
