# make demo: one VM on a slice of a GPU, from nothing to a picture of its screen.
# make test: what each change is held to. make soak: that and what takes the lab for minutes, again and again.
# make bench: what it costs, against peers. All install what is missing.

CACHE  := $(or $(LIBVF_CACHE),$(HOME)/.cache/libvf)
LOCK   := requirements/dev.txt
VENV   := $(CACHE)/venv-$(shell sha256sum $(LOCK) | cut -c1-16)
PYTHON := $(VENV)/bin/python
BENCH_LOCK := requirements/bench.txt
BENCH_VENV := $(CACHE)/venv-$(shell sha256sum $(BENCH_LOCK) | cut -c1-16)
export PYTHONPATH := $(CURDIR)/api:$(CURDIR)/operator:$(CURDIR)/host-agent:$(CURDIR)/launcher:$(CURDIR)/gateway:$(CURDIR)/cli:$(CURDIR)
export PATH := $(VENV)/bin:$(PATH)

# random tests play one life here, so that what turns red is a change; `make test LIBVF_SEED=` plays another
LIBVF_SEED ?= 20261125
export LIBVF_SEED

SOURCES := api operator/libvf_operator host-agent/libvf_agent launcher/libvf_launcher gateway/libvf_gateway \
  cli/libvf_cli cli/libvf_workstation lab bench

.PHONY: demo down reset test soak unit e2e lint docs bench bench-quick locks

demo: $(VENV)
	$(PYTHON) -m lab.demo

down: $(VENV)
	$(PYTHON) -m lab down

reset: $(VENV)
	$(PYTHON) -m lab reset

# what needs no lab, on two cores. What it writes is kept when a test fails, and in a place with a short name: the path of
# a socket has 107 bytes at most
define without_a_lab
	@files=$$(mktemp -d /tmp/vf.XXXX) && echo "what tests write: $$files" && \
	  pytest --basetemp=$$files -n 2 --dist loadfile --durations=25 $(1) && rm -rf --one-file-system $$files
endef

# what each change is held to; `make soak` is all of it, with what takes the lab for minutes, and repeats it more often
test: CHOSEN := and not long
soak: export LIBVF_ROUNDS = 10
test soak: lint
	$(PYTHON) -m lab build
	$(call without_a_lab,-m "not e2e $(CHOSEN)" tests/unit tests/contract tests/integration)
	pytest --verbose --durations=25 -m "e2e $(CHOSEN)" tests/contract tests/e2e

# what needs neither a cluster nor a node: a minute or two
unit: $(VENV)
	$(PYTHON) -m lab.packages
	$(call without_a_lab,-m "not e2e" tests/unit tests/contract)

e2e: $(VENV)
	pytest --verbose --durations=0 -m e2e

lint: $(VENV)
	ruff check .
	ruff format --check .
	mypy $(SOURCES)
	lint-imports

# the documentation as a site, in out/site
docs: $(VENV)
	mkdocs build --strict

# figures into out/bench/, the page of docs/ and the README's table from them; the quick one changes no page
bench: $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m bench; measured=$$?; $(BENCH_VENV)/bin/python -m bench.page && exit $$measured

bench-quick: $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m bench --quick

# the locks, made anew from pyproject.toml; they carry hashes and no addresses. An image has its extra alone, without
# what `kubectl vf` needs
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
EXTRA   := import sys, tomllib; data = tomllib.load(open("pyproject.toml", "rb")); \
  print(*data["project"]["optional-dependencies"][sys.argv[1]], sep="\n")

locks:
	for extra in operator agent launcher gateway cli; do \
	  python3 -c '$(EXTRA)' $$extra | $(COMPILE) - -o requirements/$$extra.txt || exit 1; done
	for extra in dev bench; do $(COMPILE) --extra $$extra pyproject.toml -o requirements/$$extra.txt || exit 1; done

define install
	@echo "installing the locked Python packages into $(1) ..."
	@rm -rf $(1)
	@python3 -m venv $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2) || { rm -rf $(1); exit 1; }
endef

$(VENV):
	$(call install,$(VENV),$(LOCK))

$(BENCH_VENV):
	$(call install,$(BENCH_VENV),$(BENCH_LOCK))
