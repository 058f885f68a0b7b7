# Everything installs into .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: serve test check format statements sdks bench bench-scale replicas soak screenshots lock clean

serve: $(INSTALLED)  ## start the server; ARGS="--port 0 --in-memory" passes flags
	$(BIN)/runware-mock serve $(ARGS)

test: $(INSTALLED) sdks  ## run every test; ARGS="-k upload" passes flags
	$(BIN)/pytest -n auto --cov --cov-report=term $(ARGS)

check: $(INSTALLED)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)  ## write the format that check wants
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

statements: $(INSTALLED)  ## compile for SQLite what storage/statements asks
	$(BIN)/python -m runware_mock.storage.statements

sdks: $(INSTALLED)  ## install the official SDKs, each into an environment of its own
	$(BIN)/python tests/sdks/install.py

bench: $(INSTALLED)  ## compare speed with the peers, in at most ten minutes; ARGS="--only photo" measures less
	$(BIN)/python -m bench $(ARGS)

bench-scale: $(INSTALLED)  ## measure growth up to a million media, and memory; takes a few minutes
	$(BIN)/python -m bench.scale $(ARGS)

replicas: $(INSTALLED) sdks  ## kill replicas while the SDKs use them; ARGS="--calls 600" does less, --write writes soak/REPLICAS.md
	$(BIN)/python -m soak.replicas $(ARGS)

soak: $(INSTALLED)  ## ten minutes of everything at once; ARGS="--minutes 1" for less, --write writes soak/SOAK.md
	$(BIN)/python -m soak $(ARGS)

screenshots: $(INSTALLED)  ## take the pictures of the page that the README shows; needs Chromium
	$(BIN)/python docs/screenshots.py

lock: $(INSTALLED)  ## pin the newest versions; no address of an index is written
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate --no-header \
		--no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock

clean:  ## remove what make has made
	rm -rf $(VENV) .sdks build dist *.egg-info server/*.egg-info

$(INSTALLED): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "runware-mock needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	touch $@
