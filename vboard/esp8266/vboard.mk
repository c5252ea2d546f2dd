# The virtual ESP8266. Included by the top-level Makefile; `make vboard` builds it, `make test-vboard` tests it.
BUILD ?= build
VBOARD_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
VBOARD_OUT := $(BUILD)/vboard
VBOARD_CROSS ?= xtensa-lx106-elf-
VBOARD_CC ?= $(CC)
VBOARD_PYTHON ?= python3

VBOARD_WARNINGS := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
    -Wundef -Wpointer-arith -Wvla -Wimplicit-fallthrough -Werror

# The ROM defines what compilers take for built in, and its loops must not become calls of themselves.
VBOARD_ROM_CFLAGS := -std=c11 -O2 -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns \
    -mtext-section-literals -ffunction-sections $(VBOARD_WARNINGS)
VBOARD_ROM_SRC := start.S boot.c cache.c cells.c chip.c clock.c controller.c crash.c float.c host.c integer.c md5.c memory.c \
    net.c nor.c print.c sha1.c spi.c tear.c uart.c vboard.c watchdog.c
# The flash chip is hardware that the boards have in common.
VBOARD_FLASH := $(VBOARD_DIR)/../flash
VBOARD_ROM_OBJ := $(patsubst %,$(VBOARD_OUT)/rom/%.o,$(basename $(VBOARD_ROM_SRC)))

.PHONY: vboard test-vboard
vboard: $(VBOARD_OUT)/rom.elf $(VBOARD_OUT)/plugin.so $(VBOARD_OUT)/air ## build the virtual ESP8266

test-vboard: vboard ## the tests of the virtual boards alone
	$(Q)VBOARD_BUILD=$(abspath $(VBOARD_OUT)) VBOARD_CROSS=$(VBOARD_CROSS) VBOARD_CC=$(VBOARD_CC) \
	    $(VBOARD_PYTHON) $(VBOARD_DIR)/../../tests/vboard/test_vboard.py
	$(Q)VBOARD_BUILD=$(abspath $(VBOARD_OUT)) $(VBOARD_PYTHON) $(VBOARD_DIR)/../../tests/vboard/c3/test_c3.py

$(VBOARD_OUT)/rom.elf: $(VBOARD_ROM_OBJ) $(VBOARD_DIR)/rom/rom.ld
	$(Q)$(VBOARD_CROSS)gcc -nostdlib -Wl,-T,$(VBOARD_DIR)/rom/rom.ld -o $@ $(VBOARD_ROM_OBJ) -lgcc

$(VBOARD_OUT)/rom/%.o: $(VBOARD_DIR)/rom/%.c
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CROSS)gcc $(VBOARD_ROM_CFLAGS) -I$(VBOARD_FLASH) -MMD -MP -c -o $@ $<

$(VBOARD_OUT)/rom/%.o: $(VBOARD_FLASH)/%.c
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CROSS)gcc $(VBOARD_ROM_CFLAGS) -MMD -MP -c -o $@ $<

$(VBOARD_OUT)/rom/%.o: $(VBOARD_DIR)/rom/%.S
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CROSS)gcc -MMD -MP -c -o $@ $<

$(VBOARD_OUT)/plugin.so: $(VBOARD_DIR)/plugin/plugin.c $(VBOARD_DIR)/plugin/qemu_plugin.h $(VBOARD_DIR)/board.h
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CC) -std=c11 -D_DEFAULT_SOURCE -O2 -fPIC -shared -fvisibility=hidden $(VBOARD_WARNINGS) -o $@ $<

# libslirp's pkg-config file wants glib's, of which only the library is needed.
VBOARD_AIR := $(VBOARD_DIR)/../air
$(VBOARD_OUT)/air: $(VBOARD_AIR)/air.c $(VBOARD_AIR)/attempts.c $(VBOARD_AIR)/attempts.h $(VBOARD_AIR)/messages.h
	@mkdir -p $(@D)
	$(Q)$(VBOARD_CC) -std=c11 -D_DEFAULT_SOURCE -O2 $(VBOARD_WARNINGS) -isystem /usr/include/slirp -o $@ $(filter %.c,$^) -lslirp

-include $(VBOARD_ROM_OBJ:.o=.d)
