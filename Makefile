# Everything installs into .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What `make serve` needs, and what all other targets need besides.
RUNTIME := $(VENV)/.runtime
INSTALLED := $(VENV)/.installed
LOWEST := .venv-lowest
LOWEST_UV := VIRTUAL_ENV=$(LOWEST) $(LOWEST)/bin/uv --quiet pip
# The tools of those tests; what they test is as old as it may be.
LOWEST_TOOLS := freezegun hypothesis httpx pytest pytest-timeout pytest-xdist respx
LOWEST_TESTS := tests/protocol tests/tasks tests/images/test_formats.py tests/images/test_sizes.py \
	tests/process/test_schema.py tests/process/test_settings.py
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: serve test test-all test-rest test-lowest check format sdks bench bench-scale replicas soak \
	screenshots dist lock clean

serve: $(RUNTIME)  ## start the server; ARGS="--port 0 --in-memory" passes flags
	$(BIN)/runware-mock serve $(ARGS)

test: $(INSTALLED)  ## run the tests that need no SDK, browser or second database; ARGS="-k upload" passes flags
	$(BIN)/pytest -n auto -m "not full" $(ARGS)

test-all: $(INSTALLED) sdks  ## run every test, and measure what they cover
	$(BIN)/pytest -n auto --cov --cov-report=term $(ARGS)

test-rest: $(INSTALLED) sdks  ## run what `make test-all` runs and `make test` does not
	$(BIN)/pytest -n auto -m full $(ARGS)

test-lowest:  ## run the tests of protocol and storage on the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST_UV) install --resolution lowest-direct --editable '.[postgres,s3,tls,uvloop,vips]'
	$(LOWEST_UV) freeze --exclude-editable > $(LOWEST)/lowest.txt
	$(LOWEST_UV) install --constraint $(LOWEST)/lowest.txt $(LOWEST_TOOLS)
	$(LOWEST)/bin/pytest -n auto -m "not full" $(LOWEST_TESTS) $(ARGS)

check: $(INSTALLED)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)  ## write the format that check wants
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

sdks: $(INSTALLED)  ## install the official SDKs, each into an environment of its own
	$(BIN)/python tests/sdks/install.py

bench: $(INSTALLED)  ## compare speed with the peers, in at most ten minutes; ARGS="--only photo" measures less
	$(BIN)/python -m bench $(ARGS)

bench-scale: $(INSTALLED)  ## measure growth up to a million media, and memory; takes a few minutes
	$(BIN)/python -m bench.scale $(ARGS)

replicas: $(INSTALLED) sdks  ## kill replicas while the SDKs use them; ARGS="--calls 600" does less
	$(BIN)/python -m soak.replicas $(ARGS)

soak: $(INSTALLED)  ## some minutes of everything at once; ARGS="--minutes 1" for less
	$(BIN)/python -m soak $(ARGS)

screenshots: $(INSTALLED)  ## take the pictures of the page that the README shows; needs Chromium
	$(BIN)/python docs/screenshots.py

lock: $(INSTALLED)  ## pin the newest versions; no address of an index is written
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate --no-header \
		--no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock

dist: $(BIN)/python  ## build a wheel and an sdist, and check them
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build twine
	rm -rf dist
	$(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*

clean:  ## remove what make has made
	rm -rf $(VENV) $(LOWEST) .sdks .bench build dist *.egg-info server/*.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "runware-mock needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python $(PIP_INSTALL) --editable '.[tls,uvloop,vips]'
	touch $@

$(INSTALLED): pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python $(PIP_INSTALL) --editable '.[dev]'
	touch $(RUNTIME) $@
