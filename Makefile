# Every target makes `.venv` first, from the locked versions, with any Python >= 3.11.
PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.8
QUICKSTART := examples/quickstart.yaml

# One thread a process: the parallelism is over labels and test files.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: run test bench lint lock clean

run: $(STAMP)
	@$(BIN)/vitrion potentials install nep89 \
	  || echo "NEP89 cannot be had here: going on with CHGNet, on a smaller campaign"
	@$(BIN)/vitrion campaign run $(QUICKSTART)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

bench: $(STAMP)
	@mkdir -p bench-results
	@set -e; for file in benchmarks/*.py; do \
	  echo "== $$file"; \
	  $(BIN)/python $$file > bench-results/$$(basename $$file .py).jsonl; \
	  cat bench-results/$$(basename $$file .py).jsonl; \
	done

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Versions only: whatever names an index or an option is dropped.
lock: $(BIN)/uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
	  --extra nep --extra mp --extra mace --extra md --group dev pyproject.toml -o requirements.lock
	sed -i '/^-/d' requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench-results build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "make: $(PYTHON) is absent or older than Python 3.11: give one, e.g. make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(STAMP): requirements.lock pyproject.toml | $(BIN)/uv
	@echo "installing the locked versions into $(VENV)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@
