# Everything is done in .venv; PYTHON names the interpreter that makes it (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test torture bench format requirements clean

demo: .venv/installed  ## the whole weekly job, on bundled feeds, into ./demo
	$(BIN)/digest demo

test: .venv/dev  ## every check and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest $(PYTEST_ARGS)

torture: .venv/dev  ## a send killed a thousand times; relays and databases that fail at random
	DIGEST_TESTS_FAULT_ROUNDS=$${DIGEST_TESTS_FAULT_ROUNDS:-100} $(BIN)/pytest -n 0 tests/delivery/test_faulty_relays.py tests/delivery/test_faulty_databases.py
	DIGEST_TESTS_KILLS=$${DIGEST_TESTS_KILLS:-1000} $(BIN)/pytest -n 0 tests/processes/test_killed_send.py -k random_moments

bench: .venv/bench  ## every figure of docs/reference/performance.md, into bench/results; QUICK=1 for a short one
	$(BIN)/python -m bench $(PARTS)

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A Debian python may come without ensurepip: the pip that runs this installs into .venv instead.
.venv/bin/python:
	$(PYTHON) -m venv .venv || $(PYTHON) -m venv --without-pip --clear .venv

.venv/installed: .venv/bin/python requirements/base.txt pyproject.toml
	$(call install,requirements/base.txt)
	touch $@

.venv/dev: .venv/bin/python requirements/dev.txt pyproject.toml
	$(call install,requirements/dev.txt)
	touch $@ .venv/installed

.venv/bench: .venv/bin/python requirements/bench.txt pyproject.toml
	$(call install,requirements/bench.txt)
	touch $@

# The project itself is one path entry: an editable install without a build back end to fetch.
define install
	$(PYTHON) -m pip --python .venv/bin/python install --quiet --disable-pip-version-check --require-hashes -r $(1)
	$(PYTHON) -m pip --python .venv/bin/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef

requirements:  ## pin anew, with hashes and without naming any index; needs uv
	$(PIN) --group build --output-file requirements/base.txt
	$(PIN) --group dev --output-file requirements/dev.txt
	$(PIN) --group bench --output-file requirements/bench.txt --constraint requirements/dev.txt

PIN := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml

clean:
	rm -rf .venv demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
