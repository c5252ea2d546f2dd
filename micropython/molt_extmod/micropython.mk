# molt as a user C module: make -C ports/esp8266 USER_C_MODULES=<molt>/micropython FROZEN_MANIFEST=...
#
# The folder's name ends in "extmod" because the esp8266 port's linker script puts the code of such folders into
# flash; that of any other would go to IRAM, which has no room.
#
# A symbolic link to this folder, beside other modules, does as well: MOLT_TOP is where it leads to.

MOLT_MOD := $(USERMOD_DIR)
MOLT_TOP := $(realpath $(MOLT_MOD)/../..)
ifeq ($(filter %extmod,$(notdir $(MOLT_MOD))),)
$(warning molt: the folder $(MOLT_MOD) has to have a name that ends in "extmod", or its code goes to IRAM, where there is no room)
endif

ifneq ($(IDF_TARGET),)
# The ESP32 family on the virtual board; MicroPython's esp32 port takes micropython.cmake.
SRC_USERMOD_C += $(addprefix $(MOLT_MOD)/,modmolt.c upgrade_obj.c standby_api.c outcome_api.c device_esp32.c frozen_esp32.c \
    core.c core_lfs.c core_esp32.c core_idf.c)
CFLAGS_USERMOD += -DMOLT_STANDBY=1 -Wno-unused-function $(addprefix -idirafter ,$(MOLT_TOP) $(MOLT_MOD) $(addprefix $(MOLT_TOP)/,\
    include src ports/esp32 ports/esp32/prebuilt ports/idf))
LDFLAGS_USERMOD += -Wl,--wrap=mp_find_frozen_module
else
SRC_USERMOD_C += $(addprefix $(MOLT_MOD)/,modmolt.c pending.c upgrade_obj.c resident_api.c \
    device_esp8266.c map_glue.c frozen_esp8266.c core.c core_lfs.c core_port.c)

# Behind all of the port's own folders: none of these files may take the place of one of its headers.
CFLAGS_USERMOD += $(addprefix -idirafter ,$(MOLT_TOP) $(MOLT_MOD) $(if $(filter 0,$(MOLT_DELTA)),$(MOLT_MOD)/without_delta) \
    $(addprefix $(MOLT_TOP)/,include src ports/esp8266 ports/esp8266/prebuilt))

# The ESP32 family's standby mode is not compiled in.
CFLAGS_USERMOD += -DMOLT_STANDBY=0 -DMOLT_DELTA_SECTORS_MAX=256

# Native code goes where the flash map has a place for it: map_glue.c.
LDFLAGS_USERMOD += --wrap=esp_native_code_init --wrap=mp_find_frozen_module

# Without molt's Python there is nothing to call. Said last, when the image is there.
.PHONY: molt-manifest
all: molt-manifest
molt-manifest: $(BUILD)/firmware.bin
	@grep -q '"molt\.py' $(BUILD)/frozen_content.c || \
	    echo "molt: warning: FROZEN_MANIFEST=$(FROZEN_MANIFEST) does not include $(MOLT_TOP)/micropython/manifest.py:" \
	    "this firmware has molt's code, but no module molt to import" >&2
endif

# Delta files. MOLT_DELTA=0 leaves them out.
ifeq ($(MOLT_DELTA),0)
CFLAGS_USERMOD += -DMOLT_DELTA=0
endif
# Dynamic frozen modules. MOLT_FROZEN=0 leaves them out.
ifeq ($(MOLT_FROZEN),0)
CFLAGS_USERMOD += -DMOLT_FROZEN=0
endif
SRC_USERMOD_C += $(addprefix $(MOLT_MOD)/,frozen_boot.c frozen_import.c frozen_api.c frozen_names.c core_frozen.c)
CFLAGS_USERMOD += '-DMICROPY_PORT_INIT_FUNC=do { extern void molt_port_init(void); molt_port_init(); } while (0)'
