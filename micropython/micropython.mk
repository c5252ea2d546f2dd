# MicroPython firmwares with molt for the virtual board: see vport/vport.mk.

VPORT_USER_C_MODULES := $(CURDIR)/micropython
VPORT_MANIFEST := $(CURDIR)/micropython/vboard_manifest.py
VPORT_DEPS := $(LOADER_GEN) $(EXTENSION_GEN) $(wildcard micropython/molt_extmod/* micropython/modules/*.py micropython/manifest.py \
    include/molt/*.h src/base/*.[ch] src/upgrade/*.[ch] src/map/*.[ch] src/lfs/*.[ch] ports/esp8266/flash.[ch])
# The 1 MB variant's flash is all but full without molt, whose code is 28 KB: the ballast that stands for the radio
# gives way.
VPORT_BALLAST_1M := 210000
VPORT_AFTER := $(BUILD)/deps.ok
# With molt (28 KB in mapped flash) a firmware for 1 MB has to do without something of that size; here it is ballast.
VPORT_BALLAST_1M := 268000

include micropython/vport/vport.mk

# The same firmwares with molt's own flash map, by the board definition in boards/.
MOLT_BOARDS := micropython/boards
VPORT_DEPS += $(wildcard $(MOLT_BOARDS)/*.ld $(MOLT_BOARDS)/*/*)
$(foreach n,A B,$(eval $(call vport_firmware,mpy-$(n)-molt,$(MICROPY_DIR),mpy-cross,$(n),MOLT,$(VPORT_BALLAST_4M),4MB)))
$(foreach n,A B,$(eval $(call vport_firmware,mpy-$(n)-molt-1M,$(MICROPY_DIR),mpy-cross,$(n),MOLT_1M,288000,1MB)))
VPORT_FIRMWARES += mpy-A-molt mpy-B-molt mpy-A-molt-1M mpy-B-molt-1M
firmwares: $(foreach n,A B,$(BUILD)/mpy-$(n)-molt/firmware.bin $(BUILD)/mpy-$(n)-molt-1M/firmware.bin)

.PHONY: boards
boards: $(BUILD)/molt ## the linker scripts in micropython/boards, from the table of flash maps
	$(Q)$(BUILD)/molt map --size 2M --variant molt --ld $(MOLT_BOARDS)/molt_2MiB.ld
	$(Q)$(BUILD)/molt map --size 1M --variant molt --ld $(MOLT_BOARDS)/molt_1MiB.ld
