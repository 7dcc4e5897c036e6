# Everything happens in .venv; a target that has nothing new to do does nothing.

PYTHON ?= python3
SERIES ?= solar
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
COMPILED := setup.py pyproject.toml $(wildcard narxkit/*.pyx narxkit/*.pxd narxkit/*.h)

.PHONY: help forecast test fuzz fuzz-saved lint bench peers clean
.DELETE_ON_ERROR:

help:
	@echo "make forecast   build, forecast a year of solar irradiation, write forecast.png and .csv"
	@echo "                (SERIES=wind, turbine, stock, fx or a file of your own)"
	@echo "make test       build and run tests and doctests (TESTS='-k name' chooses)"
	@echo "make fuzz       give 1,000 damaged files to the command (FUZZ=--help for its options)"
	@echo "make fuzz-saved load 20,000 damaged models (FUZZ=--help for its options)"
	@echo "make lint       check style and docstrings"
	@echo "make bench      measure speed and accuracy (BENCH=--help for its options)"
	@echo "make peers      the same beside other packages, in an environment of their own"
	@echo "make clean      remove all that these targets made"
	@echo "The interpreter of a new $(VENV) is $(PYTHON); make PYTHON=python3.12 ... takes another."

forecast: $(VENV)/with-plot
	$(BIN)/narxkit forecast $(SERIES) --plot forecast.png --out forecast.csv

test: $(VENV)/with-test
	$(BIN)/python -m pytest $(TESTS)

fuzz: $(VENV)/with-test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/mutations.py --keep build/fuzz $(FUZZ)

fuzz-saved: $(VENV)/with-test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/archive_mutations.py $(FUZZ)

lint: $(VENV)/with-test
	$(BIN)/ruff check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint narxkit
	$(BIN)/python .ci/docstrings.py

bench: $(VENV)/with-plot
	$(BIN)/python -m benchmarks $(BENCH)

# Other packages stay out of $(VENV): they have an environment of their own.
peers:
	@$(MAKE) --no-print-directory VENV=.venv-peers .venv-peers/with-peers
	.venv-peers/bin/python -m benchmarks peers $(BENCH)

clean:
	rm -rf $(VENV) .venv-peers build dist *.egg-info .pytest_cache .ruff_cache
	rm -f narxkit/*.so forecast.png forecast.csv
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An editable installation: changed Python files count at once, changed Cython files build anew.
$(VENV)/with-%: $(COMPILED) $(VENV)/build-requires
	@echo "Building narxkit and installing it with its '$*' extra into $(VENV) ..."
	@$(PIP) install --no-build-isolation --editable ".[$*]"
	@touch $@

# The build requirements of pyproject.toml, installed once instead of anew for each build
READ_REQUIRES := import tomllib; \
    print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

$(VENV)/build-requires: pyproject.toml | $(BIN)/python
	@echo "Installing what the build needs into $(VENV) ..."
	@$(BIN)/python -c '$(READ_REQUIRES)' > $@
	@$(PIP) install --requirement $@

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || \
	    { echo "There is no $(PYTHON) here: name an interpreter, make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) .ci/require.py
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
