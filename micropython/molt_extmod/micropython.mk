# molt as a user C module: make -C ports/esp8266 USER_C_MODULES=<molt>/micropython FROZEN_MANIFEST=...
#
# The folder's name ends in "extmod" because the esp8266 port's linker script puts the code of such folders into
# flash; that of any other would go to IRAM, which has no room.

MOLT_MOD := $(USERMOD_DIR)
MOLT_TOP := $(abspath $(MOLT_MOD)/../..)
MOLT_BUILD ?= $(MOLT_TOP)/build

# The boot loader as bytes. `make loader` in molt's folder makes it.
ifeq ($(wildcard $(MOLT_BUILD)/gen/esp8266_loader.h),)
$(error molt's boot loader has not been built: run "make -C $(MOLT_TOP) loader" first)
endif

SRC_USERMOD_C += $(addprefix $(MOLT_MOD)/,modmolt.c upgrade_obj.c core_plan.c core_image.c core_unpack.c core_resident.c core_install.c resident_api.c core_lfs.c core_port.c \
    map_glue.c core_map.c)

# Behind all of the port's own folders: none of these files may take the place of one of its headers.
CFLAGS_USERMOD += -I$(MOLT_TOP) $(addprefix -idirafter ,$(MOLT_MOD) $(MOLT_BUILD)/gen $(addprefix $(MOLT_TOP)/,\
    include src/base src/upgrade src/lfs ports/esp8266))

# Native code goes where the flash map has a place for it: map_glue.c.
LDFLAGS_USERMOD += --wrap=esp_native_code_init

# Dynamic frozen modules.
SRC_USERMOD_C += $(addprefix $(MOLT_MOD)/,frozen_boot.c frozen_import.c frozen_api.c frozen_names.c core_mpy.c core_link.c core_links.c \
    core_store.c core_compact.c core_relink.c)
CFLAGS_USERMOD += -I$(MOLT_TOP)/src/frozen \
    '-DMICROPY_PORT_INIT_FUNC=do { extern void molt_frozen_init(void); molt_frozen_init(); } while (0)'
LDFLAGS_USERMOD += --wrap=mp_find_frozen_module
