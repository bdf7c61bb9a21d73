# Two commands matter to a newcomer: `make demo` and `make test`.
# By hand a machine needs make, Python >= 3.11, Node >= 20.19 and root or sudo; the rest is installed here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UI := web/ui
# Every command and every box is a process of its own: a start costs seconds where Python has to
# compile what it imports, and some machines keep nothing of that (PYTHONDONTWRITEBYTECODE).
COMPILED := $(BIN)/python -m compileall -q contract edge models orchestrator vision web tests

UNCOMPILE := rm -f xunkao_recorder__mypyc*.so && find contract edge -name '*.so' -delete

# End-to-end tests of how soon an alert is there and how a film plays have the machine to themselves.
ALONE := $(addprefix tests/e2e/test_,alert_flow.py alert_story.py playback.py)

# What the product itself needs from Debian, then what only tests and benchmarks need.
APT_PRODUCT := mosquitto gcc libc6-dev
APT_TEST := chromium fonts-noto-cjk ffmpeg postgresql
UI_SOURCES := $(shell find $(UI)/src $(UI)/public $(UI)/phone $(UI)/*.ts $(UI)/*.html $(UI)/package*.json -type f 2>/dev/null)

.PHONY: help demo test check format web setup setup-test lock bench screenshots clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: setup ## everything on this machine: broker, centre, two boxes, simulated cameras
	$(BIN)/xunkao demo

test: setup-test ## all tests: unit, system, end to end, and the pages' own
	$(COMPILED)
	cd $(UI) && npm test
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/system tests/unit
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest $(ALONE)

check: setup-test ## format, lint, types, imports, page types, no host of a registry
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(UI) && npm run check
	deploy/no-registry-hosts.sh

format: setup ## bring the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-test ## run every benchmark and rewrite docs/reference/performance.md
	$(BIN)/python -m benchmarks

screenshots: setup-test ## pictures of the pages for the documents
	$(BIN)/python -m tests.e2e.screenshots

setup: .setup/apt-product .setup/python .setup/compiled web/static/index.html ## what the demo needs
setup-test: setup .setup/apt-test ## what tests and benchmarks need besides

web: web/static/index.html ## build the pages

.setup/tools: deploy/preflight.sh
	@PYTHON=$(PYTHON) deploy/preflight.sh
	@mkdir -p .setup && touch $@

.setup/apt-product: .setup/tools deploy/apt.sh Makefile
	@deploy/apt.sh $(APT_PRODUCT)
	@touch $@

.setup/apt-test: .setup/tools deploy/apt.sh Makefile
	@deploy/apt.sh $(APT_TEST)
	@touch $@

.setup/python: .setup/tools requirements.lock pyproject.toml hatch_build.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep -oE '^uv==[^ ]+' requirements.lock)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(COMPILED)
	@touch $@

.setup/compiled: .setup/python .setup/apt-product edge/compiled.py $(wildcard edge/rtsp/*.py edge/recording/*.py contract/*.py)
	@$(UNCOMPILE)
	$(BIN)/python -m edge.compiled .setup/compiling
	@touch $@

$(UI)/node_modules/.package-lock.json: $(UI)/package-lock.json .setup/tools
	cd $(UI) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

web/static/index.html: $(UI)/node_modules/.package-lock.json $(UI_SOURCES)
	cd $(UI) && npm run build
	@touch $@

lock: ## pin every dependency with its hash
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-annotate --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --extra dev \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	cd $(UI) && npm install --package-lock-only --ignore-scripts --no-audit --no-fund

clean: ## forget what was built and installed here
	rm -rf $(VENV) .setup web/static $(UI)/node_modules
	$(UNCOMPILE)
