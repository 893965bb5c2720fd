PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := api c8s examples hooks logbuffer schemas tests webhook

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench e2e gauntlet fuzz search scale lock clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-8s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the virtual environment from the lock file

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("c8s needs Python 3.11 or newer: make PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	@echo "setting up $(VENV) (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## a real push becomes a finished run on a local cluster
	@$(BIN)/python -m examples.demo.demo

test: setup ## all tests
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

check: setup ## format, lint, types, import rules, generated files
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check

fix: setup ## format, mend what the linter can, generate files anew
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/python -m schemas.generate

e2e: setup ## only the tests on a whole local cluster
	$(BIN)/pytest tests/cluster

gauntlet: setup ## 10,000 random schedules of what is known to lose logs (a few minutes)
	$(BIN)/python -m tests.logbuffer.gauntlet --schedules 10000

fuzz: setup ## 10 million random cases for the masker against a brute-force one (hours)
	$(BIN)/python -m tests.logs.fuzz --cases 10000000

search: setup ## a million injected faults for the planner, in virtual time (hours)
	$(BIN)/python -m tests.search --injections 1000000

scale: setup ## 10,000 runs on a simulated cluster on which 5 % of all attempts break (an hour)
	$(BIN)/python -m tests.search.scale --runs 10000

bench: setup ## measure: steps under load, hook calls a second, API writes a step, logs
	@$(BIN)/python -m tests.bench

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group local --group test --group check --group build pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    pyproject.toml -o requirements/service.txt

clean: ## remove the virtual environment and the local state
	rm -rf $(VENV) .c8s
