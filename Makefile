# Everything happens in .venv; nothing outside this folder is changed.
#
# PYTHON      the interpreter to make .venv with, 3.11 or newer (default: python3, else the first that fits)
# PIP_FLAGS   passed to pip, such as an --index-url

PYTHON ?= python3
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
EXAMPLES := $(sort $(wildcard examples/*.png examples/*.jpg examples/*.inkml))

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench figures reproduce smoke clean

help:
	@echo "make demo    set up and recognize the examples"
	@echo "make serve   set up and serve a page to write on at http://127.0.0.1:8000"
	@echo "make test    set up for development and run the tests"
	@echo "make check   ruff, mypy and the test of import directions"
	@echo "make bench   time the recognizer; writes benchmarks/results/examples.json"
	@echo "make figures write the tables of the documents from benchmarks/results/"
	@echo "make smoke   every configuration: 20 steps, an export, a picture read; on the CPU, some minutes"
	@echo "make reproduce TRAIN=inkml_train.zip VALIDATION=inkml_test2013.zip [LABELS=latex.txt] [PHOTOS=photos.zip]   the shipped model anew; hours"
	@echo "make setup   set up for development only"
	@echo "make clean   remove .venv, caches and builds (not runs/ and data/)"

setup: $(VENV)/.dev

demo: $(VENV)/.base
	@$(BIN)/inktex recognize $(EXAMPLES)

serve: $(VENV)/.serve
	@$(BIN)/inktex serve

test: $(VENV)/.dev
	@$(BIN)/python -m pytest

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_architecture.py

bench: $(VENV)/.base
	@$(BIN)/python benchmarks/recognition.py --alone --name examples

figures: $(VENV)/.base
	@$(BIN)/python benchmarks/figures.py

reproduce: $(VENV)/.dev
	@$(BIN)/python benchmarks/reproduce.py $(TRAIN) $(VALIDATION) runs/reproduced $(if $(LABELS),--labels $(LABELS)) $(if $(PHOTOS),--photos $(PHOTOS))

smoke: $(VENV)/.dev
	@$(BIN)/python -W ignore benchmarks/smoke.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make repeated calls quick; an edited pyproject.toml installs anew.
$(VENV)/.base: pyproject.toml | $(BIN)/pip
	@echo "installing inktex into $(VENV) ..."
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_FLAGS) -e .
	@touch $@

$(VENV)/.serve: $(VENV)/.base
	@echo "installing what the service needs into $(VENV) ..."
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_FLAGS) -e '.[serve]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "installing what development needs into $(VENV), PyTorch among it: a few minutes ..."
	@$(BIN)/pip install -qq --disable-pip-version-check $(PIP_FLAGS) -e '.[dev]'
	@touch $@

$(BIN)/pip:
	@found=; \
	for candidate in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14; do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        found="$$candidate"; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Inktex needs Python 3.11 or newer, and $(PYTHON) is not: install one, or name it: make PYTHON=..." >&2; \
	    exit 1; \
	fi; \
	if [ "$$found" != "$(PYTHON)" ]; then echo "$(PYTHON) is not Python 3.11 or newer: using $$found"; fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found cannot make virtual environments: install its venv module (Debian and Ubuntu: apt install python3-venv)" >&2; \
	    exit 1; \
	fi; \
	"$$found" -m venv $(VENV)
