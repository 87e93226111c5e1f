# Everything that a person types here sets itself up first; nothing but Python >= 3.11 and make has to be there.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# standard output belongs to the commands: what make itself has to say goes to standard error
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS   ?=

.PHONY: help demo serve test trials bench check format lock clean
help:            ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "xueshi needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. On Debian or Ubuntu: apt install python3-venv" >&2; exit 2; }
	@echo "Installing into $(VENV) (once) ..." >&2
	@$(PIP) --require-hashes -r requirements.lock >&2
	@$(PIP) --no-build-isolation --no-deps --editable . >&2
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what working on it needs (once) ..." >&2
	@$(PIP) --require-hashes -r requirements-dev.lock >&2
	@touch $@

demo: $(VENV)/.run   ## the whole way on what a real Moodle answered, then the portal (ARGS="--once --json")
	@$(BIN)/xueshi demo $(ARGS)

serve: $(VENV)/.run  ## the portal at http://127.0.0.1:8000
	@$(BIN)/xueshi serve $(ARGS)

# Code that is compiled once, and not by every process anew: tests start many, and pytest rewrites each of its files
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev   ## all tests, in any order, in parallel
	@$(BIN)/python -m pytest -n auto $(ARGS)

trials: $(VENV)/.dev ## kill -9 and every fault on the way, done for real; about 20 minutes (ARGS="--seed 7 --only kills")
	@$(BIN)/python -m tests.trials $(ARGS)

bench: $(VENV)/.dev  ## speed and memory beside a peer; writes docs/benchmarks.md and var/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

check: $(VENV)/.dev  ## ruff, mypy, import-linter, migrations, mappings
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -W ignore::RuntimeWarning -m django makemigrations --check --dry-run --settings agent.settings
	@$(BIN)/xueshi mapping lint

format: $(VENV)/.dev ## put the code in shape
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

lock: $(VENV)/.dev   ## take the newest versions of everything into the lock files
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	@deploy/lock.sh $(VENV)/lock/bin/uv

clean:           ## remove what make made (not var/: that is data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
