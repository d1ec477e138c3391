# One command checks everything: make check
PYTHON ?= python

.PHONY: beside check dev imports links lint lock lowest matrix newest page site test test-local types viewer

check:
	$(MAKE) --jobs=2 lint types imports viewer
	$(MAKE) test

# The package as standard tools see it: a link tree, named in this environment and in the tools' settings.
dev:
	$(PYTHON) -m pip install -e ".[test]"
	$(PYTHON) scripts/links.py --install

links:
	$(PYTHON) scripts/links.py

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: links
	$(PYTHON) -m mypy

# As an editor sees the tree: no import is left unresolved. The extras `local` and `cluster` must be there to be seen.
imports: links
	@if $(PYTHON) -c "from importlib.util import find_spec as f; exit(not all(map(f, ('torch', 'transformers', 'ray'))))"; \
	then $(PYTHON) -m basedpyright --level error --pythonpath "$$($(PYTHON) -c 'import sys; print(sys.executable)')"; \
	else echo "imports not checked: needs the extras local-test and cluster"; fi

# The viewer's page: its types, its linter and its unit tests. Its tests in a browser are in tests/viewer.
# CI also builds the page and compares it with the committed files: PAGE="check compare".
PAGE ?= check
viewer:
	$(PYTHON) scripts/viewer_page.py $(PAGE)

# Build the page anew after a change to viewer/src, and its types after one to eval/browse/forms.py.
page: links
	PYTHONPATH=$(CURDIR)/.links $(PYTHON) scripts/viewer_forms.py
	$(PYTHON) scripts/viewer_page.py forms
	$(PYTHON) scripts/viewer_page.py build

# Each worker begins with its own half of the tests, so that a module's fixtures are made once; who is done takes over.
test:
	$(PYTHON) -m pytest -n auto --dist worksteal

# Local models of every architecture that the shipped rows name; `make test` takes two of the eight.
test-local:
	ALL_LOCAL_FAMILIES=1 $(PYTHON) -m pytest -n auto tests/agent/providers/local

# Kills, stops, shortages, faults on the wire, damage, hostile input: all of it (tests run a sample), and the page of it.
matrix: links
	PYTHONPATH=$(CURDIR)/.links:$(CURDIR)/tests $(PYTHON) -m matrix --seed 1 --page docs/reliability.md

# medvision-agent and MedVision's own package in one environment: the pair resolves, Parquet works as pinned there, and
# a model of its evaluator is served and asked, and its prompts are taken.
beside:
	echo medvision-bm==1.2.1 | $(PYTHON) -m uv pip compile --quiet --python-version 3.11 pyproject.toml - -o /dev/null
	rm -rf build/beside && $(PYTHON) -m pip install --quiet --no-deps --target build/beside -r requirements/medvision-bm.txt
	PYTHONPATH=$(CURDIR)/build/beside$${PYTHONPATH:+:$$PYTHONPATH} $(PYTHON) -m pytest -n0 tests/eval/data/test_export.py
	rm -rf build/upstream && $(PYTHON) -m pip install --quiet --no-deps --target build/upstream -r requirements/lmms-eval.txt
	PYTHONPATH=$(CURDIR)/build/upstream:$(CURDIR)/build/upstream/medvision_bm/medvision_lmms_eval$${PYTHONPATH:+:$$PYTHONPATH} \
		$(PYTHON) -m pytest -n0 tests/agent/upstream

# The core with the lowest versions that pyproject.toml allows, and with the newest ones, each in an environment of its own:
# scoring, views, the store, and runs from the command line. OTHER=python3.13 takes another interpreter, PACKAGE=FILE.whl
# a wheel instead of the checkout.
PACKAGE ?= -e .
CORE_TESTS = tests/eval/scorer/test_golden.py tests/tools/view/test_views.py tests/eval/store/test_store.py \
	tests/cli/test_export.py
lowest newest:
	rm -rf build/$@
	$(PYTHON) -m uv venv --quiet build/$@ --python "$(or $(OTHER),$$($(PYTHON) -c 'import sys; print(sys.executable)'))"
	$(PYTHON) -m uv pip compile --quiet --resolution $(if $(filter lowest,$@),lowest-direct,highest) pyproject.toml \
		--python build/$@/bin/python -o build/$@/versions.txt
	$(PYTHON) -m uv pip install --quiet --python build/$@/bin/python -r build/$@/versions.txt \
		pytest pytest-asyncio hypothesis aiohttp
	$(PYTHON) -m uv pip install --quiet --python build/$@/bin/python --no-deps $(PACKAGE)
	build/$@/bin/python -m pytest -q -p no:cacheprovider $(CORE_TESTS)

# The documents as a site, in build/site; needs the extra `docs`.
site:
	$(PYTHON) -m mkdocs build --strict
	$(PYTHON) scripts/gallery.py build/site/gallery

# The exact versions CI installs; torch has a build for each machine and is named in .ci/run.
lock:
	$(PYTHON) -m uv pip compile --quiet pyproject.toml --extra test --extra local-test --extra cluster --python-version 3.11 \
		--excludes requirements/not-locked.txt --no-annotate --custom-compile-command "make lock" -o requirements/ci.txt
