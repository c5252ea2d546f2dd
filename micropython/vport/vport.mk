# MicroPython firmwares for the virtual ESP8266, for the Makefile at the top.
#
#   $(BUILD)/mpy-A/firmware.bin      for 2 MB of flash and more
#   $(BUILD)/mpy-B/firmware.bin      the same with another version string and another frozen module
#   $(BUILD)/mpy-A-1M/firmware.bin   for 1 MB of flash, and mpy-B-1M
#   $(BUILD)/mpy-A-romfs/firmware.bin  for 2 MB and more, with a ROMFS partition
#   $(BUILD)/mpy2-A/firmware.bin     of the MicroPython in MICROPY_DIR_2, and mpy2-A-1M, mpy2-A-romfs
#
# Settings, to be made before this file is included; a firmware's folder is emptied when one changes:
#   MICROPY_DIR, MICROPY_DIR_2  MicroPython sources
#   VPORT_USER_C_MODULES        folder of user C modules, MicroPython's USER_C_MODULES (absolute)
#   VPORT_MANIFEST              what to freeze, MicroPython's FROZEN_MANIFEST (absolute)
#   VPORT_DEPS                  further files that a firmware is made of
#   VPORT_AFTER                 target that puts the MicroPython sources in place
#   VPORT_BALLAST_4M, _1M, _ROMFS, VPORT_IRAM_BALLAST
#                               bytes that stand for the radio code, which make an image as large as a real one
#
# MicroPython's own ports/esp8266/Makefile makes the firmware, for the board VIRTUAL_ESP8266.

MICROPY_DIR ?= $(BUILD)/micropython
MICROPY_DIR_2 ?= $(BUILD)/micropython2
VPORT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VPORT_USER_C_MODULES ?=
VPORT_MANIFEST ?= $(VPORT)/manifest.py
VPORT_DEPS ?=
VPORT_AFTER ?=
VPORT_BALLAST_4M ?= 304000
VPORT_BALLAST_1M ?= 288000
VPORT_BALLAST_ROMFS ?= 240000
VPORT_IRAM_BALLAST ?= 26440
VPORT_LWIP ?= $(LWIP_DIR)
VPORT_BALLAST_NET ?= 212000

VPORT_FILES := $(shell find $(VPORT) $(VPORT)-net -type f ! -name '*.md' ! -name '*.pyc' ! -name vport.mk)
# What MicroPython's Makefile does not see a change of.
VPORT_RULES := $(VPORT)/elf2image.py $(VPORT)-net/net.mk $(wildcard $(VPORT)/VIRTUAL_ESP8266/*.mk)
VPORT_RULES += $(if $(VPORT_USER_C_MODULES),$(wildcard $(VPORT_USER_C_MODULES)/*/micropython.mk))
vport_version = v$(shell sed -n 's/^.define MICROPY_VERSION_M[AI][JNC][A-Z]* //p' $(1)/py/mpconfig.h | paste -sd.)

