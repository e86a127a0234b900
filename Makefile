# Roost: every task that a contributor or an operator of the sources needs. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Release programs carry the Swift runtime, so that they run on machines without a toolchain (and under systemd's
# sandbox). One set of flags for demo, bench, install and the boot test: no second release build.
RELEASE := -c release --static-swift-stdlib
PROGRAMS := roostd roostctl roost-bench
BIN := .build/release

# Where `make install` puts things. DESTDIR stages the tree for a package.
DESTDIR ?=
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

# systemd-analyze's exposure level, times ten, that the units must stay under.
SECURITY_THRESHOLD := 15

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install librocksdb-dev when it is missing (apt, sudo when not root); check the Swift toolchain
	@.ci/setup

.PHONY: build
build: setup ## Build the programs in release mode, into .build/release
	swift build $(RELEASE)

.PHONY: demo
demo: setup ## Three nodes on this machine, until Ctrl-C; data stays in .roost-demo/
	@swift build $(RELEASE) --product roostd
	@swift build $(RELEASE) --product roostctl
	@exec $(BIN)/roostctl demo run

.PHONY: demo-clean
demo-clean: ## Remove the demo's data (refused while the demo runs)
	@.ci/demo-clean .roost-demo

.PHONY: test
test: setup ## Every test that a contributor must pass
	swift test --disable-xctest --no-parallel

# Seeds that once found something stand in Tests/SimulatorTests; these are new each time, and printed.
SIM ?= --seeds 200 --events 20000 --max-undecided 40
.PHONY: sim
sim: setup ## Simulate whole clusters under faults: fresh seeds (SIM="--seeds 5000 --events 100000" for a long run)
	@swift build $(RELEASE) --product roost-sim
	@$(BIN)/roost-sim --fresh $(SIM)
	@$(BIN)/roost-sim --first 1 --seeds 50 --events 20000 --max-undecided 20
	@.ci/check-determinism $(BIN)/roost-sim

# long, or short. SUITE: KillTests, FailpointTests, PowerTests, DiskErrorTests, SlowDiskTests, FullDiskTests, FlippedByteTests.
CRASH ?= long
.PHONY: crash
crash: setup ## Injure real daemons: kill -9, power cuts, failing and full disks, flipped bits (CRASH=short, SUITE=...)
	@swift build $(RELEASE) --product roostd
	@Tests/CrashTests/run $(CRASH) $(SUITE)

.PHONY: budgets
budgets: setup ## Count the instructions of a SET, a GET and a replicated entry, and compare with .ci/budgets
	@swift build $(RELEASE) --product roost-budget
	@.ci/check-budgets $(BIN)/roost-budget

.PHONY: mutants
mutants: setup ## Plant every known kind of bug, and see that the simulator finds it (MUTANTS="name ..." for some)
	@Tests/Mutants/run $(MUTANTS)

.PHONY: lint
lint: ## Format, layers, imports and scripts, without writing anything
	swift format lint --strict --recursive --parallel Package.swift Sources Tests .ci/tidy.swift
	swift .ci/tidy.swift --self-test
	swift .ci/tidy.swift
	@.ci/check-scripts

.PHONY: format
format: ## Format every Swift file in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests .ci/tidy.swift

.PHONY: fix
fix: format ## Repair what can be repaired by a tool (writes), then show what is left
	@$(MAKE) lint

.PHONY: verify
verify: ## Exactly what CI runs, without installing packages; changes no file of the tree
	@.ci/run --no-install

.PHONY: bench
bench: setup ## Roost beside raw RocksDB, Redis and etcd on this machine (BENCH="--quick" for a short run, "--install" for peers)
	@swift build $(RELEASE) --product roostd
	@swift build $(RELEASE) --product roost-bench
	@exec $(BIN)/roost-bench $(BENCH)

.PHONY: systemd-verify
systemd-verify: ## Check the units on a staged install: systemd-analyze verify and security
	@SECURITY_THRESHOLD=$(SECURITY_THRESHOLD) Systemd/test/verify-units

.PHONY: systemd-test
systemd-test: setup ## Boot a real systemd in a container and run the service under it (needs root)
	@swift build $(RELEASE) --product roostd
	@swift build $(RELEASE) --product roostctl
	@Systemd/test/boot $(abspath $(BIN))

.PHONY: install
install: ## Install programs, units and configuration (DESTDIR, PREFIX, SYSCONFDIR); build first
	@for program in roostd roostctl; do \
	    test -x $(BIN)/$$program || { echo "make install: $(BIN)/$$program is missing; run 'make build' first" >&2; exit 1; }; \
	done
	install -D -m 0755 $(BIN)/roostd $(DESTDIR)$(PREFIX)/sbin/roostd
	install -D -m 0755 $(BIN)/roostctl $(DESTDIR)$(PREFIX)/bin/roostctl
	@$(MAKE) install-systemd

# The part of an install that needs no build; the unit checks stage it alone.
.PHONY: install-systemd
install-systemd:
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(SYSCONFDIR)/roost
	for unit in roost.service roost@.service roost.target; do \
	    sed -e 's|/usr/sbin/|$(PREFIX)/sbin/|g' -e 's|/etc/|$(SYSCONFDIR)/|g' Systemd/$$unit \
	        > $(DESTDIR)$(UNITDIR)/$$unit; \
	    chmod 0644 $(DESTDIR)$(UNITDIR)/$$unit; \
	done
	install -m 0644 Systemd/roost.sysusers $(DESTDIR)$(SYSUSERSDIR)/roost.conf
	@# A configuration that an operator may have edited is never replaced.
	test -e $(DESTDIR)$(SYSCONFDIR)/roost/roost.toml \
	    || install -m 0644 Systemd/roost.toml $(DESTDIR)$(SYSCONFDIR)/roost/roost.toml
	@test -n "$(DESTDIR)" || echo "next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now roost"

.PHONY: clean
clean: ## Remove build products (not the demo's data)
	rm -rf .build
