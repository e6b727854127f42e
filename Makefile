# Mercato: `make run` starts the whole shop, `make test` proves it.
.DEFAULT_GOAL := help
.PHONY: help run install install-dev check test compose-verify chromium proxies format lock bench clean

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/bin/uv
APT := DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y
SERVICES := gateway wallet catalog_category catalog_product catalog_variant banner
PACKAGES := chassis $(SERVICES) cli
EDITABLE := $(addprefix -e ./,$(PACKAGES))
PROJECTS := $(addsuffix /pyproject.toml,$(PACKAGES))

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start the shop with demo data; Ctrl-C stops it
	@exec $(VENV)/bin/mercato up

install: $(VENV)/.installed ## Make the virtual environment with what the shop needs

install-dev: $(VENV)/.installed-dev ## Add what the checks and tests need

check: install-dev ## Lint, types, imports, settings: what must be green before a commit
	@$(VENV)/bin/python tests/check.py

test: install-dev chromium proxies ## Run every suite against real PostgreSQL and the real system (SUITE=wallet ARGS="-k race")
	@$(VENV)/bin/python tests/run.py $(SUITE) $(ARGS)

compose-verify: install-dev chromium ## Build the containers and prove them in an engine of their own (Debian, root; minutes)
	@$(VENV)/bin/python tests/check.py containers
	@$(VENV)/bin/python tests/run.py containers -s

# Without it the tests in a browser are skipped, and fail in CI.
chromium:
	@command -v chromium >/dev/null || { \
	  test "$$(id -u)" = 0 && echo "Installing Chromium …" && $(APT) update >/dev/null && \
	  $(APT) install --no-install-recommends chromium >/dev/null; \
	} || echo "There is no Chromium, so the tests in a browser are skipped." >&2

# Without it the tests of HAProxy are skipped, and fail in CI. Envoy comes as a wheel.
proxies:
	@PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null || { \
	  test "$$(id -u)" = 0 && echo "Installing HAProxy …" && $(APT) update >/dev/null && \
	  $(APT) install --no-install-recommends haproxy >/dev/null; \
	} || echo "There is no HAProxy, so its tests are skipped." >&2

format: install-dev ## Format the code
	@$(VENV)/bin/ruff check --fix --quiet . ; $(VENV)/bin/ruff format --quiet .

bench: install-dev ## Measure tokens, edge and ledger beside their rivals (needs wrk and haproxy; minutes)
	@$(VENV)/bin/python bench/tokens/run.py
	@$(VENV)/bin/mercato bench edge
	@$(VENV)/bin/python bench/ledger/run.py

lock: install-dev ## Compile the requirements files from the pyproject files
	$(call compile,requirements-dev.txt,$(PROJECTS) --all-extras --group dev --group build)
	$(call compile,requirements-run.txt,$(PROJECTS) --extra local --extra django --extra flask --extra images --group build -c requirements-dev.txt)
	$(call compile,requirements-installer.txt,--group installer --group build -c requirements-dev.txt)
	$(foreach image,$(SERVICES) cli,$(call compile,$(image)/requirements.txt,$(image)/pyproject.toml -c requirements-dev.txt))

clean: ## Remove the virtual environment and all caches (never data or keys)
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Exact versions with hashes, and no address to download from.
define compile
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate $(foreach package,$(PACKAGES),--no-emit-package mercato-$(package)) \
	  $(2) --output-file $(1)

endef

$(VENV)/.venv: requirements-installer.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mercato needs Python 3.11 or newer.")'
	@echo "Making the virtual environment …"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-installer.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.venv requirements-run.txt $(PROJECTS)
	@echo "Installing what the shop needs …"
	@$(UV) pip install --quiet --compile-bytecode --python $(VENV) --require-hashes -r requirements-run.txt
	@$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what checks and tests need …"
	@$(UV) pip install --quiet --compile-bytecode --python $(VENV) --require-hashes -r requirements-dev.txt
	@touch $@
