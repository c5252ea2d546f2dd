# The virtual ESP8266 as a board of MicroPython's own esp8266 port.
#
# ports/esp8266/Makefile includes this and is used as it is; `override` keeps what is set here from being
# replaced by later lines of it. Settings, from the command line:
#   VPORT_NAME        name of the firmware, and of a folder in modules/ to freeze
#   VPORT_BALLAST     bytes of ballast, see sdk/ballast.c
#   VPORT_IRAM_BALLAST
#   VPORT_FLASH_SIZE  flash size in the image's header, as esptool writes it

VPORT_NAME ?= A
VPORT_BALLAST ?= 0
VPORT_IRAM_BALLAST ?= 0
VPORT_FLASH_SIZE ?= 4MB
VPORT_DIR := $(patsubst %/,%,$(dir $(abspath $(BOARD_DIR))))

# The virtual SDK takes the place of Espressif's.
override ESP_SDK := $(VPORT_DIR)/sdk
vpath %.c $(VPORT_DIR)

# What the MicroPython source package does not contain, or a radio would be needed for.
override MICROPY_PY_SSL := 0
override MICROPY_PY_BTREE := 0
override MICROPY_PY_ESPNOW := 0

# The port's sources, with its UART driver replaced and the radio left out.
override SRC_C := \
	strtoll.c main.c help.c esp_mphal.c esp_init_data.c gccollect.c lexerstr32.c esppwm.c espapa102.c \
	machine_bitstream.c machine_pin.c machine_rtc.c machine_spi.c modesp.c ets_alt_task.c fatfs_port.c \
	posix_helpers.c hspi.c vfs_rom_ioctl.c sdk/sdk.c sdk/noradio.c sdk/uart.c sdk/ballast.c

CFLAGS += -DMP_CONFIGFILE=\"mpconfigvport.h\" -I$(VPORT_DIR)
QSTR_GLOBAL_DEPENDENCIES += $(VPORT_DIR)/mpconfigvport.h
$(BUILD)/sdk/ballast.o: CFLAGS += -DVPORT_BALLAST=$(VPORT_BALLAST) -DVPORT_IRAM_BALLAST=$(VPORT_IRAM_BALLAST) \
	-DVPORT_SEED=$(shell printf %d "'$(VPORT_NAME)")

# The port is written for an older gcc: it defines objects in headers, and reads before and behind symbols.
override CFLAGS_EXTRA += -fcommon -Wno-array-bounds

FROZEN_MANIFEST ?= $(VPORT_DIR)/manifest.py
MICROPY_MANIFEST_VPORT_DIR = $(VPORT_DIR)
MICROPY_MANIFEST_VPORT_NAME = $(VPORT_NAME)

LDFLAGS += --wrap=mp_hal_stdin_rx_chr

# Only libgcc is left of the libraries.
override LIBS = $(shell $(CC) -print-libgcc-file-name)

override ESPTOOL := $(PYTHON) $(VPORT_DIR)/elf2image.py --size $(VPORT_FLASH_SIZE)
