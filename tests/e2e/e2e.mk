# Upgrades and power cuts on the virtual board, with the firmware and the boot loader as shipped; the demonstration.

# mpy2-A only where there is a second MicroPython.
E2E_FIRMWARES := $(patsubst %,$(BUILD)/%/firmware.bin,mpy-A mpy-B mpy-A-1M mpy-B-1M mpy-A-1M-lean mpy-B-1M-lean $(filter mpy2-A,$(VPORT_FIRMWARES)))
E2E_RUN = BUILD=$(BUILD) LX106=$(LX106) $(PYTHON) tests/e2e

# By far the longest come first.
TEST_SUITES := e2e-cuts $(TEST_SUITES) e2e-upgrade e2e-refusals e2e-states e2e-resident e2e-python
SUITE_e2e-python = $(E2E_RUN)/test_python.py
SUITE_e2e-resident = $(E2E_RUN)/test_resident.py
SUITE_e2e-cuts = $(E2E_RUN)/test_cuts.py
SUITE_e2e-upgrade = $(E2E_RUN)/test_upgrade.py
SUITE_e2e-refusals = $(E2E_RUN)/test_refusals.py
SUITE_e2e-states = $(E2E_RUN)/test_states.py
# MicroPython's own mpremote.
TEST_SUITES += e2e-mpremote
SUITE_e2e-mpremote = MICROPY_DIR=$(MICROPY_DIR) $(E2E_RUN)/test_mpremote.py
TEST_SUITES += e2e-modes
SUITE_e2e-modes = $(E2E_RUN)/test_modes.py

# A firmware without molt, and the package that it upgrades itself with.
TEST_SUITES += e2e-stock
SUITE_e2e-stock = $(E2E_RUN)/test_stock.py
TEST_FULL_SUITES += e2e-stock-full
SUITE_e2e-stock-full = SUITE=stock-full $(E2E_RUN)/test_stock.py --all
$(BUILD)/host/same_job: $(BUILD)/host/tests/e2e/same_job.o $(BUILD)/host/libmoltsim.a $(BUILD)/host/libmoltlfs.a $(BUILD)/host/libmolt.a
	$(Q)$(CC) $(CFLAGS_VARIANT) $^ -o $@
test-programs: $(BUILD)/host/same_job $(BUILD)/mip/package.json $(STOCK_FIRMWARES:%=$(BUILD)/%/firmware.bin)

# Every n-th operation: of an upgrade of MicroPython with two tears, of small ones with all tears. A page is eight of them,
# and n is no multiple of that, so all parts of pages come up. A smaller sample of the latter in the ordinary run; of the
# former e2e-cuts is that.
TEST_SUITES += e2e-every-cut
SUITE_e2e-every-cut = $(E2E_RUN)/test_every_cut.py --sample 769
TEST_FULL_SUITES += e2e-every-cut-full e2e-cuts-full
SUITE_e2e-every-cut-full = $(E2E_RUN)/test_every_cut.py --sample 31
SUITE_e2e-cuts-full = $(E2E_RUN)/test_cuts.py --all 1/45

test-programs: $(E2E_FIRMWARES) vboard $(BUILD)/molt

.PHONY: demo
demo: $(BUILD)/mpy-A/firmware.bin $(BUILD)/mpy-B/firmware.bin vboard $(BUILD)/molt ## an upgrade on the virtual ESP8266, live
	@BUILD=$(BUILD) tools/demo
