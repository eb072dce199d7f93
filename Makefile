# `make run` and `make test` are all that a fresh clone needs: each sets up first, once, in .venv.
#
# PYTHON=path   the interpreter (default: the newest >= 3.11 that works)      VENV=dir    where to install (.venv)
# CLIENTS=dir   `make test-clients`: where freqtrade and NautilusTrader are installed (.venv-clients)
# TESTS=paths   what `make test` runs (tests)                                 COVERAGE=1  measure and demand 100 %
# SEED=n SEEDS=n  `make sim`: one seed, or how many                           JSON=file   `make bench`: also as JSON
# INTO=file       `make sim`: keep what was done and go on from there          MINUTES=n   begin no more seeds after that
# OPERATIONS=n    `make oracle`: so many on the book, and on the exchange, against their naive counterparts (1,000,000)
# REQUESTS=n EXAMPLES=n  `make fuzz`: requests of chance against the Binance door (5,000), and of each native operation (40)
# WORLDS=n WORLD=n  `make sim`: so many seeds of the whole system under faults, or one, with the order of its events
# SOAK=n          `make bench`: instead load a server for so many seconds and watch its memory (600)
# SERVE=options   `make run`: what `ringfence serve` is told, e.g. SERVE="--session mine.db --seed 7"
# GATE=1          `make sim`: the scripts and few seeds that reach every refusal, layer and branch of the waterfall

PYTHON ?=
VENV ?= .venv
CLIENTS ?= .venv-clients
TESTS ?= tests
BIN := $(VENV)/bin
SETUP := PYTHON='$(PYTHON)' VENV='$(VENV)' .ci/setup.sh

.PHONY: setup run test test-clients check fmt sim fuzz oracle golden bench docs clean

setup: $(VENV)/dev.stamp

run: $(VENV)/run.stamp
	@echo "Serving a generated market as an exchange, in live.db, until Ctrl-C."
	@exec $(BIN)/ringfence serve $(SERVE)

test: $(VENV)/dev.stamp
	@echo "Testing $(TESTS) on all cores$(if $(COVERAGE),; every branch of events and exchange/core has to be covered)."
	@$(BIN)/python -m pytest -n auto $(TESTS) $(if $(COVERAGE),--cov)

test-clients: $(VENV)/dev.stamp $(CLIENTS)/clients.stamp
	@echo "Testing freqtrade and NautilusTrader at a served exchange, two minutes or so."
	@RINGFENCE_CLIENTS='$(abspath $(CLIENTS))' $(BIN)/python -m pytest tests/clients/slow

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy --strict
	$(BIN)/python -m docs.generate --check

fmt: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

sim: $(VENV)/dev.stamp
ifneq ($(WORLD)$(WORLDS),)
	$(BIN)/python -m tests.sim.world $(if $(WORLD),--seed $(WORLD),--seeds $(WORLDS))
else
	$(BIN)/python -m tests.sim $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(INTO),--into $(INTO)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(GATE),--gate)
endif

fuzz: $(VENV)/dev.stamp
	$(BIN)/python -m tests.fuzz.native_api $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))
	$(BIN)/python -m tests.fuzz.binance_door $(if $(SEED),--seed $(SEED)) $(if $(REQUESTS),--requests $(REQUESTS))

oracle: $(VENV)/dev.stamp
	$(BIN)/python -m tests.contract $(if $(SEED),--seed $(SEED)) $(if $(OPERATIONS),--operations $(OPERATIONS))

golden: $(VENV)/dev.stamp
	$(BIN)/python -m tests.golden

bench: $(VENV)/run.stamp
	$(BIN)/python -m benchmarks $(if $(SOAK),--soak $(SOAK)) $(if $(JSON),--json $(JSON))

docs: $(VENV)/run.stamp
	$(BIN)/python -m docs.generate

clean:
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov demo.db*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: pyproject.toml constraints.txt
	@$(SETUP)

$(VENV)/dev.stamp: pyproject.toml constraints.txt
	@$(SETUP) dev

$(CLIENTS)/clients.stamp: .ci/clients.txt
	@VENV='$(CLIENTS)' PYTHON='$(PYTHON)' .ci/setup.sh clients
