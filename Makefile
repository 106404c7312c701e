# relay: what to type. `make` alone lists it.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=

# `make run CONFIGURATION=release` runs the optimised build. The debug build is the default because
# the first one is ready sooner.
CONFIGURATION ?= debug

BINDIR = $(DESTDIR)$(PREFIX)/bin
INCLUDEDIR = $(DESTDIR)$(PREFIX)/include
PLUGINDIR = $(DESTDIR)$(PREFIX)/lib/relay/plugins
MANDIR = $(DESTDIR)$(PREFIX)/share/man
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/relay

# What is installed carries the Swift library inside it, so that it runs where no Swift is.
RELEASE = -c release --product relay --static-swift-stdlib

# Packages of their own, which the product never builds.
DIFFERENTIAL = Tests/Differential
BENCHMARKS = Tests/Benchmarks

SWIFT_SOURCES = Package.swift Sources Tests $(wildcard Plugins)
SHELL_SCRIPTS = .ci/run $(wildcard tools/*)

.DEFAULT_GOAL := help
.PHONY: help run build test sim crash differential examples bench lint format install deps

help: ## list what can be made
	@echo "relay: an HTTP reverse proxy and packet relay. Start with 'make run'."
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile \
	| while IFS='|' read -r target purpose; do printf '%-19s %s\n' "$$target" "$$purpose"; done

run: deps ## build relay, start it with a demonstration backend, say what to try
	$(SWIFT) build -c $(CONFIGURATION) --product relay
	@bin=$$($(SWIFT) build -c $(CONFIGURATION) --show-bin-path) && exec tools/run "$$bin/relay"

build: deps ## build everything
	$(SWIFT) build -c $(CONFIGURATION) --build-tests

# Sets and dictionaries in an order that a seed repeats.
test sim: export SWIFT_DETERMINISTIC_HASHING = 1

test: deps ## run all tests
	$(SWIFT) test --disable-xctest

sim: deps ## run relay and its store on simulated systems, 1,000 seeds (a while)
	RELAY_SIM_SEEDS=1000 $(SWIFT) test --disable-xctest \
		--filter 'RelaySimulationTests|CrashWalkTests'

crash: deps ## kill relay and cut its power 350 times, and look for what is lost (a while)
	RELAY_CRASH_KILLS=50 RELAY_CRASH_STEPS=200 RELAY_CRASH_IMAGES=100 \
		$(SWIFT) test --disable-xctest --filter CrashTests

differential: deps ## compare our HTTP parser with another one
	$(SWIFT) test --package-path $(DIFFERENTIAL)

examples: deps ## run the examples of relay-protocol(7)
	$(SWIFT) build -c $(CONFIGURATION) --product relay
	@tools/manual-examples "$$($(SWIFT) build -c $(CONFIGURATION) --show-bin-path)/relay"
	@tools/manual-clients "$$($(SWIFT) build -c $(CONFIGURATION) --show-bin-path)/relay"

bench: deps ## measure
	$(SWIFT) run -c release --package-path $(BENCHMARKS)

lint: deps ## check the form of sources, manual pages and scripts
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	mandoc -T lint -W warning man/*
	shellcheck $(SHELL_SCRIPTS)

format: deps ## bring the sources into form
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_SOURCES)

install: deps ## install relay, its manual and a configuration (PREFIX, DESTDIR)
	$(SWIFT) build $(RELEASE)
	$(SWIFT) build -c release --product relay_requesttag
	$(SWIFT) build -c release --product relay_ratelimit --static-swift-stdlib
	install -d "$(BINDIR)" "$(INCLUDEDIR)" "$(PLUGINDIR)" "$(DOCDIR)"
	install -d "$(MANDIR)/man1" "$(MANDIR)/man3" "$(MANDIR)/man5" "$(MANDIR)/man7"
	install -m 755 "$$($(SWIFT) build $(RELEASE) --show-bin-path)/relay" "$(BINDIR)/relay"
	install -m 644 "$$($(SWIFT) build $(RELEASE) --show-bin-path)"/librelay_requesttag.so "$(PLUGINDIR)"
	install -m 644 "$$($(SWIFT) build $(RELEASE) --show-bin-path)"/librelay_ratelimit.so "$(PLUGINDIR)"
	install -m 644 Sources/CRelayPlugin/include/relay_plugin.h "$(INCLUDEDIR)"
	install -m 644 man/*.1 "$(MANDIR)/man1"
	install -m 644 man/*.3 "$(MANDIR)/man3"
	install -m 644 man/*.5 "$(MANDIR)/man5"
	install -m 644 man/*.7 "$(MANDIR)/man7"
	install -m 644 relay.yaml README.md CHANGELOG.md LICENSE "$(DOCDIR)"

deps: ## install the Debian packages that are missing
	@SWIFT="$(SWIFT)" tools/deps
