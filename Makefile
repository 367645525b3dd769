# Everything works from a bare checkout with Python ≥ 3.11, venv and make; uv is used where it is installed.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q

.PHONY: demo test check bench lock docs setup clean

demo: setup  ## the main job on this machine, with nothing configured
	$(BIN)/jobrecon demo

test: setup  ## all tests
	$(BIN)/pytest

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

lock:  ## renew requirements.lock from pyproject.toml (needs uv)
	$(LOCK) --group dev pyproject.toml -o requirements.lock
	$(LOCK) bench/requirements.in -o bench/requirements.lock

setup: $(VENV)/.done

# Modules are compiled once here: without that the first Prefect flow takes twice as long.
$(VENV)/.done: requirements.lock pyproject.toml
ifdef UV
	uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m venv $(VENV)
	# The lock is complete; older pips would stumble over `sqlalchemy[asyncio]`.
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
endif
	touch $@

$(VENV)-bench/.done: bench/requirements.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --require-hashes -r bench/requirements.lock
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-bench var .mypy_cache .ruff_cache .pytest_cache .hypothesis
