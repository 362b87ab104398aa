# Every target sets itself up: a fresh clone needs python3 (3.11-3.13) and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_DIR ?= demo-study

.PHONY: help install lock lint format test test-faults test-servers test-browser servers browser quality demo clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP)  ## build .venv from requirements.lock

$(STAMP): $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.locked: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "citystudy needs Python 3.11, 3.12 or 3.13; found " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	touch $@

lock:  ## resolve requirements.lock anew (needs a package index)
	printf "sentence-transformers\nrfc3987\n" | $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --group dev --no-annotate \
		--no-header --no-emit-index-url --no-emit-find-links --upgrade \
		--excludes /dev/stdin pyproject.toml -o requirements.lock

lint: $(STAMP)  ## format check, lint, types, rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(STAMP)  ## the tests that need neither server nor network
	$(BIN)/pytest

test-faults: $(STAMP)  ## every fault and SIGKILL against every source (slow)
	$(BIN)/pytest -m slow --dist load

servers:  ## install what the real-server tests need (packages of Debian, npm and PyPI, as root)
	tests/servers/install.sh

browser: $(STAMP)  ## install what the browser tests need (Debian packages, as root)
	apt-get update -q && apt-get install -yq chromium fonts-noto-core fonts-noto-color-emoji

test-servers: $(STAMP)  ## spiders against real servers on loopback
	$(BIN)/pytest -m servers

test-browser: $(STAMP)  ## the report in a real browser
	$(BIN)/pytest -m browser

quality: $(STAMP)  ## whether the coder's cross-validated figures have fallen (needs the shared data; slow)
	$(BIN)/python -m benchmarks.coding --check

demo: $(STAMP)  ## gather, analyse and report four cities from a server on this machine
	$(BIN)/citystudy demo --folder $(DEMO_DIR)

clean:  ## remove what can be made again
	rm -rf $(VENV) $(DEMO_DIR) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
