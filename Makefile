# Every target installs and starts what it needs, and stops what it started.
#
# No absolute names in here: a space in the project's folder would tear them apart. Values that users give (FEED
# and its like) reach the commands through the environment, never through make's own expansion, so they may hold
# spaces and quotes. A command that runs for long replaces its shell (exec): a SIGTERM to make then reaches it.

# A process of pytest that dies fails the run: in the place of a new one, that has been seen to wait for ever.
PYTEST_PARALLEL ?= -n 2 --dist loadgroup --max-worker-restart=0
PYTHON ?=
ARGS ?=

AS_OF ?= 2011-05-01
REPORT ?= report.csv
MONTHS ?= 3
ROUND ?= month
ZONE ?= Europe/London

SECONDS ?= 20
PROCESSES ?= 4
SEED ?=
# A shell of its own mind counts in SECONDS how long it has been running: the command gets it under another name.
HAMMER_SECONDS = $(SECONDS)

PY := .venv/bin/python
RUN := $(PY) -m devstack.run --with-parent
UV := .data/uv/bin/uv pip compile pyproject.toml
LOCK_OPTIONS := --quiet --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock"

N ?= 4000

export PORT FEED AS_OF REPORT MONTHS ROUND ZONE HAMMER_SECONDS PROCESSES SEED N FULL
# `make ... TZ=Asia/Seoul` would change the clock of every program below; another project's settings do not fit.
unexport TZ DJANGO_SETTINGS_MODULE

.DEFAULT_GOAL := help
.PHONY: help install demo demo-reset test check replay hammer chaos mutants bench messages lock

help: ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

install: ## make .venv and fill it with the locked packages (PYTHON=python3.12 chooses the Python)
	@sh devstack/install.sh "$(PYTHON)"

demo: install ## run the demo until Ctrl-C; its data stay in .data/demo (PORT=8000)
	@exec $(PY) -m devstack.demo --with-parent

demo-reset: install ## remove the demo's data, to start it over
	@exec $(PY) -m devstack.reset

test: install ## run the tests against servers of their own (ARGS="-k word" goes to pytest)
	@exec $(RUN) -- $(PY) -m pytest $(PYTEST_PARALLEL) $(ARGS)

check: install ## lint, types, import contracts, house rules, migrations, deployment settings, then the tests
	@echo "== lint"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo "== types"
	@$(PY) -m mypy .
	@echo "== import contracts"
	@$(PY) -c "from importlinter.cli import lint_imports_command as main; main()"
	@echo "== house"
	@exec $(PY) -m pytest -q tests/test_house.py
	@echo "== migrations"
	@exec $(RUN) --own -- $(PY) manage.py makemigrations --check --dry-run
	@echo "== deployment settings"
	@exec $(RUN) --own -- sh devstack/check_deploy.sh
	@echo "== tests"
	@$(MAKE) --no-print-directory test

replay: install ## apply a feed to a new programme and write its report: FEED=file.csv AS_OF= REPORT= MONTHS= ROUND= ZONE=
	@if [ -z "$$FEED" ]; then echo "FEED is missing: make replay FEED=file.csv [AS_OF=$$AS_OF REPORT=$$REPORT MONTHS=$$MONTHS ROUND=$$ROUND ZONE=$$ZONE]" >&2; exit 2; fi
	@exec $(RUN) --own --migrate -- $(PY) manage.py replay "$$FEED" --as-of "$$AS_OF" --report "$$REPORT" --months "$$MONTHS" --round "$$ROUND" --zone "$$ZONE"

hammer: install ## many processes act at once, some are killed, then the audit: SECONDS=20 PROCESSES=4 SEED=
	@exec $(RUN) --own --durable --migrate -- $(PY) manage.py hammer --seconds "$$HAMMER_SECONDS" --processes "$$PROCESSES" --seed "$$SEED"

chaos: install ## kill workers, broker and database while reminders go out, then count the messages: N=4000 SEED=
	@exec $(PY) -m chaos.run --with-parent --seed "$$SEED" "$$N"

mutants: install ## break the ledger in many ways, one at a time: a test must fail each time (ARGS="name" for some)
	@exec $(RUN) --own -- $(PY) -m tests.mutants $(ARGS)

bench: install ## measure the ledger against yardsticks, into benchmarks/RESULTS.md (FULL=1, or ARGS="redeem grant" for some rows)
	@exec $(RUN) --own --durable --home .data/bench -- $(PY) -m benchmarks.run $(ARGS)

messages: install ## compile the Korean texts after an edit of locale/ko/LC_MESSAGES/django.po
	@exec .venv/bin/pybabel compile -D django -d locale

lock: install ## write both locks anew from pyproject.toml; needs the network (ARGS=--upgrade takes newer versions)
	@test -x .data/uv/bin/python || $(PY) -m venv .data/uv
	@.data/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) $(LOCK_OPTIONS) $(ARGS) --extra dev -o requirements.lock
	@$(UV) $(LOCK_OPTIONS) $(ARGS) -o requirements-server.lock
