# make demo, make test: each makes what it misses first, all of it inside this folder (.venv, .local).

PYTHON ?= python3.11
ARGS ?=
LONG ?=
SECONDS ?= 600

.PHONY: help setup fix fix-wheel demo test fuzz check down lock jars-lock parts
.DEFAULT_GOAL := help

help:
	@echo "make demo     a trading session end to end, to look at (ARGS='--replay FOLDER')"
	@echo "make test     the tests, on local services of their own (ARGS='-k pattern', '-n 0' for one process)"
	@echo "              LONG=1: also the longest of them, whole sessions under kills, as CI runs them"
	@echo "make fuzz     decoders and files against bytes that no one meant (SECONDS=600)"
	@echo "make check    lint, format, types, the import law, the schemas against what was released"
	@echo "make down     stop the local services; data stays in .local"
	@echo "make setup    Python packages, jars, TimescaleDB; what the others call"
	@echo "make fix      QuickFIX, for sessions of FIX: compiles for a minute or two, once; what needs it is skipped without"
	@echo "make lock     resolve requirements*.in into requirements*.lock (jars-lock: hashes of the jars of infra/pom.xml)"

demo: setup
	.venv/bin/helios demo $(ARGS)

fuzz: .venv/ready
	.venv/bin/python -m tests.fuzz.run --seconds $(SECONDS)

test: setup
	HELIOS_TEST_STACK=own .venv/bin/pytest -n 2 --dist loadgroup $(if $(LONG),,-m "not long") $(ARGS)

check: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/helios schemas check

down:
	@test ! -x .venv/bin/helios || .venv/bin/helios down

# Three things come from the network; Python and the jars at the same time.
setup:
	@$(MAKE) --no-print-directory -j2 parts
	@$(MAKE) --no-print-directory .local/classes/ready

parts: .local/jars/ready .local/timescaledb/tree/ready

# uv comes first, from its own lines of the lock, and then brings the rest, every file checked against the lock.
# It reads no pip configuration, so an index that pip was given is handed on.
.venv/ready: requirements.lock infra/environment.sh
	@PYTHON=$(PYTHON) bash infra/environment.sh

# Apart from the rest, as it is compiled. Its wheel needs nothing of .venv, and can be made beside it.
fix: .venv/fix

.venv/fix: .venv/ready requirements-fix.lock infra/fix.sh infra/fix_wheel.sh
	@PYTHON=$(PYTHON) bash infra/fix.sh

fix-wheel:
	@PYTHON=$(PYTHON) bash infra/fix_wheel.sh

.local/jars/ready: infra/pom.xml infra/jars.sh
	@bash infra/jars.sh

.local/timescaledb/tree/ready: infra/timescale_tree.py infra/debian.py | .venv/ready
	@if [ -z "$$HELIOS_TIMESCALE_DSN" ]; then \
	  echo "-- TimescaleDB: Debian's packages, unpacked into .local/timescaledb (20 MB to fetch)"; \
	  .venv/bin/python -m infra.timescale_tree; \
	fi

# A first start of the JVMs: proof that they run here, and half the work of every later start.
.local/classes/ready: .local/jars/ready .venv/ready jobs/class_archives.py
	@echo "-- first start of Kafka, the registry, Flink and its jobs, to record their classes"
	@.venv/bin/python -m jobs.class_archives
	@touch $@

lock: .venv/ready
	for part in requirements requirements-fix; do \
	  .venv/bin/uv pip compile $$part.in --output-file $$part.lock --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade || exit; \
	done

# Fetches what infra/pom.xml names and writes down its hashes: look at the difference before you commit it.
jars-lock:
	JARS_LOCK=write bash infra/jars.sh
