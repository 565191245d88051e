# Everything runs from a fresh clone; there is no environment to activate and no setup step.
#
#   make demo     run notebooks/01_penguins.ipynb, edit one cell, run again: what ran, and why
#   make lab      open JupyterLab on that notebook
#   make lite     build the course as a site that needs no installation (JupyterLite)
#   make test     every quality gate
#   make fuzz     what is random, for longer: 200 runs and 200 writers killed, 30,000 notebooks edited
#   make bench    the benchmarks, against the floor and against peers
#   make clean    remove what these made
#
# PYTHON chooses the interpreter: make test PYTHON=python3.13

PYTHON ?= python3

# "3.13 /path/to/python3.13". A pyenv shim runs only where its version is selected, so select it.
IDENTIFY := -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)'
FOUND := $(shell $(PYTHON) $(IDENTIFY) 2>/dev/null || \
	PYENV_VERSION=$$(pyenv whence $(PYTHON) 2>/dev/null | tail -n 1) $(PYTHON) $(IDENTIFY) 2>/dev/null)
VERSION := $(firstword $(FOUND))
VENV := .venv-$(VERSION)
PY := $(VENV)/bin/python
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# One process more than there are cores, since tests wait a quarter of their time; four at most.
PARALLEL := --maxprocesses 4 --numprocesses $$($(PY) -c 'import os; print(os.cpu_count() + 1)')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_QUIET := 2

heading = @printf '\n== %s\n' "$(1)"

.PRECIOUS: $(VENV)/%.ready
.PHONY: demo lab lite test fuzz bench browser clean

demo: $(VENV)/demo.ready
	@$(PY) notebooks/demo.py

lab: $(VENV)/demo.ready
	@$(PY) -m jupyterlab $(AS_ROOT) notebooks/01_penguins.ipynb

lite: $(VENV)/lite.ready
	@$(PY) notebooks/lite/build.py build/lite

test: $(VENV)/dev.ready browser
	$(call heading,Format)
	@$(PY) -m ruff format --check .
	$(call heading,Lint)
	@$(PY) -m ruff check .
	$(call heading,Types)
	@$(PY) -m mypy
	$(call heading,Tests and doctests)
	@$(PY) -m pytest -q $(PARALLEL)
	$(call heading,Notebooks)
	@DAGNB_STORE=off $(PY) -m pytest -q $(PARALLEL) --dist loadfile --nbval-lax notebooks
	$(call heading,Browser)
	@$(PY) -m pytest -q $(PARALLEL) tests/browser

fuzz: $(VENV)/dev.ready
	@DAGNB_KILLS=200 $(PY) -m pytest -q tests/run/test_killed.py tests/values/test_store_killed.py tests/project/test_killed.py
	@DAGNB_EXAMPLES=30000 $(PY) -m pytest -q tests/laws/test_model.py

bench: $(VENV)/bench.ready
	@$(PY) -m benchmarks

# A browser for the tests: the one on PATH, else the distribution's, else playwright's own.
browser: $(VENV)/dev.ready
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	|| command -v google-chrome >/dev/null \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "Installing chromium" \
	     && apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium >/dev/null; } \
	|| $(PY) -m playwright install chromium

# One environment, filled by the extras of pyproject.toml: demo, lite, dev (for the tests), bench (peers).
$(VENV)/%.ready: pyproject.toml $(VENV)/made
	@echo "Installing what $* needs into $(VENV); the first time takes a minute or two"
	@$(PY) -m pip install --editable '.[$*]'
	@touch $@

$(VENV)/made:
	@test -n "$(VERSION)" || { echo "PYTHON=$(PYTHON) does not run here; name another interpreter, \
	e.g. make test PYTHON=python3.12" >&2; exit 2; }
	@$(lastword $(FOUND)) -m venv --clear $(VENV)
	@touch $@

clean:
	rm -rf build dist .venv-* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
