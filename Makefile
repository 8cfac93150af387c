# make demo      fill three photos, with nothing installed but Python 3.11+ and make
# make test      the whole test suite            make test-slow  with the slow tests too
# make app       the web app                      make test-web   the tests of page and API
# make check     format, lint, types and tests   make bench      the benchmarks
# make bench-clicks   how well clicks find objects
# make bench-report   compare engines, and write docs/report
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

.PHONY: help demo picture app test test-web test-slow browser check bench bench-clicks bench-report clean

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

$(VENV)/.web: $(VENV)/.base
	@echo "installing the web app (once)"
	@$(PIP) -e '.[web]'
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

# The reference of the HTTP API, from the code.
docs/api.md: $(VENV)/.web
	@$(BIN)/python -m infill.api.reference > docs/api.md

# The table of engines, from their cards.
docs/techniques.md: $(VENV)/.base
	@$(BIN)/python -m infill.bench.techniques > docs/techniques.md

# The picture at the top of the README.
picture: $(VENV)/.base
	@mkdir -p docs/images
	@$(BIN)/infill demo --output out/demo --sheet docs/images/demo.jpg

# The web app at http://127.0.0.1:7860, and the HTTP API on the same port.
app: $(VENV)/.web
	@$(BIN)/infill app --open

test: $(VENV)/.test browser
	@$(BIN)/python -m pytest -q -m "not slow" $(TESTS)

test-web: $(VENV)/.test browser
	@$(BIN)/python -m pytest -q -rs tests/web tests/api

# The browser that drives the page's tests; where it cannot be had they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || test -n "$(INFILL_CHROMIUM)" || { \
	  echo "installing Debian's chromium for the tests of the page (once)"; \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	    >/dev/null 2>&1 || echo "chromium is missing and apt could not install it:" \
	    "the tests of the page are skipped (name another one with INFILL_CHROMIUM)"; }

test-slow: $(VENV)/.test browser
	@$(BIN)/python -m pytest -q $(TESTS)

check: $(VENV)/.dev browser
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy src
	@$(BIN)/python -m pytest -q -m "not slow" $(TESTS)

# INFILL_BENCH names the folder of photos and masks; BENCH="--photos 8" passes options on.
BENCH_PHOTOS := $(wildcard ../shared/bench/photos)
bench: $(VENV)/.test
	@$(if $(INFILL_BENCH),,$(if $(BENCH_PHOTOS),INFILL_BENCH=$(BENCH_PHOTOS))) \
	  $(if $(INFILL_BENCH_CLICKS),,$(if $(BENCH_CLICKS),INFILL_BENCH_CLICKS=$(BENCH_CLICKS))) \
	  $(BIN)/python -m benchmarks $(BENCH)

# INFILL_BENCH_CLICKS names the folder of clicks.csv and of the photos it speaks of.
BENCH_CLICKS := $(wildcard ../shared/bench)
bench-clicks: $(VENV)/.test
	@$(if $(INFILL_BENCH_CLICKS),,$(if $(BENCH_CLICKS),INFILL_BENCH_CLICKS=$(BENCH_CLICKS))) \
	  $(BIN)/python -m benchmarks.clicks $(BENCH)

# The report of the engines that need no download; REPORT="--restart" passes options on.
bench-report: $(VENV)/.test
	@$(if $(INFILL_BENCH),,$(if $(BENCH_PHOTOS),INFILL_BENCH=$(BENCH_PHOTOS))) \
	  $(BIN)/python -m benchmarks.report $(REPORT)

clean:
	rm -rf $(VENV) out build dist .make .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
