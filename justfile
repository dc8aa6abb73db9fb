set positional-arguments

python := env("PYTHON", "python3")
here := ".venv/bin/python -m"

# List the recipes
default:
    @just --list --unsorted

# Make .venv what requirements.lock says (every recipe does this first)
setup:
    @{{ quote(python) }} tools/install.py

# Start everything on this machine: PostgreSQL, Redis, mail catcher, web, workers
up *args: setup
    @exec {{ here }} belfry up "$@"

# Run the tests, against real servers
test *args: setup
    @{{ quote(python) }} tools/programs.py
    @exec {{ here }} pytest "$@"

# Say whether format, lint, types and imports are in order
check: setup
    {{ here }} ruff format --check
    {{ here }} ruff check
    {{ here }} mypy
    {{ here }} mypy tools/install.py tools/programs.py
    .venv/bin/lint-imports

# Format the code and repair what the linter can
fmt: setup
    {{ here }} ruff format
    {{ here }} ruff check --fix

# Choose new versions for requirements.lock, within what pyproject.toml allows
lock: setup
    .venv/bin/uv pip compile --quiet --upgrade --universal --no-emit-index-url --python-version 3.11 --generate-hashes --group dev --no-header --output-file requirements.lock pyproject.toml

# Measure: streams, queue, inbox
bench *args: setup
    @exec {{ here }} tests.bench "$@"

# Measure streams against a bare loop over sockets; takes some minutes
bench-stream *args: setup
    @exec {{ here }} tests.bench.streams "$@"

# Remove what was installed and cached; the data in .belfry stays
clean:
    rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist bench-results
