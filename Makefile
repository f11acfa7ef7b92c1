# Each of these works as the first command in a fresh clone, and takes seconds the second time.
.DEFAULT_GOAL := help
.PHONY: help environment demo test check format look

bin := .venv/bin
on = $(filter-out 0 no,$(1))
# Tests and checks have a database of their own, away from yours.
apart := TRUING_HOME="$(CURDIR)/.setup/home"

help:
	@echo "make demo     install, run the whole loop, show what happened, serve it (SERVE=0, FRESH=1)"
	@echo "              JSON=1 prints the result as one object first, and then serves unless SERVE=0"
	@echo "make test     install, and run every test"
	@echo "make check    format, lint, types, imports and migrations"
	@echo "make format   write what make check wants"
	@echo "make look     build the style sheet; needs Node"

environment:
	@platform/setup/environment.sh

demo: environment
	@$(bin)/truing demo $(if $(call on,$(or $(SERVE),1)),--serve) $(if $(call on,$(JSON)),--json) $(if $(call on,$(FRESH)),--fresh)

test: environment
	@$(apart) TRUING_BROWSER="$$(platform/setup/browser.sh)" \
		$(bin)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: environment
	$(bin)/ruff format --check --quiet
	$(bin)/ruff check --quiet
	find templates -name '*.html' -exec $(bin)/djade --target-version 5.2 --check {} +
	$(apart) $(bin)/mypy
	$(bin)/lint-imports --no-logo
	$(apart) $(bin)/python manage.py makemigrations --check --dry-run

format: environment
	$(bin)/ruff format
	$(bin)/ruff check --fix
	find templates -name '*.html' -exec $(bin)/djade --target-version 5.2 {} +

look:
	cd platform/look && npm ci && npm run build
