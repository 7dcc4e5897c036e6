# Everything happens in .venv; a target that has nothing new to do does nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED := setup.py pyproject.toml $(wildcard narxkit/*.pyx narxkit/*.pxd narxkit/*.h)

.PHONY: help forecast test lint bench clean

help:
	@echo "make forecast   build, forecast a year of solar irradiation, write forecast.png and .csv"
	@echo "make test       build and run the tests (TESTS='-k name' to choose)"
	@echo "make lint       check style and docstrings"
	@echo "make bench      measure speed and accuracy (BENCH='--help' for its options)"
	@echo "make clean      remove all that these targets made"
	@echo "PYTHON=python3.12 chooses the interpreter of a new .venv"

forecast: $(VENV)/with-plot
	$(BIN)/narxkit forecast solar --plot forecast.png --out forecast.csv

test: $(VENV)/with-test
	$(BIN)/python -m pytest $(TESTS)

lint: $(VENV)/with-test
	$(BIN)/ruff check .
	$(BIN)/cython-lint narxkit
	$(BIN)/python .ci/docstrings.py

bench: $(VENV)/with-plot
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
	rm -f narxkit/*.so forecast.png forecast.csv
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An editable installation: changed Python files count at once, changed Cython files build anew.
$(VENV)/with-%: $(COMPILED) | $(BIN)/python
	@echo "Building and installing narxkit with its '$*' extra into $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(BIN)/python:
	@$(call require,$(PYTHON) -c '',\
	    there is no $(PYTHON) here: name one with make PYTHON=...)
	@$(call require,$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3$(comma) 11))',\
	    narxkit needs Python 3.11 or later and $(PYTHON) is older: name another with make PYTHON=...)
	@$(call require,$(PYTHON) -c 'import ensurepip$(comma) venv',\
	    $(PYTHON) cannot make environments: install its venv module (Debian: apt install python3-venv))
	@$(call require,$(PYTHON) -c '$(HAS_HEADERS)',\
	    $(PYTHON) has no headers to build against: install them (Debian: apt install python3-dev))
	@$(call require,$(PYTHON) -c '$(HAS_COMPILER)',\
	    there is no C compiler here: install one (Debian: apt install gcc) or name it with CC=...)
	$(PYTHON) -m venv $(VENV)

comma := ,
HAS_HEADERS := import os$(comma) sys$(comma) sysconfig as s; \
	sys.exit(not os.path.exists(os.path.join(s.get_path("include")$(comma) "Python.h")))
HAS_COMPILER := import os$(comma) shutil$(comma) sys$(comma) sysconfig as s; \
	cc = os.environ.get("CC") or s.get_config_var("CC") or "cc"; \
	sys.exit(shutil.which(cc.split()[0]) is None)

# $(call require,command,sentence): the sentence and an end where the command fails
require = $(1) 2>/dev/null || { echo "$(strip $(2))" >&2; exit 1; }
