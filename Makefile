# lyricd. What each target does is said by: make help

PREFIX     ?= /usr/local
DESTDIR    ?=
SYSCONFDIR ?= /etc
STATEDIR   ?= /var/lib/lyricd

# Engines of a checkout; the installed ones lie in $(STATEDIR)/engines.
ENGINES := .build/engines
DEBUG   := .build/debug/lyricd
RELEASE := .build/release/lyricd
SOURCES := Package.swift $(shell find Sources -type f)

# Swift's own libraries in the binary: Debian has no package of them. -s leaves out the symbols, 40 % of the file.
RELEASE_FLAGS := -c release --product lyricd --static-swift-stdlib -Xswiftc -no-toolchain-stdlib-rpath \
	-Xlinker -s -Xlinker -z -Xlinker now

.PHONY: help demo test build release may-install install uninstall setup engines benchmark lint clean
.DEFAULT_GOAL := help

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: setup engines build ## Watch lyricd work on recordings made on the spot, in ./demo
	@scripts/demo $(DEBUG) $(ENGINES)

test: setup engines ## Everything that can be tested here
	LYRICD_TEST_ENGINES="$(CURDIR)/$(ENGINES)" swift test

setup: ## Install the Debian packages that are missing
	@scripts/setup

engines: ## Make the Python engines of this checkout
	@engines/install $(ENGINES)

build: ## The executable with fault points, for trying things: .build/debug/lyricd
	@[ -x $(DEBUG) ] || echo "Building for the first time; that takes some minutes."
	swift build --product lyricd

release: $(RELEASE) ## The executable as it is installed: .build/release/lyricd

$(RELEASE): $(SOURCES)
	@[ -x $(RELEASE) ] || echo "Building for the first time; that takes ten minutes or more."
	@scripts/as-owner swift build $(RELEASE_FLAGS) || { echo "If Swift was not found: make release as yourself, then sudo make install." >&2; exit 1; }
	@scripts/as-owner touch $(RELEASE)

# Before a build of ten minutes, not after it.
may-install:
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" -eq 0 ] || { echo "This needs root: sudo make install" >&2; exit 1; }

install: may-install $(RELEASE) ## Install the service (as root); then: systemctl enable --now lyricd
	@umask 022 && PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" SYSCONFDIR="$(SYSCONFDIR)" STATEDIR="$(STATEDIR)" scripts/install $(RELEASE)

uninstall: ## Remove what install has put there; configuration, jobs and results stay
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" SYSCONFDIR="$(SYSCONFDIR)" STATEDIR="$(STATEDIR)" scripts/install --remove

benchmark: setup engines $(RELEASE) ## Measure this machine; prints a table
	@Benchmarks/run

lint: ## Look for what compilers do not: scripts, unit, man pages
	@scripts/lint

clean: ## Remove what was built here
	rm -rf .build demo
