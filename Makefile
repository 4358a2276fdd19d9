# Everything works from a bare Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench clean

demo: $(VENV)/.installed
	$(BIN)/minispark demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house.py

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.rows
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.recovery
	$(BIN)/python -m benchmarks.pyspark_docs
	$(BIN)/python -m benchmarks.tpch
	$(BIN)/python -m benchmarks.frames
	$(BIN)/python -m benchmarks.planning

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test,tools]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test,tools,bench]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
