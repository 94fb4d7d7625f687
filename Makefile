# make fig5   sets up and runs the main job: the smoke case, its table and its figure
# make test   sets up and passes the tests
# make measured  what `sodiophile cycling` and Bio-Logic's files need (the extra `measured`)
# make docs   the documentation as a site, in site/
# make bench  a hand-written script against us, minutes; BENCH=--full for the real work, hours

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# No file that is downloaded is used unless its hash stands in constraints*.txt.
CHECKED := --require-hashes --no-deps --no-build-isolation --use-pep517 --requirement
# the packages in constraints.txt whose line fulfils a condition of awk, with their hashes
packages = awk '/^[a-z]/ { on = $(1) } on' constraints.txt

MAKEFLAGS += --no-print-directory
.PHONY: fig5 test measured docs bench lint constraints clean

fig5: $(VENV)/.installed
	@$(BIN)/sodiophile run smoke --into runs/smoke

# A file's tests share what is costly (a run of GPAW, a cluster, a browser), so one worker does them.
test: lint $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder --cov

docs: $(VENV)/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

measured: $(VENV)/.measured

bench: $(VENV)/.installed
	@$(BIN)/python -m tests.benchmarks.bench $(BENCH)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# After a change in pyproject.toml, or for newer versions: make constraints UV="uv pip compile --upgrade"
UV ?= uv pip compile
constraints:
	@$(UV) --quiet pyproject.toml --group build --output-file constraints.txt
	@$(UV) --quiet --group dev --constraints constraints.txt --output-file constraints-dev.txt
	@$(UV) --quiet --group docs --constraints constraints.txt --constraints constraints-dev.txt \
	    --output-file constraints-docs.txt
	@$(UV) --quiet --group measured --constraints constraints.txt --constraints constraints-dev.txt \
	    --output-file constraints-measured.txt
	@$(UV) --quiet pyproject.toml --extra mlip --constraints constraints.txt \
	    --constraints constraints-dev.txt --output-file constraints-mlip.txt

$(VENV)/.python: constraints.txt
	@echo "setting up $(VENV): a few minutes, once"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python >= 3.11 is needed")'
	@$(PYTHON) -m venv $(VENV)
	@$(call packages,/^setuptools==/) | $(PIP) install $(CHECKED) /dev/stdin
	@touch $@

$(VENV)/.tools: $(VENV)/.python constraints-dev.txt
	@echo "installing tools for tests"
	@$(PIP) install $(CHECKED) constraints-dev.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.python constraints-docs.txt
	@echo "installing tools for the documentation"
	@$(PIP) install $(CHECKED) constraints-docs.txt
	@touch $@

$(VENV)/.libraries: $(VENV)/.python constraints.txt
	@echo "installing libraries"
	@$(call packages,!/^gpaw==/) | $(PIP) install $(CHECKED) /dev/stdin
	@touch $@

$(VENV)/.measured: $(VENV)/.libraries constraints-measured.txt
	@echo "installing cellpy and galvani"
	@$(PIP) install $(CHECKED) constraints-measured.txt
	@touch $@

# The tools for tests bring an MPI; one that the machine has goes before it. `make fig5` needs none.
# No cache: a wheel compiled before a library was there would do without it for ever.
$(VENV)/.gpaw: $(VENV)/.libraries siteconfig.py | $(if $(filter test,$(MAKECMDGOALS)),$(VENV)/.tools)
	@echo "compiling GPAW"
	@rm -rf $(VENV)/wheels
	@$(call packages,/^gpaw==/) | PATH="$$PATH:$(CURDIR)/$(BIN)" GPAW_CONFIG="$(CURDIR)/siteconfig.py" \
	    $(PIP) wheel --no-cache-dir --wheel-dir $(VENV)/wheels $(CHECKED) /dev/stdin > $(VENV)/gpaw.txt 2>&1 \
	    || { tail -n 30 $(VENV)/gpaw.txt; echo "GPAW did not compile; all of it: $(VENV)/gpaw.txt"; exit 1; }
	@$(PIP) install --no-deps --no-index --force-reinstall $(VENV)/wheels/gpaw-*.whl
	@touch $@

$(VENV)/.installed: $(VENV)/.gpaw pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed $(VENV)/.tools $(VENV)/.measured $(VENV)/.docs
	@touch $@

clean:
	rm -rf $(VENV) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
