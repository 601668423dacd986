# Two commands are all a newcomer needs; both do their own set-up, once:
#
#   make demo     watch a small model learn cells in napari (no screen: a screenshot and files in demo-output/)
#   make test     every check but the tests that take long (make slow)
#
# PYTHON=python3.12 chooses an interpreter (3.11 or newer), CHECKS="tests/cli -k train" a part of the tests,
# WORKERS=4 how many files of tests run at once.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKS ?=
WORKERS ?= 2
OUT ?= demo-output

.PHONY: help setup display demo test check lint types imports manifest pytest slow format screenshots bench build constraints clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) display  ## the virtual environment and, on Debian, the display libraries

# Made again when what it is made from changes.
$(READY): pyproject.toml constraints.txt tools/make_venv
	@PYTHON="$(PYTHON)" tools/make_venv $(VENV)
	@touch $@

display:
	@tools/display_libraries

demo: setup  ## the main job on built-in sample data
	$(BIN)/cellsynth demo --out $(OUT)

test: setup  ## the checks: style, types, imports, manifest, tests
	@$(MAKE) --no-print-directory check

check: lint types imports manifest pytest

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

manifest:
	$(BIN)/npe2 validate napari-cellsynth

pytest:
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(CHECKS)

slow: setup  ## the tests that are too long for make test
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --slow -m slow $(CHECKS)

format: $(READY)  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: setup  ## the pictures of the docs, made anew
	$(BIN)/python docs/make_screenshots.py

bench: setup  ## the benchmarks of docs/benchmarks.md (minutes)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

build: $(READY)  ## wheel and sdist in dist/
	$(BIN)/python -m build

constraints: $(READY)  ## write down the versions that are installed now
	@tools/write_constraints $(BIN)/python > constraints.txt.new && mv constraints.txt.new constraints.txt && touch $(READY)

clean:  ## the virtual environment and everything made
	rm -rf $(VENV) build dist demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
