# One command checks everything: make check
PYTHON ?= python

.PHONY: check lint types test

check: lint types test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

# The folders map to medvision_agent.* at install time; a link tree shows mypy the same picture.
types:
	rm -rf .typecheck && mkdir -p .typecheck/medvision_agent
	ln -s $(CURDIR)/core/* .typecheck/medvision_agent/
	ln -s $(CURDIR)/agent $(CURDIR)/cli $(CURDIR)/eval $(CURDIR)/prompts $(CURDIR)/tools .typecheck/medvision_agent/
	MYPYPATH=.typecheck $(PYTHON) -m mypy -p medvision_agent

test:
	$(PYTHON) -m pytest -n auto
