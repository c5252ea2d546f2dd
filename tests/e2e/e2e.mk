# Upgrades and power cuts on the virtual board, with the firmware and the boot loader as shipped; the demonstration.

# mpy2-A only where there is a second MicroPython.
E2E_FIRMWARES := $(patsubst %,$(BUILD)/%/firmware.bin,mpy-A mpy-B mpy-A-1M mpy-B-1M mpy-A-1M-lean mpy-B-1M-lean $(filter mpy2-A,$(VPORT_FIRMWARES)))
test-programs: $(E2E_FIRMWARES) $(BUILD)/c3-A/flash.bin $(BUILD)/c3-B/flash.bin

# For firmwares without molt: the package, and a program that makes the C job of the same device.
$(BUILD)/host/same_job: $(BUILD)/host/tests/e2e/same_job.o $(BUILD)/host/libmoltsim.a $(BUILD)/host/libmoltlfs.a $(BUILD)/host/libmolt.a
	$(Q)$(CC) $(CFLAGS_VARIANT) $^ -o $@
test-programs: $(BUILD)/host/same_job $(BUILD)/mip/package.json $(STOCK_FIRMWARES:%=$(BUILD)/%/firmware.bin)

# The network of the virtual board, and the page.
test-programs: $(NET_FIRMWARES) web pull

.PHONY: demo
demo: $(BUILD)/c3-A/flash.bin $(BUILD)/c3-B/firmware.bin $(BUILD)/mpy-A/firmware.bin $(BUILD)/mpy-B/firmware.bin $(BUILD)/mpy-A-1M/firmware.bin $(if $(filter mpy2-A-1M,$(VPORT_FIRMWARES)),$(BUILD)/mpy2-A-1M/firmware.bin,$(BUILD)/mpy-B-1M/firmware.bin) $(BUILD)/stock-A/firmware.bin $(BUILD)/mip/package.json vboard $(BUILD)/molt ## an upgrade on the virtual ESP8266, live
	@BUILD=$(BUILD) tools/demo
