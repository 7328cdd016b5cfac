"""10,000 requests to a server that fails with 30% of them: does every candidate arrive once, how many requests are too many, what memory?

    python benchmarks/misbehaving.py [NUMBER]

The server is tests/stand_in.py in a process of its own. Too many are requests beyond one for each candidate and one for each failure
that the server had planned: those that were sent while it wanted to be left alone, and answers that were thrown away.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from mathquorum.engines.base import Sampling
from mathquorum.engines.server.settings import Server
from mathquorum.engines.server.spending import Sent
from mathquorum.records import Candidate, Problem
from mathquorum.run import Run
from mathquorum.stages.sample import Sample
from mathquorum.store import read_records, write_records

STAND_IN = Path(__file__).parents[1] / "tests" / "stand_in.py"
HARMFUL = {
    "429": 0.04,
    "429 told": 0.005,
    "500": 0.075,
    "cut": 0.04,
    "cut within": 0.04,
    "slow": 0.02,
    "malformed": 0.04,
    "no choice": 0.04,
}
FAULTS = {**HARMFUL, "too many": 0.04}
PER_PROBLEM = 20


class Memory:
    """A listener of the run: megabytes of this process by how many candidates there are."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}

    def stage_began(self, name: str) -> None: ...

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        tenth = done * 10 // total
        if tenth not in self.at:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.at[tenth] = pages * 4096 / 1e6

    def stage_ended(self, name: str, summary: object, seconds: float, skipped: bool) -> None: ...


def main(number: int) -> None:
    does = {"faults": FAULTS, "slow": 6.0, "seeds": "ignored", "pause": 0.5}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, str(STAND_IN), json.dumps(does)], stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdout
        url = server.stdout.readline().strip()
        problems = Path(folder) / "problems.jsonl"
        write_records(problems, [Problem(f"p{n}", f"{n} + {n} = ?", str(2 * n)) for n in range(number // PER_PROBLEM)])
        engine = Server(url=url, candidates_per_request=1, timeout=5.0, concurrency=32)
        stage = Sample(
            problems=problems, model="m", num_candidates=PER_PROBLEM, sampling=Sampling(max_tokens=64), engine=engine
        )
        memory, began = Memory(), time.monotonic()
        out = Run(Path(folder) / "run", listener=memory).do("pool", stage)
        seconds = time.monotonic() - began
        with urllib.request.urlopen(url) as told:
            counted = json.loads(told.read())["counted"]
        server.terminate()
        found = list(read_records(out / "candidates.jsonl", Candidate))
        sent = list(read_records(out / "requests.jsonl", Sent))
    show(number, counted, found, sent, memory.at, seconds)


def show(
    number: int,
    counted: dict[str, int],
    found: list[Candidate],
    sent: list[Sent],
    memory: dict[int, float],
    seconds: float,
) -> None:
    requests, failed = sum(counted.values()), sum(counted.get(name, 0) for name in HARMFUL)
    tried = 5  # to find out what the server can do
    above = requests - failed - number
    print(f"| candidates | {number:,} |\n|---|---|")
    print(f"| arrived, by problem and index | {len({(c.problem_id, c.index) for c in found}):,} |")
    print(f"| different texts among them, of a server that repeats none | {len({c.text for c in found}):,} |")
    print(f"| requests, as the server counts and as the record does | {requests:,}, {len(sent):,} |")
    print(f"| of them failed as planned | {failed:,} ({failed / requests:.1%}) |")
    print(f"| while it wanted to be left alone | {counted.get('early', 0):,} |")
    print(
        f"| above the necessary, with {tried} to find out what the server does | {above:,} ({above / (number + failed):.2%}) |"
    )
    print(
        f"| memory at a tenth, half and all of the candidates, MB | {', '.join(f'{memory[t]:.0f}' for t in (1, 5, 10))} |"
    )
    print(f"| seconds | {seconds:.0f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
