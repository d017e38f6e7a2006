# The commands are a contract: each sets up what it needs on a fresh machine, or says plainly what it lacks.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Node 24 comes from npm (package "node"), so that any machine with some Node and npm has the right one.
# First in PATH, because the tools in there start the node that they find.
bin := node_modules/.bin
export PATH := $(CURDIR)/$(bin):$(PATH)
node := $(bin)/node

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

node_modules/.installed: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "Cannot install: npm is missing. Install Node.js with npm, any version from 20 on" >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@$(node) -e 'const [m] = process.versions.node.split("."); if (m < 24) { console.error("Cannot run: npm did not install Node 24 (install scripts switched off?)"); process.exit(1) }'
	@touch $@

.PHONY: demo
demo: node_modules/.installed ## The main job on the embedded simulator, end to end, in under a minute
	@$(node) src/main.ts demo

.PHONY: test
test: node_modules/.installed ## All tests that need no system change (as root also those on loop devices)
	$(node) --test --test-reporter=./test/reporter.ts $(TEST_FLAGS) 'src/**/*.test.ts' 'sim/**/*.test.ts' 'test/**/*.test.ts'

.PHONY: check
check: node_modules/.installed ## Format, lint, types, architecture
	$(bin)/biome check .
	$(bin)/tsc -p tsconfig.json
	$(bin)/depcruise --config .dependency-cruiser.mjs src sim

.PHONY: format
format: node_modules/.installed ## Let the formatter and the linter mend what they can
	$(bin)/biome check --write .

.PHONY: conformance
conformance: node_modules/.installed ## csi-sanity against controller and node, in every configuration (needs Go and root)
	$(node) test/conformance/run.ts

.PHONY: machine
machine: node_modules/.installed ## Real kernels with real NVMe/TCP, in QEMU without KVM (needs root and apt)
	$(node) test/machine/run.ts $(MACHINE_FLAGS)

.PHONY: bench
bench: node_modules/.installed bundle ## Round trips, latency, memory, start-up, and ratios on a real kernel, as a table
	$(node) bench/run.ts

.PHONY: bundle
bundle: node_modules/.installed ## dist/rds-csi.cjs: the one file that the image ships
	$(node) scripts/bundle.ts

.PHONY: generate
generate: node_modules/.installed ## Messages and secret fields from proto/csi.proto
	scripts/generate-proto.sh

.PHONY: clean
clean: ## Remove what the other commands made
	rm -rf node_modules dist
