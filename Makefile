# The two commands are `make build` and `make test`; `make help` lists the rest.
# PYTHON names the interpreter that makes the virtual environment: make build PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help build test prove lint lint-style lint-types docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(VENV)/built-from-requirements ## Build the warehouse, publish it and show one user's similar users
	@$(BIN)/dbt build
	@$(BIN)/kindred similar

# A file at a time in the order of their names: by default those of few tests, however long, would come last, where one
# of the two workers waits for the other.
test: $(VENV)/built-from-requirements-dev ## Run all that CI runs: linters, unit tests, data tests, end-to-end tests, coverage
	@$(MAKE) --no-print-directory lint
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

prove: $(VENV)/built-from-requirements-dev ## Run the longer tests: times at 10,000 users, more kills, more stores, phones
	@$(BIN)/pytest -m proof -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/built-from-requirements-dev ## Check the style of Python and SQL, and Python's types
	@$(MAKE) --no-print-directory --jobs 2 lint-style lint-types

lint-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint --disable-progress-bar models tests analyses
	@$(BIN)/sqlfluff lint --templater placeholder --disable-progress-bar python/kindred/dashboard/queries

lint-types:
	@$(BIN)/mypy

docs: $(VENV)/built-from-requirements ## Write the catalogue of all tables as one page (after a first build if there is none yet)
	@test -e target/kindred_build.duckdb || $(MAKE) --no-print-directory build
	@$(BIN)/dbt docs generate --static
	@echo "The catalogue is one file, which needs no server: open $(CURDIR)/target/static_index.html in a browser."

lock: ## Bring the lock files up to pyproject.toml (needs uv on the path); UPGRADE=--upgrade takes the latest versions
	uv pip compile $(LOCK_OPTIONS) $(UPGRADE) --extra dev --extra build --extra scale --extra serve --extra dashboard --extra metrics --extra postgres --extra aws pyproject.toml -o requirements-dev.lock
	uv pip compile $(LOCK_OPTIONS) -c requirements-dev.lock --extra build --extra scale pyproject.toml -o requirements.lock
	uv pip compile $(LOCK_OPTIONS) -c requirements-dev.lock --extra scale --extra peers pyproject.toml -o requirements-peers.lock

clean: ## Remove the virtual environment and what dbt wrote; the published warehouse stays
	rm -rf $(VENV) target logs .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage .coverage.*

# The environment is made from a lock file when it is missing or older than the file. Nothing is cached at home.
$(VENV)/built-from-%: %.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Kindred needs Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) --version 2>&1): name another with PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) from $< (a minute or so)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check -r $<
	@$(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
