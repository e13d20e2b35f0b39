# Everything here needs only Python 3.11 or newer, pip and make.
PYTHON ?= python3
PORT   ?= 8080
# Three at once: some tests wait, for a restart or a lock, and two cores have time for a third meanwhile.
JOBS   ?= 3

V      := .venv
PY     := $(V)/bin/python
RUN := $(V)/.ok-run
DEV    := $(V)/.ok-dev

# Where Python has a pip of its own that can fill another environment (since 22.3), the environment is made without:
# that takes four seconds less, and Debian's Python without python3-venv can do it too.
# The locks are complete, so nothing is resolved; and Python compiles what is really used, when it is used.
define install
	@if $(PY) -c 'import pip' 2>/dev/null; then pip="$(PY) -m pip"; else pip="$(PYTHON) -m pip --python $(PY)"; fi; \
	 $$pip --disable-pip-version-check install -q --no-compile --no-deps --require-hashes --only-binary :all: -r $(1)
endef

define launcher
#!/bin/sh
# Runs Tiexin from its checkout, in whatever directory it is called.
here=$$(dirname "$$(readlink -f "$$0")")
PYTHONPATH="$$(dirname "$$(dirname "$$here")")$${PYTHONPATH:+:$$PYTHONPATH}" exec "$$here/python" -P -m bot "$$@"
endef
export launcher

# The tests start many servers; without their compiled modules each starts half as fast.
CACHING := env -u PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test bench faults lock clean

help:
	@echo 'make run     the demonstration, at http://127.0.0.1:$(PORT)  (PORT=… changes it)'
	@echo 'make setup   only builds $(V), with $(V)/bin/tiexin'
	@echo 'make test    the whole suite, static checks included'
	@echo 'make bench   the benchmarks'
	@echo 'make faults  the long fault runs'

setup: $(RUN)

run: $(RUN)
	@exec $(V)/bin/tiexin demo --port $(PORT)

test: $(DEV)
	$(V)/bin/ruff check .
	$(V)/bin/ruff format --check .
	$(V)/bin/mypy
	$(V)/bin/lint-imports
	$(CACHING) $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

bench: $(DEV)
	@$(PY) -m tests.bench

faults: $(DEV)
	$(PY) -m pytest -m faults

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; PYTHON=… names another one")'
	@echo 'Building $(V); the first time takes about half a minute.'
	@if $(PYTHON) -c 'import pip; assert tuple(map(int, pip.__version__.split(".")[:2])) >= (22, 3)' 2>/dev/null; \
	 then bare=--without-pip; fi; \
	 $(PYTHON) -m venv --clear $$bare $(V)

$(RUN): requirements.lock Makefile $(PY)
	$(call install,requirements.lock)
	@printf '%s\n' "$$launcher" > $(V)/bin/tiexin && chmod +x $(V)/bin/tiexin
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(call install,requirements-dev.lock)
	@touch $@

# For maintainers, with uv on the PATH. The larger set is resolved first and binds the smaller one, so that
# what is tested is what runs. Neither file names a host.
COMPILE = uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
lock:
	$(COMPILE) --extra dev --extra bench -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf $(V) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
