# make fig5   sets up and runs the main job: the smoke case, its table and its figure
# make test   sets up and passes the tests
# make bench  a hand-written script against us, minutes; BENCH=--full for the real work, hours

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# GPAW is compiled while the other packages are downloaded.
MAKEFLAGS += --jobs=2 --no-print-directory
.PHONY: fig5 test bench lint clean

fig5: $(VENV)/.installed
	@$(BIN)/sodiophile run smoke --into runs/smoke

test: lint $(VENV)/.installed-dev
	@$(BIN)/python -m pytest

bench: $(VENV)/.installed
	@$(BIN)/python -m tests.benchmarks.bench $(BENCH)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

$(VENV)/.python:
	@echo "setting up $(VENV): a few minutes, once"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python >= 3.11 is needed")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# No cache: a wheel compiled before a library was there would do without it for ever.
$(VENV)/.gpaw: $(VENV)/.python siteconfig.py constraints.txt
	@echo "compiling GPAW"
	@rm -rf $(VENV)/wheels
	@GPAW_CONFIG='$(CURDIR)/siteconfig.py' PIP_CONSTRAINT='$(CURDIR)/constraints.txt' \
	    $(PIP) wheel --no-deps --no-cache-dir --wheel-dir $(VENV)/wheels gpaw > $(VENV)/gpaw.txt 2>&1 \
	    || { tail -n 30 $(VENV)/gpaw.txt; echo "GPAW did not compile; all of it: $(VENV)/gpaw.txt"; exit 1; }
	@touch $@

$(VENV)/.libraries: $(VENV)/.python constraints.txt
	@echo "installing libraries"
	@grep -v '^gpaw==' constraints.txt | $(PIP) install --no-deps --requirement /dev/stdin
	@touch $@

$(VENV)/.installed: $(VENV)/.gpaw $(VENV)/.libraries pyproject.toml
	@$(PIP) install --no-deps --no-index --force-reinstall $(VENV)/wheels/gpaw-*.whl
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed constraints-dev.txt
	@echo "installing tools for tests"
	@$(PIP) install --no-deps --requirement constraints-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
