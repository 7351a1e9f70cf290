# Each target works by itself on a fresh machine that has Python 3.11 or newer and make.

PORT ?= 8000
PYTEST_ARGS ?=
RIVALS ?= ../shared/peers
RIVALS_ARGS ?=
UV_VERSION := 0.13.9
# The first interpreter that really runs and is new enough: version managers leave shims that do not.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
AUDIT := tests/acceptance/graphql_http
# Where tests keep files: in memory where there is room, since thousands of them are synchronised,
# and no test is about the disk of this machine.
TESTS_TMPDIR := $(shell room=$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $$4 }'); \
	[ "$${room:-0}" -ge 8388608 ] && echo /dev/shm || echo "$${TMPDIR:-/tmp}")
# A test that shares what takes long to make with those beside it runs in their process. Bytecode is
# kept even where the environment says otherwise: each worker compiles 500 test files, and each
# gateway that a test starts all modules, which takes as long again as to import them.
PYTEST := TMPDIR=$(TESTS_TMPDIR) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal
OIDC := tests/acceptance/oidc
TYPESCRIPT := tests/acceptance/typescript
APOLLO := tests/acceptance/apollo
SUBSCRIPTIONS := tests/acceptance/subscriptions
PAGES := tests/acceptance/pages
FEDERATION := tests/acceptance/federation
HIVE_GATEWAY := tests/acceptance/hive_gateway

.PHONY: help demo docs test fuzz coherence completeness conflicts reconcile-rules facts check-faults disclosure marriages inference lint bench schema graphiql lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     build the demo databases once and serve them on 127.0.0.1:$(PORT)"
	@echo "make test     run the tests that this machine can run (REQUIRE_SERVICES=1: or fail), but the long ones"
	@echo "make test-long the tests that take long: kills, Spark, whole populations; 5 minutes"
	@echo "make fuzz     50,000 generated operations by plan and by graphql-core, and 50,000 over PostgreSQL;"
	@echo "              about 50 minutes"
	@echo "make coherence 1,000 random histories of the cache, held against its promise; 3 minutes"
	@echo "make changes  10,000 changes under load, with a gateway, Redis, NATS and PostgreSQL killed; by an"
	@echo "              outbox and by Debezium, with both engines of the event log, 5 minutes each"
	@echo "make check-faults every failure of every database of every check; 3 minutes"
	@echo "make disclosure attacks on the suppressed cells of statistics and reports; 20 minutes"
	@echo "make facts    facts about 20,000 generated people against the truth"
	@echo "make marriages checks of 10,000 couples, half of them kin, against the truth; 6 minutes"
	@echo "make completeness 20,000 people, each database failing in turn: no list says none wrongly;"
	@echo "              about 20 minutes"
	@echo "make conflicts precision and recall of the conflict rules over 20,000 people; 3 minutes"
	@echo "make reconcile-rules DuckDB, Spark and the rules person by person over 20,000 people; 10 minutes"
	@echo "make linkage  precision and recall of linkage among LINKAGE_PEOPLE ($(LINKAGE_PEOPLE)) people; 20 minutes"
	@echo "make inference whether BASIC fields tell what is concealed, of 200,000 people; 5 minutes"
	@echo "make routers  the gateway as a subgraph behind Apollo's gateway, Hive's and Hive's command line,"
	@echo "              which is 500 MB of packages; 3 minutes"
	@echo "make lint     ruff, mypy, import-linter, vulture, schema.graphql, lock files"
	@echo "make bench    the benchmarks (bench/README.md); needs wrk and taskset; 6 minutes, and 20 more"
	@echo "              beside the rivals in RIVALS ($(RIVALS)), which need root to be set up"
	@echo "make attacks  slow, half and endless requests, and what they cost others; 4 minutes"
	@echo "make bundle   wheels, SBOM, names of images and checksums for a closed network"
	@echo "make schema   write schema.graphql from the code"
	@echo "make docs     draw docs/architecture.svg from the imports of the code"
	@echo "make graphiql build the GraphiQL page into the package (needs Node.js 20.19 or newer)"
	@echo "make lock     pin all packages again"
	@echo "make clean    remove what these targets made"

demo: .venv/.runtime
	exec $(BIN)/justice-gateway demo --port $(PORT)

test: .venv/.dev npm
	$(PYTEST) -m "not long" $(PYTEST_ARGS)

.PHONY: test-long
test-long: .venv/.dev npm
	$(PYTEST) -m long $(PYTEST_ARGS)

fuzz: .venv/.dev
	FUZZ_OPERATIONS=50000 $(PYTEST) -q tests/unit/gateway/test_plans_agree.py \
		tests/unit/gateway/test_entities_agree.py \
		tests/integration/gateway/test_renderings_agree.py

# Hive Gateway's command line is too large for every run of the tests: 745 packages, 500 MB.
.PHONY: routers
routers: .venv/.dev $(FEDERATION)/node_modules/.stamp $(HIVE_GATEWAY)/node_modules/.stamp
	$(PYTEST) -q -rs tests/acceptance/test_federation.py

coherence: .venv/.dev
	COHERENCE_HISTORIES=250 $(PYTEST) -q -rP tests/integration/gateway/cache/test_coherence.py

reconcile-rules: .venv/.dev
	RECONCILE_PEOPLE=20000 $(PYTEST) -q -p no:xdist tests/unit/reconcile/engines/test_duckdb_session.py \
		tests/unit/reconcile/engines/test_spark_session.py

