# make demo    see a device get a certificate from a real ACME server, on this machine alone
# make test    each part, and the whole with real CAs
# make test-system    the units, under a real systemd
# make build   the executables, in .build/debug (CONFIGURATION=release: in .build/release)
# make lint    style of the Swift sources
# make bench   figures, next to those of other ACME clients
# Each installs the Debian packages it needs and are missing, and keeps its logs in .build/logs.

CONFIGURATION ?= debug
LOGS := .build/logs

.PHONY: build test test-system demo lint bench

build:
	@deploy/prepare build
	@deploy/step "Building ($(CONFIGURATION))" $(LOGS)/build.log swift build --configuration $(CONFIGURATION)

# Tests that watch time limits need a processor now and then: no more at once than two cores can serve.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 4
test:
	@deploy/prepare test
	@deploy/step "Preparing the foreign clients" $(LOGS)/foreign.log Tests/foreign/setup
	@deploy/step "Building the tests" $(LOGS)/build-tests.log swift build --build-tests
	@deploy/step "Testing each part" $(LOGS)/test-parts.log swift test --skip-build --skip IntegrationTests --skip SystemTests
	@deploy/step "Testing the whole" $(LOGS)/test-whole.log swift test --skip-build --filter IntegrationTests

# The units under a real systemd as PID 1, in a container that is booted for each test (root).
test-system: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 4
test-system: export CI = true
test-system:
	@deploy/prepare test
	@deploy/step "Building the tests" $(LOGS)/build-tests.log swift build --build-tests
	@deploy/step "Testing under systemd" $(LOGS)/test-system.log swift test --skip-build --filter SystemTests

demo:
	@deploy/prepare test
	@deploy/step "Building" $(LOGS)/build.log swift build
	@deploy/demo

lint:
	@swift format lint --strict --parallel --recursive Package.swift Services Shared Tools Tests

bench:
	@deploy/prepare bench
	@deploy/step "Preparing the foreign clients" $(LOGS)/foreign.log Tests/foreign/setup
	@deploy/step "Building (release)" $(LOGS)/build-release.log swift build --configuration release
	@.build/foreign/bin/python3 Benchmarks/run
