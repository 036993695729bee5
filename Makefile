# Everything happens inside .venv; nothing is installed elsewhere. `make` alone lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test kit matrix lint bench docs changelog constraints openapi clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
PROJECTS := $(wildcard packages/*/pyproject.toml)
EDITABLES := $(foreach project,$(PROJECTS),--editable ./$(patsubst %/pyproject.toml,%,$(project)))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp ## make .venv with everything a developer needs (the other targets do it when needed)

demo: $(VENV)/demo.stamp ## pay by phone, card and PayPal step by step, then serve on 127.0.0.1:8000; ONCE=1 stops after them
	@$(BIN)/python sandbox_project/demo.py

test: $(VENV)/dev.stamp ## run the tests on SQLite and on every server that answers; DB="sqlite mariadb" ARGS="tests/sim -k push"
	@$(BIN)/python scripts/run_tests.py $(DB) -- $(ARGS)

kit: $(VENV)/dev.stamp ## check every provider and every provider broken on purpose against the contract; ONLY="mpesa mutants"
	@$(BIN)/python scripts/run_kit.py $(ONLY)

matrix: $(VENV)/dev.stamp ## call every operation of the API and every page as everybody; prints routes x actors and the cells
	@$(BIN)/python -m pytest -q tests/matrix --matrix

lint: $(VENV)/dev.stamp ## check style, types, imports, migrations, sizes, dependencies; ONLY="ruff types"
	@$(BIN)/python scripts/lint.py $(ONLY)

bench: $(VENV)/dev.stamp ## measure against the floor; ONLY=accept for one job
	@$(BIN)/python benchmarks/run.py $(ONLY)

docs: $(VENV)/dev.stamp ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

changelog: $(VENV)/dev.stamp ## show what the fragments of changelog.d/ will say
	@$(BIN)/towncrier build --draft --version next

constraints: $(VENV)/dev.stamp ## pin the newest versions that fit together into constraints.txt
	@scripts/compile_constraints.sh

openapi: $(VENV)/dev.stamp ## write the committed snapshot of the API description anew
	@PYTHONPATH=. $(BIN)/python scripts/export_openapi.py

clean: ## remove .venv and everything that was built
	@rm -rf $(VENV) .tox build dist site htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$(PYTHON="$(PYTHON)" sh scripts/find_python.sh) && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV)

# The stamps are as new as the last installation: it is done again only when what it depends on has changed.
$(VENV)/demo.stamp: constraints.txt requirements-demo.in $(PROJECTS) | $(BIN)/python
	@echo "Installing what the sandbox needs (once; about a minute)"
	@$(PIP) install --constraint constraints.txt --requirement requirements-demo.in $(EDITABLES)
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp requirements-dev.in
	@echo "Installing what a developer needs (once; about two minutes)"
	@$(PIP) install --constraint constraints.txt --requirement requirements-dev.in
	@touch $@
