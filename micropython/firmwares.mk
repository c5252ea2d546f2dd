# MicroPython firmwares with molt for the virtual board: see vport/vport.mk.

VPORT_USER_C_MODULES := $(CURDIR)/micropython
VPORT_MANIFEST := $(CURDIR)/micropython/vboard_manifest.py
VPORT_DEPS := $(LOADER_GEN) $(RESIDENT_GEN) $(EXTENSION_GEN) $(DELTA_GEN) $(wildcard micropython/molt_extmod/* micropython/modules/*.py micropython/manifest*.py \
    include/molt/*.h src/*/*.[ch] ports/esp8266/flash.[ch] ports/esp8266/molt_esp8266.[ch])
# The stock 1 MB variant's flash is all but full without molt: the ballast that stands for the radio gives way.
VPORT_BALLAST_1M := 175000
VPORT_AFTER := $(BUILD)/deps.ok

include micropython/vport/vport.mk

# Firmwares whose gzip file fits the 1 MB board's filesystem, and which themselves do not.
$(foreach n,A B,$(eval $(call vport_firmware,mpy-$(n)-1M-lean,$(MICROPY_DIR),mpy-cross,$(n),FLASH_1M,86000,1MB,mpy-A-1M)))

# What can be left out.
$(eval $(call vport_firmware,mpy-A-nodelta,$(MICROPY_DIR),mpy-cross,A,,$(VPORT_BALLAST_4M),4MB,,MOLT_DELTA=0))
$(eval $(call vport_firmware,mpy-A-nofrozen,$(MICROPY_DIR),mpy-cross,A,,$(VPORT_BALLAST_4M),4MB,,MOLT_FROZEN=0))
test-full: $(BUILD)/mpy-A-nodelta/firmware.bin $(BUILD)/mpy-A-nofrozen/firmware.bin

# The same firmwares with molt's own flash map, by the board definition in boards/.
MOLT_BOARDS := micropython/boards
VPORT_DEPS += $(wildcard $(MOLT_BOARDS)/*.ld $(MOLT_BOARDS)/*/*)
$(eval $(call vport_firmware,mpy-A-molt,$(MICROPY_DIR),mpy-cross,A,MOLT,$(VPORT_BALLAST_4M),4MB))
$(eval $(call vport_firmware,mpy-B-molt,$(MICROPY_DIR),mpy-cross,B,MOLT,$(VPORT_BALLAST_4M),4MB,mpy-A-molt))
$(eval $(call vport_firmware,mpy-A-molt-1M,$(MICROPY_DIR),mpy-cross,A,MOLT_1M,288000,1MB))
MOLT_MAP_FIRMWARES := $(patsubst %,$(BUILD)/mpy-%/firmware.bin,A-molt B-molt A-molt-1M)
firmwares: $(MOLT_MAP_FIRMWARES)

# Firmwares with a network.
VPORT_MANIFEST := $(CURDIR)/micropython/vboard_net_manifest.py
$(eval $(call vport_firmware,mpy-A-net,$(MICROPY_DIR),mpy-cross,A,NET,$(VPORT_BALLAST_NET),4MB))
$(eval $(call vport_firmware,mpy-B-net,$(MICROPY_DIR),mpy-cross,B,NET,$(VPORT_BALLAST_NET),4MB,mpy-A-net))
NET_FIRMWARES := $(BUILD)/mpy-A-net/firmware.bin $(BUILD)/mpy-B-net/firmware.bin
firmwares: $(NET_FIRMWARES)

.PHONY: docs
docs: $(BUILD)/molt ## what is made from the table of flash maps: pictures, and the linker scripts of the boards
	$(Q)$(PYTHON) tools/maps $<

