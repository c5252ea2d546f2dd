# MicroPython firmwares for the virtual ESP32-C3, for the Makefile at the top.
#
#   $(BUILD)/c3-A/firmware.bin   the application image
#   $(BUILD)/c3-A/flash.bin      a 4 MB chip with boot loader, table and firmware
#   $(BUILD)/c3-B/...            the same with another version string and another frozen module
#   $(BUILD)/c3-A-net/...        with a network, and c3-B-net
#
# Settings, to be made before this file is included:
#   C3_USER_C_MODULES   folder of user C modules, MicroPython's USER_C_MODULES (absolute)
#   C3_MANIFEST         what to freeze, MicroPython's FROZEN_MANIFEST (absolute)
#   C3_DEPS             further files that a firmware is made of
#   C3_NET_MANIFEST     the same for firmwares with a network; lwIP is in VPORT_LWIP
#   C3_BALLAST          bytes that stand for the radio code, which make an image as large as a real one
C3_VPORT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
C3_USER_C_MODULES ?=
C3_MANIFEST ?= $(C3_VPORT)/manifest.py
C3_NET_MANIFEST ?= $(C3_MANIFEST)
C3_DEPS ?=
C3_BALLAST ?= 0
C3_MKLOADER := $(CURDIR)/vboard/esp32c3/mkloader
C3_ROM := $(CURDIR)/vboard/esp32c3/rom_entries.h
C3_FILES := $(shell find $(C3_VPORT) $(VPORT)-net -type f ! -name '*.md' ! -name '*.pyc' ! -name vport.mk)

# $(1) folder in $(BUILD), $(2) MicroPython, $(3) folder of its mpy-cross, $(4) the firmware's name, $(5) user C modules, $(6) manifest,
# $(7) ballast, $(8) folder of a firmware that differs in the name alone, if there is one: its objects are taken, $(9) further settings of the
# Makefile there
define c3_firmware
$(BUILD)/$(1)/firmware.bin: $(C3_FILES) $(C3_ROM) $(6) $(C3_DEPS) $(BUILD)/$(3)/mpy-cross $(8:%=| $(BUILD)/%/firmware.bin)
	@echo "  MICROPYTHON $$@"
	@settings="$(abspath $(2)) $(4) $(5) $(7) $(9) $$$$(cat $(6) $(C3_VPORT)/Makefile $(VPORT)-net/net.mk | cksum)"; \
	if [ "$$$$(cat $$(@D)/settings 2>/dev/null)" != "$$$$settings" ]; then \
	    rm -rf $$(@D); mkdir -p $$(@D); \
	    $(if $(8),cp -a $(BUILD)/$(8)/. $$(@D); rm -f $$(@D)/firmware.* $$(@D)/flash.bin $$(@D)/idf/system.o; \
	    find $$(@D) -name '*.P' -exec sed -i 's|/$(8)/|/$(1)/|g' {} +;) \
	    echo "$$$$settings" >$$(@D)/settings; \
	fi
	@rm -f $$(@D)/frozen_content.c
	@MICROPY_GIT_TAG=$$(call vport_version,$(2))-$(4) MICROPY_GIT_HASH=none SOURCE_DATE_EPOCH=$$$$(date -r $(2)/py/mpconfig.h +%s) \
	$$(MAKE) -C $(C3_VPORT) --no-print-directory all VARIANT= CC='$$$$(CROSS_COMPILE)gcc' TOP=$(abspath $(2)) BUILD=$$(abspath $$(@D)) \
	    MICROPY_MPYCROSS=$$(abspath $(BUILD)/$(3)/mpy-cross) FROZEN_MANIFEST=$(6) USER_C_MODULES=$(5) VPORT_NAME=$(4) VPORT_ROM=$(C3_ROM) \
	    VPORT_BALLAST=$(7) $(9) >$$(@D)/log 2>&1 || { tail -n 30 $$(@D)/log; false; }
	@touch $$@

$(BUILD)/$(1)/flash.bin: $(BUILD)/$(1)/firmware.bin $(C3_MKLOADER)
	$(Q)$(C3_MKLOADER) 5.5 4 $$(@D)/loader.bin
	$(Q)$(PYTHON) $(C3_VPORT)/mkflash.py $$@ 4 $$(@D)/loader.bin $(C3_VPORT)/partitions-4MiBplus.csv $$<
endef

$(eval $(call c3_firmware,c3-A,$(MICROPY_DIR),mpy-cross,A,$(C3_USER_C_MODULES),$(C3_MANIFEST),$(C3_BALLAST)))
$(eval $(call c3_firmware,c3-B,$(MICROPY_DIR),mpy-cross,B,$(C3_USER_C_MODULES),$(C3_MANIFEST),$(C3_BALLAST),c3-A))
$(eval $(call c3_firmware,c3-A-net,$(MICROPY_DIR),mpy-cross,A,$(C3_USER_C_MODULES),$(C3_NET_MANIFEST),$(C3_BALLAST),,VPORT_LWIP=$(abspath $(VPORT_LWIP))))
$(eval $(call c3_firmware,c3-B-net,$(MICROPY_DIR),mpy-cross,B,$(C3_USER_C_MODULES),$(C3_NET_MANIFEST),$(C3_BALLAST),c3-A-net,VPORT_LWIP=$(abspath $(VPORT_LWIP))))

.PHONY: c3-firmwares
c3-firmwares: $(patsubst %,$(BUILD)/c3-%/flash.bin,A B A-net B-net) ## MicroPython for the virtual ESP32-C3
firmwares: c3-firmwares
