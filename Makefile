# Everything works from a bare checkout with Python 3.11 to 3.13, venv and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes

.PHONY: demo test test-fast coverage check bench cluster torture lock docs setup clean

demo: $(VENV)/.run  ## the main job on this machine, with nothing configured
	$(BIN)/jobrecon demo

WORKERS := -n auto
FAST := -m "not prefect and not browser and not postgres"

test: setup  ## all tests
	$(BIN)/pytest $(WORKERS)

test-fast: setup  ## all tests that need neither Prefect's server nor a browser nor PostgreSQL
	$(BIN)/pytest $(WORKERS) $(FAST)

coverage: setup  ## the same, and what part of the code they run
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(WORKERS) $(FAST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: setup  ## linters, types, SQL, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint sql -q
	$(BIN)/python -m docs.check

docs: setup  ## write the generated parts of the documentation
	$(BIN)/python -m docs.check --write

bench: setup $(VENV)-bench/.done  ## measure; figures go into docs/performance.md
	$(BIN)/python -m bench

cluster: setup  ## several machines as processes of this one: a lake, Prefect, two workers, two receivers, two shards; some are killed; judged by what was acknowledged
	$(BIN)/python -m bench.cluster

torture: setup  ## kill, starve and break the commands on purpose; needs Linux, strace and libfaketime; figures go into docs/reliability.md
	$(BIN)/python -m torture

lock: $(VENV)/.run  ## renew the lock files from pyproject.toml
	$(LOCK) --group build pyproject.toml -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) bench/requirements.in -o bench/requirements.lock

setup: $(VENV)/.dev

# What the product needs. uv is in the lock file as well: it installs in seconds what takes pip a minute.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "jobrecon needs Python 3.11 to 3.13; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12" % sys.version_info[:2])'
	@test ! -e $(BIN)/python || $(BIN)/python -c 'import sys; sys.exit((3, 11) > sys.version_info)' 2>/dev/null \
	  || { echo "$(VENV) was made with a Python that is gone or too old. Remove it (make clean) and try again." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {keep = 1; print; next} /^[^ ]/ {keep = 0} keep' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	$(INSTALL) -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

# What the tests and linters need besides.
$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	touch $@

$(VENV)-bench/.done: bench/requirements.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --require-hashes -r bench/requirements.lock
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-bench var .mypy_cache .ruff_cache .pytest_cache .hypothesis