# Stock firmwares: the port without molt, for micropython/stock. They have no objects in common with the others.
VPORT_USER_C_MODULES :=
VPORT_MANIFEST := $(VPORT)/manifest.py
VPORT_DEPS :=
$(eval $(call vport_firmware,stock-A,$(MICROPY_DIR),mpy-cross,A,,$(VPORT_BALLAST_4M),4MB))
$(eval $(call vport_firmware,stock-A-1M,$(MICROPY_DIR),mpy-cross,A,FLASH_1M,$(VPORT_BALLAST_1M),1MB))
STOCK_FIRMWARES := stock-A stock-A-1M
ifneq ($(wildcard $(MICROPY_DIR_2)/py/mpconfig.h),)
$(eval $(call vport_firmware,stock2-A,$(MICROPY_DIR_2),mpy2-cross,A,,$(VPORT_BALLAST_4M),4MB))
STOCK_FIRMWARES += stock2-A
endif
firmwares: $(STOCK_FIRMWARES:%=$(BUILD)/%/firmware.bin)

# One with a network, for the demonstration of a board in the ceiling.
VPORT_MANIFEST := $(CURDIR)/micropython/stock_net_manifest.py
$(eval $(call vport_firmware,stock-A-net,$(MICROPY_DIR),mpy-cross,A,NET,$(VPORT_BALLAST_NET),4MB))
CEILING := $(BUILD)/stock-A-net/firmware.bin
test-full: $(CEILING)

# The package for firmwares without molt.
MIP_SOURCES := $(wildcard micropython/stock/*.py micropython/stock/_molt/* micropython/modules/molt*.py) micropython/get/molt_get.py CHANGELOG.md
$(BUILD)/mip/package.json: tools/mip tools/mipnames.py $(MIP_SOURCES) $(wildcard ports/esp8266/prebuilt/*.h) $(BUILD)/mpy-cross/mpy-cross
	@echo "  MIP $(@D)"
	$(Q)$(PYTHON) $< $(BUILD)/mpy-cross/mpy-cross $(@D)

.PHONY: mip
mip: $(BUILD)/mip/package.json ## the package by which a firmware without molt upgrades itself: mip/, and package.json for mpremote mip install
	@$(PYTHON) tools/mip --publish $(BUILD)/mip

.PHONY: demo-ceiling
demo-ceiling: vboard $(BUILD)/molt $(CEILING) $(BUILD)/mpy-B-net/firmware.bin $(BUILD)/mip/package.json ## a board with stock MicroPython upgrades itself, reached by WebREPL only
	@$(PYTHON) tools/demo-ceiling $(BUILD)

# The board of make repl: a device of 4 MB with firmware A, and the image of B on its filesystem. It is kept from one run
# to the next, as a device is; remove the file for a new one.
REPL_FLASH ?= $(BUILD)/repl.bin
$(REPL_FLASH): | $(BUILD)/molt $(BUILD)/mpy-A/firmware.bin $(BUILD)/mpy-B/firmware.bin
	$(Q)$(BUILD)/molt mkflash $@ --size 4M --firmware $(BUILD)/mpy-A/firmware.bin --put $(BUILD)/mpy-B/firmware.bin:firmware.bin

.PHONY: repl
repl: vboard $(REPL_FLASH) ## MicroPython's prompt on the virtual ESP8266; Ctrl-] switches off
	@VBOARD_BUILD=$(abspath $(VBOARD_OUT)) vboard/run $(REPL_FLASH)

# MicroPython for the virtual ESP32-C3: see vport-esp32c3/vport.mk.
C3_USER_C_MODULES := $(abspath micropython)
C3_MANIFEST := $(abspath micropython/vboard_manifest_esp32c3.py)
C3_NET_MANIFEST := $(abspath micropython/vboard_net_manifest_esp32c3.py)
C3_DEPS := $(ESP32_GEN) $(wildcard micropython/molt_extmod/* micropython/modules/molt*.py micropython/modules_esp32/* micropython/manifest_molt_esp32.py \
    include/molt/*.h src/*/*.[ch] ports/esp32/*.[ch] ports/idf/*.[ch])
include micropython/vport-esp32c3/vport.mk
