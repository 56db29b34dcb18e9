# `make` alone says what there is. Everything happens in .venv and out/; models go to the user's cache.

SHELL := /bin/sh
# Where bytecode is not kept, each of the many processes that the tests start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
AGENT ?= examples/telephony.py:Receptionist

# The plugins that the demo's call is made with; setup takes all there are.
DEMO_PLUGINS := piper moonshine silero qwen
DEMO := $(wildcard $(DEMO_PLUGINS:%=plugins/agentvoice-%/pyproject.toml))
ALL := $(wildcard plugins/*/pyproject.toml)
editable = $(foreach project,$(1),-e ./$(patsubst %/,%,$(dir $(project))))
names = $(notdir $(patsubst %/pyproject.toml,%,$(1)))
PIP_INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt
# Our own, with the one build backend that .venv has, and not with a new one for each.
EDITABLY := --quiet --no-deps --no-build-isolation

# What decides: pure, and covered to the last branch by the tests that bear its names.
DECIDES := agenda audio backlog batch_segments budget conversation echo endpointing errands export framing history \
  interruption limit listening llm_failures loudspeaker markup pace playout protection rate_check segments sequencer silence speakable speaking sse text token_shapes tones turn unfinished utterance voice_gate voicing \
  tts/contexts tts/governor tts/lifecycle tts/wire
CORE_TESTS := $(wildcard $(foreach name,$(DECIDES),$(dir tests/$(name))test_$(notdir $(name)).py))
empty :=
comma := ,
CORE := $(subst $(empty) $(empty),$(comma),$(DECIDES:%=agentvoice/%.py))

# What touches the world outside keeps the real clock, and wants the machine for itself.
REAL := real_time or sockets or speech

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-virtual test-core test-real coverage lint types bench fuzz mutants chaos docs clean
.DELETE_ON_ERROR:

help:  # One line for each target: the text after its `##`
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.setup ## make .venv with everything for development, every plugin included

demo: $(VENV)/.demo ## one phone call between two voices, with a barge-in; leaves out/demo/
	@$(BIN)/agentvoice fetch || echo "going on without it, where that can be"
	$(BIN)/agentvoice demo

serve: $(VENV)/.demo ## answer the phone with an agent: make serve AGENT=examples/telephony.py:Receptionist
	@$(BIN)/agentvoice fetch
	$(BIN)/agentvoice serve $(AGENT)

test: lint types ## set everything up and run every test, with lint and types first
	@$(BIN)/agentvoice fetch
	@$(MAKE) --no-print-directory --keep-going --jobs=1 test-virtual test-core test-real

# Without coverage, which makes a simulated call three times as slow.
test-virtual: $(VENV)/.setup
	@echo "in virtual time, on two cores:"
	$(BIN)/pytest -q --numprocesses=2 --dist=worksteal -m "not ($(REAL))" $(CORE_TESTS:%=--ignore=%)

test-core: $(VENV)/.setup
	@echo "the core, which its own tests have to cover to the last branch:"
	@$(BIN)/pytest -q --cov --cov-report= -m "not ($(REAL))" $(CORE_TESTS)
	@$(BIN)/coverage report --fail-under=100 --include='$(CORE)'

test-real: $(VENV)/.setup
	@echo "in real time, one after the other:"
	$(BIN)/pytest -q -m "$(REAL)"

coverage: $(VENV)/.setup ## tell which lines no test at all runs; takes a quarter of an hour
	$(BIN)/pytest -q --cov --cov-report=
	$(BIN)/coverage report

lint: $(VENV)/.setup ## check style and format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.setup ## check types with mypy, strictly
	$(BIN)/mypy --num-workers=2 $(sort $(dir $(wildcard agentvoice/*.py tests/*.py examples/*.py benchmarks/*.py tools/*.py))) conftest.py
	@for plugin in $(dir $(ALL)); do \
	  echo "mypy $$plugin"; \
	  (cd $$plugin && "$(CURDIR)/$(BIN)/mypy" --config-file "$(CURDIR)/pyproject.toml" --cache-dir "$(CURDIR)/.mypy_cache" .) || exit 1; \
	done

bench: $(VENV)/.setup ## measure against a bare relay; prints ratios, takes minutes
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.setup ## a million random steps through the core, a thousand calls on both loops: make fuzz STEPS=1000000
	FUZZ_STEPS=$(or $(STEPS),1000000) $(BIN)/pytest tests/test_fuzz.py
	SCENARIOS=$(or $(SCENARIOS),1000) $(BIN)/pytest tests/test_same_seed.py

mutants: $(VENV)/.setup ## change what decides in a thousand small ways, and see that tests notice; takes ten minutes
	$(PIP_INSTALL) --quiet --group mutation
	nice -n 19 $(BIN)/mutmut run
	$(BIN)/mutmut results

chaos: $(VENV)/.setup ## random faults at random instants: make chaos CALLS=10000
	CHAOS_CALLS=$(or $(CALLS),10000) $(BIN)/pytest tests/testing/test_chaos.py

docs: $(VENV)/.setup ## check the documentation's links and build it into out/docs/
	$(BIN)/mkdocs build --strict --quiet --site-dir out/docs

clean: ## remove what was built here, but neither .venv nor the models in the cache
	rm -rf out dist build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# ---------------------------------------------------------------- how .venv comes about; stamps make it quick next time

$(VENV)/.setup: pyproject.toml constraints.txt $(ALL) | $(VENV)/.tools
	$(PIP_INSTALL) $(EDITABLY) -e . $(call editable,$(ALL))
	$(PIP_INSTALL) --group dev --group docs 'agentvoice[cli,speech,picture]' $(call names,$(ALL))
	@touch $@ $(VENV)/.demo

$(VENV)/.demo: pyproject.toml constraints.txt $(DEMO) | $(VENV)/.tools
	$(PIP_INSTALL) $(EDITABLY) -e . $(call editable,$(DEMO))
	$(PIP_INSTALL) 'agentvoice[cli,speech,picture]' $(call names,$(DEMO))
	@touch $@

$(VENV)/.tools:
	@python=; for each in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "agentvoice needs Python 3.11 or newer, and found $$(python3 --version 2>&1 || true); try: apt install python3.11 python3-venv, or make PYTHON=/path/to/python" >&2; exit 2; \
	fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "$$python cannot make a virtual environment; try: apt install python3-venv" >&2; exit 2; \
	fi; \
	echo "making $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --upgrade 'pip>=25.1' 'hatchling>=1.27' editables
	@touch $@
