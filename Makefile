SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Flink's Python pins older numpy, pandas and pyarrow than all others use.
FLINK_VENV := .venv-flink
FUZZ_SECONDS := 600
FUZZ_MESSAGES := 1000000
SOAK_SECONDS := 600
PARITY_ASSETS := 20
PYTEST := $(BIN)/python -m pytest --durations=15
FLINK_PYTEST := $(FLINK_VENV)/bin/python -m pytest --durations=15

# Container images set it; the tests start hundreds of processes, and each would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env demo test test-kafka test-others test-flink parity-day check lint typecheck broker broker-stop bench fuzz soak docs env-flink constraints clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

env: $(VENV)/.dev ## Make .venv with everything for development (Python 3.11 or 3.12)

demo: $(VENV)/.demo ## Run the whole path on a simulated hour (no Docker, no account, no Flink)
	@$(BIN)/marginquake demo

# One after the other: a broker that gets no time beside other tests is fenced by its controller.
test: lint typecheck ## Everything CI runs: checks, doctests, unit to fault tests
	@$(MAKE) --no-print-directory --keep-going test-others test-kafka test-flink

test-kafka: env ## The tests that need the broker, one after the other
	$(PYTEST) tests --ignore=tests/bench -m "kafka and not flink"

test-others: env ## All others, and the doctests, on all cores
	$(PYTEST) --doctest-modules --ignore=tests/bench -m "not kafka and not flink" -n auto --dist loadfile

test-flink: $(FLINK_VENV)/.dev ## The tests of the Flink engine, in an environment of their own (2 GB)
	$(FLINK_PYTEST) $(wildcard tests/*/test_flink_*.py) -m "flink and not day"

parity-day: $(FLINK_VENV)/.dev ## All engines over a simulated day of PARITY_ASSETS (20: hours; 3: under one)
	PARITY_ASSETS=$(PARITY_ASSETS) $(FLINK_PYTEST) tests/integration/test_flink_parity.py -m day --timeout 14400

check: lint typecheck ## The quick loop: checks, doctests, unit and property tests
	$(PYTEST) --doctest-modules tests/unit tests/property streams/core streams/venues

lint: env
	$(BIN)/ruff check .
	$(BIN)/lint-imports

typecheck: env
	$(BIN)/mypy --explicit-package-bases streams schemas tests

broker: $(VENV)/.demo ## Start the Kafka broker of this machine (Java 17 and Maven)
	@$(BIN)/marginquake broker start

broker-stop: $(VENV)/.demo ## Stop it; its data stays
	@$(BIN)/marginquake broker stop

bench: env ## Measure throughput and latency on this machine
	$(BIN)/marginquake bench core
	$(BIN)/marginquake bench normalise
	$(BIN)/marginquake bench framer

fuzz: $(VENV)/.fuzz ## Spoil messages of every venue (FUZZ_SECONDS=600, FUZZ_MESSAGES=1000000)
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --messages $(FUZZ_MESSAGES)

soak: env ## Run a collector of every venue at full speed, watch its memory (SOAK_SECONDS=600)
	@$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS)

docs: env ## Regenerate the pages that are made from the code
	$(BIN)/python -m streams.telemetry docs/operations/metrics.md
	$(BIN)/python -m streams.edges.grafana infra/grafana/dashboards
	$(BIN)/marginquake venues --page > docs/venues.md
	$(BIN)/marginquake schemas generate

env-flink: $(FLINK_VENV)/.dev ## Make .venv-flink, with the Flink engine

constraints: ## Pin the newest allowed versions again (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header \
	  --extra faust --extra frames --extra warehouse --extra simulate --extra report --extra fuzz --extra dev pyproject.toml -o constraints.txt
	uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --no-emit-index-url --no-annotate --no-header \
	  --extra faust --extra flink --extra warehouse --extra simulate --extra report --extra dev pyproject.toml -o constraints-flink.txt

clean: ## Remove caches and build results; keeps .venv and .local
	rm -rf dist target .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find streams schemas tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: an environment is made again only when what it is made from has changed.
$(VENV)/.dev: pyproject.toml constraints.txt infra/env.sh
	@infra/env.sh $(VENV) faust,frames,warehouse,simulate,report,dev
	@touch $(VENV)/.demo $@

$(VENV)/.fuzz: $(VENV)/.dev
	@infra/env.sh $(VENV) faust,frames,warehouse,simulate,report,dev,fuzz
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt infra/env.sh
	@echo "Downloads about 380 MB of Python wheels into $(VENV) (chDB 182, llvmlite 57, pyarrow 55);"
	@echo "once. The simulator then compiles itself, up to a minute, at the first demo."
	@echo "A first \`marginquake broker start\` adds 44 MB of Kafka jars. Flink is left out."
	@infra/env.sh $(VENV) faust,warehouse,simulate
	@touch $@

$(FLINK_VENV)/.dev: pyproject.toml constraints-flink.txt infra/env.sh
	@infra/env.sh $(FLINK_VENV) faust,flink,warehouse,simulate,report,dev constraints-flink.txt
	@touch $@
