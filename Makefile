# make demo    see a device get a certificate from a real ACME server, on this machine alone
# make test    each part, the whole with real CAs, and the units and packages under a real systemd
# make test-system    the last of these alone
# make build   the executables, in .build/debug (CONFIGURATION=release: in .build-release/release, with the Swift runtime linked in)
# make install the release executables, units and manual pages, below DESTDIR
# make deb     the Debian packages, in .build/packages
# make simulate  two years of 10,000 devices, and what happens when a rule is broken
# make lint    style of the Swift sources
# make doctor-table  docs/doctor-table.md: broken setups, and what the doctor, certbot and lego say of them
# make bench   figures, next to those of other ACME clients
# Each installs the Debian packages it needs and are missing, and keeps its logs in .build/logs.

CONFIGURATION ?= debug
LOGS := .build/logs

# One release build for all: what is measured is what is installed. It has a folder of its own, to be made while the tests run.
RELEASE := .build-release
# Four processes are to be small and soon awake: less code, and relocations that take a twentieth of the room (ld.lld(1), DT_RELR).
DENSE := -Xswiftc -Osize -Xswiftc -use-ld=lld -Xlinker --icf=safe -Xlinker -z -Xlinker pack-relative-relocs
BUILD = swift build $(if $(filter release,$(CONFIGURATION)),--scratch-path $(RELEASE) --configuration release --static-swift-stdlib $(DENSE))

.PHONY: build install deb test parts-and-whole test-system demo simulate lint doctor-table bench

build:
	@deploy/prepare build
	@deploy/step "Building ($(CONFIGURATION))" $(LOGS)/build-$(CONFIGURATION).log $(BUILD)

install:
	@DESTDIR='$(DESTDIR)' deploy/install

deb: CONFIGURATION = release
deb:
	@deploy/prepare package
	@deploy/step "Building (release)" $(LOGS)/build-release.log nice -n 19 $(BUILD)
	@deploy/step "Packing" $(LOGS)/deb.log deploy/deb

# Tests that watch time limits need a processor now and then: no more at once than two cores can serve.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 4
test:
	@deploy/prepare system
	@deploy/step "Preparing the foreign clients" $(LOGS)/foreign.log Tests/foreign/setup
	@deploy/step "Building the tests" $(LOGS)/build-tests.log swift build --build-tests
# The tests mostly wait for others; what they leave of the processors makes the packages.
	@$(MAKE) --no-print-directory --jobs=2 parts-and-whole deb
	@deploy/step "Living through two years of 1,000 devices" $(LOGS)/simulation.log $(RELEASE)/release/RenewalSimulation 1000 730
	@obstacle=$$(Tests/System/bed/bed --obstacle); \
	if [ -n "$$obstacle" ] && [ -z "$$CI" ]; then echo "Testing under systemd: skipped, for $$obstacle"; \
	else deploy/step "Testing under systemd" $(LOGS)/test-system.log swift test --skip-build --filter SystemTests; fi

parts-and-whole:
	@deploy/step "Testing each part, and the whole" $(LOGS)/test.log swift test --skip-build --skip SystemTests

# The units under a real systemd as PID 1, in a container that is booted for each test (root). Where there can be none, this fails.
test-system: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 4
test-system: export CI = true
test-system: deb
	@deploy/prepare system
	@deploy/step "Building the tests" $(LOGS)/build-tests.log swift build --build-tests
	@deploy/step "Testing under systemd" $(LOGS)/test-system.log swift test --skip-build --filter SystemTests

demo:
	@deploy/prepare test
	@deploy/step "Building" $(LOGS)/build.log swift build
	@deploy/demo

simulate: CONFIGURATION = release
simulate:
	@deploy/prepare build
	@deploy/step "Building the simulation (release)" $(LOGS)/build-simulation.log $(BUILD) --product RenewalSimulation
	@$(RELEASE)/release/RenewalSimulation 10000 730
	@for rule in ledger patience polling alarms caution events urgency names approval lateness campaigns; do \
	  $(RELEASE)/release/RenewalSimulation 1000 730 1 $$rule >$(LOGS)/broken-$$rule.log && exit 1; \
	  echo "without $$rule: $$(tail -1 $(LOGS)/broken-$$rule.log)"; \
	done

lint:
	@swift format lint --strict --parallel --recursive Package.swift Services Shared Tools Tests

doctor-table:
	@deploy/prepare table
	@deploy/step "Preparing the foreign clients" $(LOGS)/foreign.log Tests/foreign/setup
	@deploy/step "Building" $(LOGS)/build.log swift build
	@Tests/doctor-table

bench: CONFIGURATION = release
bench:
	@deploy/prepare bench
	@deploy/step "Preparing the foreign clients" $(LOGS)/foreign.log Tests/foreign/setup
	@deploy/step "Building (release)" $(LOGS)/build-release.log $(BUILD)
	@.build/foreign/bin/python3 Benchmarks/run
