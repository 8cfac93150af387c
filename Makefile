# make demo      fill three photos, with nothing installed but Python 3.11+ and make
# make test      the whole test suite            make test-slow  with the slow tests too
# make check     format, lint, types and tests   make bench      the benchmark
# make clean     remove .venv and all that was made
#
# PYTHON=/path/to/python3.12 chooses the interpreter; TESTS=tests/cli runs some of the tests.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VENV ?= .venv
TESTS ?= tests
BIN := $(VENV)/bin
NEEDS := pyproject.toml constraints.txt
PIP := PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet \
	--disable-pip-version-check --no-warn-script-location

.PHONY: help demo picture test test-slow check bench clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

# Stamps: each says what is installed in the environment, and is renewed when the needs change.
$(VENV)/.python:
	@python="$(PYTHON)"; \
	for found in $${python:-python3 python3.13 python3.12 python3.11}; do \
	  if "$$found" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	    >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$("$$found" --version)"; \
	    "$$found" -m venv $(VENV) && touch $@ && exit 0; exit 1; \
	  fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 that can make environments was found" \
	  "(looked for: $${python:-python3 python3.13 python3.12 python3.11})." >&2; \
	echo "Install one (on Debian and Ubuntu: apt install python3 python3-venv)," \
	  "or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1

$(VENV)/.base: $(VENV)/.python $(NEEDS)
	@echo "installing infill and what it needs into $(VENV) (once)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.base
	@echo "installing what the tests need (once)"
	@$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@echo "installing ruff and mypy (once)"
	@$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.base
	@$(BIN)/infill demo --output out/demo

# The picture at the top of the README.
picture: $(VENV)/.base
	@mkdir -p docs/images
	@$(BIN)/infill demo --output out/demo --sheet docs/images/demo.jpg

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q -m "not slow" $(TESTS)

test-slow: $(VENV)/.test
	@$(BIN)/python -m pytest -q $(TESTS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy src
	@$(BIN)/python -m pytest -q -m "not slow" $(TESTS)

# INFILL_BENCH names the folder of photos and masks; BENCH="--photos 8" passes options on.
BENCH_PHOTOS := $(wildcard ../shared/bench/photos)
bench: $(VENV)/.test
	@$(if $(INFILL_BENCH),,$(if $(BENCH_PHOTOS),INFILL_BENCH=$(BENCH_PHOTOS))) \
	  $(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) out build dist .make .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
