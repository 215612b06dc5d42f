# Two commands to know:
#
#   make app     opens the hub in a browser
#   make test    checks everything: style, types, tests (under CI=true the slow ones too)
#
# Each makes .venv and installs what is missing first. The plain-pip equivalents are in README.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help app test test-all lint format types web web-test browser bench spaces clean

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet
SAY := @printf '\033[1m==> %s\033[0m\n'

# The first Python that fits.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo "$$name" && break; done)

# Under CI the slow tests run too, and a missing browser is a failure.
SELECT := $(if $(filter true 1,$(CI)),-m "",)

help:
	@sed -n '/^# Two/,/^$$/s/^# \{0,1\}//p' Makefile

app: $(VENV)/.ready-app web
	$(SAY) "Starting Scorehub. Open the address below in a browser; Ctrl-C stops it."
	@$(PY) app.py $(FOLDERS)

test: lint types web-test browser
	$(SAY) "Running the tests"
	@$(PY) -m pytest $(SELECT) $(ARGS)

test-all: SELECT := -m ""
test-all: test

lint: $(VENV)/.ready-dev
	$(SAY) "Checking style (ruff)"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.ready-dev
	$(SAY) "Checking types (mypy)"
	@$(PY) -m mypy

format: $(VENV)/.ready-dev
	$(SAY) "Formatting (ruff)"
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV)/.ready-dev
	$(SAY) "Measuring; results go to benchmarks/results.json and docs/results.md"
	@$(PY) -m benchmarks

# The Spaces kept here: their own files written anew, the code and the models linked.
spaces: $(VENV)/.ready-app
	$(SAY) "Writing spaces/ from the cards in models/"
	@for space in spaces/*/; do $(PY) -m hub space "$$(basename "$$space")" -o "$$space" --link; done

# What the page runs in the browser, made of hub/ui/web. Where it cannot be made (no network, say),
# the page does without; under CI that is a failure.
WEB := hub/ui/web
WEB_BUILT := hub/ui/assets/built/version.txt
WEB_SOURCES := $(wildcard $(WEB)/package*.json $(WEB)/.npmrc $(WEB)/build.mjs $(WEB)/licenses/*) \
	$(shell find $(WEB)/src -type f)
OR_GO_ON := $(if $(filter true 1,$(CI)),,|| echo "==> Going on without the editor in the browser.")

web: $(WEB_BUILT)

$(WEB_BUILT): $(WEB_SOURCES) tools/build-web | $(VENV)/.ready-app
	$(SAY) "Building what the browser runs"
	@tools/build-web $(PY) $(OR_GO_ON)

web-test: $(WEB_BUILT)
	$(SAY) "Running the browser code's own tests (node --test)"
	@if [ -e $< ]; then tools/build-web $(PY) test; else echo "Left out: there is no Node.js."; fi

# The system's Chromium, else Playwright's own, else Debian's where it may be installed. Without
# one the browser tests are skipped (and fail under CI).
browser: $(VENV)/.ready-dev
	@tools/find-browser $(PY)

clean:
	$(SAY) "Removing caches (not $(VENV))"
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

$(PY):
	@if [ -z "$(PYTHON)" ]; then \
		echo "Scorehub needs Python 3.11, 3.12 or 3.13, and none was found." \
			"Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; fi
	@if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$(PYTHON) cannot make virtual environments: its venv or ensurepip module is missing." \
			"On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; fi
	$(SAY) "Making $(VENV) with $$($(PYTHON) --version)"
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.ready-app: requirements.txt requirements-nodeps.txt constraints.txt pyproject.toml | $(PY)
	$(SAY) "Installing requirements.txt (some minutes the first time)"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --only-binary :all: -r requirements-nodeps.txt \
		|| echo "No tinysoundfont for this machine; sound then needs FluidSynth or is plain."
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready-app
	$(SAY) "Installing requirements-dev.txt"
	@$(PIP) -r requirements-dev.txt
	@touch $@
