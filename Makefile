# Only Python 3.11 or newer, make and a package index are assumed.
PYTHON ?= python3
# Processes that run the tests; more than processors make those that measure wait.
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup tools try test check format lock schemas site clean

help:
	@echo "make try     set up, then run 'nines check' on the careless example"
	@echo "make test    set up, then run the tests"
	@echo "make check   ruff, mypy --strict and import-linter"
	@echo "make site    the documentation as pages to browse and search, below build/site"
	@echo "make tools   fetch what some tests check the dossier with, as far as it can be had"
	@echo "make lock    renew requirements.lock"

$(READY): requirements.lock pyproject.toml runtime/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "nines needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable runtime
	@touch $(READY)

setup: $(READY)

tools:
	@tools/install

try: $(READY)
	$(BIN)/nines check examples/payments-careless --format terminal --format html --output nines-report.html || test $$? -eq 1

test: $(READY)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The pins of nines, and those that come with every built service.
EXTRAS := --extra redis --extra graphql --extra grpc --extra kafka --extra nats
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml --group dev --output-file requirements.lock
	$(COMPILE) runtime/pyproject.toml $(EXTRAS) --constraint requirements.lock --output-file runtime/requirements.lock
	$(COMPILE) runtime/pyproject.toml runtime/tools.in $(EXTRAS) --extra laptop --constraint requirements.lock --output-file runtime/requirements-dev.lock

schemas: $(READY)
	$(BIN)/python -c "import msgspec; from nines.reports import json; print(msgspec.json.format(msgspec.json.encode(json.schema()), indent=2).decode())" > docs/schemas/report-1.json
	$(BIN)/nines design --schema > docs/schemas/blueprint-1.json
	$(BIN)/nines design --vocabulary > docs/blueprint.md
	$(BIN)/nines design --objections > docs/objections.md

site: $(READY)
	$(BIN)/python tools/site/build.py build/site

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .nines
