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

# Run the tests, against real servers: three at a time, for most of the time they wait; -n 0 for one
test *args: setup
    @{{ quote(python) }} tools/programs.py
    @exec {{ here }} pytest -n 3 --dist worksteal "$@"

# Run the slow tests, which `just test` leaves out: more faults and pages, the benchmarks in small
test-slow *args: setup
    @{{ quote(python) }} tools/programs.py
    @exec {{ here }} pytest -m slow "$@"

# Say whether format, lint, types and imports are in order
check: setup
    {{ here }} ruff format --check
    {{ here }} ruff check
    {{ here }} mypy
    {{ here }} mypy tools/install.py tools/programs.py tools/audit.py
    .venv/bin/lint-imports

# Format the code and repair what the linter can
fmt: setup
    {{ here }} ruff format
    {{ here }} ruff check --fix

# Look up the packages of requirements.lock in the databases of known holes; asks the network
audit: setup
    @exec {{ here }} tools.audit

# Choose new versions for requirements.lock, within what pyproject.toml allows
lock: setup
    .venv/bin/uv pip compile --quiet --upgrade --universal --no-emit-index-url --python-version 3.11 --generate-hashes --group dev --no-header --output-file requirements.lock pyproject.toml

# Measure: streams, queue, inbox
bench *args: setup
    @exec {{ here }} tests.bench "$@"

# Measure streams against a bare loop over sockets; takes some minutes
bench-stream *args: setup
    @exec {{ here }} tests.bench.streams "$@"

# Prove that nothing is lost, everything hurt at random under load for --minutes 30, and fuzz the API for a third of that
soak *args: setup
    @exec {{ here }} tests.soak "$@"

# Draw our mails and pages, in light and dark, wide and narrow; to be looked at
pictures: setup
    @{{ quote(python) }} tools/programs.py
    @exec {{ here }} tests.mail.pictures

# Measure the send queue against a tutorial's worker and the relay's own limit; takes some minutes
bench-send *args: setup
    @exec {{ here }} tests.bench.sending "$@"

# Draw the bell and the application as people see them, in light and dark, on desks and phones; to be looked at
screenshots *names: setup
    @{{ quote(python) }} tools/programs.py
    @exec {{ here }} tests.pages.screenshots "$@"

# Remove what was installed and cached; the data in .belfry stays
clean:
    rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist bench-results pictures screenshots soak-results
