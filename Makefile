# The targets of this project; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test lint types format lock simulate trace chaos soak bench bench-quick bench-profile bench-docs bench-test bench-broker image image-test test-oracle test-terraform test-terraform-apply clean FORCE

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
          --generate-hashes --no-header --no-annotate --only-binary :all: $(UPGRADE)

help: ## List these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

run: $(VENV)/.run ## Start both services on this machine; Ctrl-C stops them
	@$(BIN)/python dev/run.py

test: $(VENV)/.dev lint types ## Check lint, types and import rules, and run the tests
	$(BIN)/pytest --numprocesses=2 --dist=loadfile

lint: $(VENV)/.dev ## Check style and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.dev ## Check types, strictly
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## Write the hashed requirements; UPGRADE=--upgrade takes the newest versions that pyproject.toml allows
	$(LOCK) pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml --group run -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) --group processing_requests -c requirements/dev.txt -o apps/processing_requests/requirements.txt
	$(LOCK) --group message_broker -c requirements/dev.txt -o apps/message_broker/requirements.txt
	$(LOCK) --group traces -c requirements/dev.txt -o requirements/traces.txt
	$(LOCK) --group bench -c requirements/dev.txt -o requirements/bench.txt

bench: $(VENV)/.dev $(VENV)/.bench ## Measure the intake (15 minutes); AGAINST=../other measures another checkout beside it
	$(BIN)/python bench/intake.py --command "make $@" $(if $(AGAINST),--against $(AGAINST))

bench-quick: $(VENV)/.dev $(VENV)/.bench ## The same in two minutes, less exact, with the results in bench/results/quick
	$(BIN)/python bench/intake.py --command "make $@" --rounds 1 --seconds 2 --results bench/results/quick \
	  $(if $(AGAINST),--against $(AGAINST))

bench-profile: $(VENV)/.dev $(VENV)/.bench ## Sample where the intake spends its time under load
	$(BIN)/python bench/profile_intake.py

bench-docs: $(VENV)/.dev $(VENV)/.bench ## Put the results of the last bench, and a new profile, into docs/performance.md
	$(BIN)/python bench/report.py bench/results/intake.json --into docs/performance.md
	$(BIN)/python bench/profile_intake.py --into docs/performance.md

bench-test: $(VENV)/.dev ## Run what `make test` leaves out: an operator's day with 10,000 e-mails, the tests of the bench and of the soak
	$(BIN)/pytest -m measures tests/e2e/test_bench_intake.py tests/e2e/test_operating.py tests/e2e/test_soak.py

bench-broker: $(VENV)/.dev ## Measure the broker; AGAINST=../other measures another checkout beside it
	$(BIN)/python bench/broker.py $(if $(AGAINST),--against $(AGAINST))

simulate: $(VENV)/.dev ## Live through simulated histories with faults; SEEDS=100000 of them, or SEED=1234 with all that happens
	PYTHONPATH=$(if $(PYTHONPATH),$(PYTHONPATH):)tests $(BIN)/python -m simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(filter command,$(origin ONLY)),--only '$(ONLY)') $(if $(JSON),--json $(JSON))

trace: $(VENV)/.dev ## Print the trace of one e-mail, from a client to the archive; ON=embedded, aws or both
	PYTHONPATH=$(if $(PYTHONPATH),$(PYTHONPATH):)tests $(BIN)/python -m traces --on $(or $(ON),both)

chaos: $(VENV)/.dev ## Run both services under faults, and look for what is lost; SECONDS=60 SEED=1 ON=embedded, aws or both
	PYTHONPATH=$(if $(PYTHONPATH),$(PYTHONPATH):)tests $(BIN)/python -m chaos --seconds $(or $(SECONDS),60) \
	  --on $(or $(ON),both) $(if $(SEED),--seed $(SEED)) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(JSON),--json $(JSON))

soak: $(VENV)/.dev ## Watch the memory of both services for an hour; MINUTES=60 RATE=420 per second, ON=sqlite or sqs
	$(BIN)/python bench/soak.py --minutes $(or $(MINUTES),60) --rate $(or $(RATE),420) --on $(or $(ON),sqlite)

image: ## Build both images with docker or podman
	$(PYTHON) dev/image.py

image-test: $(VENV)/.dev ## Build both images, run them as a cluster would, and stop them
	$(BIN)/pytest --asked-for -m needs_containers tests/images

test-terraform: $(VENV)/.dev ## Run the tests that `make test` skips without Terraform and its provider
	$(BIN)/pytest --asked-for tests/terraform

test-terraform-apply: $(VENV)/.dev ## Apply terraform/ to an emulator, run both services on it, destroy
	$(BIN)/pytest --asked-for -m applies_terraform -o log_cli=true -o log_cli_level=INFO tests/terraform

test-oracle: $(VENV)/.dev ## Plant defects, one at a time; the simulation and the chaos suite must catch each (15 minutes)
	$(BIN)/pytest -m plants_defects tests/planted_defects

clean: ## Remove what the other targets created, but never the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.run $(VENV)/.dev: $(VENV)/.%: requirements/%.txt pyproject.toml $(VENV)/pyvenv.cfg
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# What the bench runs beside the intake, where it is in nobody's way.
$(VENV)/.bench: requirements/bench.txt $(VENV)/pyvenv.cfg
	$(BIN)/python -m venv --clear $(VENV)/bench
	$(VENV)/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# Looked at in each run, because the Python that it was made by may have changed.
$(VENV)/pyvenv.cfg: FORCE
	@dev/venv.sh $(VENV) $(PYTHON) $(if $(filter file,$(origin PYTHON)),,asked)

FORCE:
