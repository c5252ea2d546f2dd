# MicroPython firmwares with molt for the virtual board: see vport/vport.mk.

VPORT_USER_C_MODULES := $(CURDIR)/micropython
VPORT_MANIFEST := $(CURDIR)/micropython/vboard_manifest.py
VPORT_DEPS := $(LOADER_GEN) $(wildcard micropython/molt_extmod/* micropython/modules/*.py micropython/manifest.py \
    include/molt/*.h src/base/*.[ch] src/upgrade/*.[ch] src/lfs/*.[ch] ports/esp8266/flash.[ch])
VPORT_AFTER := $(BUILD)/deps.ok

include micropython/vport/vport.mk
