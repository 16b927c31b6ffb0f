# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# IOMMU live update for Linux 7.3: every command a person needs.
# 'make help' lists them; what each part is built from stands in its own
# Makefile (bpf/, tools/*/, tests/*/).

# Kbuild and make itself take a path apart at blanks and colons.
ifneq ($(words [$(CURDIR)] [$(BUILD)])$(findstring :,$(CURDIR)$(BUILD)),2)
$(error The path "$(CURDIR)" (or BUILD) has a blank or a colon, which neither Linux nor make can build in; move the checkout to a path without)
endif

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One part after the other; each uses all cores itself.
.NOTPARALLEL:

# Where everything is built, as an absolute path: parts are built from their
# own directories, and the tests read it from the environment.
BUILD ?= build
override BUILD := $(abspath $(BUILD))
export BUILD

# A user's CDPATH would send a script's cd elsewhere, and print where to.
unexport CDPATH

PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc)
export JOBS

# V=1 shows commands; parts read Q and V themselves.
ifeq ($(V),1)
export VERBOSE := 1
Q :=
else
Q := @
part-flags := -s
endif
part = $(MAKE) $(part-flags) -j$(JOBS) -C

KERNELS := lab successor
OUTGOING := $(BUILD)/linux/lab/arch/x86/boot/bzImage
INCOMING := $(BUILD)/linux/successor/arch/x86/boot/bzImage
export OUTGOING INCOMING
series-kernel = $(BUILD)/series-kernel/$(1)/linux/lab/arch/x86/boot/bzImage