# $(1) folder of the firmware in $(BUILD), $(2) MicroPython, $(3) folder of its mpy-cross in $(BUILD),
# $(4) the firmware's name, $(5) BOARD_VARIANT, $(6) ballast, $(7) flash size in the image's header,
# $(8) folder of a firmware that differs in no more than name and ballast, if there is one: its objects are taken
define vport_firmware
$(BUILD)/$(1)/firmware.bin: $(VPORT_FILES) $(VPORT_MANIFEST) $(VPORT_DEPS) $(BUILD)/$(3)/mpy-cross $(8:%=| $(BUILD)/%/firmware.bin)
	@echo "  MICROPYTHON $$@"
	@settings="$(abspath $(2)) $(VPORT_USER_C_MODULES) $(4) $(5) $(6) $(VPORT_IRAM_BALLAST) $(7) $(9) \
	    $$$$(cat $(VPORT_MANIFEST) $(VPORT_RULES) | cksum)"; \
	if [ "$$$$(cat $$(@D)/settings 2>/dev/null)" != "$$$$settings" ]; then \
	    rm -rf $$(@D); mkdir -p $$(@D); \
	    $(if $(8),cp -a $(BUILD)/$(8)/. $$(@D); rm -f $$(@D)/firmware.* $$(@D)/sdk/ballast.o; \
	    find $$(@D) -name '*.P' -exec sed -i 's|/$(8)/|/$(1)/|g' {} +;) \
	    echo "$$$$settings" >$$(@D)/settings; \
	fi
	@# MicroPython's Makefile does not remake it when a name in it has become one of C's.
	@rm -f $$(@D)/frozen_content.c
	@MICROPY_GIT_TAG=$$(call vport_version,$(2))-$(4) MICROPY_GIT_HASH=none \
	SOURCE_DATE_EPOCH=$$$$(date -r $(2)/py/mpconfig.h +%s) \
	$$(MAKE) -C $(2)/ports/esp8266 --no-print-directory all VARIANT= CC='$$$$(CROSS_COMPILE)gcc' \
	    BOARD_DIR=$(VPORT)/VIRTUAL_ESP8266 BOARD_VARIANT=$(5) \
	    BUILD=$$(abspath $$(@D)) MICROPY_MPYCROSS=$$(abspath $(BUILD)/$(3)/mpy-cross) \
	    FROZEN_MANIFEST=$(VPORT_MANIFEST) USER_C_MODULES=$(VPORT_USER_C_MODULES) \
	    VPORT_NAME=$(4) VPORT_LWIP=$(abspath $(VPORT_LWIP)) VPORT_BALLAST=$(6) VPORT_IRAM_BALLAST=$(VPORT_IRAM_BALLAST) VPORT_FLASH_SIZE=$(7) $(9) \
	    >$$(@D)/log 2>&1 || { tail -n 30 $$(@D)/log; false; }
	@touch $$@
endef

# $(1) folder in $(BUILD), $(2) MicroPython
define vport_mpy_cross
$(BUILD)/$(1)/mpy-cross: | $(VPORT_AFTER)
	@echo "  MPY-CROSS $$@"
	@mkdir -p $$(@D)
	@MICROPY_GIT_TAG=$$(call vport_version,$(2)) MICROPY_GIT_HASH=none \
	SOURCE_DATE_EPOCH=$$$$(date -r $(2)/py/mpconfig.h +%s) \
	$$(MAKE) -C $(2)/mpy-cross --no-print-directory VARIANT= BUILD=$$(abspath $$(@D)) PROG=mpy-cross >$$(@D)/log 2>&1 || \
	    { tail -n 30 $$(@D)/log; false; }
endef

$(eval $(call vport_mpy_cross,mpy-cross,$(MICROPY_DIR)))
$(eval $(call vport_firmware,mpy-A,$(MICROPY_DIR),mpy-cross,A,,$(VPORT_BALLAST_4M),4MB))
$(eval $(call vport_firmware,mpy-B,$(MICROPY_DIR),mpy-cross,B,,$(VPORT_BALLAST_4M),4MB,mpy-A))
$(eval $(call vport_firmware,mpy-A-1M,$(MICROPY_DIR),mpy-cross,A,FLASH_1M,$(VPORT_BALLAST_1M),1MB))
$(eval $(call vport_firmware,mpy-B-1M,$(MICROPY_DIR),mpy-cross,B,FLASH_1M,$(VPORT_BALLAST_1M),1MB,mpy-A-1M))
$(eval $(call vport_firmware,mpy-A-romfs,$(MICROPY_DIR),mpy-cross,A,ROMFS,$(VPORT_BALLAST_ROMFS),4MB))

VPORT_FIRMWARES := mpy-A mpy-B mpy-A-1M mpy-B-1M

ifneq ($(wildcard $(MICROPY_DIR_2)/py/mpconfig.h),)
$(eval $(call vport_mpy_cross,mpy2-cross,$(MICROPY_DIR_2)))
$(eval $(call vport_firmware,mpy2-A,$(MICROPY_DIR_2),mpy2-cross,A,,$(VPORT_BALLAST_4M),4MB))
$(eval $(call vport_firmware,mpy2-A-1M,$(MICROPY_DIR_2),mpy2-cross,A,FLASH_1M,$(VPORT_BALLAST_1M),1MB))
$(eval $(call vport_firmware,mpy2-A-romfs,$(MICROPY_DIR_2),mpy2-cross,A,ROMFS,$(VPORT_BALLAST_ROMFS),4MB))
VPORT_FIRMWARES += mpy2-A mpy2-A-1M
endif

.PHONY: firmwares
firmwares: $(VPORT_FIRMWARES:%=$(BUILD)/%/firmware.bin) ## MicroPython with molt, for the virtual ESP8266; minutes
