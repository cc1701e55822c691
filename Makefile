# Each target makes its environment first: .venv, from pyproject.toml at the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# One more than there are cores: tests of schedules mostly wait for a server.
WORKERS = $$(( $$(getconf _NPROCESSORS_ONLN) + 1 ))

# Where bytecode is not kept, every process that a test starts compiles torch and Prefect again: 8 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast endurance fuzz check docs bench bench-nights demo-encoder clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/ready
	$(BIN)/weakspot demo run demo

test: .venv/ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q

# Without servers, browsers, training and what takes seconds: under a minute.
test-fast: .venv/ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q -m "not slow"

# Twenty kills, weeks of nights on a real server, a Ray cluster, long waits: half an hour.
endurance: .venv/ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q -m endurance

# The property tests with fresh seeds, for ten minutes.
fuzz: .venv/ready
	$(BIN)/python -m tests.fuzz --seconds 600

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What is generated in docs/: the keys of audit.toml from its models, the schema of findings.json.
docs: .venv/ready
	$(BIN)/python -m tests.inputs_page
	$(BIN)/python -m tests.published_schema

bench: .venv/ready
	$(BIN)/python -m tests.benchmarks.run

# Nights at 100,000 and a million samples, and the memory of every stage: an hour, on a quiet machine.
bench-nights: .venv/ready
	$(BIN)/python -m tests.benchmarks.bench_nights 100000
	$(BIN)/python -m tests.benchmarks.bench_nights 1000000

demo-encoder: .venv/ready
	$(BIN)/python -m pipeline.demo.training.train_encoder

clean:
	rm -rf .venv demo build dist
