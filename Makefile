# Needs python3 and make; everything else is put into .venv, and data into var/.
.DEFAULT_GOAL := help
.PHONY: help run dev test lint screenshots bench bench-linker bench-pages bench-search messages locks clean

PYTHON ?= python3
PORT ?= 8000
export PORT
VENV_PYTHON := .venv/bin/python

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# exec: a signal sent to make reaches the server itself, with no shell in between.
run: ## Serve the site on PORT (8000), as in production.
	@$(PYTHON) scripts/bootstrap.py
	@exec $(VENV_PYTHON) scripts/run.py

dev: ## Serve with DEBUG and reload changed code.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/run.py --dev

test: ## Run all checks and tests; ARGS="-k word" goes to pytest.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/test.py $(ARGS)

lint: ## Run only the checks: style, types, imports, templates, migrations.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/test.py --checks-only

screenshots: ## Take the pictures in docs/; ARGS="home" takes those whose name begins so.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/screenshots.py $(ARGS)

bench: ## Measure composing, pages and search on a database of its own.
	@$(PYTHON) scripts/bootstrap.py
	@exec $(VENV_PYTHON) scripts/bench.py $(ARGS)

bench-linker: ## Measure the linker; ARGS="--essays 1000 10000" sets the sizes.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/bench_linker.py $(ARGS)

bench-pages: ## Measure pages as readers get them, beside nginx and a plain file.
	@$(PYTHON) scripts/bootstrap.py
	@exec $(VENV_PYTHON) scripts/bench_pages.py $(ARGS)

bench-search: ## Measure searches on both engines; ARGS="--essays 1000 10000" sets the sizes.
	@$(PYTHON) scripts/bootstrap.py
	@exec $(VENV_PYTHON) scripts/bench_search.py $(ARGS)

messages: ## Bring the catalogues in locale/ in step with the texts, and compile them.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(VENV_PYTHON) scripts/messages.py

locks: ## Renew the lock files within the bounds of pyproject.toml.
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/pip install --quiet --disable-pip-version-check uv
	@build/uv/bin/uv lock --quiet --upgrade
	@build/uv/bin/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --no-dev -o requirements.lock
	@build/uv/bin/uv export --quiet --frozen --no-emit-project --no-header --no-annotate -o requirements-dev.lock

clean: ## Remove what can be made again; var/ holds your data and stays.
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './node_modules/*' -prune -exec rm -rf {} +