conflicts: .venv/.dev
	CONFLICT_PEOPLE=20000 $(PYTEST) -q tests/unit/rules/test_registry.py

LINKAGE_PEOPLE ?= 1000000
.PHONY: linkage
linkage: .venv/.dev
	LINKAGE_PEOPLE=$(LINKAGE_PEOPLE) $(PYTEST) -n 0 -q -s tests/unit/reconcile/linkage/test_linking.py \
		-k precision

inference: .venv/.dev
	$(BIN)/python -m tools.inference --people 200000
completeness: .venv/.dev
	COMPLETENESS_PEOPLE=20000 $(PYTEST) -q -rP tests/acceptance/test_completeness.py

.PHONY: changes
changes: .venv/.dev
	CHANGES=10000 $(PYTEST) -n 0 -q -rP tests/acceptance/test_changes_under_faults.py

check-faults: .venv/.dev
	CHECK_FAULTS=all $(PYTEST) -q tests/unit/gateway/procedures/test_faults_of_checks.py

disclosure: .venv/.dev
	DISCLOSURE_ATTACKS=60 $(PYTEST) -q tests/unit/disclosure/test_control.py \
		tests/unit/reconcile/report/test_figures.py

facts: .venv/.dev
	FACT_PEOPLE=20000 $(PYTEST) -q -rP tests/acceptance/test_fact_truth.py

marriages: .venv/.dev
	MARRIAGE_COUPLES=10000 $(PYTEST) -q -rP tests/acceptance/test_marriage_truth.py

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/justice-gateway schema --check
	$(BIN)/python -m tools.client_types --check
	$(BIN)/python -m tools.unused_code
	$(BIN)/python tools/no_registry_hosts.py

bench: .venv/.dev
	$(BIN)/python -m bench.plans
	$(BIN)/python -m bench.compiling
	$(BIN)/python -m bench.overhead
	$(BIN)/python -m bench.facts
	$(BIN)/python -m bench.checks
	$(BIN)/python -m bench.statistics
	$(BIN)/python -m bench.pages
	@if [ -d "$(RIVALS)" ]; then $(MAKE) --no-print-directory rivals; \
	else echo "there are no rivals in $(RIVALS): the gateway is measured alone"; fi

# Attacks on a gateway that runs on this machine: bounded in number and time.
.PHONY: attacks
attacks: .venv/.dev
	$(BIN)/python -m bench.attacks.connections

# The rivals' servers, packages and data: made once, in a copy. RIVALS_ARGS="--only w1,mixed": a part.
.PHONY: rivals
rivals: .venv/.dev
	@test -f .bench/rivals/hot.txt || { mkdir -p .bench/rivals && cp -r $(RIVALS)/. .bench/rivals; }
	.bench/rivals/setup.sh
	RIVALS=.bench/rivals $(BIN)/python -m bench.rivals $(RIVALS_ARGS)
	.bench/rivals/stop.sh

# What a closed network needs; this machine must reach a package index. With the national run:
# BUNDLE_LOCK=requirements-reconcile.lock
BUNDLE_LOCK ?= requirements.lock
.PHONY: bundle
bundle: .venv/.runtime
	rm -rf dist/bundle && mkdir -p dist/bundle/wheels
	$(BIN)/pip download --quiet --only-binary :all: --require-hashes -r $(BUNDLE_LOCK) -d dist/bundle/wheels
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation -w dist/bundle/wheels .
	cp $(BUNDLE_LOCK) deploy/*.service deploy/*.timer dist/bundle
	$(PYTHON) -m tools.bundle dist/bundle $(BUNDLE_LOCK)

docs: .venv/.dev
	$(BIN)/python -m tools.architecture_picture

schema: .venv/.dev
	$(BIN)/justice-gateway schema --write
	$(BIN)/python -m tools.client_types

graphiql:
	cd graphiql && npm ci && npm run build

lock:
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet uv==$(UV_VERSION)
	.venv/lock/bin/uv pip compile pyproject.toml --extra build $(LOCK_OPTIONS) -o requirements.lock
	.venv/lock/bin/uv pip compile pyproject.toml --extra build --extra reconcile --extra spark \
		$(LOCK_OPTIONS) -o requirements-reconcile.lock
	.venv/lock/bin/uv pip compile pyproject.toml --extra build --extra reconcile --extra spark \
		--extra dev $(LOCK_OPTIONS) -o requirements-dev.lock

LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --quiet --upgrade

# Node.js is only needed for the GraphQL over HTTP audit, for a real OpenID Connect issuer, for the
# TypeScript of the guides and of clients/, to look for barriers on the pages (axe-core), and for the
# routers of a federated graph.
.PHONY: npm
npm:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory \
		$(AUDIT)/node_modules/.stamp $(OIDC)/node_modules/.stamp $(TYPESCRIPT)/node_modules/.stamp \
		$(APOLLO)/node_modules/.stamp $(PAGES)/node_modules/.stamp \
		$(FEDERATION)/node_modules/.stamp $(SUBSCRIPTIONS)/node_modules/.stamp; \
	elif [ -n "$(REQUIRE_SERVICES)" ]; then echo "npm is missing"; exit 1; \
	else echo "npm is missing: the tests that need Node.js will be skipped"; fi

%/node_modules/.stamp: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		$(AUDIT)/node_modules $(OIDC)/node_modules $(TYPESCRIPT)/node_modules \
		$(APOLLO)/node_modules $(PAGES)/node_modules $(FEDERATION)/node_modules \
		$(SUBSCRIPTIONS)/node_modules $(HIVE_GATEWAY)/node_modules