# A directory below tools/ with a Makefile is a part; so are the programs that
# the laboratory, its tests and the benchmarks use.
TOOLS := $(patsubst %/Makefile,%,$(wildcard tools/*/Makefile))
PROGRAMS := $(patsubst %/Makefile,%,$(wildcard $(addsuffix /Makefile,tests/lab tests/kernel tests/bench)))

##@ Run it

demo-options = $(if $(WORKLOAD),--workload $(WORKLOAD)) $(if $(MODE),--mode $(MODE)) $(if $(MEMORY),--memory $(MEMORY)) $(if $(HUGE),--huge $(HUGE))

.PHONY: demo
demo: build ## one live update in QEMU: the pause, the verdict, the packets (WORKLOAD=nic|nvme, MODE=legacy|scalable|first-stage|amd, MEMORY=GIB, HUGE=thp|2M|1G)
	$(Q)tests/lab/demo $(demo-options) --results $(BUILD)/demo

.PHONY: demo-baseline
demo-baseline: build ## the same with the feature switched off: packets, or commands, are lost
	$(Q)tests/lab/demo --baseline $(demo-options) --results $(BUILD)/demo-baseline

.PHONY: test
test: build unit fuzz-targets ## build everything, run the tests of units, toolkit, dashboards and laboratory (TESTS= some of them, TEST_JOBS= at a time)
	$(Q)tests/run $(TESTS)

.PHONY: test-debug
test-debug: kernel-debug tools programs ## the laboratory's tests with the debug kernel on both sides (TESTS=)
	$(Q)tests/run-debug $(TESTS)

.PHONY: test-locks
test-locks: kernel-locks tools programs ## the same with a kernel that checks its locks alone, several times as fast (TESTS=)
	$(Q)KERNEL=locks tests/run-debug $(TESTS)

soak-options = --count $(or $(COUNT),1000) $(if $(SEED),--seed $(SEED)) $(if $(FROM),--from $(FROM)) \
	$(if $(MODES),--modes '$(MODES)') $(if $(EACH),--each $(EACH)) $(if $(SOAK_JOBS),--jobs $(SOAK_JOBS)) $(if $(RESUME),--resume)

.PHONY: soak
soak: build ## live updates in a row, with a fault in one of ten (COUNT=1000, SEED=, FROM=, MODES=, EACH=, SOAK_JOBS=, RESUME=1)
	$(Q)tests/soak/run $(soak-options) --results $(BUILD)/soak

.PHONY: stress
stress: build ## calls that nobody would make, so long in each of two kernels (SECONDS=1800, SEED=)
	$(Q)SECONDS_OF_STRESS=$(or $(SECONDS),1800) $(if $(SEED),SEED=$(SEED)) tests/run tests/kernel/stress.t

.PHONY: test-series
test-series: build ## the first half of the mail series alone: conveyed without a hit, refused to everybody (TESTS=)
	$(Q)kernel/scripts/series-kernel preserve
	$(Q)OUTGOING=$(call series-kernel,preserve) INCOMING=$(call series-kernel,preserve) tests/run $(or $(TESTS),tests/series/conveyed.t)

.PHONY: test-each-series
test-each-series: build ## the kernel at the end of each mail series is built, boots, and answers what applies to it, an hour or two (SERIES=)
	$(Q)tests/series/each $(SERIES)

.PHONY: test-selftests
test-selftests: build kernel-selftest ## Linux's own suites say the same with the overlay and without (SUITES=own liveupdate vfio iommufd fail_nth runner)
	$(Q)$(MAKE) -C tests/kernel selftests selftests-iommu SELFTESTS=$(BUILD)/unpatched/selftests LINUX=$(BUILD)/unpatched/linux
	$(Q)$(MAKE) -C tests/kernel selftests-iommu
	$(Q)tests/selftests/run $(SUITES)

.PHONY: test-stock
test-stock: tools programs kernel-unpatched ## what lutrace knows of a live update of Linux without the overlay
	$(Q)OUTGOING=$(BUILD)/unpatched/linux/lab/arch/x86/boot/bzImage INCOMING=$(BUILD)/unpatched/linux/lab/arch/x86/boot/bzImage \
		tests/run $(or $(TESTS),tests/stock/*.t)

.PHONY: test-damage
test-damage: build ## damaged handovers, each through a real kexec, about 15 s each (SEED=, FROM=, COUNT=, TEST_JOBS=)
	$(Q)tests/damage/run $(if $(SEED),--seed $(SEED)) $(if $(FROM),--from $(FROM)) $(if $(COUNT),--count $(COUNT)) $(if $(TEST_JOBS),--jobs $(TEST_JOBS))

.PHONY: fuzz
fuzz: unit fuzz-targets ## inputs that nobody wrote, for all that lutrace reads (SECONDS= in all, SEED=, TARGETS=)
	$(Q)tests/fuzz/run $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(TARGETS)

.PHONY: test-package
test-package: tools unit ## the toolkit's package, built and installed on Debian 12 and 13
	$(Q)PACKAGE_SUITES='bookworm trixie' tests/run tests/toolkit/package.t

.PHONY: test-deb-kernel
test-deb-kernel: deb-kernel deb tools programs ## both packages on Debian 12 and 13: installed, booted, updated live; agents on forky
	$(Q)PACKAGE_SUITES='bookworm trixie' tests/run tests/debian/kernel.t
	$(Q)tests/run tests/debian/fdstore.t

.PHONY: test-fresh
test-fresh: dependencies ## the two commands of the README on Debian 12 and 13 with nothing installed, an hour each (SUITES=, TESTS=, BACKPORTS=packages)
	$(Q)tests/run-fresh $(SUITES)

.PHONY: bench
bench: build kernel-unpatched kernel-fast ## measure: docs/benchmarks.md says what
	$(Q)tests/bench/run --results $(BUILD)/bench

##@ Build it

.PHONY: dependencies
dependencies: ## install the Debian packages that are missing (DEPENDENCIES=no: never)
ifneq ($(DEPENDENCIES),no)
	$(Q)tools/setup/install-dependencies
endif

.PHONY: build
build: kernel tools programs ## everything below

.PHONY: kernel-tree
kernel-tree: dependencies ## Linux 7.3 with the overlay in build/linux (LINUX_TARBALL=, LINUX_TREE=, DISCARD=1)
	$(Q)kernel/scripts/fetch
	$(Q)kernel/scripts/overlay $(if $(DISCARD),--discard)

.PHONY: kernel
kernel: $(addprefix kernel-,$(KERNELS)) ## the outgoing and the incoming kernel of the laboratory

.PHONY: kernel-lab
kernel-lab: kernel-tree
	$(Q)kernel/scripts/build lab kernel/config/lab.config

.PHONY: kernel-successor
kernel-successor: kernel-lab
	$(Q)kernel/scripts/build successor kernel/config/lab.config kernel/config/successor.config \
		kernel/config/pressure.config kernel/config/kunit.config

.PHONY: kernel-debug
kernel-debug: kernel-tree ## a kernel that finds its own mistakes: KASAN, lockdep, kmemleak, fault injection
	$(Q)kernel/scripts/build debug kernel/config/lab.config kernel/config/pressure.config \
		kernel/config/kunit.config kernel/config/debug.config

.PHONY: kernel-locks
kernel-locks: kernel-tree ## a kernel that checks its locks: lockdep, sleeping where it must not
	$(Q)kernel/scripts/build locks kernel/config/lab.config kernel/config/pressure.config \
		kernel/config/kunit.config kernel/config/locks.config

.PHONY: kernel-fast
kernel-fast: kernel-tree ## the laboratory's kernel with what makes the pause shorter, for benchmarks
	$(Q)kernel/scripts/build fast kernel/config/lab.config kernel/config/fast.config

.PHONY: kernel-unpatched
kernel-unpatched: kernel-tree ## Linux as it is in the laboratory's configuration, for benchmarks
	$(Q)kernel/scripts/unpatched

.PHONY: kernel-selftest
kernel-selftest: kernel-tree ## what Linux's own selftests ask for, with the overlay and without
	$(Q)kernel/scripts/build selftest kernel/config/lab.config kernel/config/selftest.config
	$(Q)kernel/scripts/unpatched selftest $(CURDIR)/kernel/config/selftest.config

.PHONY: kernel-series
kernel-series: kernel-tree ## the laboratory's kernel of the mail series up to one of them (SERIES=preserve)
	$(Q)kernel/scripts/series-kernel $(or $(SERIES),preserve)

.PHONY: kernel-headers
kernel-headers: kernel-tree
	$(Q)kernel/scripts/headers

.PHONY: bpf
bpf: kernel-headers ## the BPF programs
	$(Q)$(part) bpf

.PHONY: tools
tools: bpf $(addprefix build-,$(TOOLS)) ## lutrace, the workload, the sender, the example of an agent, man pages

.PHONY: programs
programs: $(addprefix build-,$(PROGRAMS)) ## what the laboratory and the tests run

.PHONY: $(addprefix build-,$(TOOLS) $(PROGRAMS))
$(addprefix build-,$(TOOLS) $(PROGRAMS)): build-%: bpf
	$(Q)$(part) $*

.PHONY: unit
unit: tools ## the unit tests, built but not run
	$(Q)$(part) tests/unit

.PHONY: fuzz-targets
fuzz-targets: unit ## lutrace and its fuzz targets with sanitizers, built but not run
	$(Q)$(part) tests/fuzz

##@ Change it

.PHONY: kernel-refresh
kernel-refresh: ## take edits in build/linux over into kernel/ (PATCH=NNNN-topic, ADD=new-files, FORCE=1)
	$(Q)PATCH='$(PATCH)' ADD='$(ADD)' kernel/scripts/refresh $(if $(FORCE),--force)

.PHONY: check
check: dependencies kernel-headers bpf ## style, static analysis, licences and documentation
	$(Q)$(part) tests/bench skeletons
	$(Q)tests/check/run

.PHONY: series
series: kernel-tree ## the kernel part as mail series for 'git am', in build/series (SERIES= some of them)
	$(Q)kernel/scripts/series $(SERIES)

.PHONY: series-check
series-check: kernel-tree ## each mail applied to Linux, built, read by checkpatch (SERIES=, AGAIN=1, IMAGE=1)
	$(Q)kernel/scripts/series-check $(if $(AGAIN),--again) $(SERIES)

.PHONY: check-kernel
check-kernel: kernel-lab ## sparse and W=1 on the overlay's kernel files
	$(Q)kernel/scripts/analyse

.PHONY: format
format: dependencies ## lay out the user-space and BPF sources with clang-format
	$(Q)tests/check/run --format

##@ Install it, remove it

.PHONY: install
install: tools ## into $(DESTDIR)$(PREFIX)
	$(Q)tools/setup/install '$(DESTDIR)' '$(PREFIX)'

.PHONY: uninstall
uninstall: ## remove what 'make install' installed
	$(Q)tools/setup/install --remove '$(DESTDIR)' '$(PREFIX)'

.PHONY: deb
deb: kernel-headers ## the Debian package of the toolkit, in build/deb
	$(Q)tools/packaging/deb

.PHONY: deb-kernel
deb-kernel: kernel-tree ## Debian packages of a kernel for hosts, about an hour (CONFIG=/boot/config-...)
	$(Q)tools/packaging/deb-kernel $(if $(CONFIG),--config '$(CONFIG)')

.PHONY: deb-kernel-config
deb-kernel-config: kernel-tree ## its configuration alone, in build/linux/host/.config (CONFIG=)
	$(Q)tools/packaging/deb-kernel --configure-only $(if $(CONFIG),--config '$(CONFIG)')

.PHONY: clean
clean: ## remove what was built; what was downloaded stays
	$(Q)find $(BUILD) -mindepth 1 -maxdepth 1 ! -name source ! -name apt -exec rm -rf {} + 2>/dev/null || true

.PHONY: distclean
distclean: ## remove what was downloaded, too
	$(Q)rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
