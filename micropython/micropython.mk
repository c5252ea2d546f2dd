# MicroPython firmwares with molt for the virtual board: see vport/vport.mk.

VPORT_USER_C_MODULES := $(CURDIR)/micropython
VPORT_MANIFEST := $(CURDIR)/micropython/vboard_manifest.py
VPORT_DEPS := $(LOADER_GEN) $(EXTENSION_GEN) $(wildcard micropython/molt_extmod/* micropython/modules/*.py micropython/manifest.py \
    include/molt/*.h src/base/*.[ch] src/upgrade/*.[ch] src/map/*.[ch] src/lfs/*.[ch] ports/esp8266/flash.[ch])
# The 1 MB variant's flash is all but full without molt, whose code is 28 KB: the ballast that stands for the radio
# gives way.
VPORT_BALLAST_1M := 240000
VPORT_AFTER := $(BUILD)/deps.ok
# With molt (28 KB in mapped flash) a firmware for 1 MB has to do without something of that size; here it is ballast.
VPORT_BALLAST_1M := 268000

include micropython/vport/vport.mk
